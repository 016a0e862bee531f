//! Requests with a token of nobody's: so many a minute from one address are answered and written
//! down, that a stranger cannot fill the audit trail.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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
    seen: HashMap<Group, u32>,
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

    /// Counts one from `address`: by its network where there is room for that, by the wide network
    /// around it otherwise, and with the crowd of all others where those are too many, too.
    pub(in crate::doors) fn count(&self, address: IpAddr) {
        let mut minute = self.minute();
        let (seen, kept) = (&minute.seen, minute.seen.len());
        let groups = [(own(address), GROUPS), (wide(address), 2 * GROUPS)];
        let room = |(group, most): &(Group, usize)| kept < *most || seen.contains_key(group);
        let group = groups.into_iter().find(room);
        let group = group.map_or(Group::Crowd, |(group, _)| group);
        let seen = minute.seen.entry(group).or_default();
        *seen = seen.saturating_add(1);
    }

    /// Whether there were too many from `address`, or from a crowd.
    pub(in crate::doors) fn too_many(&self, address: IpAddr) -> bool {
        self.too_many_of(&[own(address), wide(address), Group::Crowd])
    }

    /// Whether there were too many from where `address` is: whatever comes from elsewhere, persons
    /// go on signing in.
    pub(in crate::doors) fn too_many_near(&self, address: IpAddr) -> bool {
        self.too_many_of(&[own(address), wide(address)])
    }

    fn too_many_of(&self, groups: &[Group]) -> bool {
        let minute = self.minute();
        let seen = groups.iter().filter_map(|group| minute.seen.get(group));
        seen.max().copied().unwrap_or(0) >= self.most
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
/// How many groups have a count of their own; then so many wide ones.
const GROUPS: usize = 4096;

/// Who is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Group {
    Own(IpAddr),
    Wide(IpAddr),
    Crowd,
}

/// Whoever has one IPv6 address has the 2^64 beside it too.
fn own(address: IpAddr) -> Group {
    Group::Own(network(address, (32, 64)))
}

/// Where whoever has many networks has them all.
fn wide(address: IpAddr) -> Group {
    Group::Wide(network(address, (16, 32)))
}

fn network(address: IpAddr, (of_v4, of_v6): (u32, u32)) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX << (u32::BITS - of_v4);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX << (u128::BITS - of_v6);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
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

    /// So many networks, each of which counts once.
    fn many(strangers: &Strangers, networks: std::ops::Range<u128>, apart: u32) {
        for number in networks {
            let bits = (0x2001_u128 << 112) + (number << apart);
            strangers.count(IpAddr::V6(Ipv6Addr::from_bits(bits)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_many_networks_is_counted_by_the_one_around_them() {
        let strangers = Strangers::new(3);
        many(&strangers, 0..GROUPS as u128 + 3, 64);

        assert!(strangers.too_many_near(ip("2001:0:ffff::1")));
        for elsewhere in ["2001:1::1", "198.51.100.7"] {
            assert!(!strangers.too_many(ip(elsewhere)), "{elsewhere}");
        }
        strangers.count(ip("198.51.100.7"));
        assert!(!strangers.too_many(ip("198.51.100.7")));
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_of_strangers_has_an_end_and_a_crowd_keeps_nobody_from_signing_in() {
        let strangers = Strangers::new(3);
        many(&strangers, 0..2 * GROUPS as u128 + 3, 96);

        assert!(strangers.minute().seen.len() <= 2 * GROUPS + 1);
        let elsewhere = ip("198.51.100.7");
        assert!(strangers.too_many(elsewhere), "one of the crowd");
        assert!(!strangers.too_many_near(elsewhere));
    }
}
