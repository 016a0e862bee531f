//! Telling those who may retrieve a secret that there is another: never which one.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::warn;

use crate::domain::{
    Account, AccountId, Operation, OrgId, Permit, RefusalReason, Resource, ResourceId, beside,
};
use crate::store::Renewals;
use crate::store::rows::Ids;
use crate::vault::book::Deed;
use crate::vault::mailbox::{Changed, Listening, Watched};
use crate::vault::{KeyOf, Keyed, Vault, VaultError};

impl Vault {
    /// Listens to changes of the accounts that `keys` are for, of their SSH keys and their API keys.
    /// Whoever listens asks again who it is when it hears of doubt.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] where one of them retrieves nothing;
    /// [`VaultError::Unavailable`] when it cannot be recorded.
    pub async fn listen(&self, keys: &[Keyed]) -> Result<Listening, VaultError> {
        let Some(first) = keys.first() else {
            return Err(VaultError::NotAllowed);
        };
        let mut watched = Vec::with_capacity(keys.len());
        for key in keys {
            watched.extend(account_of(key).filter(|account| !watched.contains(account)));
        }
        let deed = self.deed_of_listening(keys, &watched).await?;
        if !keys.iter().all(may_listen) {
            let why = RefusalReason::NotAllowed;
            let answer = VaultError::NotAllowed;
            return Err(self.refuse(&deed, why, answer, &first.caller).await);
        }
        self.allow(&deed, &first.caller).await?;
        let renewed = self.rows.store().stamps().renewed();
        Ok(self.listeners.sit(watched, || renewed.listen()))
    }

    /// One account stands where accounts stand in the trail; several are told one after the other.
    async fn deed_of_listening(
        &self,
        keys: &[Keyed],
        watched: &[Watched],
    ) -> Result<Deed, VaultError> {
        let mut named = Vec::with_capacity(watched.len());
        for at in watched {
            let resource = self.resource_at(at.org, at.resource).await?;
            let resource = resource.map_or_else(String::new, |found| found.name.to_string());
            let name = keys.iter().find_map(|key| match &key.of {
                KeyOf::Account { account, name, .. } if *account == at.account => Some(name),
                KeyOf::Account { .. } | KeyOf::Broker { .. } => None,
            });
            named.push((resource, name.map_or_else(String::new, ToString::to_string)));
        }
        let deed = Deed::new(Operation::Listen);
        Ok(match (named.as_slice(), watched) {
            ([(resource, account)], [at]) => {
                let mut deed = deed.on(resource, account);
                deed.at(at.resource, at.account);
                deed
            }
            (named, _) => {
                let words = named
                    .iter()
                    .map(|(resource, account)| format!("{account} on {resource}"));
                deed.detail(words.collect::<Vec<_>>().join(", "))
            }
        })
    }

    /// Tells listeners of changes as long as it is polled: one task of the server's does that.
    pub async fn tell_changes(&self) {
        let renewed = self.rows.store().stamps().renewed();
        let mut generation = self.generation();
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                renewals = renewed.next() => self.tell(renewals).await,
                _ = ticks.tick() => {
                    let now = self.generation();
                    if std::mem::replace(&mut generation, now) != now {
                        self.listeners.doubt();
                    }
                    self.listeners.unless_used(|| renewed.rest());
                }
            }
        }
    }

    async fn tell(&self, mut renewals: Renewals) {
        if renewals.all {
            for watched in self.listeners.all() {
                match self.all_of(&watched).await {
                    Ok(accounts) => renewals.accounts.extend(accounts),
                    Err(error) => return self.tell_later(renewals, &error).await,
                }
            }
            renewals.all = false;
        }
        let mut accounts: HashSet<AccountId> = std::mem::take(&mut renewals.accounts);
        for account in accounts.clone() {
            if let Err(error) = self.tell_of(account).await {
                renewals.accounts = accounts;
                return self.tell_later(renewals, &error).await;
            }
            accounts.remove(&account);
        }
    }

    async fn tell_later(&self, untold: Renewals, error: &VaultError) {
        warn!(%error, "changes cannot be told yet");
        self.rows.store().stamps().renewed().again(untold);
        sleep(LATER).await;
    }

    /// Tells those who listen to the account, and those who listen to the one that it stands beside.
    async fn tell_of(&self, id: AccountId) -> Result<(), VaultError> {
        let places = self.rows.places();
        let index = self.rows.get::<Ids>(places.account_by_id(id)).await?;
        let resource = index.and_then(|kept| kept.record.0.first().copied());
        let Some(resource) = resource.map(ResourceId) else {
            return Ok(());
        };
        let Some(org) = self.listeners.org_of(resource) else {
            return Ok(());
        };
        let found = self
            .rows
            .get::<Account>(places.account(resource, id))
            .await?;
        let (Some(resource), Some(account)) = (self.resource_at(org, resource).await?, found)
        else {
            return Ok(());
        };
        let account = account.record;
        if let Some(name) = beside::base(&account.name)
            && let Some(base) = self.account_called(resource.id, name).await?
        {
            self.listeners
                .tell(change(&resource, &base.record, &account));
        }
        self.listeners.tell(change(&resource, &account, &account));
        Ok(())
    }

    /// The account and what stands beside it.
    async fn all_of(&self, watched: &Watched) -> Result<Vec<AccountId>, VaultError> {
        let place = self
            .rows
            .places()
            .account(watched.resource, watched.account);
        let Some(account) = self.rows.get::<Account>(place).await? else {
            return Ok(Vec::new());
        };
        let name = &account.record.name;
        let keys = (1..=beside::MOST_API_KEYS).map(|number| beside::api_key(name, number));
        let mut all = vec![watched.account];
        for name in std::iter::once(beside::ssh_key(name)).chain(keys).flatten() {
            let found = self.account_called(watched.resource, name.as_str()).await?;
            all.extend(found.map(|kept| kept.record.id));
        }
        Ok(all)
    }

    async fn resource_at(
        &self,
        org: OrgId,
        id: ResourceId,
    ) -> Result<Option<Resource>, VaultError> {
        let place = self.rows.places().resource(org, id);
        let kept = self.rows.get::<Resource>(place).await?;
        Ok(kept.map(|kept| kept.record))
    }
}

/// Whoever may retrieve a secret may know when to.
fn may_listen(key: &Keyed) -> bool {
    let within = key.caller.identity.within;
    account_of(key).is_some() && within.is_none_or(|allowed| allowed.has(Permit::Retrieve))
}

fn account_of(key: &Keyed) -> Option<Watched> {
    match key.of {
        KeyOf::Account {
            resource, account, ..
        } => Some(Watched {
            org: key.caller.org(),
            resource,
            account,
        }),
        KeyOf::Broker { .. } => None,
    }
}

/// That `account` has another secret, which `keeper` keeps.
fn change(resource: &Resource, account: &Account, keeper: &Account) -> Changed {
    Changed {
        resource: resource.id,
        resource_name: resource.name.clone(),
        account: account.id,
        account_name: account.name.clone(),
        kind: keeper.kind,
        at: keeper.changed,
    }
}

/// How soon it is seen that who may come in has changed.
const LOOK: Duration = Duration::from_millis(250);
/// After a row could not be read.
const LATER: Duration = Duration::from_secs(1);
