//! Two resets of one account: one after the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use crate::domain::AccountId;

/// Whose turn it is, account by account. The pending row is the fence below it: it is added only
/// where there is none.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<AccountId, Lock>>);

type Lock = Arc<tokio::sync::Mutex<()>>;

/// That it is somebody's turn, until this is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

impl Turns {
    /// Waits for the turn, in the order of asking; `None` when that takes longer than `patience`.
    pub(super) async fn wait(&self, account: AccountId, patience: Duration) -> Option<Turn> {
        let lock = self.lock(account);
        tokio::time::timeout(patience, lock.lock_owned()).await.ok()
    }

    /// The turn, if it is nobody's.
    pub(super) fn try_take(&self, account: AccountId) -> Option<Turn> {
        self.lock(account).try_lock_owned().ok()
    }

    fn lock(&self, account: AccountId) -> Lock {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if locks.len() >= MANY {
            // Nobody holds, or waits for, what only this map knows.
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        }
        locks.entry(account).or_default().clone()
    }
}

/// From so many on, those that are over are forgotten.
const MANY: usize = 1024;
