//! One number that grows whenever who may come in, or as whom, may have changed: by the rows that
//! say so, in whose commit it grows, and by what is in no row.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::vault::{Caller, Vault};

/// Grows with every change of users, trust, organisations and settings.
#[derive(Debug, Default)]
pub(super) struct Generation {
    all: AtomicU64,
    trust: AtomicU64,
}

impl Generation {
    pub(super) fn now(&self) -> u64 {
        self.all.load(Ordering::Acquire)
    }

    pub(super) fn grow(&self) {
        self.all.fetch_add(1, Ordering::AcqRel);
    }

    /// Grows with every change of trust, and every doubt of it.
    pub(super) fn trust(&self) -> u64 {
        self.trust.load(Ordering::Acquire)
    }

    pub(super) fn grow_with_trust(&self) {
        self.trust.fetch_add(1, Ordering::AcqRel);
        self.grow();
    }
}

impl Vault {
    /// Whether nothing has changed since `caller` was identified: neither users nor trust, and no
    /// certificate, address or user has run out. Where this is false, identify again.
    #[must_use]
    pub fn holds(&self, caller: &Caller) -> bool {
        caller.identity.generation == self.generation()
            && self.clock.now() < caller.identity.valid_until
    }

    /// Makes every caller be identified again: for whoever changes trust from outside, by new
    /// revocation lists for instance.
    pub fn doubt_everyone(&self) {
        self.generation.grow_with_trust();
    }

    /// The number that grows with every change of who may come in.
    #[must_use]
    pub fn generation(&self) -> u64 {
        let rows = self.rows.store().stamps().people();
        self.generation.now().wrapping_add(rows)
    }
}
