//! How a client behaves: every wait and every number.

use std::time::Duration;

/// What can be set, with its defaults.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// For resolving, connecting and the TLS handshake together.
    pub(crate) connect: Duration,
    /// From sending the request to the end of the answer.
    pub(crate) request: Duration,
    /// How often a retrieval is asked for again.
    pub(crate) retries: u32,
    /// The first wait before that is at most this long, ...
    pub(crate) backoff: Duration,
    /// ... and each further one at most twice as long, up to this.
    pub(crate) longest_backoff: Duration,
    /// The most connections to one server.
    pub(crate) connections: usize,
    /// How long a connection may be idle and still be used for a retrieval.
    pub(crate) idle: Duration,
    /// How long a server that could not be reached is asked last.
    pub(crate) down: Duration,
    /// The most bytes of an answer.
    pub(crate) answer: usize,
}

impl Settings {
    /// How long a connection may be idle and still be used for a change: what breaks on a
    /// connection that the server was about to close must be reported as unknown.
    pub(crate) const IDLE_BEFORE_CHANGE: Duration = Duration::from_secs(2);
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            request: Duration::from_secs(30),
            retries: 2,
            backoff: Duration::from_millis(100),
            longest_backoff: Duration::from_secs(2),
            connections: 8,
            idle: Duration::from_secs(50),
            down: Duration::from_secs(30),
            answer: 1024 * 1024,
        }
    }
}

/// How long to wait before the next round: anything up to the bound of that round, chosen by
/// `chance`, so that a thousand clients do not come back at once ("full jitter").
pub(crate) fn wait_before(round: u32, settings: &Settings, chance: u32) -> Duration {
    let doubled = settings
        .backoff
        .saturating_mul(1_u32.checked_shl(round).unwrap_or(u32::MAX));
    let bound = doubled.min(settings.longest_backoff);
    bound.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_spread_over_all_of_it() {
        let settings = Settings::default();
        let bounds = [100, 200, 400, 800, 1600, 2000, 2000];

        for (round, bound) in (0..).zip(bounds) {
            let bound = Duration::from_millis(bound);
            assert_eq!(wait_before(round, &settings, u32::MAX), bound);
            assert_eq!(wait_before(round, &settings, 0), Duration::ZERO);
            let half = wait_before(round, &settings, u32::MAX / 2);
            assert!(half <= bound / 2 && half > bound / 3, "{half:?}");
        }
        assert_eq!(
            wait_before(u32::MAX, &settings, u32::MAX),
            Duration::from_secs(2)
        );
    }
}
