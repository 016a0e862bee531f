//! Which resources and users the commits concerned, for whoever keeps lists of them in memory.
//!
//! Noted by the writing thread itself, so that a caller who goes away while its commit is under way
//! keeps nothing from being noted.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::{ResourceId, UserId};
use crate::store::rows::GROUPS;
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
    /// Users to whom something was given, or from whom something was taken.
    pub users: HashSet<UserId>,
    /// The same happened to a group, and so to everybody in it.
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
            self.add(key.number_at(1).map(ResourceId), None);
        } else if of(Table::AccountByName) {
            self.add(key.number_at(0).map(ResourceId), None);
        } else if of(Table::ResourceByOwner) {
            self.add(None, key.number_at(0).map(UserId));
        } else if of(Table::GroupsOfUser) {
            self.add(None, key.number_at(1).map(UserId));
        } else if of(Table::ShareByGrantee) {
            match key.number_at(0) {
                Some(number) if number >= GROUPS => self.lock().groups = true,
                user => self.add(None, user.map(UserId)),
            }
        }
    }

    pub(super) fn note_all(&self) {
        if self.listening.load(Ordering::SeqCst) {
            self.lock().give_up();
        }
    }

    fn add(&self, resource: Option<ResourceId>, user: Option<UserId>) {
        let mut noted = self.lock();
        if noted.all {
            return;
        }
        noted.resources.extend(resource);
        noted.users.extend(user);
        if noted.resources.len() + noted.users.len() > MOST {
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
                .number(GROUPS | 3)
                .number(7),
        );
        touched.note(&Key::table(Table::Account).number(9).number(1));

        let noted = touched.take();
        assert_eq!(noted.resources, [7, 8].map(ResourceId).into());
        assert_eq!(noted.users, [3, 4, 5].map(UserId).into());
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
