//! Logins that targets refused of late: so many of one login, and nobody's wish has another one
//! tried for a while. Else whoever may change an account could guess its password at the target, or
//! have it locked out there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::Timestamp;
use crate::vault::reset::ResetLimits;

/// How many there were, by the login: in memory, and no more than there is room for.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<String, Refused>>);

#[derive(Clone, Copy, Debug)]
struct Refused {
    count: u32,
    first: Timestamp,
}

impl Refused {
    /// How long it still counts; one that seems to be of later is from before the clock was set
    /// back.
    fn rest(self, limits: &ResetLimits, now: Timestamp) -> Option<Duration> {
        let passed = (self.first <= now).then(|| now.since(self.first))?;
        let rest = limits.attempts_span.checked_sub(passed)?;
        (!rest.is_zero()).then_some(rest)
    }
}

impl Attempts {
    /// A target has let `login` in, or refused it.
    pub(super) fn note(&self, login: String, is_in: bool, when: (&ResetLimits, Timestamp)) {
        let mut seen = self.lock();
        if is_in {
            seen.remove(&login);
            return;
        }
        let (limits, now) = when;
        if !seen.contains_key(&login) {
            make_room(&mut seen, when);
        }
        let begun = Refused {
            count: 0,
            first: now,
        };
        let refused = seen.entry(login).or_insert(begun);
        if refused.rest(limits, now).is_none() {
            *refused = begun;
        }
        refused.count = refused.count.saturating_add(1);
    }

    /// For how long `login` is not tried, if it was refused too often.
    pub(super) fn spent(
        &self,
        login: &str,
        (limits, now): (&ResetLimits, Timestamp),
    ) -> Option<Duration> {
        let refused = self.lock().get(login).copied()?;
        let many = refused.count >= limits.attempts;
        refused.rest(limits, now).filter(|_| many)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Refused>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets what is over; if that is not enough, what began first.
fn make_room(seen: &mut HashMap<String, Refused>, (limits, now): (&ResetLimits, Timestamp)) {
    if seen.len() < MOST {
        return;
    }
    seen.retain(|_, refused| refused.rest(limits, now).is_some());
    if seen.len() < MOST {
        return;
    }
    let mut times: Vec<_> = seen.values().map(|refused| refused.first).collect();
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied().unwrap_or(now);
    seen.retain(|_, refused| refused.first > middle);
}

/// About two megabytes.
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn a_login_that_was_refused_too_often_is_not_tried_for_a_while() {
        let (limits, attempts) = (ResetLimits::default(), Attempts::default());
        let refused = |at| attempts.note("ssh db1 22 root".to_owned(), false, (&limits, at));
        let spent = |at| attempts.spent("ssh db1 22 root", (&limits, at));
        for _ in 1..limits.attempts {
            refused(NOW);
        }
        assert_eq!(spent(NOW), None);

        refused(NOW);

        assert_eq!(spent(NOW), Some(limits.attempts_span));
        assert_eq!(attempts.spent("ssh db1 22 zoe", (&limits, NOW)), None);
        let over = NOW.after(limits.attempts_span);
        assert_eq!(spent(over), None);
        refused(over);
        assert_eq!(spent(over), None, "it begins anew");
        assert_eq!(spent(Timestamp(0)), None, "the clock was set back");
    }

    #[test]
    fn a_login_that_is_let_in_begins_anew() {
        let (limits, attempts) = (ResetLimits::default(), Attempts::default());
        let note = |is_in| attempts.note("it".to_owned(), is_in, (&limits, NOW));
        for _ in 0..limits.attempts {
            note(false);
        }

        note(true);

        assert_eq!(attempts.spent("it", (&limits, NOW)), None);
    }

    #[test]
    fn however_many_are_refused_there_is_room() {
        let (limits, attempts) = (ResetLimits::default(), Attempts::default());
        for number in 0..2 * MOST {
            let at = NOW.after(Duration::from_millis(number as u64));
            attempts.note(number.to_string(), false, (&limits, at));
        }

        assert!(attempts.lock().len() <= MOST);
    }
}
