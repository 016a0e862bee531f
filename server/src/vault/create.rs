//! Making resources and accounts.

use crate::domain::{
    Account, AccountId, AccountName, Action, Change, Decision, FreeText, NameError, Operation,
    Password, RefusalReason, Resource, ResourceGroup, ResourceId, ResourceName, SecretKind,
    SecretVersion, User, UserId, decide,
};
use crate::store::rows::{Changes, Ids, Kept, SecretRow};
use crate::vault::book::Deed;
use crate::vault::change::Chosen;
use crate::vault::id_block::IdKind;
use crate::vault::{AccountEdit, Caller, NewPassword, ResourceEdit, Vault, VaultError};

/// A resource to be made, with its first account.
#[derive(Debug)]
pub struct NewResource<'a> {
    /// Its name.
    pub resource: &'a str,
    /// What kind of thing it is.
    pub kind: &'a str,
    /// Its first account's name.
    pub account: &'a str,
    /// Its first account's notes.
    pub notes: &'a str,
    /// Whose it will be; `None` is the caller's. Only an administrator makes some for others.
    pub owner: Option<&'a str>,
    /// What else is known of the resource.
    pub more: ResourceEdit,
    /// What else is known of the account.
    pub more_of_account: AccountEdit,
}

/// What was made.
#[derive(Debug)]
pub struct Made {
    /// The resource.
    pub resource: ResourceId,
    /// The account.
    pub account: AccountId,
    /// The account's password, where it was generated.
    pub generated: Option<Password>,
}

impl Made {
    pub(super) fn of(account: &Account, chosen: Chosen) -> Self {
        Self {
            resource: account.resource,
            account: account.id,
            generated: chosen.generated.then_some(chosen.password),
        }
    }
}

impl Vault {
    /// Makes a resource with an account.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for whoever may not make resources;
    /// [`VaultError::ResourceExists`] when one has this name in whatever case or Unicode form;
    /// [`VaultError::Invalid`] for a name that cannot be one; [`VaultError::Policy`].
    pub async fn create(
        &self,
        new: &NewResource<'_>,
        password: NewPassword,
        caller: &Caller,
    ) -> Result<Made, VaultError> {
        self.create_for(new, password, "", caller).await
    }

    /// The same, under a ticket for the audit trail; empty is none.
    ///
    /// # Errors
    /// As for [`Self::create`].
    pub async fn create_for(
        &self,
        new: &NewResource<'_>,
        password: NewPassword,
        ticket: &str,
        caller: &Caller,
    ) -> Result<Made, VaultError> {
        let mut deed = Deed::new(Operation::CreateResource)
            .on(new.resource, new.account)
            .because("", ticket);
        self.primary_only(&deed, caller).await?;
        self.creates(&deed, caller).await?;
        let (mut resource, mut account) = self.drafted(new, &deed, caller).await?;
        let joins = self.group_to_join(new.more.group.as_deref(), &deed, caller);
        let joins = joins.await?;
        let policy = self.policy_of(&resource, Some(&account)).await?;
        let chosen = match self.choose(password, &policy, &account.name)? {
            Ok(chosen) => chosen,
            Err(violation) => return Err(self.breaks(&deed, violation, caller).await),
        };
        if self.is_named(&resource).await? {
            let why = RefusalReason::Exists;
            return Err(self
                .refuse(&deed, why, VaultError::ResourceExists, caller)
                .await);
        }
        resource.id = ResourceId(self.next_id(IdKind::Resource).await?);
        account.id = AccountId(self.next_id(IdKind::Account).await?);
        account.resource = resource.id;
        deed.at(resource.id, account.id);
        self.allow(&deed, caller).await?;
        let done = self
            .commit_resource(
                (&resource, joins.as_ref()),
                Some((&account, &chosen)),
                caller,
            )
            .await;
        let done = self.taken_meanwhile(done, &resource).await;
        self.settle(&deed, done, caller).await?;
        Ok(Made::of(&account, chosen))
    }

    /// Makes a resource without an account: some are added to it later.
    ///
    /// # Errors
    /// As for [`Self::create`].
    pub async fn add_resource(
        &self,
        (name, kind): (&str, &str),
        more: ResourceEdit,
        caller: &Caller,
    ) -> Result<Resource, VaultError> {
        let mut deed = Deed::new(Operation::CreateResource).on(name, "");
        self.primary_only(&deed, caller).await?;
        self.creates(&deed, caller).await?;
        let mut resource = match self.draft_resource((name, kind), &more, caller.user(), caller) {
            Ok(resource) => resource,
            Err(answer) => {
                let deed = deed.detail(answer.to_string());
                let why = RefusalReason::Invalid;
                return Err(self.refuse(&deed, why, answer, caller).await);
            }
        };
        let joins = self.group_to_join(more.group.as_deref(), &deed, caller);
        let joins = joins.await?;
        if self.is_named(&resource).await? {
            let why = RefusalReason::Exists;
            return Err(self
                .refuse(&deed, why, VaultError::ResourceExists, caller)
                .await);
        }
        resource.id = ResourceId(self.next_id(IdKind::Resource).await?);
        deed.at_resource(resource.id);
        self.allow(&deed, caller).await?;
        let done = self
            .commit_resource((&resource, joins.as_ref()), None, caller)
            .await;
        let done = self.taken_meanwhile(done, &resource).await;
        self.settle(&deed, done, caller).await?;
        Ok(resource)
    }

    /// That `caller` may make resources.
    async fn creates(&self, deed: &Deed, caller: &Caller) -> Result<(), VaultError> {
        if decide(Action::CreateResource, caller.standing(None, None)) == Decision::Allowed {
            return Ok(());
        }
        let why = RefusalReason::NotAllowed;
        Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await)
    }

    /// Says what happened where the name was taken meanwhile; otherwise the owner or the group has
    /// changed.
    async fn taken_meanwhile(
        &self,
        done: Result<(), VaultError>,
        resource: &Resource,
    ) -> Result<(), VaultError> {
        match done {
            Err(VaultError::Conflict) => match self.is_named(resource).await {
                Ok(true) => Err(VaultError::ResourceExists),
                Ok(false) | Err(_) => Err(VaultError::Conflict),
            },
            other => other,
        }
    }

    /// Whether there is a resource with this one's name.
    async fn is_named(&self, resource: &Resource) -> Result<bool, VaultError> {
        let places = self.rows.places();
        let by_name = places.resource_by_name(resource.org, &resource.name);
        Ok(self.rows.get::<Ids>(by_name).await?.is_some())
    }

    /// Checks what was said about a new resource, before anything is looked up.
    async fn drafted(
        &self,
        new: &NewResource<'_>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(Resource, Account), VaultError> {
        let owner = match new.owner {
            None => caller.user(),
            Some(login) => Some(self.owner_called(login, deed, caller).await?),
        };
        match self.draft(new, owner, caller) {
            Ok(drafts) => Ok(drafts),
            Err(answer) => {
                let deed = deed.clone().detail(answer.to_string());
                Err(self
                    .refuse(&deed, RefusalReason::Invalid, answer, caller)
                    .await)
            }
        }
    }

    fn draft(
        &self,
        new: &NewResource<'_>,
        owner: Option<UserId>,
        caller: &Caller,
    ) -> Result<(Resource, Account), VaultError> {
        let invalid = |error: NameError| VaultError::Invalid(error.to_string());
        let now = self.clock.now();
        let named = (new.resource, new.kind);
        let resource = self.draft_resource(named, &new.more, owner, caller)?;
        let mut account = Account {
            id: AccountId(0),
            resource: ResourceId(0),
            name: AccountName::parse(new.account).map_err(invalid)?,
            kind: SecretKind::Password,
            notes: FreeText::parse(new.notes).map_err(invalid)?,
            fields: Vec::new(),
            policy: None,
            reason_demanded: None,
            ticket_demanded: None,
            secret: SecretVersion(1),
            oldest: SecretVersion(1),
            created: now,
            changed: now,
        };
        new.more_of_account.apply(&mut account)?;
        Ok((resource, account))
    }

    fn draft_resource(
        &self,
        (name, kind): (&str, &str),
        more: &ResourceEdit,
        owner: Option<UserId>,
        caller: &Caller,
    ) -> Result<Resource, VaultError> {
        let invalid = |error: NameError| VaultError::Invalid(error.to_string());
        let mut resource = Resource {
            id: ResourceId(0),
            org: caller.org(),
            name: ResourceName::parse(name).map_err(invalid)?,
            kind: FreeText::parse(kind).map_err(invalid)?,
            owner,
            address: FreeText::default(),
            url: FreeText::default(),
            description: FreeText::default(),
            notes: FreeText::default(),
            department: FreeText::default(),
            location: FreeText::default(),
            fields: Vec::new(),
            policy: None,
            reason_demanded: None,
            ticket_demanded: None,
            created: self.clock.now(),
        };
        more.apply(&mut resource)?;
        Ok(resource)
    }

    async fn commit_resource(
        &self,
        (resource, joins): (&Resource, Option<&Kept<ResourceGroup>>),
        first: Option<(&Account, &Chosen)>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let mut changes = self.rows.changes();
        if let Some(owner) = resource.owner {
            let key = self.rows.places().user(resource.org, owner);
            let owner = self.rows.get::<User>(key).await?;
            // An owner that is removed meanwhile leaves no resource behind.
            changes.depend_on(&owner.ok_or(VaultError::NotFound("user"))?);
        }
        self.add_resource_rows(&mut changes, resource)?;
        if let Some((account, chosen)) = first {
            self.add_account_rows(&mut changes, account, chosen, caller)?;
        }
        if let Some(group) = joins {
            self.put_into(&mut changes, resource.id, group)?;
        }
        Ok(changes.commit().await?)
    }

    pub(super) fn add_resource_rows(
        &self,
        changes: &mut Changes<'_>,
        resource: &Resource,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        changes.add(places.resource(resource.org, resource.id), resource)?;
        let by_name = places.resource_by_name(resource.org, &resource.name);
        changes.add(by_name, &Ids(vec![resource.id.0]))?;
        if let Some(owner) = resource.owner {
            changes.add(
                places.resource_by_owner(owner, resource.id),
                &Ids(Vec::new()),
            )?;
        }
        Ok(())
    }

    pub(super) fn add_account_rows(
        &self,
        changes: &mut Changes<'_>,
        account: &Account,
        chosen: &Chosen,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        self.add_account_row(changes, account)?;
        let change = Change {
            version: account.secret,
            at: account.created,
            by: caller.user(),
            generated: chosen.generated,
        };
        let text = zeroize::Zeroizing::new(chosen.password.expose().to_owned());
        let password = Password::parse(text).map_err(|_| crate::store::StoreError::Form)?;
        let key = self.rows.places().secret(account.id, account.secret);
        changes.add(key, &SecretRow { change, password })?;
        Ok(())
    }

    /// Adds an account with the rows by which it is found, without its secret.
    pub(super) fn add_account_row(
        &self,
        changes: &mut Changes<'_>,
        account: &Account,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        changes.add(places.account(account.resource, account.id), account)?;
        let by_name = places.account_by_name(account.resource, &account.name);
        changes.add(by_name, &Ids(vec![account.id.0]))?;
        let by_id = places.account_by_id(account.id);
        changes.add(by_id, &Ids(vec![account.resource.0]))?;
        Ok(())
    }
}
