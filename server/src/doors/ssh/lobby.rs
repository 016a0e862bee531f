//! Where connections wait that nobody has logged in on yet: there are so many places, for each
//! network and in all, and whoever takes most of them gives way to others.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// The places.
#[derive(Debug)]
pub(super) struct Lobby {
    most: usize,
    of_network: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    taken: usize,
    /// The oldest of a network has the smallest number.
    networks: HashMap<IpAddr, BTreeMap<u64, Arc<Notify>>>,
}

/// A place: given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    lobby: Arc<Lobby>,
    network: IpAddr,
    number: u64,
    given_up: Arc<Notify>,
}

impl Lobby {
    /// One with `most` places, `of_network` of them for one network.
    pub(super) fn new(most: usize, of_network: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            of_network,
            state: Mutex::default(),
        })
    }

    /// A place for a connection from `address`. Where there is none for its network, this gives its
    /// oldest up, and where there is none at all, the network that has most does: whoever means to log in has done so long before it is the oldest.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Seat {
        let network = network(address);
        let given_up = Arc::new(Notify::new());
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.taken += 1;
        let seats = state.networks.entry(network).or_default();
        seats.insert(number, given_up.clone());
        if seats.len() > self.of_network {
            state.give_up_oldest(network);
        } else if state.taken > self.most {
            state.make_room();
        }
        drop(state);
        Seat {
            lobby: Arc::clone(self),
            network,
            number,
            given_up,
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn make_room(&mut self) {
        let oldest = |seats: &BTreeMap<u64, _>| seats.keys().next().copied();
        let greed = |(_, seats): &(_, &BTreeMap<u64, _>)| (seats.len(), Reverse(oldest(seats)));
        let greediest = self.networks.iter().max_by_key(greed);
        if let Some(network) = greediest.map(|(network, _)| *network) {
            self.give_up_oldest(network);
        }
    }

    fn give_up_oldest(&mut self, network: IpAddr) {
        let seats = self.networks.get(&network);
        let oldest = seats.and_then(|seats| seats.keys().next().copied());
        if let Some(number) = oldest
            && let Some(given_up) = self.leave(network, number)
        {
            given_up.notify_one();
        }
    }

    fn leave(&mut self, network: IpAddr, number: u64) -> Option<Arc<Notify>> {
        let seats = self.networks.get_mut(&network)?;
        let left = seats.remove(&number)?;
        if seats.is_empty() {
            self.networks.remove(&network);
        }
        self.taken = self.taken.saturating_sub(1);
        Some(left)
    }
}

impl Seat {
    /// Tells once that this place was given to somebody else.
    pub(super) fn given_up(&self) -> Arc<Notify> {
        Arc::clone(&self.given_up)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Nothing where it was given up.
        let _left = self.lobby.state().leave(self.network, self.number);
    }
}

/// Who counts as one: whoever floods from an address often has those beside it, too. An innocent
/// neighbour loses its place only while it is the oldest of them all.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << 8)).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    async fn is_given_up(seat: &Seat) -> bool {
        let given_up = seat.given_up();
        tokio::select! {
            biased;
            () = given_up.notified() => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn the_network_that_has_most_gives_its_oldest_up() {
        let lobby = Lobby::new(3, 3);
        let few = lobby.enter(ip("198.51.100.7"));
        let oldest = lobby.enter(ip("192.0.2.1"));
        let older = lobby.enter(ip("192.0.2.2"));

        let new = lobby.enter(ip("203.0.113.1"));

        assert!(is_given_up(&oldest).await);
        for seat in [&few, &older, &new] {
            assert!(!is_given_up(seat).await);
        }
        assert_eq!(lobby.state().taken, 3);
    }

    #[tokio::test]
    async fn a_network_that_has_its_share_gives_its_own_oldest_up() {
        let lobby = Lobby::new(10, 2);
        let other = lobby.enter(ip("198.51.100.7"));
        let oldest = lobby.enter(ip("192.0.2.1"));
        let older = lobby.enter(ip("192.0.2.2"));

        let new = lobby.enter(ip("192.0.2.3"));

        assert!(is_given_up(&oldest).await);
        for seat in [&other, &older, &new] {
            assert!(!is_given_up(seat).await);
        }
        assert_eq!(lobby.state().taken, 3);
    }

    #[tokio::test]
    async fn the_oldest_of_all_goes_where_each_network_has_one() {
        let lobby = Lobby::new(2, 2);
        let first = lobby.enter(ip("2001:db8::1"));
        let second = lobby.enter(ip("2001:db8:0:1::1"));

        let third = lobby.enter(ip("2001:db8:0:2::1"));

        assert!(is_given_up(&first).await);
        assert!(!is_given_up(&second).await && !is_given_up(&third).await);
    }

    #[tokio::test]
    async fn a_place_is_given_back_once() {
        let lobby = Lobby::new(1, 1);
        let first = lobby.enter(ip("192.0.2.1"));
        let second = lobby.enter(ip("192.0.2.1"));
        drop(first);
        assert_eq!(lobby.state().taken, 1);
        drop(second);

        assert_eq!(lobby.state().taken, 0);
        assert!(lobby.state().networks.is_empty());
    }
}
