//! When passwords were last retrieved: remembered in memory, written to the store now and then.
//!
//! A retrieval writes nothing to the store for this. What a crash loses is in the audit trail,
//! which knows every retrieval.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::domain::{Account, AccountId, ResourceId, Timestamp};
use crate::store::StoreError;
use crate::store::rows::Changes;
use crate::vault::{Vault, VaultError, find};

/// The last retrievals that are not in the store yet.
pub(super) struct AccessTimes {
    noted: Mutex<HashMap<Spot, Timestamp>>,
    most: AtomicUsize,
    crowded: Notify,
}

/// Which account, on which resource.
type Spot = (ResourceId, AccountId);

impl Default for AccessTimes {
    fn default() -> Self {
        Self {
            noted: Mutex::default(),
            most: AtomicUsize::new(MOST),
            crowded: Notify::new(),
        }
    }
}

impl fmt::Debug for AccessTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessTimes(..)")
    }
}

impl AccessTimes {
    /// Remembers that `spot` was accessed at `at`; where there is no room for one more account,
    /// its access goes unremembered until others are written.
    fn note(&self, spot: Spot, at: Timestamp) {
        let most = self.most.load(Ordering::Relaxed);
        let mut noted = self.lock();
        if noted.len() >= most && !noted.contains_key(&spot) {
            return;
        }
        let new = noted.insert(spot, at).is_none();
        let count = noted.len();
        drop(noted);
        // On the way up only: a store that cannot be written is not asked again and again.
        if new && (count == most.div_ceil(2) || count == most) {
            self.crowded.notify_one();
        }
    }

    fn of(&self, spot: Spot) -> Option<Timestamp> {
        self.lock().get(&spot).copied()
    }

    /// All of them, in the store's order.
    fn all(&self) -> Vec<(Spot, Timestamp)> {
        let mut all: Vec<_> = self.lock().iter().map(|(spot, at)| (*spot, *at)).collect();
        all.sort_unstable_by_key(|((resource, account), _)| (resource.0, account.0));
        all
    }

    /// Forgets what is written, unless it was accessed again meanwhile.
    fn forget(&self, written: &[(Spot, Timestamp)]) {
        let mut noted = self.lock();
        for (spot, at) in written {
            if noted.get(spot) == Some(at) {
                noted.remove(spot);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Spot, Timestamp>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vault {
    /// How many accounts' last accesses are remembered before they are in the store; 65 536 by
    /// default.
    pub fn limit_access_times(&self, most: usize) {
        self.accesses.most.store(most.max(1), Ordering::Relaxed);
    }

    /// Waits until half of the room for access times is taken, so that they should be written.
    pub async fn access_times_crowded(&self) {
        self.accesses.crowded.notified().await;
    }

    /// Writes the access times that are remembered to the store, and says how many. One whose
    /// account is being changed stays for the next time; one whose account is gone is forgotten.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when the store cannot be written: then they stay.
    pub async fn write_access_times(&self) -> Result<u64, VaultError> {
        self.write_times(0).await
    }

    /// As [`Self::write_access_times`], beside retrievals: it rests nine times as long as it works,
    /// so that where every retrieval is of another account, they do not wait for what is nobody's
    /// hurry.
    ///
    /// # Errors
    /// As for [`Self::write_access_times`].
    pub async fn write_access_times_gently(&self) -> Result<u64, VaultError> {
        self.write_times(REST).await
    }

    async fn write_times(&self, rest: u32) -> Result<u64, VaultError> {
        if self.secondary {
            return Ok(0);
        }
        let mut written = 0;
        for some in self.accesses.all().chunks(CHUNK) {
            let start = Instant::now();
            match self.write_some(some).await {
                Ok(count) => written += count,
                Err(StoreError::Conflict) => written += self.write_singly(some).await?,
                Err(other) => return Err(other.into()),
            }
            if rest > 0 {
                tokio::time::sleep(start.elapsed() * rest).await;
            }
        }
        Ok(written)
    }

    /// Remembers that an account's password was retrieved at `at`, as its record says: asking the
    /// clock once more would cost more than all else here.
    pub(super) fn note_access(&self, spot: find::Spot, at: Timestamp) {
        if !self.secondary {
            self.accesses.note((spot.resource, spot.account), at);
        }
    }

    /// When an account's password was last retrieved, as far as it is known here.
    pub(super) async fn accessed(
        &self,
        account: &Account,
    ) -> Result<Option<Timestamp>, VaultError> {
        let noted = self.accesses.of((account.resource, account.id));
        if noted.is_some() {
            return Ok(noted);
        }
        let key = self.rows.places().accessed(account.resource, account.id);
        let kept = self.rows.get::<Timestamp>(key).await?;
        Ok(kept.map(|kept| kept.record))
    }

    async fn write_singly(&self, some: &[(Spot, Timestamp)]) -> Result<u64, StoreError> {
        let mut written = 0;
        for one in some.chunks(1) {
            match self.write_some(one).await {
                Ok(count) => written += count,
                Err(StoreError::Conflict) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(written)
    }

    async fn write_some(&self, some: &[(Spot, Timestamp)]) -> Result<u64, StoreError> {
        let mut changes = self.rows.changes();
        let mut count = 0;
        for (spot, at) in some {
            count += u64::from(self.add_access(&mut changes, *spot, *at).await?);
        }
        if !changes.is_empty() {
            changes.commit().await?;
        }
        self.accesses.forget(some);
        // Reading does not wait; whoever retrieves meanwhile must not wait for all of it.
        tokio::task::yield_now().await;
        Ok(count)
    }

    /// Adds one access time, if it is news of an account that is there.
    async fn add_access(
        &self,
        changes: &mut Changes<'_>,
        (resource, account): Spot,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let places = self.rows.places();
        let key = places.accessed(resource, account);
        let account = readable(
            self.rows
                .get::<Account>(places.account(resource, account))
                .await,
        )?;
        let Some(account) = account.flatten() else {
            return Ok(false);
        };
        let Some(kept) = readable(self.rows.get::<Timestamp>(key.clone()).await)? else {
            return Ok(false);
        };
        if kept.as_ref().is_some_and(|kept| kept.record >= at) {
            return Ok(false);
        }
        // Only as long as the account is there: no row is left behind one that is removed.
        changes.depend_on(&account);
        changes.set(key, kept.as_ref(), &at)?;
        Ok(true)
    }
}

/// Nothing for a row that is damaged: it must not keep the others from being written.
fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::Sealed(_) | StoreError::Form) => Ok(None),
        Err(other) => Err(other),
    }
}

const MOST: usize = 65_536;
/// Two rows each: a batch that every engine takes.
const CHUNK: usize = 64;
/// How many times as long as it worked a gentle writer rests.
const REST: u32 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(number: u64) -> Spot {
        (ResourceId(1), AccountId(number))
    }

    #[test]
    fn the_last_access_counts_and_a_full_memory_takes_no_new_account() {
        let times = AccessTimes::default();
        times.most.store(2, Ordering::Relaxed);

        times.note(spot(1), Timestamp(10));
        times.note(spot(2), Timestamp(20));
        times.note(spot(3), Timestamp(30));
        times.note(spot(1), Timestamp(40));

        assert_eq!(
            times.all(),
            [(spot(1), Timestamp(40)), (spot(2), Timestamp(20))]
        );
    }

    #[test]
    fn an_access_while_an_older_one_is_written_is_not_forgotten() {
        let times = AccessTimes::default();
        times.note(spot(1), Timestamp(10));
        times.note(spot(2), Timestamp(10));
        let writing = times.all();

        times.note(spot(1), Timestamp(20));
        times.forget(&writing);

        assert_eq!(times.all(), [(spot(1), Timestamp(20))]);
    }

    #[tokio::test]
    async fn half_full_is_told_once() {
        let times = AccessTimes::default();
        times.most.store(4, Ordering::Relaxed);

        times.note(spot(1), Timestamp(1));
        let early = tokio::time::timeout(std::time::Duration::ZERO, times.crowded.notified());
        assert!(early.await.is_err());
        times.note(spot(2), Timestamp(1));
        times.note(spot(2), Timestamp(2));

        times.crowded.notified().await;
        let again = tokio::time::timeout(std::time::Duration::ZERO, times.crowded.notified());
        assert!(again.await.is_err());
    }
}
