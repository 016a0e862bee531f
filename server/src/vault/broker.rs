//! Requests in users' names: whom an application may speak for, and how it does.

use crate::domain::{
    Allowed, ApiKey, ApplicationId, Broker, Group, GroupId, Host, Operation, Permit, RefusalReason,
    Scope, User, UserId,
};
use crate::store::rows::{BrokerRow, Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::caller::Identity;
use crate::vault::registrations::{deed_on, is_own, reaches_all};
use crate::vault::retrievable::told_from;
use crate::vault::users::last_number;
use crate::vault::{Caller, KeyOf, Keyed, Vault, VaultError};

/// Whom an application is to speak for.
#[derive(Clone, Debug, Default)]
pub struct NewBroker {
    /// These users.
    pub users: Vec<UserId>,
    /// And whoever is in one of these groups.
    pub groups: Vec<GroupId>,
    /// From where its key is to count; from anywhere when there is none.
    pub from: Vec<String>,
}

/// Whom an application speaks for, as it is shown to whoever may see the key.
#[derive(Clone, Debug)]
pub struct BrokerView {
    /// The users.
    pub users: Vec<User>,
    /// The groups.
    pub groups: Vec<Group>,
    /// From where its key counts.
    pub from: Vec<Host>,
    /// The key, for whoever may see it.
    pub key: Option<ApiKey>,
}

impl Vault {
    /// Whom an application speaks for, if for anybody.
    ///
    /// # Errors
    /// [`VaultError::NotFound`], also for a registration that the caller may not see.
    pub async fn broker(
        &self,
        id: ApplicationId,
        caller: &Caller,
    ) -> Result<Option<BrokerView>, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("broker of registration {id}"));
        let application = self.seen_registration(id, &deed, caller).await?.record;
        let shows = self.shows_keys(&application, caller).await?;
        self.allow(&deed, caller).await?;
        let key = self.rows.places().broker(id);
        let Some(kept) = self.rows.get::<BrokerRow>(key).await? else {
            return Ok(None);
        };
        let above = is_above(&kept.record.broker, caller) && !is_own(&application, caller);
        let mut view = self.broker_view(kept.record).await?;
        view.key = view.key.filter(|_| shows && !above);
        Ok(Some(view))
    }

    /// The key by which an application speaks for users.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for whoever sees the registration and may not see its keys, or
    /// reaches less than whoever said for whom it speaks;
    /// [`VaultError::NotFound`] where it speaks for nobody, and for a registration that the caller
    /// may not see.
    pub async fn broker_key(
        &self,
        id: ApplicationId,
        caller: &Caller,
    ) -> Result<ApiKey, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("broker's key of registration {id}"));
        let application = self.seen_registration(id, &deed, caller).await?.record;
        self.may_see_keys(&application, &deed, caller).await?;
        let key = self.rows.places().broker(id);
        let Some(kept) = self.rows.get::<BrokerRow>(key).await? else {
            return Err(self.no_broker(&deed, caller).await);
        };
        if !is_own(&application, caller) {
            self.not_above_broker(Some(&kept), &deed, caller).await?;
        }
        self.allow(&deed, caller).await?;
        Ok(kept.record.key)
    }

    async fn no_broker(&self, deed: &Deed, caller: &Caller) -> VaultError {
        let answer = VaultError::NotFound("access request broker");
        let why = RefusalReason::NoSuchThing;
        self.refuse(deed, why, answer, caller).await
    }

    /// Says whom an application speaks for; where it did already, its key stays.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::NotFound`] when there is no such registration,
    /// user or group; [`VaultError::Invalid`] for what is no address, and for too many.
    pub async fn put_broker(
        &self,
        id: ApplicationId,
        new: &NewBroker,
        caller: &Caller,
    ) -> Result<BrokerView, VaultError> {
        let words = format!(
            "speaks for {} users, {} groups{}",
            new.users.len(),
            new.groups.len(),
            told_from(&new.from)
        );
        let deed = deed_on(id, &words);
        self.primary_only(&deed, caller).await?;
        let application = self.administered_registration(id, &deed, caller).await?;
        let from = self.addresses(&new.from, &deed, caller).await?;
        self.are_there(new, &deed, caller).await?;
        let place = self.rows.places().broker(id);
        let kept = self.rows.get::<BrokerRow>(place.clone()).await?;
        self.not_above_broker(kept.as_ref(), &deed, caller).await?;
        let key = match &kept {
            Some(kept) => kept.record.key.clone(),
            None => self.draw_key()?,
        };
        let broker = Broker {
            application: id,
            org: caller.org(),
            from,
            users: sorted(new.users.clone()),
            groups: sorted(new.groups.clone()),
            wide: reaches_all(caller),
        };
        let row = BrokerRow { broker, key };
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        // None comes after the application is removed, or has been looked at to be widened.
        changes.replace(&application, &application.record)?;
        changes.set(place, kept.as_ref(), &row)?;
        if kept.is_none() {
            changes.add(self.rows.places().api_key(&row.key), &proven(&row))?;
        }
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        self.broker_view(row).await
    }

    /// Lets an application speak for nobody any more; its key opens nothing.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn remove_broker(
        &self,
        id: ApplicationId,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = deed_on(id, "speaks for nobody any more");
        self.primary_only(&deed, caller).await?;
        let kept = self.kept_broker(id, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.remove(&kept);
        changes.clear(self.rows.places().api_key(&kept.record.key));
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// Gives an application another key to speak for users; the old one opens nothing any more.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn renew_broker_key(
        &self,
        id: ApplicationId,
        caller: &Caller,
    ) -> Result<ApiKey, VaultError> {
        let deed = deed_on(id, "another key to speak for users");
        self.primary_only(&deed, caller).await?;
        let kept = self.kept_broker(id, &deed, caller).await?;
        self.not_above_broker(Some(&kept), &deed, caller).await?;
        let row = BrokerRow {
            broker: kept.record.broker.clone(),
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

    /// Whom whoever came by a key may mean.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for a key that is for something else; [`VaultError::Invalid`] for
    /// more than a thousand.
    pub async fn brokered_users(&self, keyed: &Keyed) -> Result<Vec<User>, VaultError> {
        let row = self.broker_of(keyed).await?;
        let (places, org) = (self.rows.places(), row.broker.org);
        let mut ids = row.broker.users;
        for group in row.broker.groups {
            if self
                .rows
                .get::<Group>(places.group(org, group))
                .await?
                .is_none()
            {
                continue;
            }
            let members = places.members(group);
            let page = self.rows.page::<Ids>(&members, None, MOST_BROKERED + 1);
            ids.extend(
                page.await?
                    .iter()
                    .map(|kept| UserId(last_number(&kept.key))),
            );
            ids = sorted(ids);
            if ids.len() > MOST_BROKERED {
                return Err(VaultError::Invalid(TOO_MANY.to_owned()));
            }
        }
        let mut users = Vec::new();
        for id in ids {
            let kept = self.rows.get::<User>(places.user(org, id)).await?;
            let user = kept.map(|kept| kept.record);
            users.extend(user.filter(|user| self.may_be_spoken_for(user, row.broker.wide)));
        }
        Ok(users)
    }

    fn may_be_spoken_for(&self, user: &User, wide: bool) -> bool {
        !self.is_kept_out(user) && (wide || user.scope == Scope::Owned)
    }

    /// Whoever came by a key, as it requests in a user's name: it may request what the user may, and
    /// do nothing else.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] when it may not speak for this user.
    pub async fn broker_for(&self, keyed: &Keyed, user: UserId) -> Result<Caller, VaultError> {
        let generation = self.generation();
        let deed = Deed::new(Operation::Request).detail(format!("in the name of user {user}"));
        let row = self.broker_of(keyed).await?;
        let key = self.rows.places().user(row.broker.org, user);
        let kept = self.rows.get::<User>(key).await?.map(|kept| kept.record);
        let kept = kept.filter(|user| self.may_be_spoken_for(user, row.broker.wide));
        let meant = match kept {
            Some(user) if row.broker.users.contains(&user.id) => Some(user),
            Some(user) if self.is_in_one(&user, &row.broker.groups).await? => Some(user),
            _ => None,
        };
        let Some(user) = meant else {
            let why = RefusalReason::NotAllowed;
            let answer = VaultError::NotAllowed;
            return Err(self.refuse(&deed, why, answer, &keyed.caller).await);
        };
        let until = keyed.caller.identity.valid_until;
        let login = format!("{} in the name of {}", keyed.caller.login(), user.login());
        let identity = Identity {
            login,
            within: Some(Allowed::of(&[Permit::Retrieve])),
            ..self.identity_of(user, until, generation).await?
        };
        Ok(Caller {
            identity: identity.into(),
            origin: keyed.caller.origin,
        })
    }

    /// What somebody who reaches everything has said is nobody else's to change, or to have.
    async fn not_above_broker(
        &self,
        kept: Option<&Kept<BrokerRow>>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        if kept.is_none_or(|kept| !is_above(&kept.record.broker, caller)) {
            return Ok(());
        }
        let why = RefusalReason::NotAllowed;
        Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await)
    }

    async fn broker_of(&self, keyed: &Keyed) -> Result<BrokerRow, VaultError> {
        let KeyOf::Broker { application } = keyed.of else {
            return Err(VaultError::NotAllowed);
        };
        let key = self.rows.places().broker(application);
        let kept = self.rows.get::<BrokerRow>(key).await?;
        kept.map(|kept| kept.record).ok_or(VaultError::NotAllowed)
    }

    async fn kept_broker(
        &self,
        id: ApplicationId,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<BrokerRow>, VaultError> {
        self.administered_registration(id, deed, caller).await?;
        let key = self.rows.places().broker(id);
        if let Some(kept) = self.rows.get::<BrokerRow>(key).await? {
            return Ok(kept);
        }
        Err(self.no_broker(deed, caller).await)
    }

    async fn broker_view(&self, row: BrokerRow) -> Result<BrokerView, VaultError> {
        let (places, org) = (self.rows.places(), row.broker.org);
        let mut view = BrokerView {
            users: Vec::new(),
            groups: Vec::new(),
            from: row.broker.from,
            key: Some(row.key),
        };
        for id in row.broker.users {
            let kept = self.rows.get::<User>(places.user(org, id)).await?;
            view.users.extend(kept.map(|kept| kept.record));
        }
        for id in row.broker.groups {
            let kept = self.rows.get::<Group>(places.group(org, id)).await?;
            view.groups.extend(kept.map(|kept| kept.record));
        }
        Ok(view)
    }

    /// That whoever an application is to speak for is there, and does not reach more than whoever
    /// says so.
    async fn are_there(
        &self,
        new: &NewBroker,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let (places, org) = (self.rows.places(), caller.org());
        if new.users.len() + new.groups.len() > MOST_BROKERED {
            let words = format!("at most {MOST_BROKERED} users and groups");
            let why = RefusalReason::Invalid;
            let answer = VaultError::Invalid(words);
            return Err(self.refuse(deed, why, answer, caller).await);
        }
        let mut missing = None;
        for id in &new.users {
            match self.rows.get::<User>(places.user(org, *id)).await? {
                Some(user) => self.not_above(&user.record, deed, caller).await?,
                None => missing = Some("user"),
            }
        }
        for id in &new.groups {
            if self
                .rows
                .get::<Group>(places.group(org, *id))
                .await?
                .is_none()
            {
                missing = Some("group");
            }
        }
        let Some(what) = missing else {
            return Ok(());
        };
        let answer = VaultError::NotFound(what);
        let why = RefusalReason::NoSuchThing;
        Err(self.refuse(deed, why, answer, caller).await)
    }
}

/// Whether whoever said for whom an application speaks reaches more than `caller`.
fn is_above(broker: &Broker, caller: &Caller) -> bool {
    broker.wide && !reaches_all(caller)
}

/// Each once, in order.
fn sorted<I: Ord>(mut ids: Vec<I>) -> Vec<I> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn proven(row: &BrokerRow) -> Ids {
    Ids(vec![row.broker.org.0, row.broker.application.0])
}

/// How many users one application may speak for: all of them are looked at where one is sought by
/// its name.
const MOST_BROKERED: usize = 1000;
const TOO_MANY: &str = "this broker speaks for more than a thousand users: name one by its id";
