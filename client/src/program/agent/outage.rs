//! While no server can be reached: who finds out whether one is back, and who need not wait for it.

use std::time::{Duration, Instant};

/// What is known of servers that could not be reached.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Until when nobody needs to ask for what is kept; nothing while servers answer.
    until: Option<Instant>,
    /// When a server answered last.
    answered: Option<Instant>,
}

impl Outage {
    /// Whether what is kept is answered without asking. When the time for that is over, one caller
    /// finds out for all: the others need not ask for another `probe`.
    pub(super) fn spares(&mut self, now: Instant, probe: Duration) -> bool {
        match self.until {
            None => false,
            Some(until) if now < until => true,
            Some(_) => {
                self.until = Some(now + probe);
                false
            }
        }
    }

    /// A server answered.
    pub(super) fn end(&mut self, now: Instant) {
        *self = Self {
            until: None,
            answered: Some(now),
        };
    }

    /// None could be reached by an ask that began then. As long as that took, but not longer than a
    /// few seconds, it is taken for granted: where a failure costs nothing, everybody asks.
    pub(super) fn find(&mut self, begun: Instant, now: Instant) {
        // An ask that hung may end after the outage.
        if self.answered.is_none_or(|answered| answered < begun) {
            let cost = now.saturating_duration_since(begun);
            self.until = Some(now + cost.min(LONGEST));
        }
    }

    /// Whether it is over is not known: the next one asks.
    pub(super) fn doubt(&mut self, now: Instant) {
        self.until = self.until.map(|until| until.min(now));
    }
}

const LONGEST: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Duration = Duration::from_secs(35);

    fn after(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_failure_spares_others_for_as_long_as_it_took_and_for_seconds_at_most() {
        let start = Instant::now();
        for (took, spared) in [(0, 0), (2, 2), (30, 5)] {
            let mut outage = Outage::default();
            assert!(!outage.spares(start, PROBE));
            let now = start + after(took);

            outage.find(start, now);

            let end = now + after(spared);
            let almost = end - Duration::from_millis(1);
            assert_eq!(outage.spares(almost.max(now), PROBE), spared > 0, "{took}");
            if spared > 0 {
                assert!(!outage.spares(end, PROBE), "{took}: one asks");
                assert!(outage.spares(end, PROBE), "{took}: for all");
            }
        }
    }

    #[test]
    fn one_finds_out_for_all_and_nobody_is_spared_once_a_server_answers() {
        let (mut outage, start) = (Outage::default(), Instant::now());
        outage.find(start, start);

        assert!(!outage.spares(start, PROBE));
        assert!(outage.spares(start + PROBE - after(1), PROBE));
        assert!(!outage.spares(start + PROBE, PROBE), "nobody came back");
        outage.end(start + PROBE);
        assert!(!outage.spares(start + PROBE, PROBE));
        assert!(!outage.spares(start + PROBE, PROBE));
    }

    #[test]
    fn an_ask_that_began_before_a_server_answered_says_nothing_of_it() {
        let (mut outage, start) = (Outage::default(), Instant::now());
        outage.end(start + after(1));

        outage.find(start, start + after(30));

        assert!(!outage.spares(start + after(30), PROBE));
        outage.find(start + after(2), start + after(30));
        assert!(outage.spares(start + after(30), PROBE));
    }

    #[test]
    fn who_learns_nothing_leaves_the_next_one_to_ask() {
        let (mut outage, start) = (Outage::default(), Instant::now());
        outage.doubt(start);
        assert!(!outage.spares(start, PROBE));
        outage.find(start, start);
        assert!(!outage.spares(start, PROBE));

        outage.doubt(start + after(1));

        assert!(!outage.spares(start + after(1), PROBE));
    }
}
