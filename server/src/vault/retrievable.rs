//! What applications may have by API key: one account, one key.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::domain::{
    Account, AccountId, AccountName, Action, ApiKey, ApplicationId, Host, Operation, RefusalReason,
    Resource, ResourceId, Retrievable, Target, beside,
};
use crate::store::rows::{Changes, Ids, Kept, RetrievableRow};
use crate::vault::book::Deed;
use crate::vault::find::Found;
use crate::vault::registrations::deed_on;
use crate::vault::users::last_number;
use crate::vault::{AccountRef, Caller, ResourceRef, Vault, VaultError, Wanted};

/// An account that an application may have, as it is shown to whoever may see the key.
#[derive(Clone, Debug)]
pub struct RetrievableView {
    /// The resource that it is on.
    pub resource: Resource,
    /// The account.
    pub account: Account,
    /// From where the key counts; from anywhere when there is none.
    pub from: Vec<Host>,
    /// The key, for whoever may see it.
    pub key: Option<ApiKey>,
}

impl RetrievableView {
    /// The same, with its key only if it is to be shown.
    fn showing(self, key: bool) -> Self {
        Self {
            key: self.key.filter(|_| key),
            ..self
        }
    }
}

impl Vault {
    /// Lets an application have an account by an API key; where it has it already, its key stays,
    /// and the addresses where there are no new ones.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for whoever does not administer, or does not manage the account
    /// and what stands beside it;
    /// [`VaultError::NotFound`] when there is no such registration; [`VaultError::Refused`] when
    /// there is no such account; [`VaultError::Invalid`] for what is no address.
    pub async fn add_retrievable(
        &self,
        id: ApplicationId,
        account: AccountId,
        from: &[String],
        caller: &Caller,
    ) -> Result<RetrievableView, VaultError> {
        let mut deed = deed_on(id, &format!("let it have an account{}", told_from(from)));
        self.primary_only(&deed, caller).await?;
        let application = self.administered_registration(id, &deed, caller).await?;
        let found = self.gives_away(account, &mut deed, caller).await?;
        let from = self.addresses(from, &deed, caller).await?;
        let resource = found.resource.record.id;
        let key = self.rows.places().retrievable(resource, account, id);
        if let Some(kept) = self.rows.get::<RetrievableRow>(key.clone()).await? {
            // Whoever says nothing of addresses takes none away.
            let from = match from.is_empty() {
                true => kept.record.retrievable.from.clone(),
                false => from,
            };
            return self.put_retrievable((&kept, from), &deed, caller).await;
        }
        let row = RetrievableRow {
            retrievable: Retrievable {
                application: id,
                org: caller.org(),
                resource,
                account,
                from,
                created: self.clock.now(),
            },
            key: self.draw_key()?,
        };
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        // No row comes after what it speaks of is removed, or has been looked at to be widened.
        changes.replace(&application, &application.record)?;
        changes.depend_on(&found.account);
        changes.add(key, &row)?;
        let index = self.rows.places().retrievable_of(id, account);
        changes.add(index, &Ids(vec![resource.0]))?;
        changes.add(self.rows.places().api_key(&row.key), &proven(&row))?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        Ok(RetrievableView {
            resource: found.resource.record,
            account: found.account.record,
            from: row.retrievable.from,
            key: Some(row.key),
        })
    }

    /// At most `limit` accounts that an application may have, after the one with the id `after`.
    ///
    /// # Errors
    /// [`VaultError::NotFound`], also for a registration that the caller may not see.
    pub async fn retrievables(
        &self,
        id: ApplicationId,
        after: Option<AccountId>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<RetrievableView>, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("accounts of registration {id}"));
        let application = self.seen_registration(id, &deed, caller).await?;
        let shows = self.shows_keys(&application.record, caller).await?;
        self.allow(&deed, caller).await?;
        let places = self.rows.places();
        let prefix = places.retrievables_of(id);
        let after = after.map(|account| places.retrievable_of(id, account));
        let mut views = Vec::new();
        for index in self
            .rows
            .page::<Ids>(&prefix, after.as_ref(), limit)
            .await?
        {
            let account = AccountId(last_number(&index.key));
            let resource = ResourceId(index.record.0.first().copied().unwrap_or_default());
            let key = places.retrievable(resource, account, id);
            if let Some(kept) = self.rows.get::<RetrievableRow>(key).await? {
                let view = self.retrievable_view(kept.record).await?;
                views.extend(view.map(|view| view.showing(shows)));
            }
        }
        Ok(views)
    }

    /// An account that an application may have.
    ///
    /// # Errors
    /// [`VaultError::NotFound`], also for what the caller may not see.
    pub async fn retrievable(
        &self,
        id: ApplicationId,
        account: AccountId,
        caller: &Caller,
    ) -> Result<RetrievableView, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("an account of registration {id}"));
        let application = self.seen_registration(id, &deed, caller).await?;
        let shows = self.shows_keys(&application.record, caller).await?;
        let kept = self.kept_retrievable(id, account, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        let view = self.retrievable_view(kept.record).await?;
        let view = view.map(|view| view.showing(shows));
        view.ok_or(VaultError::NotFound(ACCOUNT))
    }

    /// The key for an account that an application may have.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for whoever sees the registration and may not see its keys;
    /// [`VaultError::NotFound`], also for what the caller may not see.
    pub async fn retrievable_key(
        &self,
        id: ApplicationId,
        account: AccountId,
        caller: &Caller,
    ) -> Result<ApiKey, VaultError> {
        let mut deed = Deed::new(Operation::List).detail(format!("API key of registration {id}"));
        let application = self.seen_registration(id, &deed, caller).await?;
        self.may_see_keys(&application.record, &deed, caller)
            .await?;
        let kept = self.kept_retrievable(id, account, &deed, caller).await?;
        self.names(&mut deed, &kept.record.retrievable).await?;
        self.allow(&deed, caller).await?;
        Ok(kept.record.key)
    }

    /// Lets the key for an account count from these addresses only.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`], [`VaultError::Invalid`].
    pub async fn edit_retrievable(
        &self,
        id: ApplicationId,
        account: AccountId,
        from: &[String],
        caller: &Caller,
    ) -> Result<RetrievableView, VaultError> {
        let words = format!("say from where an account's key counts{}", told_from(from));
        let mut deed = deed_on(id, &words);
        self.primary_only(&deed, caller).await?;
        self.administered_registration(id, &deed, caller).await?;
        self.gives_away(account, &mut deed, caller).await?;
        let kept = self.kept_retrievable(id, account, &deed, caller).await?;
        let from = self.addresses(from, &deed, caller).await?;
        self.put_retrievable((&kept, from), &deed, caller).await
    }

    /// Takes an account from an application: its key opens nothing from the very next request on.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn remove_retrievable(
        &self,
        id: ApplicationId,
        account: AccountId,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let mut deed = deed_on(id, "take an account from it");
        self.primary_only(&deed, caller).await?;
        self.administered_registration(id, &deed, caller).await?;
        let kept = self.kept_retrievable(id, account, &deed, caller).await?;
        self.names(&mut deed, &kept.record.retrievable).await?;
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.remove(&kept);
        self.clear_ways_to(&mut changes, &kept.record);
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// Gives an application another key for an account; the old one opens nothing any more.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn renew_key(
        &self,
        id: ApplicationId,
        account: AccountId,
        caller: &Caller,
    ) -> Result<ApiKey, VaultError> {
        let mut deed = deed_on(id, "another key for an account");
        self.primary_only(&deed, caller).await?;
        self.administered_registration(id, &deed, caller).await?;
        self.gives_away(account, &mut deed, caller).await?;
        let kept = self.kept_retrievable(id, account, &deed, caller).await?;
        let row = RetrievableRow {
            retrievable: kept.record.retrievable.clone(),
            key: self.draw_key()?,
        };
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.clear(self.rows.places().api_key(&kept.record.key));
        changes.add(self.rows.places().api_key(&row.key), &proven(&row))?;
        changes.replace(&kept, &row)?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        Ok(row.key)
    }

    /// The account that a key is for, for whoever may give all away that comes by it: the account,
    /// what stands beside it, and what is asked for no request.
    async fn gives_away(
        &self,
        account: AccountId,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<Found, VaultError> {
        let found = self.manages(account, deed, caller).await?;
        let it = &found.account.record;
        self.manages_beside((it.resource, &it.name), caller).await?;
        let target = Target {
            resource: it.resource,
            account: Some(it.id),
        };
        // A key is asked for no request: it is for whoever may switch that off.
        self.manages_what_is_stricter(target, deed, caller).await?;
        Ok(found)
    }

    /// Names in a deed the account that an application may have.
    async fn names(&self, deed: &mut Deed, it: &Retrievable) -> Result<(), VaultError> {
        let places = self.rows.places();
        let resource = self
            .rows
            .get::<Resource>(places.resource(it.org, it.resource));
        let account = self
            .rows
            .get::<Account>(places.account(it.resource, it.account));
        deed.found(resource.await?.as_ref(), account.await?.as_ref());
        Ok(())
    }

    async fn manages(
        &self,
        account: AccountId,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<Found, VaultError> {
        let wanted = Wanted::of(ResourceRef::OfAccount, AccountRef::Id(account));
        self.find(&wanted, Action::Manage, deed, caller).await
    }

    /// That whoever gives an account away manages what stands beside it, too: it goes with it.
    pub(super) async fn manages_beside(
        &self,
        (resource, name): (ResourceId, &AccountName),
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let keys = (1..=beside::MOST_API_KEYS).map(|number| beside::api_key(name, number));
        for name in keys.chain([beside::ssh_key(name)]).flatten() {
            if let Some(kept) = self.account_called(resource, name.as_str()).await? {
                let mut deed = Deed::new(Operation::Application);
                self.manages(kept.record.id, &mut deed, caller).await?;
            }
        }
        Ok(())
    }

    /// A key that nobody has.
    pub(super) fn draw_key(&self) -> Result<ApiKey, VaultError> {
        let mut bytes = Zeroizing::new([0; 32]);
        for byte in bytes.iter_mut() {
            *byte = u8::try_from(self.chance.below(256)?).unwrap_or(u8::MAX);
        }
        Ok(ApiKey::from_bytes(&bytes))
    }

    /// Addresses and networks from where a key counts; a name is none, which could be anybody's.
    pub(super) async fn addresses(
        &self,
        from: &[String],
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Vec<Host>, VaultError> {
        let answer = match read_addresses(from) {
            Ok(hosts) => return Ok(hosts),
            Err(words) => VaultError::Invalid(words),
        };
        let why = RefusalReason::Invalid;
        Err(self.refuse(deed, why, answer, caller).await)
    }

    /// The three rows of an account that an application may have.
    pub(super) fn clear_retrievable(&self, changes: &mut Changes<'_>, kept: &Kept<RetrievableRow>) {
        changes.clear(kept.key.clone());
        self.clear_ways_to(changes, &kept.record);
    }

    /// What leads to an account that an application may have: the application, and the key.
    fn clear_ways_to(&self, changes: &mut Changes<'_>, row: &RetrievableRow) {
        let (places, it) = (self.rows.places(), &row.retrievable);
        changes.clear(places.retrievable_of(it.application, it.account));
        changes.clear(places.api_key(&row.key));
    }

    async fn put_retrievable(
        &self,
        (kept, from): (&Kept<RetrievableRow>, Vec<Host>),
        deed: &Deed,
        caller: &Caller,
    ) -> Result<RetrievableView, VaultError> {
        let row = RetrievableRow {
            retrievable: Retrievable {
                from,
                ..kept.record.retrievable.clone()
            },
            key: kept.record.key.clone(),
        };
        self.allow(deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.replace(kept, &row)?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(deed, done, caller).await?;
        let view = self.retrievable_view(row).await?;
        view.ok_or(VaultError::NotFound(ACCOUNT))
    }

    async fn kept_retrievable(
        &self,
        id: ApplicationId,
        account: AccountId,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<RetrievableRow>, VaultError> {
        let places = self.rows.places();
        let index = self.rows.get::<Ids>(places.retrievable_of(id, account));
        let resource = index.await?.and_then(|kept| kept.record.0.first().copied());
        if let Some(resource) = resource.map(ResourceId) {
            let key = places.retrievable(resource, account, id);
            if let Some(kept) = self.rows.get::<RetrievableRow>(key).await? {
                return Ok(kept);
            }
        }
        let answer = VaultError::NotFound(ACCOUNT);
        let why = RefusalReason::NoSuchThing;
        Err(self.refuse(deed, why, answer, caller).await)
    }

    /// Nothing where the account or its resource is being removed.
    async fn retrievable_view(
        &self,
        row: RetrievableRow,
    ) -> Result<Option<RetrievableView>, VaultError> {
        let (places, it) = (self.rows.places(), &row.retrievable);
        let resource = self
            .rows
            .get::<Resource>(places.resource(it.org, it.resource));
        let account = self
            .rows
            .get::<Account>(places.account(it.resource, it.account));
        let (Some(resource), Some(account)) = (resource.await?, account.await?) else {
            return Ok(None);
        };
        Ok(Some(RetrievableView {
            resource: resource.record,
            account: account.record,
            from: row.retrievable.from,
            key: Some(row.key),
        }))
    }
}

/// Whether two keys are one, in constant time.
pub(super) fn is_same(one: &ApiKey, other: &ApiKey) -> bool {
    bool::from(one.expose().as_bytes().ct_eq(other.expose().as_bytes()))
}

fn proven(row: &RetrievableRow) -> Ids {
    let it = &row.retrievable;
    Ids(vec![
        it.org.0,
        it.application.0,
        it.resource.0,
        it.account.0,
    ])
}

/// From where a key is to count, as the audit trail tells it.
pub(super) fn told_from(from: &[String]) -> String {
    match from {
        [] => String::new(),
        from => format!(", from {}", from.join(" ")),
    }
}

fn read_addresses(from: &[String]) -> Result<Vec<Host>, String> {
    if from.len() > MOST_ADDRESSES {
        return Err(format!("at most {MOST_ADDRESSES} addresses"));
    }
    let mut hosts = Vec::new();
    for text in from {
        match Host::parse(text.trim()) {
            Ok(Host::Name(name)) => {
                return Err(format!("`{name}` is neither an address nor a network"));
            }
            Ok(host) => hosts.push(host),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(hosts)
}

/// Of one key: all of them are looked at for every new connection.
const MOST_ADDRESSES: usize = 256;
const ACCOUNT: &str = "account of this registration";
