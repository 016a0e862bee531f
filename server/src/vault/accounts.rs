//! Adding, listing, editing and removing accounts; the history of their passwords.

use crate::domain::{
    Account, AccountId, AccountName, Action, Change, FreeText, NameError, Operation, PolicyId,
    RefusalReason, Resource, SecretKind, SecretVersion, Status, Timestamp, UserId, beside,
};
use crate::store::rows::{Changes, Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::id_block::IdKind;
use crate::vault::leftovers::Leftover;
use crate::vault::resources::custom_fields;
use crate::vault::{
    AccountRef, Caller, Filter, Made, NewPassword, ResourceRef, Vault, VaultError, Wanted,
};

/// An account to be added to a resource.
#[derive(Debug, Default)]
pub struct NewAccount<'a> {
    /// The resource.
    pub resource: ResourceRef<'a>,
    /// The account's name.
    pub account: &'a str,
    /// What else is known of it.
    pub more: AccountEdit,
}

/// What is to be known of an account from now on; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct AccountEdit {
    /// Its new name.
    pub name: Option<String>,
    /// Notes.
    pub notes: Option<String>,
    /// All of its custom fields.
    pub fields: Option<Vec<(String, String)>>,
    /// Its policy; `Some(None)` is the resource's again.
    pub policy: Option<Option<PolicyId>>,
    /// Whether a reason is demanded; `Some(None)` is the resource's setting again.
    pub reason_demanded: Option<Option<bool>>,
    /// Whether a ticket is demanded; `Some(None)` is the resource's setting again.
    pub ticket_demanded: Option<Option<bool>>,
}

impl AccountEdit {
    pub(super) fn apply(&self, account: &mut Account) -> Result<(), VaultError> {
        let invalid = |error: NameError| VaultError::Invalid(error.to_string());
        if let Some(name) = &self.name {
            account.name = AccountName::parse(name).map_err(invalid)?;
        }
        if let Some(notes) = &self.notes {
            account.notes = FreeText::parse(notes).map_err(invalid)?;
        }
        if let Some(fields) = &self.fields {
            account.fields = custom_fields(fields)?;
        }
        account.policy = self.policy.unwrap_or(account.policy);
        account.reason_demanded = self.reason_demanded.unwrap_or(account.reason_demanded);
        account.ticket_demanded = self.ticket_demanded.unwrap_or(account.ticket_demanded);
        Ok(())
    }
}

/// An account as its lists show it: never its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// The account.
    pub account: Account,
    /// When its password was last retrieved, as far as it has been written down; the audit trail
    /// knows exactly.
    pub accessed: Option<Timestamp>,
    /// What whoever asks sees of its password.
    pub status: Status,
    /// Since when it is not clear which password its target has; `None` where it is.
    pub unclear_since: Option<Timestamp>,
}

impl Vault {
    /// Adds an account to a resource.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for a resource that is not there or not shared;
    /// [`VaultError::NotAllowed`]; [`VaultError::Exists`]; [`VaultError::Policy`].
    pub async fn add_account(
        &self,
        new: &NewAccount<'_>,
        password: NewPassword,
        caller: &Caller,
    ) -> Result<Made, VaultError> {
        let mut deed = Deed::new(Operation::CreateAccount);
        deed = deed.on(&new.resource.words(), new.account);
        self.primary_only(&deed, caller).await?;
        let (resource, mut account) = self.account_draft(new, &mut deed, caller).await?;
        let policy = self.policy_of(&resource.record, Some(&account)).await?;
        let chosen = match self.choose(password, &policy, &account.name)? {
            Ok(chosen) => chosen,
            Err(violation) => return Err(self.breaks(&deed, violation, caller).await),
        };
        self.name_is_free(&account, &deed, caller).await?;
        account.id = AccountId(self.next_id(IdKind::Account).await?);
        deed.at(account.resource, account.id);
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.depend_on(&resource);
        self.add_account_rows(&mut changes, &account, &chosen, caller)?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        Ok(Made::of(&account, chosen))
    }

    /// At most `limit` accounts of a resource that `caller` may see, after the one with the id
    /// `after`.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for a resource that is not there or not shared.
    pub async fn accounts(
        &self,
        resource: impl Into<ResourceRef<'_>>,
        after: Option<AccountId>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<AccountView>, VaultError> {
        let filter = Filter {
            after: after.map(|id| id.0),
            ..Filter::page(0, limit)
        };
        Ok(self.account_page(resource, &filter, caller).await?.items)
    }

    /// One account.
    ///
    /// # Errors
    /// [`VaultError::Refused`] when there is none that `caller` may see.
    pub async fn account<'a>(
        &self,
        resource: impl Into<ResourceRef<'a>>,
        account: impl Into<AccountRef<'a>>,
        caller: &Caller,
    ) -> Result<AccountView, VaultError> {
        let wanted = Wanted::of(resource, account);
        let mut deed = Deed::new(Operation::List).on_wanted(&wanted);
        let found = self.find(&wanted, Action::See, &mut deed, caller).await?;
        self.allow(&deed, caller).await?;
        self.account_view(found.account.record, caller).await
    }

    /// Changes what is known of an account, but for its password; the answer is what is known now.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`], [`VaultError::Invalid`],
    /// [`VaultError::Exists`] when its new name is taken.
    pub async fn edit_account<'a>(
        &self,
        resource: impl Into<ResourceRef<'a>>,
        account: impl Into<AccountRef<'a>>,
        edit: &AccountEdit,
        caller: &Caller,
    ) -> Result<Account, VaultError> {
        let wanted = Wanted::of(resource, account);
        let mut deed = Deed::new(Operation::EditAccount).on_wanted(&wanted);
        self.primary_only(&deed, caller).await?;
        let found = self
            .find(&wanted, Action::Manage, &mut deed, caller)
            .await?;
        let mut account = found.account.record.clone();
        if let Err(e) = edit.apply(&mut account) {
            return Err(self.refuse(&deed, RefusalReason::Invalid, e, caller).await);
        }
        let renamed = account.name != found.account.record.name;
        if renamed && beside::base(&account.name).is_some() {
            // What stands beside another account goes with it: whoever has this one alone puts
            // nothing there.
            let whole = ResourceRef::Id(found.resource.record.id);
            let mut deed = deed.clone();
            self.find_resource(whole, Action::Manage, &mut deed, caller)
                .await?;
        }
        if renamed {
            // Nor does it take what stands beside that name already.
            self.manages_beside((account.resource, &account.name), caller)
                .await?;
        }
        self.policy_exists(account.policy, &deed, caller).await?;
        let _unmoved = match renamed {
            true => Some(
                self.move_account(&found.account.record, &deed, caller)
                    .await?,
            ),
            false => None,
        };
        self.allow(&deed, caller).await?;
        let done = self.commit_account_edit(&found.account, &account).await;
        self.settle(&deed, done, caller).await?;
        if renamed {
            // Whoever came by a key knows it by its name.
            self.generation.grow();
        }
        Ok(account)
    }

    /// Removes an account with its passwords.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`].
    pub async fn remove_account<'a>(
        &self,
        resource: impl Into<ResourceRef<'a>>,
        account: impl Into<AccountRef<'a>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let wanted = Wanted::of(resource, account);
        let mut deed = Deed::new(Operation::RemoveAccount).on_wanted(&wanted);
        self.primary_only(&deed, caller).await?;
        let found = self
            .find(&wanted, Action::Manage, &mut deed, caller)
            .await?;
        self.allow(&deed, caller).await?;
        let (resource, account) = (found.resource.record.id, found.account.record.id);
        let leftover = Leftover::Account(resource, account);
        let done = self.commit_account_removal(&found.account, leftover).await;
        self.settle(&deed, done, caller).await?;
        self.clear_away(leftover).await;
        Ok(())
    }

    async fn commit_account_removal(
        &self,
        kept: &Kept<Account>,
        leftover: Leftover,
    ) -> Result<(), VaultError> {
        let mut changes = self.rows.changes();
        self.remove_account_rows(&mut changes, kept);
        self.leave(&mut changes, leftover)?;
        Ok(changes.commit().await?)
    }

    /// When and by whom an account's password changed, newest first, as far as versions are kept.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not change it.
    pub async fn history<'a>(
        &self,
        resource: impl Into<ResourceRef<'a>>,
        account: impl Into<AccountRef<'a>>,
        caller: &Caller,
    ) -> Result<Vec<(Change, Option<String>)>, VaultError> {
        let wanted = Wanted::of(resource, account);
        let mut deed = Deed::new(Operation::History).on_wanted(&wanted);
        let found = self
            .find(&wanted, Action::Change, &mut deed, caller)
            .await?;
        self.allow(&deed, caller).await?;
        let account = found.account.record;
        let mut changes = Vec::new();
        for version in (account.oldest.0..=account.secret.0).rev() {
            let version = SecretVersion(version);
            if let Some(change) = self.change_at(&account, version).await? {
                let by = self.name_of(caller, change.by).await?;
                changes.push((change, by));
            }
        }
        Ok(changes)
    }

    /// The resource to which an account is to be added, and the account, checked but for its name.
    pub(super) async fn account_draft(
        &self,
        new: &NewAccount<'_>,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<(Kept<Resource>, Account), VaultError> {
        let resource = self
            .find_resource(new.resource, Action::Manage, deed, caller)
            .await?;
        let account = match self.draft_account(new, &resource.record) {
            Ok(account) => account,
            Err(e) => return Err(self.refuse(deed, RefusalReason::Invalid, e, caller).await),
        };
        self.policy_exists(account.policy, deed, caller).await?;
        Ok((resource, account))
    }

    /// That no account of the resource has this name, in whatever spelling.
    pub(super) async fn name_is_free(
        &self,
        account: &Account,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let by_name = places.account_by_name(account.resource, &account.name);
        if self.rows.get::<Ids>(by_name).await?.is_none() {
            return Ok(());
        }
        let (why, answer) = (
            RefusalReason::Exists,
            VaultError::Exists("an account with this name"),
        );
        Err(self.refuse(deed, why, answer, caller).await)
    }

    async fn name_of(
        &self,
        caller: &Caller,
        user: Option<UserId>,
    ) -> Result<Option<String>, VaultError> {
        match user {
            None => Ok(None),
            Some(id) => Ok(Some(self.login_of(caller.org(), id).await?)),
        }
    }

    fn draft_account(
        &self,
        new: &NewAccount<'_>,
        resource: &Resource,
    ) -> Result<Account, VaultError> {
        let now = self.clock.now();
        let name = AccountName::parse(new.account);
        let mut account = Account {
            id: AccountId(0),
            resource: resource.id,
            name: name.map_err(|error| VaultError::Invalid(error.to_string()))?,
            kind: SecretKind::Password,
            notes: FreeText::default(),
            fields: Vec::new(),
            policy: None,
            reason_demanded: None,
            ticket_demanded: None,
            secret: SecretVersion(1),
            oldest: SecretVersion(1),
            created: now,
            changed: now,
        };
        new.more.apply(&mut account)?;
        Ok(account)
    }

    async fn commit_account_edit(
        &self,
        kept: &Kept<Account>,
        account: &Account,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let old = places.account_by_name(account.resource, &kept.record.name);
        let new = places.account_by_name(account.resource, &account.name);
        let mut changes = self.rows.changes();
        if old != new {
            if self.rows.get::<Ids>(new.clone()).await?.is_some() {
                return Err(VaultError::Exists("an account with this name"));
            }
            changes.clear(old);
            changes.add(new, &Ids(vec![account.id.0]))?;
        }
        changes.replace(kept, account)?;
        Ok(changes.commit().await?)
    }

    pub(super) fn remove_account_rows(&self, changes: &mut Changes<'_>, kept: &Kept<Account>) {
        let (places, account) = (self.rows.places(), &kept.record);
        changes.remove(kept);
        changes.clear(places.account_by_name(account.resource, &account.name));
        changes.clear(places.account_by_id(account.id));
        changes.clear(places.accessed(account.resource, account.id));
        for version in account.oldest.0..=account.secret.0 {
            changes.clear(places.secret(account.id, SecretVersion(version)));
        }
    }

    pub(super) async fn account_view(
        &self,
        account: Account,
        caller: &Caller,
    ) -> Result<AccountView, VaultError> {
        let accessed = self.accessed(&account).await?;
        let status = self.status_of(&account, caller).await?;
        Ok(AccountView {
            unclear_since: self.unclear_since(&account).await?,
            account,
            accessed,
            status,
        })
    }
}
