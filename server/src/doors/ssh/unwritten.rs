//! Refused log-ins that are too many to be written down one by one: they are counted, and the trail
//! is told how many there were.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Those that the trail has not been told of.
#[derive(Debug, Default)]
pub(super) struct Unwritten(Mutex<Option<Sum>>);

/// How many, and the last of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) count: u64,
    pub(super) login: String,
    pub(super) address: IpAddr,
}

impl Unwritten {
    /// One more, which called itself `login`.
    pub(super) fn count(&self, login: &str, address: IpAddr) {
        let mut sum = self.sum();
        let count = sum.as_ref().map_or(0, |sum| sum.count).saturating_add(1);
        *sum = Some(Sum {
            count,
            login: login.to_owned(),
            address,
        });
    }

    /// What there is to tell.
    pub(super) fn untold(&self) -> Option<Sum> {
        self.sum().clone()
    }

    /// So many of them were told.
    pub(super) fn told(&self, count: u64) {
        let mut sum = self.sum();
        let left = sum
            .as_ref()
            .map_or(0, |sum| sum.count.saturating_sub(count));
        *sum = sum
            .take()
            .filter(|_| left > 0)
            .map(|sum| Sum { count: left, ..sum });
    }

    fn sum(&self) -> std::sync::MutexGuard<'_, Option<Sum>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_while_the_trail_is_told_is_told_the_next_time() {
        let unwritten = Unwritten::default();
        let address = IpAddr::from([192, 0, 2, 1]);
        unwritten.count("a", address);
        let told = unwritten.untold().unwrap();
        unwritten.count("b", address);

        unwritten.told(told.count);

        assert_eq!((told.count, told.login.as_str()), (1, "a"));
        let left = unwritten.untold().unwrap();
        assert_eq!((left.count, left.login.as_str()), (1, "b"));
        unwritten.told(left.count);
        assert_eq!(unwritten.untold(), None);
    }
}
