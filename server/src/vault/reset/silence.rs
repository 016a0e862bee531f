//! Hosts that did not answer: what the server does by itself leaves them alone for a while, so that
//! a dead one holds no other one up.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::connectors::Trouble;
use crate::domain::{ResetTarget, ResourceId, Timestamp};

/// Until when each is left alone.
#[derive(Debug, Default)]
pub(super) struct Silence(Mutex<HashMap<Place, Timestamp>>);

/// Host and port, or the resource of a command that names no host.
type Place = (String, u16, Option<ResourceId>);

impl Silence {
    /// What came of a conversation: `trouble`, or an answer.
    pub(super) fn note(&self, target: &ResetTarget, trouble: Option<&Trouble>, until: Timestamp) {
        let mut hosts = self.lock();
        match trouble {
            Some(Trouble::Unreachable | Trouble::Slow) => {
                if hosts.len() < MOST {
                    hosts.insert(place(target), until);
                }
            }
            Some(_) | None => {
                hosts.remove(&place(target));
            }
        }
    }

    /// Whether the target's host is left alone now.
    pub(super) fn holds(&self, target: &ResetTarget, now: Timestamp) -> bool {
        let until = self.lock().get(&place(target)).copied();
        until.is_some_and(|until| now < until)
    }

    /// All are asked again.
    pub(super) fn end(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(target: &ResetTarget) -> Place {
    let host = target.host.as_str();
    let alone = host.is_empty().then_some(target.resource);
    (host.to_owned(), target.port, alone)
}

/// So many at most: a house without a network remembers no more.
const MOST: usize = 4096;
