//! Requests with a token of nobody's: so many a minute from one address are answered and written
//! down, that a stranger cannot fill the audit trail.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What was counted in the minute that runs.
#[derive(Debug)]
pub(in crate::doors) struct Strangers {
    most: u32,
    state: Mutex<Minute>,
}

#[derive(Debug)]
struct Minute {
    since: Instant,
    seen: HashMap<IpAddr, u32>,
}

impl Strangers {
    /// Lets `most` a minute pass from one address; none at all where it is 0.
    pub(in crate::doors) fn new(most: u32) -> Self {
        let minute = Minute {
            since: Instant::now(),
            seen: HashMap::new(),
        };
        Self {
            most,
            state: Mutex::new(minute),
        }
    }

    /// Counts one from `address`.
    pub(in crate::doors) fn count(&self, address: IpAddr) {
        let mut minute = self.minute();
        // Whoever has so many addresses is counted as one crowd.
        let group = if minute.seen.len() < ADDRESSES {
            group(address)
        } else {
            CROWD
        };
        let seen = minute.seen.entry(group).or_default();
        *seen = seen.saturating_add(1);
    }

    /// Whether there were too many from `address`.
    pub(in crate::doors) fn too_many(&self, address: IpAddr) -> bool {
        let minute = self.minute();
        let of = |group| minute.seen.get(&group).copied().unwrap_or(0);
        of(group(address)).max(of(CROWD)) >= self.most
    }

    fn minute(&self) -> std::sync::MutexGuard<'_, Minute> {
        let mut minute = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now.saturating_duration_since(minute.since) >= MINUTE {
            minute.since = now;
            minute.seen.clear();
        }
        minute
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const ADDRESSES: usize = 4096;
const CROWD: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// Whoever has one IPv6 address has the 2^64 beside it too.
fn group(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let network = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn each_address_has_so_many_a_minute() {
        let strangers = Strangers::new(2);
        strangers.count(ip("192.0.2.1"));
        assert!(!strangers.too_many(ip("192.0.2.1")));
        strangers.count(ip("192.0.2.1"));

        assert!(strangers.too_many(ip("192.0.2.1")));
        assert!(!strangers.too_many(ip("192.0.2.2")));
        tokio::time::advance(MINUTE).await;
        assert!(!strangers.too_many(ip("192.0.2.1")));
    }

    #[tokio::test(start_paused = true)]
    async fn one_ipv6_network_counts_as_one() {
        let strangers = Strangers::new(1);
        strangers.count(ip("2001:db8::1"));

        assert!(strangers.too_many(ip("2001:db8::ffff:2")));
        assert!(!strangers.too_many(ip("2001:db8:0:1::1")));
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_of_strangers_has_an_end() {
        let strangers = Strangers::new(3);
        for number in 0..ADDRESSES as u32 + 3 {
            strangers.count(IpAddr::V4(std::net::Ipv4Addr::from(number)));
        }

        assert!(strangers.minute().seen.len() <= ADDRESSES + 1);
        assert!(strangers.too_many(ip("198.51.100.7")), "one of the crowd");
    }
}
