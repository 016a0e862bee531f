//! How many connections there are, in all and from where, and no more than may be.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::doors::CrowdSettings;

/// The connections that are open, over all doors that share it.
#[derive(Debug)]
pub struct Crowd {
    settings: CrowdSettings,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    from: HashMap<IpAddr, usize>,
}

/// Which cap a connection would have broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The one for all connections.
    All,
    /// The one for the peer's address.
    Address,
}

/// A place in the crowd: given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    group: IpAddr,
}

impl Crowd {
    /// An empty one.
    #[must_use]
    pub fn new(settings: CrowdSettings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            counts: Mutex::default(),
        })
    }

    /// A place for a connection from `address`, unless a cap is reached.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let group = group(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= self.settings.all {
            return Err(Full::All);
        }
        let here = counts.from.entry(group).or_default();
        if *here >= self.settings.per_address {
            return Err(Full::Address);
        }
        *here += 1;
        counts.all += 1;
        drop(counts);
        Ok(Place {
            crowd: Arc::clone(self),
            group,
        })
    }

    fn leave(&self, group: IpAddr) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Entry::Occupied(mut here) = counts.from.entry(group) {
            *here.get_mut() = here.get().saturating_sub(1);
            if *here.get() == 0 {
                here.remove();
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.leave(self.group);
    }
}

/// What an address counts as: whoever has one IPv6 address has the 2^64 beside it too.
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

    fn crowd(all: usize, per_address: usize) -> Arc<Crowd> {
        Crowd::new(CrowdSettings { all, per_address })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_gets_its_share_and_gives_it_back() {
        let crowd = crowd(10, 2);
        let first = crowd.enter(ip("192.0.2.1")).unwrap();
        let _second = crowd.enter(ip("192.0.2.1")).unwrap();

        assert_eq!(crowd.enter(ip("192.0.2.1")).unwrap_err(), Full::Address);
        assert!(crowd.enter(ip("192.0.2.2")).is_ok());
        drop(first);
        assert!(crowd.enter(ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn the_whole_crowd_has_a_cap() {
        let crowd = crowd(2, 2);
        let _first = crowd.enter(ip("192.0.2.1")).unwrap();
        let second = crowd.enter(ip("192.0.2.2")).unwrap();

        assert_eq!(crowd.enter(ip("192.0.2.3")).unwrap_err(), Full::All);
        drop(second);
        assert!(crowd.enter(ip("192.0.2.3")).is_ok());
    }

    #[test]
    fn one_ipv6_network_counts_as_one() {
        let crowd = crowd(10, 1);
        let _first = crowd.enter(ip("2001:db8::1")).unwrap();

        assert_eq!(
            crowd.enter(ip("2001:db8::ffff:2")).unwrap_err(),
            Full::Address
        );
        assert!(crowd.enter(ip("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn nothing_is_kept_of_those_who_left() {
        let crowd = crowd(10, 1);
        drop(crowd.enter(ip("192.0.2.1")).unwrap());

        let counts = crowd.counts.lock().unwrap();
        assert_eq!((counts.all, counts.from.len()), (0, 0));
    }
}
