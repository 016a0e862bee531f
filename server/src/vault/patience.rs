//! How often somebody may try to sign in.
//!
//! Failures count by name *and* address: whoever fails too often from one address is locked out
//! there, for longer each time, and the person keeps coming in from elsewhere. An address that
//! fails with many names is locked out, too. A name alone is never locked, only slowed down: else
//! anybody could keep anybody out. Names that nobody has count like all others.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::Timestamp;

/// How patient the house is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Failures of one name from one address until it is locked there.
    pub(super) by_name: u32,
    /// Failures from one address until it is locked.
    pub(super) by_address: u32,
    /// How long the first lock lasts; each further failure doubles it.
    pub(super) lock: Duration,
    /// How long a lock lasts at most.
    pub(super) longest: Duration,
    /// How long an answer is held back at most for a name that many fail with.
    pub(super) slowest: Duration,
}

/// What failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mark {
    Name([u8; 32]),
    Address(IpAddr),
    Both([u8; 32], IpAddr),
    /// Codes of a second factor, behind the right password.
    Code([u8; 32]),
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
    until: Option<Timestamp>,
}

/// One attempt that has been counted as a failure, until it turns out to be none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    name: [u8; 32],
    address: IpAddr,
}

/// Whoever has failed too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LockedOut;

/// The failures of late: in memory, and no more of them than there is room for.
#[derive(Debug, Default)]
pub(super) struct Patience(Mutex<HashMap<Mark, Failures>>);

impl Attempt {
    /// An attempt with a name, as its keyed hash, from an address.
    pub(super) fn new(name: [u8; 32], peer: Option<IpAddr>) -> Self {
        let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), network);
        Self { name, address }
    }

    fn both(self) -> Mark {
        Mark::Both(self.name, self.address)
    }
}

impl Patience {
    /// Counts an attempt as failed before anything is compared, so that many at once are no way
    /// around the limit. Says how long its answer is to be held back.
    ///
    /// # Errors
    /// [`LockedOut`], and it counts for nothing then.
    pub(super) fn begin(
        &self,
        attempt: Attempt,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Duration, LockedOut> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (both, address) = (attempt.both(), Mark::Address(attempt.address));
        let locked = |mark| locked(&seen, mark, (limits, now));
        if locked(&both) || locked(&address) {
            return Err(LockedOut);
        }
        make_room(&mut seen, limits, now);
        count(&mut seen, both, Some(limits.by_name), (limits, now));
        count(&mut seen, address, Some(limits.by_address), (limits, now));
        let tried = count(&mut seen, Mark::Name(attempt.name), None, (limits, now));
        Ok(slowed(tried, limits))
    }

    /// Counts a code as a wrong one before it is compared: so many of one name, from wherever they
    /// come, and none counts for a while.
    ///
    /// # Errors
    /// [`LockedOut`], and it counts for nothing then.
    pub(super) fn begin_code(
        &self,
        attempt: Attempt,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<(), LockedOut> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = Mark::Code(attempt.name);
        if locked(&seen, &mark, (limits, now)) {
            return Err(LockedOut);
        }
        make_room(&mut seen, limits, now);
        count(&mut seen, mark, Some(limits.by_name), (limits, now));
        Ok(())
    }

    /// Begins anew to count wrong codes of a name.
    pub(super) fn code_fits(&self, attempt: Attempt) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(&Mark::Code(attempt.name));
    }

    /// Takes an attempt back of which nothing was compared: it told nothing, right or wrong.
    pub(super) fn not_compared(&self, attempt: Attempt, limits: &Limits) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (mark, most) in [
            (attempt.both(), limits.by_name),
            (Mark::Address(attempt.address), limits.by_address),
            (Mark::Name(attempt.name), u32::MAX),
        ] {
            if let Some(failures) = seen.get_mut(&mark) {
                failures.count = failures.count.saturating_sub(1);
                // Those that were compared keep the lock that they led to.
                if failures.count < most {
                    failures.until = None;
                }
            }
        }
    }

    /// Takes an attempt back that was none.
    pub(super) fn succeeded(&self, attempt: Attempt, limits: &Limits) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(&attempt.both());
        // The other two do not begin anew: else whoever has one password could try others for ever.
        for mark in [Mark::Address(attempt.address), Mark::Name(attempt.name)] {
            if let Some(failures) = seen.get_mut(&mark) {
                failures.count = failures.count.saturating_sub(1);
                if failures.count < limits.by_address {
                    failures.until = None;
                }
            }
        }
    }
}

fn locked(
    seen: &HashMap<Mark, Failures>,
    mark: &Mark,
    (limits, now): (&Limits, Timestamp),
) -> bool {
    let until = seen.get(mark).and_then(|failures| failures.until);
    // A lock that seems longer than any can be is of a time before the clock was set back.
    until.is_some_and(|until| now < until && until.since(now) <= limits.longest)
}

/// One more failure; locks where `most` are reached. Gives the number with this one.
fn count(
    seen: &mut HashMap<Mark, Failures>,
    mark: Mark,
    most: Option<u32>,
    (limits, now): (&Limits, Timestamp),
) -> u32 {
    let failures = seen.entry(mark).or_insert(Failures {
        count: 0,
        last: now,
        until: None,
    });
    if now.since(failures.last) >= memory(limits) {
        failures.count = 0;
    }
    failures.count = failures.count.saturating_add(1);
    failures.last = now;
    let over = most.and_then(|most| failures.count.checked_sub(most));
    failures.until = over.map(|over| now.after(doubled(limits.lock, over, limits.longest)));
    failures.count
}

/// Nothing for the first few, then a quarter of a second that doubles.
fn slowed(tried: u32, limits: &Limits) -> Duration {
    let steps = tried.saturating_sub(1) / limits.by_name.max(1);
    match steps.checked_sub(1) {
        None => Duration::ZERO,
        Some(times) => doubled(Duration::from_millis(250), times, limits.slowest),
    }
}

fn doubled(span: Duration, times: u32, most: Duration) -> Duration {
    let factor = 1_u32.checked_shl(times).filter(|_| times < 31);
    factor
        .and_then(|factor| span.checked_mul(factor))
        .map_or(most, |span| span.min(most))
}

/// How long after the last failure they are forgotten: the locks grow until then.
fn memory(limits: &Limits) -> Duration {
    limits.longest.saturating_mul(2)
}

/// Forgets what is old; if that is not enough, what has been quiet for longest.
fn make_room(seen: &mut HashMap<Mark, Failures>, limits: &Limits, now: Timestamp) {
    if seen.len() + 3 <= MOST {
        return;
    }
    seen.retain(|_, failures| now.since(failures.last) < memory(limits));
    if seen.len() + 3 <= MOST {
        return;
    }
    let mut times: Vec<_> = seen.values().map(|failures| failures.last).collect();
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied().unwrap_or(now);
    seen.retain(|_, failures| failures.last > middle);
}

/// An IPv6 host has a whole /64 to try from.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

/// About ten megabytes.
const MOST: usize = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        by_name: 3,
        by_address: 10,
        lock: Duration::from_secs(30),
        longest: Duration::from_secs(900),
        slowest: Duration::from_secs(4),
    };
    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn attempt(name: u8, peer: &str) -> Attempt {
        Attempt::new([name; 32], Some(peer.parse().unwrap()))
    }

    fn later(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_lock_counts_for_one_name_at_one_address_and_grows() {
        let patience = Patience::default();
        let begin = |who, at| patience.begin(who, &LIMITS, at).map(drop);
        let (here, elsewhere) = (attempt(1, "192.0.2.1"), attempt(1, "192.0.2.2"));

        for _ in 0..3 {
            assert_eq!(begin(here, NOW), Ok(()));
        }
        assert_eq!(begin(here, later(29)), Err(LockedOut));
        assert_eq!(begin(elsewhere, NOW), Ok(()), "the person itself comes in");
        assert_eq!(begin(attempt(2, "192.0.2.1"), NOW), Ok(()));
        assert_eq!(begin(here, later(30)), Ok(()));
        assert_eq!(begin(here, later(89)), Err(LockedOut), "twice as long");
        assert_eq!(begin(here, later(90)), Ok(()));
    }

    #[test]
    fn an_address_that_fails_with_many_names_is_locked() {
        let patience = Patience::default();
        for name in 0..10 {
            let tried = patience.begin(attempt(name, "2001:db8::1"), &LIMITS, NOW);
            assert!(tried.is_ok());
        }

        let neighbour = attempt(99, "2001:db8::ffff");
        assert_eq!(patience.begin(neighbour, &LIMITS, NOW), Err(LockedOut));
        let other = attempt(99, "2001:db8:0:1::1");
        assert!(patience.begin(other, &LIMITS, NOW).is_ok());
    }

    #[test]
    fn a_name_alone_is_slowed_down_and_never_locked() {
        let patience = Patience::default();
        let mut last = Duration::ZERO;
        for host in 0..200 {
            let who = attempt(1, &format!("192.0.2.{host}"));
            last = patience.begin(who, &LIMITS, NOW).unwrap();
        }

        assert_eq!(last, Duration::from_secs(4));
        let first = patience.begin(attempt(2, "198.51.100.1"), &LIMITS, NOW);
        assert_eq!(first, Ok(Duration::ZERO));
    }

    #[test]
    fn wrong_codes_count_by_name_wherever_they_come_from() {
        let patience = Patience::default();
        let from = |host: u8| attempt(1, &format!("192.0.2.{host}"));
        let code = |who, at| patience.begin_code(who, &LIMITS, at);

        for host in 0..3 {
            assert_eq!(code(from(host), NOW), Ok(()));
        }
        assert_eq!(code(from(9), NOW), Err(LockedOut));
        assert_eq!(code(attempt(2, "192.0.2.1"), NOW), Ok(()));
        assert_eq!(code(from(9), later(30)), Ok(()));
        assert_eq!(code(from(8), later(89)), Err(LockedOut), "twice as long");
        patience.code_fits(from(9));
        assert_eq!(code(from(8), later(89)), Ok(()));
    }

    #[test]
    fn a_success_begins_anew_for_this_name_here_only() {
        let patience = Patience::default();
        let own = attempt(1, "192.0.2.1");
        for _ in 0..40 {
            patience.begin(own, &LIMITS, NOW).unwrap();
            patience.succeeded(own, &LIMITS);
        }

        for name in 10..20 {
            let tried = patience.begin(attempt(name, "192.0.2.1"), &LIMITS, NOW);
            assert!(tried.is_ok(), "{name}");
            if patience.begin(own, &LIMITS, NOW).is_ok() {
                patience.succeeded(own, &LIMITS);
            }
        }
        assert_eq!(patience.begin(own, &LIMITS, NOW), Err(LockedOut));
    }

    #[test]
    fn what_was_never_compared_counts_for_nothing_and_unlocks_nothing() {
        let patience = Patience::default();
        let own = attempt(1, "192.0.2.1");
        for _ in 0..40 {
            assert_eq!(patience.begin(own, &LIMITS, NOW), Ok(Duration::ZERO));
            patience.not_compared(own, &LIMITS);
        }

        for _ in 0..3 {
            patience.begin(own, &LIMITS, NOW).unwrap();
        }
        assert_eq!(patience.begin(own, &LIMITS, NOW), Err(LockedOut));
        patience.begin(own, &LIMITS, later(30)).unwrap();
        patience.not_compared(own, &LIMITS);
        assert_eq!(patience.begin(own, &LIMITS, later(31)), Err(LockedOut));
    }

    #[test]
    fn the_memory_has_an_end() {
        let patience = Patience::default();
        for number in 0..30_000_u32 {
            let mut name = [0; 32];
            name[..4].copy_from_slice(&number.to_be_bytes());
            let peer = IpAddr::V4(Ipv4Addr::from_bits(number));
            let now = Timestamp(NOW.0 + i64::from(number));
            let _tried = patience.begin(Attempt::new(name, Some(peer)), &LIMITS, now);
        }

        assert!(patience.0.lock().unwrap().len() <= MOST);
    }
}
