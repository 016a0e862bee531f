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
    /// How often the server was asked.
    asks: u64,
    /// What it is being asked for just now.
    open: HashMap<Name, Open>,
}

/// Resource and account.
type Name = (String, String);

/// Asks for one name that are not over yet.
#[derive(Default)]
struct Open {
    asks: usize,
    /// The newest ask, of any name, when the server's last word on this one came. An answer to an
    /// ask up to this one may be older than that word.
    mark: u64,
}

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
            asks: 0,
            open: HashMap::new(),
        })
    }

    /// Numbers an ask that begins: the number is told to [`Self::keep`]. Each ends with
    /// [`Self::end`].
    pub(super) fn ask(&mut self, wanted: &Wanted) -> u64 {
        self.asks += 1;
        self.open.entry(name(wanted)).or_default().asks += 1;
        self.asks
    }

    /// An ask is over, whatever came of it.
    pub(super) fn end(&mut self, wanted: &Wanted) {
        let name = name(wanted);
        let left = self.open.get_mut(&name).map_or(0, |open| {
            open.asks = open.asks.saturating_sub(1);
            open.asks
        });
        if left == 0 {
            self.open.remove(&name);
        }
    }

    /// Keeps what the server said to the ask `asked`, as its last word on this name. Where that
    /// crossed another word, nobody knows which is the newer one: unless both are the same, neither
    /// is kept. Where there is no room, what is over first goes.
    pub(super) fn keep(&mut self, wanted: &Wanted, asked: u64, password: &Secret, now: Instant) {
        if self.most == 0 {
            return;
        }
        let name = name(wanted);
        if self.open.get(&name).is_none_or(|open| asked > open.mark) {
            self.mark(&name);
        } else if !self.says(&name, password) {
            if self.kept.remove(&name).is_some() {
                self.mark(&name);
            }
            return;
        }
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
        let plain = self.unseal(&name, entry)?;
        str::from_utf8(&plain).ok().map(Secret::from)
    }

    /// Forgets what the server refuses now; nor does an answer that crossed the refusal bring it
    /// back.
    pub(super) fn forget(&mut self, wanted: &Wanted) {
        let name = name(wanted);
        self.kept.remove(&name);
        self.mark(&name);
    }

    /// Forgets everything, as [`Self::forget`] does.
    pub(super) fn forget_all(&mut self) {
        self.kept.clear();
        for open in self.open.values_mut() {
            open.mark = self.asks;
        }
    }

    /// Forgets what is over.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.kept.retain(|_, entry| now < entry.until);
    }

    /// The server's last word on this name has come. What is asked for later has no need to know.
    fn mark(&mut self, name: &Name) {
        if let Some(open) = self.open.get_mut(name) {
            open.mark = self.asks;
        }
    }

    /// Whether this very password is kept.
    fn says(&self, name: &Name, password: &Secret) -> bool {
        let plain = self
            .kept
            .get(name)
            .and_then(|entry| self.unseal(name, entry));
        plain.is_some_and(|plain| *plain == password.expose().as_bytes())
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

    fn unseal(&self, name: &Name, entry: &Entry) -> Option<Zeroizing<Vec<u8>>> {
        let payload = Payload {
            msg: &entry.sealed,
            aad: &place(name),
        };
        let plain = self
            .cipher()
            .decrypt(<&XNonce>::from(&entry.nonce), payload);
        plain.ok().map(Zeroizing::new)
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
        let asked = memory.ask(&wanted(account));
        answer(memory, account, asked, password, now);
    }

    /// An ask from before is answered now.
    fn answer(memory: &mut Memory, account: &str, asked: u64, password: &str, now: Instant) {
        memory.keep(&wanted(account), asked, &Secret::from(password), now);
        memory.end(&wanted(account));
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
        let asked = memory.ask(&wanted("a"));

        memory.forget(&wanted("a"));
        answer(&mut memory, "a", asked, "old", now);

        assert_eq!(found(&memory, &wanted("a"), now), None);
        keep(&mut memory, "a", "new", now);
        assert_eq!(found(&memory, &wanted("a"), now), Some("new".to_owned()));
    }

    #[test]
    fn a_refusal_of_one_name_does_not_keep_what_is_new_of_another_away() {
        let (mut memory, now) = (Memory::new(KEEP, 9).unwrap(), Instant::now());
        keep(&mut memory, "a", "old", now);
        let asked = memory.ask(&wanted("a"));

        memory.forget(&wanted("b"));
        answer(&mut memory, "a", asked, "new", now);

        assert_eq!(found(&memory, &wanted("a"), now), Some("new".to_owned()));
    }

    #[test]
    fn of_two_answers_that_cross_and_differ_neither_is_kept() {
        let (mut memory, now) = (Memory::new(KEEP, 9).unwrap(), Instant::now());
        for (first, second) in [(1, 2), (2, 1)] {
            let one = memory.ask(&wanted("a"));
            let two = memory.ask(&wanted("a"));
            let third = memory.ask(&wanted("a"));
            let asked = |which| if which == 1 { one } else { two };

            answer(&mut memory, "a", asked(first), "x", now);
            assert_eq!(found(&memory, &wanted("a"), now), Some("x".to_owned()));
            answer(&mut memory, "a", asked(second), "y", now);
            assert_eq!(found(&memory, &wanted("a"), now), None);
            let last = memory.ask(&wanted("a"));
            answer(&mut memory, "a", third, "x", now);
            assert_eq!(found(&memory, &wanted("a"), now), None, "older than that");
            answer(&mut memory, "a", last, "y", now);
            assert_eq!(found(&memory, &wanted("a"), now), Some("y".to_owned()));
        }
        assert_eq!(memory.open.len(), 0, "nothing is left of what is over");
    }

    #[test]
    fn answers_that_cross_and_agree_are_kept_for_the_time_of_the_last() {
        let (mut memory, now) = (Memory::new(KEEP, 9).unwrap(), Instant::now());
        let first = memory.ask(&wanted("a"));
        let second = memory.ask(&wanted("a"));

        answer(&mut memory, "a", second, "x", now);
        let later = now + Duration::from_secs(1);
        answer(&mut memory, "a", first, "x", later);

        let kept = found(&memory, &wanted("a"), now + KEEP);
        assert_eq!(kept, Some("x".to_owned()));
        assert_eq!(found(&memory, &wanted("a"), later + KEEP), None);
    }

    #[test]
    fn what_is_forgotten_with_everything_no_older_answer_brings_back() {
        let (mut memory, now) = (Memory::new(KEEP, 9).unwrap(), Instant::now());
        keep(&mut memory, "a", "x", now);
        keep(&mut memory, "b", "y", now);
        let asked = memory.ask(&wanted("b"));

        memory.forget_all();
        answer(&mut memory, "b", asked, "y", now);

        assert_eq!(found(&memory, &wanted("a"), now), None);
        assert_eq!(found(&memory, &wanted("b"), now), None);
    }

    #[test]
    fn what_was_given_for_a_reason_is_not_given_without_one() {
        let (mut memory, now) = (Memory::new(KEEP, 9).unwrap(), Instant::now());
        let with = Wanted {
            reason: "why".to_owned(),
            ticket: "7".to_owned(),
            ..wanted("a")
        };
        let asked = memory.ask(&with);
        memory.keep(&with, asked, &Secret::from("x"), now);

        let half = Wanted {
            ticket: " ".to_owned(),
            ..with.clone()
        };
        assert_eq!(found(&memory, &wanted("a"), now), None);
        assert_eq!(found(&memory, &half, now), None);
        assert_eq!(found(&memory, &with, now), Some("x".to_owned()));
    }
}
