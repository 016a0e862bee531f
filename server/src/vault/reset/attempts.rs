//! Logins that targets refused of late: so many of one login, and nobody's wish has another one
//! tried for a while. Else whoever may change an account could guess its password at the target, or
//! have it locked out there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::domain::Timestamp;
use crate::vault::reset::ResetLimits;

/// How many there were, by the login: in memory, and no more than there is room for.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    refused: Mutex<HashMap<String, Refused>>,
    trying: Mutex<HashMap<String, u32>>,
    ended: Notify,
}

/// Logins that are being tried: each counts like one that was refused, until this is dropped.
#[derive(Debug)]
pub(super) struct Trying<'a> {
    attempts: &'a Attempts,
    logins: Vec<String>,
}

impl Trying<'_> {
    pub(super) fn holds(&self, login: &str) -> bool {
        self.logins.iter().any(|own| own == login)
    }
}

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        let mut trying = self.attempts.trying();
        for login in &self.logins {
            if let Some(count) = trying.get_mut(login) {
                *count = count.saturating_sub(1);
            }
        }
        trying.retain(|_, count| *count > 0);
        drop(trying);
        self.attempts.ended.notify_waiters();
    }
}

/// Whether logins may be tried now.
#[derive(Debug)]
pub(super) enum Turn<'a> {
    Now(Trying<'a>),
    /// So many are being tried that, were all refused, there would be too many.
    Later,
    /// One of them was refused too often: not for so long.
    Spent(Duration),
}

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

    /// Counts all of `logins` before they are tried, or none.
    pub(super) fn begin(
        &self,
        logins: Vec<String>,
        when @ (limits, now): (&ResetLimits, Timestamp),
    ) -> Turn<'_> {
        let mut trying = self.trying();
        for login in &logins {
            if let Some(rest) = self.spent(login, when) {
                return Turn::Spent(rest);
            }
            let refused = self.lock().get(login).copied();
            let refused = refused.filter(|refused| refused.rest(limits, now).is_some());
            let refused = refused.map_or(0, |refused| refused.count);
            let others = trying.get(login).copied().unwrap_or_default();
            // One at a time may always be tried.
            if others > 0 && refused.saturating_add(others) >= limits.attempts {
                return Turn::Later;
            }
        }
        for login in &logins {
            *trying.entry(login.clone()).or_default() += 1;
        }
        Turn::Now(Trying {
            attempts: self,
            logins,
        })
    }

    /// When one that is being tried now has ended.
    pub(super) fn ended(&self) -> Notified<'_> {
        self.ended.notified()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trying(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.trying.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn as_many_are_tried_at_once_as_may_be_refused() {
        let (limits, attempts) = (ResetLimits::default(), Attempts::default());
        let begin = |login: &str| attempts.begin(vec![login.to_owned()], (&limits, NOW));
        attempts.note("it".to_owned(), false, (&limits, NOW));
        let others: Vec<_> = (1..limits.attempts).map(|_| begin("it")).collect();
        assert!(others.iter().all(|other| matches!(other, Turn::Now(_))));

        assert!(matches!(begin("it"), Turn::Later));
        assert!(matches!(begin("another"), Turn::Now(_)));

        drop(others);
        assert!(
            matches!(begin("it"), Turn::Now(_)),
            "none of them was refused"
        );
        assert!(attempts.trying().is_empty());
        for _ in 1..limits.attempts {
            attempts.note("it".to_owned(), false, (&limits, NOW));
        }
        assert!(matches!(begin("it"), Turn::Spent(_)));
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
