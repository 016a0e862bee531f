//! Which resources and users the commits concerned, for whoever keeps lists of them in memory.
//!
//! Noted by the writing thread itself, so that a caller who goes away while its commit is under way
//! keeps nothing from being noted.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::{Grantee, ResourceId, UserId};
use crate::store::{Key, Table};

/// What was touched since somebody last took it; nothing is noted while nobody listens.
#[derive(Default)]
pub struct Touched {
    listening: AtomicBool,
    noted: Mutex<Noted>,
}

/// What commits touched.
#[derive(Debug, Default)]
pub struct Noted {
    /// Resources that were made, edited or removed, or whose accounts were made, renamed or
    /// removed.
    pub resources: HashSet<ResourceId>,
    /// What was given to a user, or taken from it: to own, or by a share.
    pub reached: HashSet<(UserId, ResourceId)>,
    /// Users who came into a group, or left one.
    pub users: HashSet<UserId>,
    /// Something was shared with a group, or no longer is, and so with everybody in it.
    pub groups: bool,
    /// Anything may have changed.
    pub all: bool,
}

impl Touched {
    /// Notes from now on.
    pub fn listen(&self) {
        self.listening.store(true, Ordering::SeqCst);
    }

    /// Notes nothing any more, and forgets what was noted.
    pub fn rest(&self) {
        self.listening.store(false, Ordering::SeqCst);
        drop(self.take());
    }

    /// What was noted since this was last asked.
    pub fn take(&self) -> Noted {
        std::mem::take(&mut *self.lock())
    }

    pub(super) fn note(&self, key: &Key) {
        if !self.listening.load(Ordering::SeqCst) {
            return;
        }
        let of = |table| key.as_bytes().first() == Some(&(table as u8));
        // A password's change touches none of these tables.
        if of(Table::Resource) {
            self.add(|noted| noted.resources.extend(key.number_at(1).map(ResourceId)));
        } else if of(Table::AccountByName) {
            self.add(|noted| noted.resources.extend(key.number_at(0).map(ResourceId)));
        } else if of(Table::GroupsOfUser) {
            self.add(|noted| noted.users.extend(key.number_at(1).map(UserId)));
        } else if of(Table::SetsOf) || of(Table::Group) || of(Table::ResourceGroup) {
            self.add(|noted| noted.groups = true);
        } else if of(Table::ResourceByOwner) || of(Table::ShareByGrantee) {
            let (grantee, resource) = (key.number_at(0), key.number_at(1));
            self.add(|noted| match grantee.zip(resource) {
                Some((grantee, _)) if grantee >= Grantee::GROUPS => noted.groups = true,
                pair => noted
                    .reached
                    .extend(pair.map(|(user, resource)| (UserId(user), ResourceId(resource)))),
            });
        }
    }

    pub(super) fn note_all(&self) {
        if self.listening.load(Ordering::SeqCst) {
            self.lock().give_up();
        }
    }

    fn add(&self, add: impl FnOnce(&mut Noted)) {
        let mut noted = self.lock();
        if noted.all {
            return;
        }
        add(&mut noted);
        if noted.resources.len() + noted.reached.len() + noted.users.len() > MOST {
            noted.give_up();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    /// Remembers only that there was something.
    fn give_up(&mut self) {
        *self = Self {
            all: true,
            ..Self::default()
        };
    }
}

impl fmt::Debug for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Touched(..)")
    }
}

/// Beyond this, reading all of it again is hardly more work; about a MiB.
const MOST: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(id: u64) -> Key {
        Key::table(Table::Resource).number(1).number(id)
    }

    #[test]
    fn what_concerns_lists_is_noted_once_and_only_while_somebody_listens() {
        let touched = Touched::default();
        touched.note(&resource(7));
        assert!(touched.take().resources.is_empty());

        touched.listen();
        touched.note(&resource(7));
        touched.note(&Key::table(Table::AccountByName).number(8).hash(&[1; 16]));
        touched.note(
            &Key::table(Table::ShareByGrantee)
                .number(3)
                .number(7)
                .number(0),
        );
        touched.note(&Key::table(Table::ResourceByOwner).number(4).number(7));
        touched.note(&Key::table(Table::GroupsOfUser).number(1).number(5));
        touched.note(
            &Key::table(Table::ShareByGrantee)
                .number(Grantee::GROUPS | 3)
                .number(7),
        );
        touched.note(&Key::table(Table::Account).number(9).number(1));

        let noted = touched.take();
        assert_eq!(noted.resources, [7, 8].map(ResourceId).into());
        let reached = [3, 4].map(|user| (UserId(user), ResourceId(7)));
        assert_eq!(noted.reached, reached.into());
        assert_eq!(noted.users, [UserId(5)].into());
        assert!(noted.groups && !noted.all && touched.take().resources.is_empty());
        touched.note(&resource(7));
        touched.rest();
        assert!(touched.take().resources.is_empty());
    }

    #[test]
    fn too_many_are_told_as_all() {
        let touched = Touched::default();
        touched.listen();

        (0..=MOST as u64).for_each(|id| touched.note(&resource(id)));

        let noted = touched.take();
        assert!(noted.all && noted.resources.is_empty());
        touched.note_all();
        assert!(touched.take().all);
    }
}
