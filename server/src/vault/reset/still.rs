//! While a password is pending, its account keeps its name and its target keeps its place: what is
//! found out later must be about the same login on the same machine.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::domain::{Account, RefusalReason, ResetTarget, ResourceId};
use crate::store::Key;
use crate::store::rows::PendingRow;
use crate::vault::book::Deed;
use crate::vault::reset::job::Job;
use crate::vault::{Caller, Vault, VaultError};

/// Shared by whoever seals a pending password, held alone by whoever moves what it is for.
#[derive(Default)]
pub(super) struct Places(RwLock<()>);

/// That nothing is sealed, until this is dropped.
pub(in crate::vault) type Unmoved<'a> = RwLockWriteGuard<'a, ()>;

impl Places {
    /// Names and targets stay as they are, until this is dropped.
    pub(super) async fn read(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read().await
    }
}

impl Vault {
    /// Whether the job is still for the same login on the same target.
    pub(super) async fn is_unmoved(&self, job: &Job<'_>) -> Result<bool, VaultError> {
        let (places, account) = (self.rows.places(), &job.account);
        let key = places.reset_target(account.resource);
        let target = self.rows.get::<ResetTarget>(key).await?;
        let key = places.account(account.resource, account.id);
        let now = self.rows.get::<Account>(key).await?;
        let same_target = target.is_some_and(|kept| kept.record == job.target);
        Ok(same_target && now.is_some_and(|kept| kept.record.name == account.name))
    }

    /// That the account may have another name: refused while a password of it is pending.
    pub(in crate::vault) async fn move_account(
        &self,
        account: &Account,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Unmoved<'_>, VaultError> {
        let unmoved = self.resets.places.0.write().await;
        let prefix = self.rows.places().pending(account.resource, account.id);
        self.nothing_pending(&prefix, deed, caller).await?;
        Ok(unmoved)
    }

    /// That the target of a resource may be another one, or none: refused while a password of it is
    /// pending. Who changes it there, and what it must show, may change at any time.
    pub(super) async fn move_target(
        &self,
        resource: ResourceId,
        new: Option<&ResetTarget>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Unmoved<'_>, VaultError> {
        let unmoved = self.resets.places.0.write().await;
        let places = self.rows.places();
        let before = self
            .rows
            .get::<ResetTarget>(places.reset_target(resource))
            .await?;
        let same = before.zip(new).is_some_and(|(before, new)| {
            let before = before.record;
            let place = (&before.connector, &before.host, before.port);
            place == (&new.connector, &new.host, new.port)
        });
        if !same {
            let prefix = places.every_pending().number(resource.0);
            self.nothing_pending(&prefix, deed, caller).await?;
        }
        Ok(unmoved)
    }

    async fn nothing_pending(
        &self,
        prefix: &Key,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        if self
            .rows
            .page::<PendingRow>(prefix, None, 1)
            .await?
            .is_empty()
        {
            return Ok(());
        }
        let answer = VaultError::Invalid(PENDING.to_owned());
        let why = RefusalReason::Invalid;
        Err(self.refuse(deed, why, answer, caller).await)
    }
}

const PENDING: &str = "which password its target has is not clear yet: see `claviger reset status`, wait until \
                       it is settled, or say `claviger reset settle`";
