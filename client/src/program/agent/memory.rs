//! What the server said, for a stated time: bounded, and sealed by a key of this process.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::Secret;
use crate::program::source::Wanted;
use crate::program::trouble::Trouble;

/// The passwords that are kept.
pub(super) struct Memory {
    key: Zeroizing<[u8; 32]>,
    kept: HashMap<Name, Entry>,
    time: Duration,
    most: usize,
    /// How often something was forgotten because the server said so.
    forgotten: u64,
}

/// Resource and account.
type Name = (String, String);

struct Entry {
    nonce: [u8; 24],
    sealed: Vec<u8>,
    until: Instant,
    /// Whether it was given for a reason and a ticket: without them it is not given again.
    terms: (bool, bool),
}

impl Memory {
    /// Room for `most` passwords, each for `time`.
    pub(super) fn new(time: Duration, most: usize) -> Result<Self, Trouble> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut_slice()).map_err(|_| Trouble::Seal)?;
        Ok(Self {
            key,
            kept: HashMap::new(),
            time,
            most,
            forgotten: 0,
        })
    }

    /// How often something was forgotten, to be told to [`Self::keep`].
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Keeps what the server said, unless something was forgotten since it was asked: the answer
    /// may be older than the refusal. Where there is no room, what is over first goes.
    pub(super) fn keep(&mut self, wanted: &Wanted, password: &Secret, asked: u64, now: Instant) {
        if asked != self.forgotten || self.most == 0 {
            return;
        }
        let name = name(wanted);
        let Some((nonce, sealed)) = self.seal(&name, password) else {
            // What cannot be sealed is not kept.
            self.kept.remove(&name);
            return;
        };
        if self.kept.len() >= self.most && !self.kept.contains_key(&name) {
            self.make_room();
        }
        let entry = Entry {
            nonce,
            sealed,
            until: now + self.time,
            terms: terms(wanted),
        };
        self.kept.insert(name, entry);
    }

    /// What the server said not too long ago, to somebody who gave as much.
    pub(super) fn find(&self, wanted: &Wanted, now: Instant) -> Option<Secret> {
        let name = name(wanted);
        let entry = self.kept.get(&name)?;
        let (reason, ticket) = terms(wanted);
        let enough = reason >= entry.terms.0 && ticket >= entry.terms.1;
        if !enough || now >= entry.until {
            return None;
        }
        let payload = Payload {
            msg: &entry.sealed,
            aad: &place(&name),
        };
        let plain = self
            .cipher()
            .decrypt(<&XNonce>::from(&entry.nonce), payload);
        let plain = Zeroizing::new(plain.ok()?);
        str::from_utf8(&plain).ok().map(Secret::from)
    }

    /// Forgets what the server refuses now.
    pub(super) fn forget(&mut self, wanted: &Wanted) {
        self.forgotten += 1;
        self.kept.remove(&name(wanted));
    }

    /// Forgets what is over.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.kept.retain(|_, entry| now < entry.until);
    }

    fn make_room(&mut self) {
        let first = self.kept.iter().min_by_key(|(_, entry)| entry.until);
        if let Some(name) = first.map(|(name, _)| name.clone()) {
            self.kept.remove(&name);
        }
    }

    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a random nonce, bound to the name.
    fn seal(&self, name: &Name, password: &Secret) -> Option<([u8; 24], Vec<u8>)> {
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).ok()?;
        let payload = Payload {
            msg: password.expose().as_bytes(),
            aad: &place(name),
        };
        let sealed = self.cipher().encrypt(<&XNonce>::from(&nonce), payload);
        Some((nonce, sealed.ok()?))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(<&Key>::from(&*self.key))
    }
}

fn name(wanted: &Wanted) -> Name {
    (wanted.resource.clone(), wanted.account.clone())
}

fn terms(wanted: &Wanted) -> (bool, bool) {
    let given = |text: &str| !text.trim().is_empty();
    (given(&wanted.reason), given(&wanted.ticket))
}

/// What a seal is bound to: the lengths keep `a`, `bc` and `ab`, `c` apart.
fn place((resource, account): &Name) -> Vec<u8> {
    let length = (resource.len() as u64).to_be_bytes();
    [&length[..], resource.as_bytes(), account.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_secs(60);

    fn wanted(account: &str) -> Wanted {
        Wanted {
            resource: "r".to_owned(),
            account: account.to_owned(),
            ..Wanted::default()
        }
    }

    fn found(memory: &Memory, wanted: &Wanted, now: Instant) -> Option<String> {
        let password = memory.find(wanted, now);
        password.map(|password| password.expose().to_owned())
    }

    fn keep(memory: &mut Memory, account: &str, password: &str, now: Instant) {
        let asked = memory.forgotten();
        memory.keep(&wanted(account), &Secret::from(password), asked, now);
    }

    #[test]
    fn a_password_is_kept_for_its_time_and_no_longer() {
        let (mut memory, now) = (Memory::new(KEEP, 9).unwrap(), Instant::now());
        keep(&mut memory, "a", "s3cret", now);

        let almost = now + KEEP - Duration::from_millis(1);
        assert_eq!(
            found(&memory, &wanted("a"), almost),
            Some("s3cret".to_owned())
        );
        assert_eq!(found(&memory, &wanted("b"), now), None);
        assert_eq!(found(&memory, &wanted("a"), now + KEEP), None);
        memory.sweep(almost);
        assert_eq!(memory.kept.len(), 1);
        memory.sweep(now + KEEP);
        assert_eq!(memory.kept.len(), 0);
    }

    #[test]
    fn what_is_kept_is_sealed_for_its_name() {
        let (mut memory, now) = (Memory::new(KEEP, 9).unwrap(), Instant::now());
        keep(&mut memory, "a", "s3cret", now);

        let name = name(&wanted("a"));
        let entry = memory.kept.remove(&name).unwrap();
        assert!(!entry.sealed.windows(6).any(|bytes| bytes == b"s3cret"));
        memory.kept.insert(super::name(&wanted("b")), entry);
        assert_eq!(found(&memory, &wanted("b"), now), None, "moved elsewhere");
    }

    #[test]
    fn a_full_memory_forgets_what_is_over_first() {
        let (mut memory, now) = (Memory::new(KEEP, 2).unwrap(), Instant::now());
        for (seconds, account) in [(0, "a"), (1, "b"), (2, "a"), (3, "c")] {
            keep(
                &mut memory,
                account,
                "x",
                now + Duration::from_secs(seconds),
            );
        }

        assert_eq!(found(&memory, &wanted("b"), now), None);
        assert!(found(&memory, &wanted("a"), now).is_some());
        assert!(found(&memory, &wanted("c"), now).is_some());
    }

    #[test]
    fn a_refusal_forgets_and_an_older_answer_does_not_bring_it_back() {
        let (mut memory, now) = (Memory::new(KEEP, 9).unwrap(), Instant::now());
        keep(&mut memory, "a", "old", now);
        let asked = memory.forgotten();

        memory.forget(&wanted("a"));
        memory.keep(&wanted("a"), &Secret::from("old"), asked, now);

        assert_eq!(found(&memory, &wanted("a"), now), None);
        keep(&mut memory, "a", "new", now);
        assert_eq!(found(&memory, &wanted("a"), now), Some("new".to_owned()));
    }

    #[test]
    fn what_was_given_for_a_reason_is_not_given_without_one() {
        let (mut memory, now) = (Memory::new(KEEP, 9).unwrap(), Instant::now());
        let with = Wanted {
            reason: "why".to_owned(),
            ticket: "7".to_owned(),
            ..wanted("a")
        };
        memory.keep(&with, &Secret::from("x"), 0, now);

        let half = Wanted {
            ticket: " ".to_owned(),
            ..with.clone()
        };
        assert_eq!(found(&memory, &wanted("a"), now), None);
        assert_eq!(found(&memory, &half, now), None);
        assert_eq!(found(&memory, &with, now), Some("x".to_owned()));
    }
}
