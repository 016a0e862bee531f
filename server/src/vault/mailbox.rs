//! Who listens for changes, and what each has not heard yet.
//!
//! A change says that there is another secret and never which one, so whoever hears it late asks for
//! the newest: one change an account and kind is kept for a listener, however often it changed and
//! however slow the listener is.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::{
    AccountId, AccountName, OrgId, ResourceId, ResourceName, SecretKind, Timestamp,
};

/// Another version of a secret is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The resource that the account is on.
    pub resource: ResourceId,
    /// How it is called.
    pub resource_name: ResourceName,
    /// The account that it is told of: where an SSH key or an API key stands beside it, it too.
    pub account: AccountId,
    /// How it is called.
    pub account_name: AccountName,
    /// What kind of secret it is.
    pub kind: SecretKind,
    /// When it came into force.
    pub at: Timestamp,
}

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Another version of a secret is in force.
    Changed(Arc<Changed>),
    /// Whether it may listen may have changed: it is to be found out again.
    Doubt,
}

/// An account that is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Watched {
    pub(super) org: OrgId,
    pub(super) resource: ResourceId,
    pub(super) account: AccountId,
}

/// A listener's ear; nothing is kept for it once it is dropped.
pub struct Listening {
    desk: Arc<Desk>,
    watched: Vec<Watched>,
    mailbox: Arc<Mailbox>,
}

impl Listening {
    /// Waits for what comes next.
    pub async fn next(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.mailbox.take() {
                return heard;
            }
            self.mailbox.bell.notified().await;
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.desk.leave(&self.watched, &self.mailbox);
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listening(..)")
    }
}

/// What one listener has not heard yet.
#[derive(Default)]
struct Mailbox {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

#[derive(Default)]
struct Waiting {
    changes: VecDeque<Arc<Changed>>,
    doubt: bool,
}

impl Mailbox {
    fn put(&self, change: &Arc<Changed>) {
        let same =
            |kept: &&mut Arc<Changed>| kept.account == change.account && kept.kind == change.kind;
        let mut waiting = self.lock();
        match waiting.changes.iter_mut().find(same) {
            Some(kept) => *kept = Arc::clone(change),
            None => waiting.changes.push_back(Arc::clone(change)),
        }
        drop(waiting);
        self.bell.notify_one();
    }

    fn doubt(&self) {
        self.lock().doubt = true;
        self.bell.notify_one();
    }

    /// Doubt comes first: whoever may not listen any more hears of nothing.
    fn take(&self) -> Option<Heard> {
        let mut waiting = self.lock();
        if std::mem::take(&mut waiting.doubt) {
            return Some(Heard::Doubt);
        }
        waiting.changes.pop_front().map(Heard::Changed)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everybody who listens, by what they listen to.
#[derive(Default)]
pub(super) struct Desk {
    seats: Mutex<HashMap<ResourceId, Vec<Seat>>>,
}

struct Seat {
    watched: Watched,
    mailbox: Arc<Mailbox>,
}

impl Desk {
    /// A listener to `watched`; `first` is called before it hears of anything.
    pub(super) fn sit(self: &Arc<Self>, watched: Vec<Watched>, first: impl FnOnce()) -> Listening {
        let mailbox = Arc::<Mailbox>::default();
        let mut seats = self.lock();
        first();
        for watched in &watched {
            seats.entry(watched.resource).or_default().push(Seat {
                watched: *watched,
                mailbox: Arc::clone(&mailbox),
            });
        }
        drop(seats);
        Listening {
            desk: Arc::clone(self),
            watched,
            mailbox,
        }
    }

    /// Calls `empty` if nobody listens.
    pub(super) fn unless_used(&self, empty: impl FnOnce()) {
        let seats = self.lock();
        if seats.is_empty() {
            empty();
        }
    }

    /// The organisation of whoever listens to something of `resource`.
    pub(super) fn org_of(&self, resource: ResourceId) -> Option<OrgId> {
        let seats = self.lock();
        let first = seats.get(&resource)?.first()?;
        Some(first.watched.org)
    }

    /// All that is listened to.
    pub(super) fn all(&self) -> HashSet<Watched> {
        let seats = self.lock();
        seats.values().flatten().map(|seat| seat.watched).collect()
    }

    /// Tells whoever listens to the account.
    pub(super) fn tell(&self, change: Changed) {
        let change = Arc::new(change);
        let seats = self.lock();
        let there = seats.get(&change.resource).into_iter().flatten();
        there
            .filter(|seat| seat.watched.account == change.account)
            .for_each(|seat| seat.mailbox.put(&change));
    }

    /// Says to everybody that who may listen may have changed.
    pub(super) fn doubt(&self) {
        let seats = self.lock();
        seats
            .values()
            .flatten()
            .for_each(|seat| seat.mailbox.doubt());
    }

    fn leave(&self, watched: &[Watched], mailbox: &Arc<Mailbox>) {
        let mut seats = self.lock();
        for watched in watched {
            let Some(there) = seats.get_mut(&watched.resource) else {
                continue;
            };
            there.retain(|seat| !Arc::ptr_eq(&seat.mailbox, mailbox));
            if there.is_empty() {
                seats.remove(&watched.resource);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ResourceId, Vec<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(resource: u64, account: u64) -> Watched {
        Watched {
            org: OrgId(1),
            resource: ResourceId(resource),
            account: AccountId(account),
        }
    }

    fn changed(account: u64, kind: SecretKind, at: i64) -> Changed {
        Changed {
            resource: ResourceId(1),
            resource_name: ResourceName::parse("db").unwrap(),
            account: AccountId(account),
            account_name: AccountName::parse("root").unwrap(),
            kind,
            at: Timestamp(at),
        }
    }

    async fn change(ear: &mut Listening) -> (u64, SecretKind, i64) {
        match ear.next().await {
            Heard::Changed(change) => (change.account.0, change.kind, change.at.0),
            Heard::Doubt => panic!("doubt"),
        }
    }

    #[tokio::test]
    async fn a_slow_listener_hears_of_each_secret_once_and_of_the_last_change() {
        let desk = Arc::<Desk>::default();
        let mut ear = desk.sit(vec![watched(1, 7), watched(1, 8)], || ());

        for at in 1..=1000 {
            desk.tell(changed(7, SecretKind::Password, at));
            desk.tell(changed(8, SecretKind::Password, at));
            desk.tell(changed(7, SecretKind::SshKey, at));
            desk.tell(changed(9, SecretKind::Password, at));
        }

        assert_eq!(change(&mut ear).await, (7, SecretKind::Password, 1000));
        assert_eq!(change(&mut ear).await, (8, SecretKind::Password, 1000));
        assert_eq!(change(&mut ear).await, (7, SecretKind::SshKey, 1000));
        assert!(ear.mailbox.take().is_none());
    }

    #[tokio::test]
    async fn doubt_is_heard_before_changes() {
        let desk = Arc::<Desk>::default();
        let mut ear = desk.sit(vec![watched(1, 7)], || ());

        desk.tell(changed(7, SecretKind::Password, 1));
        desk.doubt();

        assert_eq!(ear.next().await, Heard::Doubt);
        assert_eq!(change(&mut ear).await, (7, SecretKind::Password, 1));
    }

    #[test]
    fn nothing_is_kept_for_who_left() {
        let desk = Arc::<Desk>::default();
        let first = desk.sit(vec![watched(1, 7), watched(2, 8)], || ());
        let second = desk.sit(vec![watched(1, 7)], || ());

        drop(first);
        assert_eq!(desk.all(), [watched(1, 7)].into());
        desk.unless_used(|| panic!("somebody listens"));
        drop(second);

        assert!(desk.lock().is_empty());
    }
}
