//! Passwords that change by themselves: how often, and when.

use std::time::Duration;

use crate::domain::{
    Account, DayWindow, Due, Operation, RefusalReason, ResetTarget, Rotation, Timestamp,
};
use crate::store::rows::Kept;
use crate::vault::book::Deed;
use crate::vault::{Caller, TargetRef, Vault, VaultError};

/// A rotation as its list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationView {
    /// The resource's name.
    pub resource: String,
    /// The account's name; `None` is every account of it that has none of its own.
    pub account: Option<String>,
    /// How old a password becomes.
    pub every: Duration,
    /// At which time of the day they change.
    pub window: Option<DayWindow>,
}

/// An account whose password is to change, or lately failed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueView {
    /// The resource's name.
    pub resource: String,
    /// The account's name.
    pub account: String,
    /// When it is tried next.
    pub next: Option<Timestamp>,
    /// How often it failed since it last succeeded.
    pub failures: u32,
    /// When it was last tried.
    pub tried: Option<Timestamp>,
    /// Why it failed then.
    pub why: String,
}

impl Vault {
    /// Lets the passwords of a resource, or of one account of it, change every so often.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not manage it;
    /// [`VaultError::Invalid`] where there is no target, or the time makes no sense.
    pub async fn set_rotation(
        &self,
        target: impl Into<TargetRef<'_>>,
        (every, window): (Duration, Option<DayWindow>),
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let target = target.into();
        let when = window.map_or(String::new(), |window| format!(", {window} UTC"));
        let hours = every.as_secs() / 3600;
        let mut deed = Deed::new(Operation::Rotation)
            .on_target(&target)
            .detail(format!("every {hours}h{when}"));
        self.primary_only(&deed, caller).await?;
        let kept = self.kept_target(&target, &mut deed, caller).await?;
        let place = kept.target();
        let reset = self.rows.places().reset_target(place.resource);
        let wrong = match self.rows.get::<ResetTarget>(reset).await? {
            None => Some(NO_TARGET),
            Some(_) if !(Rotation::SHORTEST..=Rotation::LONGEST).contains(&every) => Some(SPANS),
            Some(_) => None,
        };
        if let Some(words) = wrong {
            let answer = VaultError::Invalid(words.to_owned());
            let why = RefusalReason::Invalid;
            return Err(self.refuse(&deed, why, answer, caller).await);
        }
        self.allow(&deed, caller).await?;
        let rotation = Rotation {
            org: caller.org(),
            target: place,
            every,
            window,
        };
        let key = self.rows.places().rotation(place);
        let before = self.rows.get::<Rotation>(key.clone()).await?;
        let mut changes = self.rows.changes();
        kept.is_there(&mut changes);
        changes.set(key, before.as_ref(), &rotation)?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// Ends that; an account's own leaves the resource's in force.
    ///
    /// # Errors
    /// As for [`Self::set_rotation`]; [`VaultError::NotFound`] when there is none.
    pub async fn remove_rotation(
        &self,
        target: impl Into<TargetRef<'_>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let target = target.into();
        let mut deed = Deed::new(Operation::Rotation)
            .on_target(&target)
            .detail("off");
        self.primary_only(&deed, caller).await?;
        let place = self.target(&target, &mut deed, caller).await?;
        let key = self.rows.places().rotation(place);
        let Some(kept) = self.rows.get::<Rotation>(key).await? else {
            let (why, answer) = (RefusalReason::NoSuchThing, VaultError::NotFound("rotation"));
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.remove(&kept);
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// Every rotation, and every account whose change is due or lately failed.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for all but administrators.
    pub async fn rotations(
        &self,
        caller: &Caller,
    ) -> Result<(Vec<RotationView>, Vec<DueView>), VaultError> {
        let deed = Deed::new(Operation::List).detail("rotations");
        self.administer(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        let mut rotations = Vec::new();
        let prefix = self.rows.places().rotations();
        for kept in self.rows.all::<Rotation>(&prefix).await? {
            if kept.record.org == caller.org() {
                rotations.extend(self.rotation_view(kept.record).await?);
            }
        }
        let mut due = Vec::new();
        let prefix = self.rows.places().every_due();
        for kept in self.rows.all::<Due>(&prefix).await? {
            if kept.record.org == caller.org() {
                due.extend(self.due_view(kept).await?);
            }
        }
        Ok((rotations, due))
    }

    /// How often the password of an account changes, if it does.
    pub(super) async fn rotation_of(
        &self,
        account: &Account,
    ) -> Result<Option<Rotation>, VaultError> {
        for place in [Some(account.id), None] {
            let key = self.rows.places().rotation(crate::domain::Target {
                resource: account.resource,
                account: place,
            });
            if let Some(kept) = self.rows.get::<Rotation>(key).await? {
                return Ok(Some(kept.record));
            }
        }
        Ok(None)
    }

    async fn rotation_view(&self, rotation: Rotation) -> Result<Option<RotationView>, VaultError> {
        let id = rotation.target.resource;
        let key = self.rows.places().resource(rotation.org, id);
        let resource = self.rows.get::<crate::domain::Resource>(key).await?;
        let account = match rotation.target.account {
            Some(account) => self.account_name(id, account).await?,
            None => None,
        };
        Ok(resource.map(|kept| RotationView {
            resource: kept.record.name.to_string(),
            account,
            every: rotation.every,
            window: rotation.window,
        }))
    }

    async fn due_view(&self, kept: Kept<Due>) -> Result<Option<DueView>, VaultError> {
        let place = self.place_at(&kept.key, kept.record.org).await?;
        let due = kept.record;
        let Some((resource, account)) = place else {
            return Ok(None);
        };
        // What a rotation that has ended left behind.
        if !due.promised && self.rotation_of(&account).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(DueView {
            resource: resource.name.to_string(),
            account: account.name.to_string(),
            next: due.at,
            failures: due.failures,
            tried: due.tried,
            why: due.why,
        }))
    }
}

const NO_TARGET: &str = "no connector is set up for this resource";
const SPANS: &str = "a password changes every hour at most, and every 3650 days at least";
