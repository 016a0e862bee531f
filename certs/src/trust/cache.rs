//! A bounded memory of what was verified: it saves the signature checks of a handshake.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rustls_pki_types::UnixTime;

use super::Verified;
use crate::Fingerprint;

/// Remembers at most `capacity` certificates. It belongs to one generation of the truststore and
/// goes with it, so nothing has to be taken out of it.
pub(super) struct Cache {
    capacity: usize,
    halves: Mutex<Halves>,
}

type Half = HashMap<Fingerprint, Arc<Verified>>;

/// When the young half is full, the old one is forgotten and the young one grows old: an
/// eviction that needs no clock and no list.
#[derive(Default)]
struct Halves {
    young: Half,
    old: Half,
}

impl Cache {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            halves: Mutex::default(),
        }
    }

    /// What is known of `fingerprint`, while it holds.
    pub(super) fn get(&self, fingerprint: Fingerprint, now: UnixTime) -> Option<Arc<Verified>> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let young = halves.young.get(&fingerprint).cloned();
        let known = match young {
            Some(known) => known,
            None => {
                let known = halves.old.remove(&fingerprint)?;
                halves.insert(Arc::clone(&known), self.capacity);
                known
            }
        };
        known.holds_at(now).then_some(known)
    }

    pub(super) fn insert(&self, verified: &Arc<Verified>) {
        if self.capacity > 0 {
            let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
            halves.insert(Arc::clone(verified), self.capacity);
        }
    }
}

impl Halves {
    fn insert(&mut self, verified: Arc<Verified>, capacity: usize) {
        if self.young.len() >= capacity.div_ceil(2) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(verified.fingerprint(), verified);
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
