//! Many accounts at once: in from a file, out into one.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use zeroize::Zeroizing;

use crate::domain::{
    Account, AccountId, AccountName, FreeText, NameError, Operation, Password, PasswordPolicy,
    RefusalReason, Resource, ResourceId, ResourceName, SecretKind, SecretVersion, UserId,
};
use crate::store::rows::{Changes, Ids, SecretRow};
use crate::vault::book::Deed;
use crate::vault::change::Chosen;
use crate::vault::id_block::IdKind;
use crate::vault::{Caller, NewPassword, Vault, VaultError};

/// One account of an import or export, with what is known of its resource.
#[derive(Debug, Default)]
pub struct Entry {
    /// The resource's name.
    pub resource: String,
    /// What kind of thing it is.
    pub kind: String,
    /// Its DNS name or address.
    pub address: String,
    /// What it is for.
    pub description: String,
    /// Its owner's login; empty is the operator.
    pub owner: String,
    /// The account's name.
    pub account: String,
    /// The account's notes.
    pub notes: String,
    /// Its password; `None` generates one.
    pub password: Option<Zeroizing<String>>,
}

/// Why an entry was not imported, in words for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryError(pub String);

/// What is needed to import a batch, and what has been found out for it.
struct Import<'a> {
    policy: PasswordPolicy,
    resources: HashMap<String, Resource>,
    owners: HashMap<String, Option<UserId>>,
    taken: std::collections::HashSet<(u64, String)>,
    changes: Changes<'a>,
    deeds: Vec<Deed>,
}

impl Vault {
    /// Imports a batch: every good entry together, durably, or, where `dry`, none of them. An
    /// entry whose resource is there adds an account to it. The answer has one place an entry.
    ///
    /// Given passwords are taken as they are: they are in force already, whatever a policy says.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Conflict`] when somebody made one of them
    /// meanwhile, [`VaultError::Unavailable`]: then nothing of the batch was imported.
    pub async fn import(
        &self,
        entries: Vec<Entry>,
        dry: bool,
        caller: &Caller,
    ) -> Result<Vec<Result<(), EntryError>>, VaultError> {
        let deed = Deed::new(Operation::Import).detail(format!("{} entries", entries.len()));
        self.primary_only(&deed, caller).await?;
        self.administer_all(&deed, caller).await?;
        let mut import = Import {
            policy: self.default_policy(caller.org()).await?,
            resources: HashMap::new(),
            owners: HashMap::new(),
            taken: std::collections::HashSet::new(),
            changes: self.rows.changes(),
            deeds: Vec::new(),
        };
        let mut answers = Vec::with_capacity(entries.len());
        for entry in entries {
            match self.import_one(entry, dry, &mut import, caller).await {
                Ok(()) => answers.push(Ok(())),
                Err(VaultError::Unavailable(outage)) => return Err(outage.into()),
                Err(error) => answers.push(Err(EntryError(error.to_string()))),
            }
        }
        if dry || import.changes.is_empty() {
            return Ok(answers);
        }
        // One flush for all of them.
        try_join_all(import.deeds.iter().map(|deed| self.allow(deed, caller))).await?;
        let done = import.changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        Ok(answers)
    }

    /// Refuses whoever does not administer everything in its organisation: others' resources are
    /// touched without a look at who owns them.
    async fn administer_all(&self, deed: &Deed, caller: &Caller) -> Result<(), VaultError> {
        self.administer(deed, caller).await?;
        if caller.reaches_all() {
            return Ok(());
        }
        let why = RefusalReason::NotAllowed;
        Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await)
    }

    async fn import_one(
        &self,
        entry: Entry,
        dry: bool,
        import: &mut Import<'_>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let name = ResourceName::parse(&entry.resource).map_err(words)?;
        let account = AccountName::parse(&entry.account).map_err(words)?;
        let notes = FreeText::parse(&entry.notes).map_err(words)?;
        let password = match entry.password.as_ref() {
            Some(text) => NewPassword::parse(text.clone())?,
            None => NewPassword::Generate,
        };
        let resource = self
            .import_resource(&name, &entry, dry, import, caller)
            .await?;
        let folded = account.folded();
        if !import
            .taken
            .insert((resource.id.0, folded.as_str().to_owned()))
        {
            return Err(VaultError::Exists("an account with this name"));
        }
        let by_name = self.rows.places().account_by_name(resource.id, &account);
        if self.rows.get::<Ids>(by_name).await?.is_some() {
            return Err(VaultError::Exists("an account with this name"));
        }
        if dry {
            return Ok(());
        }
        let now = self.clock.now();
        let account = Account {
            id: AccountId(self.next_id(IdKind::Account).await?),
            resource: resource.id,
            name: account,
            kind: SecretKind::Password,
            notes,
            fields: Vec::new(),
            policy: None,
            reason_demanded: None,
            ticket_demanded: None,
            secret: SecretVersion(1),
            oldest: SecretVersion(1),
            created: now,
            changed: now,
        };
        let chosen = match password {
            NewPassword::Given(password) => Chosen {
                password,
                generated: false,
            },
            NewPassword::Generate => self
                .choose(NewPassword::Generate, &import.policy, &account.name)?
                .map_err(VaultError::Policy)?,
        };
        self.add_account_rows(&mut import.changes, &account, &chosen, caller)?;
        let deed = Deed::new(Operation::Import).on(&entry.resource, &entry.account);
        import.deeds.push(deed);
        Ok(())
    }

    /// The resource that an entry belongs to: of this batch, of the store, or a new one.
    async fn import_resource(
        &self,
        name: &ResourceName,
        entry: &Entry,
        dry: bool,
        import: &mut Import<'_>,
        caller: &Caller,
    ) -> Result<Resource, VaultError> {
        let folded = name.folded().as_str().to_owned();
        let known = match import.resources.get(&folded) {
            Some(known) => Some(known.clone()),
            None => {
                let kept = self.resource_in_any_spelling(caller.org(), name).await?;
                // What is removed at the same time gets no more accounts.
                kept.map(|kept| {
                    import.changes.depend_on(&kept);
                    kept.record
                })
            }
        };
        if let Some(known) = known {
            if known.name != *name {
                let text = format!("it is spelled `{}` there already", known.name);
                return Err(VaultError::Invalid(text));
            }
            import.resources.insert(folded, known.clone());
            return Ok(known);
        }
        let owner = self.import_owner(&entry.owner, import, caller).await?;
        // A dry run gives no ids away: numbers from the far end tell its resources apart.
        let id = match dry {
            true => u64::MAX - import.resources.len() as u64,
            false => self.next_id(IdKind::Resource).await?,
        };
        let resource = Resource {
            id: ResourceId(id),
            org: caller.org(),
            name: name.clone(),
            kind: FreeText::parse(&entry.kind).map_err(words)?,
            owner,
            address: FreeText::parse(&entry.address).map_err(words)?,
            url: FreeText::default(),
            description: FreeText::parse(&entry.description).map_err(words)?,
            notes: FreeText::default(),
            department: FreeText::default(),
            location: FreeText::default(),
            fields: Vec::new(),
            policy: None,
            reason_demanded: None,
            ticket_demanded: None,
            created: self.clock.now(),
        };
        self.add_resource_rows(&mut import.changes, &resource)?;
        import.resources.insert(folded, resource.clone());
        Ok(resource)
    }

    async fn import_owner(
        &self,
        login: &str,
        import: &mut Import<'_>,
        caller: &Caller,
    ) -> Result<Option<UserId>, VaultError> {
        if login.is_empty() {
            return Ok(caller.user());
        }
        if let Some(known) = import.owners.get(login) {
            return known.map(Some).ok_or(VaultError::NotFound("user"));
        }
        let found = self
            .user_called(caller.org(), login)
            .await?
            .map(|kept| kept.record.id);
        import.owners.insert(login.to_owned(), found);
        found.map(Some).ok_or(VaultError::NotFound("user"))
    }

    /// At most `limit` resources with all of their accounts that keep passwords, after the resource with
    /// the id `after`; and the id to go on after, if there may be more. What is under access control
    /// is left out for everybody but the operator, whose export is a move of the house.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for anybody but administrators who reach all passwords.
    pub async fn export(
        &self,
        after: Option<ResourceId>,
        limit: usize,
        caller: &Caller,
    ) -> Result<(Vec<Entry>, Option<ResourceId>), VaultError> {
        let deed = Deed::new(Operation::Export);
        self.administer_all(&deed, caller).await?;
        let (places, org) = (self.rows.places(), caller.org());
        let after = after.map(|id| places.resource(org, id));
        let page = self
            .rows
            .page::<Resource>(&places.resources(org), after.as_ref(), limit)
            .await?;
        let next = page
            .last()
            .filter(|_| page.len() == limit)
            .map(|kept| kept.record.id);
        let mut entries = Vec::new();
        for kept in page {
            let all = caller.is_operator();
            self.export_resource(&kept.record, all, &mut entries)
                .await?;
        }
        let deeds = entries
            .iter()
            .map(|entry| deed.clone().on(&entry.resource, &entry.account));
        let deeds: Vec<_> = deeds.collect();
        try_join_all(deeds.iter().map(|deed| self.allow(deed, caller))).await?;
        Ok((entries, next))
    }

    async fn export_resource(
        &self,
        resource: &Resource,
        all: bool,
        entries: &mut Vec<Entry>,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let owner = match resource.owner {
            Some(id) => self.login_of(resource.org, id).await?,
            None => String::new(),
        };
        for kept in self
            .rows
            .all::<Account>(&places.accounts(resource.id))
            .await?
        {
            let account = kept.record;
            if account.kind != SecretKind::Password {
                // An import would take it for a password: a backup has it.
                continue;
            }
            if !all && self.control_of(resource.id, account.id).await?.is_some() {
                continue;
            }
            let secret = places.secret(account.id, account.secret);
            let secret = self.rows.get::<SecretRow>(secret).await?;
            let text = |password: &Password| Zeroizing::new(password.expose().to_owned());
            entries.push(Entry {
                resource: resource.name.to_string(),
                kind: resource.kind.as_str().to_owned(),
                address: resource.address.as_str().to_owned(),
                description: resource.description.as_str().to_owned(),
                owner: owner.clone(),
                account: account.name.to_string(),
                notes: account.notes.as_str().to_owned(),
                password: secret.map(|kept| text(&kept.record.password)),
            });
        }
        Ok(())
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "stands where `map_err` hands it over"
)]
fn words(error: NameError) -> VaultError {
    VaultError::Invalid(error.to_string())
}
