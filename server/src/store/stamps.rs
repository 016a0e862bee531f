//! Whether rows may have changed since they were read: for whoever remembers what they said.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::{Key, Renewed, Step, Touched};

/// Counts the commits that touched rows: one counter for many keys, so that a stamp that is still
/// the same proves that its rows are, and one that differs proves nothing.
pub struct Stamps {
    hash: RandomState,
    counters: Box<[AtomicU64]>,
    commits: AtomicU64,
    people: AtomicU64,
    touched: Touched,
    renewed: Renewed,
}

/// How often `N` rows had been touched. Counters only grow: where their sum is the same, each is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp<const N: usize> {
    places: [u16; N],
    sum: u64,
}

impl Stamps {
    /// How many commits there were. What was read while this did not move is of one moment.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// The stamp of the rows at `keys` now.
    #[must_use]
    pub fn of<const N: usize>(&self, keys: [&Key; N]) -> Stamp<N> {
        let places = keys.map(|key| self.place(key));
        let sum = self.sum(&places);
        Stamp { places, sum }
    }

    /// Whether no commit has touched the rows since.
    #[must_use]
    pub fn holds<const N: usize>(&self, stamp: &Stamp<N>) -> bool {
        self.sum(&stamp.places) == stamp.sum
    }

    /// Says that the rows at `keys` may have changed: after readers see them as they are now, and
    /// before anybody is told so.
    pub(super) fn touch<'a>(&self, keys: impl Iterator<Item = &'a Key>) {
        self.commits.fetch_add(1, Ordering::SeqCst);
        for key in keys {
            self.counter(self.place(key)).fetch_add(1, Ordering::SeqCst);
            if key.tells_who() {
                self.people.fetch_add(1, Ordering::SeqCst);
            }
            self.touched.note(key);
        }
    }

    /// How often rows that say who may come in were touched; whether or not whoever changed them
    /// waited for it.
    #[must_use]
    pub fn people(&self) -> u64 {
        self.people.load(Ordering::SeqCst)
    }

    /// What the commits concerned, for whoever keeps lists.
    #[must_use]
    pub fn touched(&self) -> &Touched {
        &self.touched
    }

    /// Which accounts have another secret, for whoever tells of it.
    #[must_use]
    pub fn renewed(&self) -> &Renewed {
        &self.renewed
    }

    /// Says that `steps` were taken, or may have been: after [`Self::touch`] or
    /// [`Self::touch_all`].
    pub(super) fn took<'a>(&self, steps: impl Iterator<Item = &'a Step>) {
        self.renewed.note(steps);
    }

    /// Says that any row may have changed.
    pub(super) fn touch_all(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
        for counter in &self.counters {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        self.people.fetch_add(1, Ordering::SeqCst);
        self.touched.note_all();
    }

    fn place(&self, key: &Key) -> u16 {
        // As many as a u16 has values: no place is beyond the last counter.
        self.hash.hash_one(key) as u16
    }

    fn sum(&self, places: &[u16]) -> u64 {
        let counts = places
            .iter()
            .map(|at| self.counter(*at).load(Ordering::SeqCst));
        counts.fold(0, u64::wrapping_add)
    }

    #[expect(clippy::indexing_slicing, reason = "there is one for every u16")]
    fn counter(&self, at: u16) -> &AtomicU64 {
        &self.counters[usize::from(at)]
    }
}

impl Default for Stamps {
    fn default() -> Self {
        Self {
            hash: RandomState::new(),
            counters: (0..=u16::MAX).map(|_| AtomicU64::new(0)).collect(),
            commits: AtomicU64::new(0),
            people: AtomicU64::new(0),
            touched: Touched::default(),
            renewed: Renewed::default(),
        }
    }
}

impl fmt::Debug for Stamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stamps(..)")
    }
}

#[cfg(test)]
mod tests {
    use crate::store::Table;

    use super::*;

    fn key(number: u64) -> Key {
        Key::table(Table::Account).number(number)
    }

    #[test]
    fn a_stamp_holds_until_one_of_its_rows_is_touched() {
        let stamps = Stamps::default();
        let (first, second) = (key(1), key(2));
        let (mine, commits) = (stamps.of([&first, &second]), stamps.commits());

        assert!(stamps.holds(&mine));
        stamps.touch([key(2)].iter());

        assert!(!stamps.holds(&mine) && stamps.holds(&stamps.of([&first, &second])));
        assert_eq!(stamps.commits(), commits + 1);
    }

    #[test]
    fn most_other_rows_stay_as_they_are_and_none_when_all_may_have_changed() {
        let stamps = Stamps::default();
        let others: Vec<Stamp<1>> = (2..102).map(|number| stamps.of([&key(number)])).collect();
        let holding = |stamps: &Stamps| others.iter().filter(|s| stamps.holds(s)).count();

        stamps.touch([key(1)].iter());
        assert!(holding(&stamps) > 90);
        stamps.touch_all();

        assert_eq!(holding(&stamps), 0);
    }
}
