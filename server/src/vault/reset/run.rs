//! Changing what is due: after a check-in, by rotation, or because the operator says so.
//!
//! What somebody holds is left alone until it is given back. What fails is tried again later and
//! later, and `rotations` says why it failed.

use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt;

use crate::domain::{
    Account, Action, ChangeAfter, Custody, Door, Due, Operation, ResetTarget, Resource, Rotation,
    SecretKind,
};
use crate::store::rows::{Changes, Kept};
use crate::vault::book::Deed;
use crate::vault::reset::By;
use crate::vault::reset::procedure::{Ask, HELD};
use crate::vault::{
    Caller, NewPassword, Origin, ResourceRef, TargetRef, Vault, VaultError, Wanted,
};

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunProgress {
    /// How many accounts there are to change.
    pub total: usize,
    /// How many are changed.
    pub changed: usize,
    /// Which ones could not be, and why.
    pub failed: Vec<RunFailure>,
}

/// An account whose password could not be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFailure {
    /// The resource's name.
    pub resource: String,
    /// The account's name.
    pub account: String,
    /// Why not.
    pub why: String,
}

type Place = (Resource, Account);

/// How it went with one.
enum End {
    Changed,
    Failed(String),
    NotDue,
}

impl Vault {
    /// Changes the passwords that are due.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn run_due(&self) -> Result<RunProgress, VaultError> {
        if self.secondary || self.tools().is_none() || self.standstill().await?.is_some() {
            return Ok(RunProgress::default());
        }
        let mut places = Vec::new();
        for place in self.due_now().await? {
            if !self.is_held(&place.1).await? {
                places.push(place);
            }
        }
        let origin = Origin {
            door: Door::Server,
            peer: None,
            request: self.next_request(),
        };
        let by = By::Server(&origin);
        self.run(places, by, &|_| {}).await
    }

    /// Changes the passwords of a resource, or of one account of it, now, whether they are due or
    /// not; tells how far it is.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not manage it.
    pub async fn rotate_now(
        &self,
        target: impl Into<TargetRef<'_>>,
        progress: &(dyn Fn(&RunProgress) + Sync),
        caller: &Caller,
    ) -> Result<RunProgress, VaultError> {
        let target = target.into();
        let mut deed = Deed::new(Operation::Rotation)
            .on_target(&target)
            .detail("run");
        self.primary_only(&deed, caller).await?;
        let by = By::Caller(caller, self.generation());
        let places = self.places_of(&target, &mut deed, caller).await?;
        self.allow(&deed, caller).await?;
        self.ask_again(&places).await?;
        self.run(places, by, progress).await
    }

    /// What was promised for when the last holder has left: the password is changed on its target
    /// next.
    pub(in crate::vault) async fn due_after(
        &self,
        changes: &mut Changes<'_>,
        account: &Account,
        custody: &Custody,
    ) -> Result<(), VaultError> {
        let promised = custody.change_after == Some(ChangeAfter::Remote);
        if !promised || !custody.holders.is_empty() || account.kind != SecretKind::Password {
            return Ok(());
        }
        let key = self.rows.places().due(account.resource, account.id);
        let before = self.rows.get::<Due>(key.clone()).await?;
        let due = Due {
            org: custody.org,
            at: Some(self.clock.now()),
            promised: true,
            failures: 0,
            tried: None,
            why: String::new(),
        };
        Ok(changes.set(key, before.as_ref(), &due)?)
    }

    async fn places_of(
        &self,
        target: &TargetRef<'_>,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<Vec<Place>, VaultError> {
        if let Some(account) = target.account {
            let wanted = Wanted::of(target.resource, account);
            let found = self.find(&wanted, Action::Manage, deed, caller).await?;
            self.keeps_password(&found.account.record, deed, caller)
                .await?;
            return Ok(vec![(found.resource.record, found.account.record)]);
        }
        let whole: ResourceRef<'_> = target.resource;
        let resource = self
            .find_resource(whole, Action::Manage, deed, caller)
            .await?
            .record;
        let prefix = self.rows.places().accounts(resource.id);
        let accounts = self.rows.all::<Account>(&prefix).await?;
        Ok(accounts
            .into_iter()
            .filter(|kept| kept.record.kind == SecretKind::Password)
            .map(|kept| (resource.clone(), kept.record))
            .collect())
    }

    /// Everything that is due now and that nobody holds.
    async fn due_now(&self) -> Result<Vec<Place>, VaultError> {
        let now = self.clock.now();
        let mut places = Vec::new();
        let prefix = self.rows.places().every_due();
        for kept in self.rows.all::<Due>(&prefix).await? {
            if kept.record.at.is_none_or(|at| now < at) {
                continue;
            }
            if let Some((resource, account)) = self.place_at(&kept.key, kept.record.org).await? {
                // A promise is kept at any time; a rotation that failed waits for its window.
                let rotation = self.rotation_of(&account).await?;
                match rotation.map(|it| it.window.is_none_or(|window| window.holds(now))) {
                    _ if kept.record.promised => places.push((resource, account)),
                    Some(true) => places.push((resource, account)),
                    Some(false) => {}
                    None => self.forget_due(&kept).await?,
                }
            }
        }
        let prefix = self.rows.places().rotations();
        for kept in self.rows.all::<Rotation>(&prefix).await? {
            self.add_rotated(&kept.record, &mut places).await?;
        }
        Ok(places)
    }

    /// The rotation that wanted it has ended.
    async fn forget_due(&self, kept: &Kept<Due>) -> Result<(), VaultError> {
        let mut changes = self.rows.changes();
        changes.remove(kept);
        match changes.commit().await.map_err(VaultError::from) {
            // It has just been promised.
            Err(VaultError::Conflict) => Ok(()),
            other => other,
        }
    }

    async fn add_rotated(
        &self,
        rotation: &Rotation,
        places: &mut Vec<Place>,
    ) -> Result<(), VaultError> {
        let now = self.clock.now();
        if rotation.window.is_some_and(|window| !window.holds(now)) {
            return Ok(());
        }
        let target = rotation.target;
        let key = self.rows.places().resource(rotation.org, target.resource);
        let Some(resource) = self.rows.get::<Resource>(key).await? else {
            return Ok(());
        };
        let all = self.rows.places().accounts(target.resource);
        let prefix = target.account.map_or(all.clone(), |id| all.number(id.0));
        for kept in self.rows.all::<Account>(&prefix).await? {
            let account = kept.record;
            let own = self.rotation_of(&account).await?;
            let due = own.as_ref() == Some(rotation)
                && account.kind == SecretKind::Password
                && rotation.is_due(account.changed, now);
            let key = self.rows.places().due(account.resource, account.id);
            if due && self.rows.get::<Due>(key).await?.is_none() {
                places.push((resource.record.clone(), account));
            }
        }
        Ok(())
    }

    async fn run(
        &self,
        places: Vec<Place>,
        by: By<'_>,
        progress: &(dyn Fn(&RunProgress) + Sync),
    ) -> Result<RunProgress, VaultError> {
        let at_once = self.tools().map_or(1, |tools| tools.limits.at_once.max(1));
        let done = Mutex::new(RunProgress {
            total: places.len(),
            ..RunProgress::default()
        });
        let note = |place: &Place, end: End| {
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            match end {
                End::Changed => done.changed += 1,
                End::NotDue => done.total -= 1,
                End::Failed(why) => done.failed.push(RunFailure {
                    resource: place.0.name.to_string(),
                    account: place.1.name.to_string(),
                    why,
                }),
            }
            progress(&done);
        };
        let broken = Mutex::new(None);
        let each = |place: Place| {
            let (note, broken) = (&note, &broken);
            async move {
                match self.change_due(&place, by).await {
                    Ok(end) => note(&place, end),
                    Err(error) => {
                        note(&place, End::Failed(error.to_string()));
                        let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
                        *broken = Some(error);
                    }
                }
            }
        };
        futures_util::stream::iter(places)
            .for_each_concurrent(at_once, each)
            .await;
        match broken.into_inner().unwrap_or_else(PoisonError::into_inner) {
            // Nothing can be written: whoever asked must know more than why each failed.
            Some(error @ VaultError::Unavailable(_)) => Err(error),
            _ => Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Changes one, and remembers how that went.
    async fn change_due(&self, (resource, account): &Place, by: By<'_>) -> Result<End, VaultError> {
        // The list may be old by now: its window over, or the password changed by somebody.
        if matches!(by, By::Server(_)) && !self.is_due_still(account).await? {
            return Ok(End::NotDue);
        }
        if self.is_held(account).await? {
            return Ok(End::Failed(HELD.to_owned()));
        }
        if self.is_silent(resource).await? {
            // It was not tried, so it has not failed: it stays due.
            return Ok(match by {
                By::Caller(..) => End::Failed(SILENT.to_owned()),
                By::Server(_) => End::NotDue,
            });
        }
        let deed = Deed::new(Operation::Change)
            .on(resource.name.as_str(), account.name.as_str())
            .detail("remote, by itself");
        let ask = Ask {
            resource,
            account: account.id,
            new: NewPassword::Generate,
            deed: &deed,
            by,
            named: false,
            needs: Action::Manage,
        };
        let why = match self.reset(ask).await {
            Ok(_) => None,
            Err(error @ VaultError::Unavailable(_)) => return Err(error),
            Err(error) => Some(error.to_string()),
        };
        self.remember_run(resource, account, why.as_deref()).await?;
        Ok(why.map_or(End::Changed, End::Failed))
    }

    /// Ends the silence of these places' hosts: whoever asks may know that theirs is up again.
    async fn ask_again(&self, places: &[Place]) -> Result<(), VaultError> {
        // They are all of one resource.
        let Some((resource, _)) = places.first() else {
            return Ok(());
        };
        let key = self.rows.places().reset_target(resource.id);
        if let Some(target) = self.rows.get::<ResetTarget>(key).await? {
            self.resets.silence.end(&target.record);
        }
        Ok(())
    }

    async fn is_silent(&self, resource: &Resource) -> Result<bool, VaultError> {
        let key = self.rows.places().reset_target(resource.id);
        let target = self.rows.get::<ResetTarget>(key).await?;
        let now = self.clock.now();
        Ok(target.is_some_and(|kept| self.resets.silence.holds(&kept.record, now)))
    }

    async fn is_due_still(&self, account: &Account) -> Result<bool, VaultError> {
        let (places, now) = (self.rows.places(), self.clock.now());
        let key = places.account(account.resource, account.id);
        let Some(account) = self.rows.get::<Account>(key).await? else {
            return Ok(false);
        };
        let account = account.record;
        let key = places.due(account.resource, account.id);
        let due = self.rows.get::<Due>(key).await?.map(|kept| kept.record);
        if due.as_ref().is_some_and(|due| due.promised) {
            return Ok(true);
        }
        let rotation = self.rotation_of(&account).await?;
        Ok(rotation.is_some_and(|rotation| match due {
            Some(due) => {
                let window = rotation.window.is_none_or(|window| window.holds(now));
                window && due.at.is_some_and(|at| at <= now)
            }
            None => rotation.is_due(account.changed, now),
        }))
    }

    async fn is_held(&self, account: &Account) -> Result<bool, VaultError> {
        let key = self.rows.places().custody(account.resource, account.id);
        let custody = self.rows.get::<Custody>(key).await?;
        let now = self.clock.now();
        Ok(custody.is_some_and(|kept| kept.record.is_held(now)))
    }

    async fn remember_run(
        &self,
        resource: &Resource,
        account: &Account,
        why: Option<&str>,
    ) -> Result<(), VaultError> {
        let key = self.rows.places().due(account.resource, account.id);
        let before: Option<Kept<Due>> = self.rows.get(key.clone()).await?;
        let promised = before.as_ref().is_some_and(|kept| kept.record.promised);
        // Where nothing makes it change by itself, a failure makes nothing due.
        let wanted = promised || self.rotation_of(account).await?.is_some();
        let mut changes = self.rows.changes();
        match (why.filter(|_| wanted), &before) {
            (None, None) => return Ok(()),
            (None, Some(before)) => changes.remove(before),
            (Some(why), _) => {
                let failures = before.as_ref().map_or(0, |kept| kept.record.failures);
                let now = self.clock.now();
                let due = Due {
                    org: resource.org,
                    at: Some(now.after(self.pause_after(failures))),
                    promised,
                    failures: failures.saturating_add(1),
                    tried: Some(now),
                    why: why.to_owned(),
                };
                changes.set(key, before.as_ref(), &due)?;
            }
        }
        match changes.commit().await.map_err(VaultError::from) {
            // Somebody checked it in meanwhile: that is due, then.
            Err(VaultError::Conflict) => Ok(()),
            other => other,
        }
    }

    pub(super) fn pause_after(&self, failures: u32) -> std::time::Duration {
        let limits = self.tools().map(|tools| tools.limits.clone());
        let limits = limits.unwrap_or_default();
        let doubled = limits.soonest * 2u32.saturating_pow(failures.min(16));
        doubled.min(limits.latest)
    }
}

const SILENT: &str = "its host did not answer a moment ago";
