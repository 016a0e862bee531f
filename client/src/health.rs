//! Whether a server is up, as far as this client knows.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Remembers for a while that a server could not be reached.
#[derive(Debug, Default)]
pub(crate) struct Health {
    down_until: Mutex<Option<Instant>>,
}

impl Health {
    /// Whether to ask the server first. When its time is over, one caller finds out for all: the
    /// others take it for down for another `probe`.
    pub(crate) fn is_up(&self, now: Instant, probe: Duration) -> bool {
        let mut down_until = self
            .down_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match *down_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                *down_until = Some(now + probe);
                true
            }
        }
    }

    /// It could be reached.
    pub(crate) fn mark_up(&self) {
        *self
            .down_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// It could not be reached: it is asked last until then.
    pub(crate) fn mark_down(&self, until: Instant) {
        *self
            .down_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Duration = Duration::from_secs(2);

    #[test]
    fn a_server_is_down_until_its_time_is_over_and_then_one_caller_asks() {
        let health = Health::default();
        let start = Instant::now();
        let until = start + Duration::from_secs(30);
        assert!(health.is_up(start, PROBE));

        health.mark_down(until);

        assert!(!health.is_up(start, PROBE));
        assert!(!health.is_up(until - Duration::from_millis(1), PROBE));
        assert!(health.is_up(until, PROBE));
        assert!(!health.is_up(until, PROBE));
        assert!(health.is_up(until + PROBE, PROBE));
        health.mark_up();
        assert!(health.is_up(until, PROBE) && health.is_up(until, PROBE));
    }
}
