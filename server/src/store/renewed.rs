//! Which accounts have another version of their secret in force, for whoever tells of it.
//!
//! Noted by the writing thread itself, after readers see it: whatever wrote it, through whatever
//! door, and whether or not that somebody still waits for it.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::AccountId;
use crate::store::{Expected, Step, StepKind, Table};

/// What was renewed since somebody last took it; nothing is noted while nobody listens.
#[derive(Default)]
pub struct Renewed {
    listening: AtomicBool,
    noted: Mutex<Renewals>,
    bell: Notify,
}

/// Accounts with another secret.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Renewals {
    /// These.
    pub accounts: HashSet<AccountId>,
    /// There were too many to note: any account may be among them.
    pub all: bool,
}

impl Renewed {
    /// Notes from now on.
    pub fn listen(&self) {
        self.listening.store(true, Ordering::SeqCst);
    }

    /// Notes nothing any more, and forgets what was noted.
    pub fn rest(&self) {
        self.listening.store(false, Ordering::SeqCst);
        drop(self.take());
    }

    /// Waits until something was noted, and takes it. One may wait at a time.
    pub async fn next(&self) -> Renewals {
        loop {
            let taken = self.take();
            if taken.all || !taken.accounts.is_empty() {
                return taken;
            }
            self.bell.notified().await;
        }
    }

    /// Puts back what could not be told.
    pub fn again(&self, untold: Renewals) {
        let mut noted = self.lock();
        noted.all |= untold.all;
        noted.extend(untold.accounts.into_iter());
        drop(noted);
        self.bell.notify_one();
    }

    /// A secret is never written over but when the keys are rotated: where one comes that was not
    /// there, it is another, and in force.
    pub(super) fn note<'a>(&self, steps: impl Iterator<Item = &'a Step>) {
        if !self.listening.load(Ordering::SeqCst) {
            return;
        }
        let mut new = steps.filter_map(renewed).peekable();
        if new.peek().is_some() {
            self.lock().extend(new);
            self.bell.notify_one();
        }
    }

    fn take(&self) -> Renewals {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Renewals> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Renewals {
    fn extend(&mut self, accounts: impl Iterator<Item = AccountId>) {
        if self.all {
            self.accounts.clear();
            return;
        }
        self.accounts.extend(accounts);
        if self.accounts.len() > MOST {
            *self = Self {
                all: true,
                ..Self::default()
            };
        }
    }
}

/// The account that `step` gives another secret, if it does.
fn renewed(step: &Step) -> Option<AccountId> {
    let is_secret = step.key.as_bytes().first() == Some(&(Table::Secret as u8));
    let is_new = step.expected == Expected::Absent && matches!(step.kind, StepKind::Put { .. });
    let account = step.key.number_at(0).map(AccountId);
    account.filter(|_| is_secret && is_new)
}

impl fmt::Debug for Renewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renewed(..)")
    }
}

/// About a MiB.
const MOST: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Key;

    fn step(table: Table, account: u64, expected: Expected) -> Step {
        Step {
            key: Key::table(table).number(account).number(2),
            expected,
            kind: StepKind::Put {
                version: 1,
                sealed: Vec::new(),
            },
        }
    }

    fn new(account: u64) -> Step {
        step(Table::Secret, account, Expected::Absent)
    }

    #[tokio::test]
    async fn a_new_secret_is_noted_and_nothing_else_that_happens_to_one() {
        let renewed = Renewed::default();
        renewed.listen();
        let mut gone = new(6);
        gone.kind = StepKind::Delete;

        renewed.note([new(7), gone, step(Table::Account, 8, Expected::Absent)].iter());
        renewed.note([step(Table::Secret, 9, Expected::Version(1))].iter());
        renewed.note([new(7)].iter());

        assert_eq!(renewed.next().await.accounts, [AccountId(7)].into());
        assert_eq!(renewed.take(), Renewals::default());
    }

    #[test]
    fn nothing_is_noted_while_nobody_listens() {
        let renewed = Renewed::default();

        renewed.note([new(7)].iter());
        assert_eq!(renewed.take(), Renewals::default());
        renewed.listen();
        renewed.note([new(7)].iter());
        renewed.rest();

        assert_eq!(renewed.take(), Renewals::default());
    }

    #[tokio::test]
    async fn too_many_are_told_as_all_and_take_no_room() {
        let renewed = Renewed::default();
        renewed.listen();

        (0..=MOST as u64).for_each(|id| renewed.note([new(id)].iter()));
        let taken = renewed.next().await;
        renewed.again(taken);
        renewed.note([new(7)].iter());

        let taken = renewed.next().await;
        assert!(taken.all && taken.accounts.is_empty());
    }
}
