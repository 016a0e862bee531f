//! What a crash, or a line that was cut, left behind.

use std::future::ready;

use futures_util::StreamExt;

use crate::domain::{Account, AccountId, Door, Operation, OrgId, Resource, ResourceId, Timestamp};
use crate::store::Key;
use crate::store::rows::PendingRow;
use crate::vault::book::Deed;
use crate::vault::reset::By;
use crate::vault::reset::job::Job;
use crate::vault::{Caller, Origin, Vault, VaultError};

/// An account of which it is not clear yet which password its target has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingView {
    /// The resource's name.
    pub resource: String,
    /// The account's name.
    pub account: String,
    /// Since when.
    pub since: Timestamp,
    /// How often it was asked in vain.
    pub tries: u32,
    /// When it is asked next.
    pub next: Timestamp,
    /// Why it is not clear; empty while the target is being told.
    pub why: String,
}

impl Vault {
    /// Finds out which password each target has where that is not clear and it is time to look
    /// again, or, `all` of them, whenever the last look was; says how many are clear now.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn heal(&self, all: bool) -> Result<u64, VaultError> {
        if self.secondary || self.tools().is_none() || self.standstill().await?.is_some() {
            return Ok(0);
        }
        let prefix = self.rows.places().every_pending();
        let (mut after, mut healed) = (None, 0);
        let at_once = self.tools().map_or(1, |tools| tools.limits.at_once.max(1));
        loop {
            let page = self
                .rows
                .page::<PendingRow>(&prefix, after.as_ref(), PAGE)
                .await?;
            after = page.last().map(|kept| kept.key.clone());
            let last = page.len() < PAGE;
            let now = self.clock.now();
            let due = page
                .into_iter()
                .filter(|kept| all || kept.record.next <= now);
            healed += futures_util::stream::iter(due)
                .map(|kept| async move { self.healed(&kept.key).await })
                .buffer_unordered(at_once)
                .fold(0, |sum, healed| ready(sum + u64::from(healed)))
                .await;
            if last {
                return Ok(healed);
            }
        }
    }

    /// The accounts of which it is not clear which password their targets have.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for all but administrators.
    pub async fn pending_resets(&self, caller: &Caller) -> Result<Vec<PendingView>, VaultError> {
        let deed = Deed::new(Operation::List).detail("pending resets");
        self.administer(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        let prefix = self.rows.places().every_pending();
        let mut views = Vec::new();
        for kept in self.rows.all::<PendingRow>(&prefix).await? {
            if kept.record.org != caller.org() {
                continue;
            }
            let Some((resource, account)) = self.place_at(&kept.key, kept.record.org).await? else {
                continue;
            };
            views.push(PendingView {
                resource: resource.name.to_string(),
                account: account.name.to_string(),
                since: kept.record.since,
                tries: kept.record.tries,
                next: kept.record.next,
                why: kept.record.why,
            });
        }
        Ok(views)
    }

    /// How many accounts are there of which it was asked in vain which password their targets
    /// have; no more than a page of them is counted.
    pub(in crate::vault) async fn unclear(&self) -> Result<usize, VaultError> {
        let prefix = self.rows.places().every_pending();
        let page = self.rows.page::<PendingRow>(&prefix, None, PAGE).await?;
        Ok(page.iter().filter(|kept| kept.record.tries > 0).count())
    }

    /// Since when it is not clear which password the target of an account has.
    pub(in crate::vault) async fn unclear_since(
        &self,
        account: &Account,
    ) -> Result<Option<Timestamp>, VaultError> {
        let key = self.rows.places().pending(account.resource, account.id);
        let kept = self.rows.get::<PendingRow>(key).await?;
        Ok(kept.map(|kept| kept.record.since))
    }

    /// Settles what an earlier reset of the account left behind; why that cannot be, in words.
    pub(super) async fn clear_leftover(
        &self,
        job: &Job<'_>,
        by: By<'_>,
    ) -> Result<Result<(), String>, VaultError> {
        let places = self.rows.places();
        let key = places.pending(job.account.resource, job.account.id);
        let Some(pending) = self.rows.get::<PendingRow>(key.clone()).await? else {
            return Ok(Ok(()));
        };
        let asked = self.clock.now();
        let finding = self.find_out(job, &pending.record, None).await?;
        match self.conclude(job, pending, (finding, asked), by).await {
            Ok(()) | Err(VaultError::RemoteReset(_)) => {}
            Err(other) => return Err(other),
        }
        let left = self.rows.get::<PendingRow>(key).await?;
        Ok(left.map_or(Ok(()), |left| {
            let why = left.record.why;
            Err(format!("an earlier reset is not settled yet: {why}"))
        }))
    }

    /// Whether one is clear now; what cannot even be looked at keeps no other one waiting.
    async fn healed(&self, key: &Key) -> bool {
        match self.heal_one(key).await {
            Ok(healed) => healed,
            Err(error) => {
                let account = key.number_at(1);
                tracing::warn!(account, %error, "a reset cannot be looked at");
                false
            }
        }
    }

    async fn heal_one(&self, key: &Key) -> Result<bool, VaultError> {
        let account = AccountId(key.number_at(1).unwrap_or_default());
        // Whoever is at it now settles it.
        let Some(_turn) = self.resets.turns.try_take(account) else {
            return Ok(false);
        };
        let Some(pending) = self.rows.get::<PendingRow>(key.clone()).await? else {
            return Ok(false);
        };
        let Some((resource, account)) = self.place_at(key, pending.record.org).await? else {
            return Ok(false);
        };
        let origin = Origin {
            door: Door::Server,
            peer: None,
            request: self.next_request(),
        };
        match self.look_job(&resource, account).await? {
            // Nobody was asked, so nothing is known that was not: it is due as soon as its host is
            // asked again.
            Ok(job) if self.resets.silence.holds(&job.target, self.clock.now()) => Ok(false),
            Ok(job) => {
                let left = self.clear_leftover(&job, By::Server(&origin)).await?;
                Ok(left.is_ok())
            }
            Err(why) => {
                tracing::warn!(resource = %resource.name, %why, "a reset cannot be settled");
                self.put_off(pending, why).await?;
                Ok(false)
            }
        }
    }

    /// The resource and the account that a row of theirs is about.
    pub(super) async fn place_at(
        &self,
        key: &Key,
        org: OrgId,
    ) -> Result<Option<(Resource, Account)>, VaultError> {
        let resource = ResourceId(key.number_at(0).unwrap_or_default());
        let account = AccountId(key.number_at(1).unwrap_or_default());
        let places = self.rows.places();
        let account = places.account(resource, account);
        let resource = places.resource(org, resource);
        let resource = self.rows.get::<Resource>(resource).await?;
        let account = self.rows.get::<Account>(account).await?;
        let place = resource.zip(account);
        Ok(place.map(|(resource, account)| (resource.record, account.record)))
    }
}

const PAGE: usize = 256;
