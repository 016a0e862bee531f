//! How long whoever writes for many waits for company before a flush.
//!
//! Callers that write again and again fall into two halves: one waits while the other's flush
//! lasts, so that each flush carries half of them, and costs as much as one that carries all. A
//! short wait brings them together again; where it does not, because callers do not return so
//! soon, it is soon given up. A few callers wait for nobody: while one half's flush lasts the
//! other half keeps the processors busy, which is worth more than the flushes saved (with eight
//! callers on two cores a third more retrievals; with 32 it is the other way round).

use std::time::Duration;

/// What the last flushes were like.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    longest: Duration,
    /// Writers that were under way when the last flush ended: carried by it, or waiting.
    crowd: usize,
    /// How long it took.
    flush: Duration,
    /// Flushes to make without a wait, and how many it will be after the next vain wait.
    rest: u32,
    next_rest: u32,
    waited: bool,
}

impl Pace {
    /// One that never waits longer than `longest`: a disk that stalls must not teach long waits.
    #[must_use]
    pub fn new(longest: Duration) -> Self {
        Self {
            longest,
            crowd: 0,
            flush: Duration::ZERO,
            rest: 0,
            next_rest: 1,
            waited: false,
        }
    }

    /// How long to wait for company when `present` are there: zero when it would not pay.
    #[must_use]
    pub fn patience(&mut self, present: usize) -> Duration {
        let many = self.crowd >= MANY;
        self.waited = many && present < self.crowd && self.rest == 0;
        self.rest = self.rest.saturating_sub(1);
        if self.waited {
            (self.flush * 2).min(self.longest)
        } else {
            Duration::ZERO
        }
    }

    /// How many there were about: more need not be waited for.
    #[must_use]
    pub fn crowd(&self) -> usize {
        self.crowd
    }

    /// Learns from a flush that began with `present`, carried `carried` after the wait and took
    /// `flush`, while `waiting` came behind it.
    pub fn learn(&mut self, present: usize, carried: usize, waiting: usize, flush: Duration) {
        if self.waited {
            // Half as many again make up for the wait.
            let paid = carried * 2 >= present * 3;
            self.next_rest = if paid {
                1
            } else {
                (self.next_rest * 2).min(LONGEST_REST)
            };
            self.rest = if paid { 0 } else { self.next_rest };
        }
        self.crowd = carried + waiting;
        self.flush = flush;
    }
}

const LONGEST_REST: u32 = 64;
/// From how many writers on waiting pays.
const MANY: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const FLUSH: Duration = Duration::from_micros(200);

    fn pace() -> Pace {
        Pace::new(Duration::from_micros(500))
    }

    #[test]
    fn the_first_and_a_lone_writer_wait_for_nobody() {
        let mut pace = pace();

        for _ in 0..3 {
            assert_eq!(pace.patience(1), Duration::ZERO);
            pace.learn(1, 1, 0, FLUSH);
        }
    }

    #[test]
    fn a_few_writers_wait_for_nobody() {
        let mut pace = pace();

        for _ in 0..3 {
            pace.learn(4, 4, 4, FLUSH);
            assert_eq!(pace.patience(4), Duration::ZERO);
        }
    }

    #[test]
    fn two_halves_wait_for_each_other_as_long_as_two_flushes() {
        let mut pace = pace();

        pace.learn(16, 16, 16, FLUSH);

        assert_eq!(pace.patience(16), FLUSH * 2);
        pace.learn(16, 32, 0, FLUSH);
        assert_eq!(pace.patience(32), Duration::ZERO);
    }

    #[test]
    fn a_disk_that_stalls_teaches_no_long_wait() {
        let mut pace = pace();

        pace.learn(16, 16, 16, Duration::from_secs(1));

        assert_eq!(pace.patience(16), Duration::from_micros(500));
    }

    #[test]
    fn waiting_in_vain_is_given_up_and_tried_again() {
        let mut pace = pace();
        let waits = (0..1000).filter(|_| {
            pace.learn(16, 16, 16, FLUSH);
            pace.patience(16) > Duration::ZERO
        });

        let waits = waits.count();
        assert!((5..30).contains(&waits), "{waits}");
    }

    #[test]
    fn waiting_that_pays_goes_on() {
        let mut pace = pace();
        pace.learn(16, 16, 16, FLUSH);

        for _ in 0..100 {
            assert_eq!(pace.patience(16), FLUSH * 2);
            pace.learn(16, 30, 2, FLUSH);
        }
    }
}
