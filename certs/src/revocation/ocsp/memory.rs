//! What is remembered of earlier checks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::verdict::{Verdict, seconds};
use super::{OcspFailure, OcspSettings, OcspStatus};

/// Names a certificate of an issuer: `SHA-256(SHA-256(issuer) || SHA-256(leaf))` over the whole
/// certificates, so that finding a remembered answer needs no parsing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn of(leaf: &CertificateDer<'_>, issuer: &CertificateDer<'_>) -> Self {
        let mut hash = Sha256::new();
        hash.update(Sha256::digest(issuer));
        hash.update(Sha256::digest(leaf));
        Self(hash.finalize().into())
    }
}

#[derive(Clone, Debug)]
struct Entry {
    status: OcspStatus,
    this_update: i64,
    /// When it was learnt: a clock that is set back must not keep an entry for ever.
    from: i64,
    until: i64,
}

impl Entry {
    fn counts(&self, now_unix: i64, skew: i64) -> bool {
        now_unix < self.until && self.from <= now_unix.saturating_add(skew)
    }
}

/// Answers, resting responders and running checks.
#[derive(Debug)]
pub(super) struct Memory {
    entries: Mutex<HashMap<Key, Entry>>,
    resting: Mutex<HashMap<String, (i64, i64)>>,
    running: Mutex<HashMap<Key, Weak<OnceCell<OcspStatus>>>>,
    limit: usize,
    skew: i64,
    retry_after: i64,
}

impl Memory {
    pub(super) fn new(settings: &OcspSettings) -> Self {
        Self {
            entries: Mutex::default(),
            resting: Mutex::default(),
            running: Mutex::default(),
            limit: settings.max_remembered.max(1),
            skew: seconds(settings.clock_skew),
            retry_after: seconds(settings.retry_after),
        }
    }

    /// What is known of the certificate and still counts.
    pub(super) fn recall(&self, key: &Key, now_unix: i64) -> Option<OcspStatus> {
        lock(&self.entries)
            .get(key)
            .filter(|entry| entry.counts(now_unix, self.skew))
            .map(|entry| entry.status.clone())
    }

    /// Keeps what a check brought, and says what follows from it and from what was known. A
    /// certificate once known as revoked stays so until a newer answer says otherwise: neither a
    /// silent responder nor the replay of an older answer brings it back.
    pub(super) fn keep(
        &self,
        key: Key,
        brought: Result<Verdict, OcspFailure>,
        now_unix: i64,
    ) -> OcspStatus {
        let mut entries = lock(&self.entries);
        let revoked = entries
            .get(&key)
            .filter(|entry| matches!(entry.status, OcspStatus::Revoked { .. }));
        let retry = now_unix.saturating_add(self.retry_after);
        let entry = match (revoked, brought) {
            (Some(old), Err(_)) => Entry {
                until: retry,
                from: now_unix,
                ..old.clone()
            },
            (Some(old), Ok(new)) if is_replay(old, &new) => Entry {
                until: retry,
                from: now_unix,
                ..old.clone()
            },
            (_, Ok(new)) => Entry {
                status: new.status,
                this_update: new.this_update,
                from: now_unix,
                until: new.until,
            },
            (None, Err(why)) => Entry {
                status: OcspStatus::Unknown(why),
                this_update: now_unix,
                from: now_unix,
                until: retry,
            },
        };
        let status = entry.status.clone();
        self.make_room(&mut entries, &key, now_unix);
        entries.insert(key, entry);
        status
    }

    /// Drops everything that no longer counts, then, when that was not enough, what ends first;
    /// revocations go last.
    fn make_room(&self, entries: &mut HashMap<Key, Entry>, key: &Key, now_unix: i64) {
        if entries.len() < self.limit || entries.contains_key(key) {
            return;
        }
        entries.retain(|_, entry| {
            matches!(entry.status, OcspStatus::Revoked { .. }) || entry.counts(now_unix, self.skew)
        });
        while entries.len() >= self.limit {
            let first = entries
                .iter()
                .min_by_key(|(_, entry)| {
                    let revoked = matches!(entry.status, OcspStatus::Revoked { .. });
                    (revoked, entry.until)
                })
                .map(|(key, _)| *key);
            match first {
                Some(first) => entries.remove(&first),
                None => return,
            };
        }
    }

    /// Leaves a responder alone for a while.
    pub(super) fn rest(&self, url: String, now_unix: i64) {
        let mut resting = lock(&self.resting);
        if resting.len() >= self.limit {
            resting.retain(|_, (_, until)| *until > now_unix);
        }
        if resting.len() < self.limit {
            resting.insert(url, (now_unix, now_unix.saturating_add(self.retry_after)));
        }
    }

    pub(super) fn is_resting(&self, url: &str, now_unix: i64) -> bool {
        lock(&self.resting).get(url).is_some_and(|(from, until)| {
            now_unix < *until && *from <= now_unix.saturating_add(self.skew)
        })
    }

    /// The running check of the certificate, which this call begins when there is none.
    pub(super) fn join(&self, key: Key) -> Check<'_> {
        let mut running = lock(&self.running);
        let cell = running
            .get(&key)
            .and_then(Weak::upgrade)
            .unwrap_or_else(|| {
                let cell = Arc::new(OnceCell::new());
                running.insert(key, Arc::downgrade(&cell));
                cell
            });
        Check {
            memory: self,
            key,
            cell,
        }
    }

    /// Forgets every answer, also of revocations.
    pub(super) fn forget(&self) {
        lock(&self.entries).clear();
        lock(&self.resting).clear();
    }
}

/// A share in a running check; the last one to leave clears it away, also when it is cancelled.
#[derive(Debug)]
pub(super) struct Check<'a> {
    memory: &'a Memory,
    key: Key,
    pub(super) cell: Arc<OnceCell<OcspStatus>>,
}

impl Drop for Check<'_> {
    fn drop(&mut self) {
        let mut running = lock(&self.memory.running);
        // Nobody can join meanwhile: joining takes the same lock.
        if Arc::strong_count(&self.cell) == 1 {
            running.remove(&self.key);
        }
    }
}

/// Whether `new` would undo a revocation without being newer.
fn is_replay(old: &Entry, new: &Verdict) -> bool {
    !matches!(new.status, OcspStatus::Revoked { .. }) && new.this_update <= old.this_update
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::ocsp::RevocationReason;

    const REVOKED: OcspStatus = OcspStatus::Revoked {
        since: 1,
        reason: RevocationReason::Unspecified,
    };

    fn memory(max_remembered: usize) -> Memory {
        Memory::new(&OcspSettings {
            max_remembered,
            ..OcspSettings::default()
        })
    }

    fn key(number: u8) -> Key {
        Key([number; 32])
    }

    fn good(this_update: i64, until: i64) -> Result<Verdict, OcspFailure> {
        Ok(Verdict {
            status: OcspStatus::Good { until },
            this_update,
            until,
        })
    }

    fn revoked(this_update: i64, until: i64) -> Result<Verdict, OcspFailure> {
        Ok(Verdict {
            status: REVOKED,
            this_update,
            until,
        })
    }

    #[test]
    fn a_failure_is_remembered_for_a_moment() {
        let memory = memory(9);

        memory.keep(key(1), Err(OcspFailure::TimedOut), 100);

        let failed = OcspStatus::Unknown(OcspFailure::TimedOut);
        assert_eq!(memory.recall(&key(1), 129), Some(failed));
        assert_eq!(memory.recall(&key(1), 130), None);
    }

    #[test]
    fn a_clock_that_is_set_back_forgets() {
        let memory = memory(9);

        memory.keep(key(1), good(10_000, 20_000), 10_000);
        memory.rest("http://a/".to_owned(), 10_000);

        assert!(memory.recall(&key(1), 9_700).is_some());
        assert!(memory.is_resting("http://a/", 9_700));
        assert_eq!(memory.recall(&key(1), 9_699), None);
        assert!(!memory.is_resting("http://a/", 9_699));
    }

    #[test]
    fn a_revocation_is_undone_by_a_newer_answer_only() {
        let memory = memory(9);
        memory.keep(key(1), revoked(100, 200), 100);

        let silent = memory.keep(key(1), Err(OcspFailure::TimedOut), 300);
        let replayed = memory.keep(key(1), good(100, 900), 400);
        let newer = memory.keep(key(1), good(101, 900), 500);

        assert_eq!([silent, replayed], [REVOKED; 2]);
        assert_eq!(newer, OcspStatus::Good { until: 900 });
    }

    #[test]
    fn what_no_longer_counts_makes_room_first_and_revocations_last() {
        let memory = memory(3);
        memory.keep(key(1), revoked(0, 10), 0);
        memory.keep(key(2), good(0, 20), 0);
        memory.keep(key(3), good(0, 900), 0);

        memory.keep(key(4), good(0, 800), 30);
        memory.keep(key(5), good(0, 700), 30);
        memory.keep(key(6), revoked(0, 700), 30);

        let kept: Vec<u8> = (1..=6)
            .filter(|&number| lock(&memory.entries).contains_key(&key(number)))
            .collect();
        assert_eq!(kept, [1, 3, 6]);
    }

    #[test]
    fn resting_responders_are_bounded() {
        let memory = memory(2);
        for url in ["a", "b", "c"] {
            memory.rest(url.to_owned(), 0);
        }

        assert!(memory.is_resting("b", 1));
        assert!(!memory.is_resting("c", 1));
        memory.rest("c".to_owned(), 30);
        assert!(memory.is_resting("c", 31));
    }
}
