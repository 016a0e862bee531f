//! Whether records can be written.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::ledger::Trouble;

/// Whether records can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// They can.
    Ok,
    /// They still can, in what is left of the present segment; the next could not be prepared.
    Strained {
        /// Why not.
        why: Trouble,
        /// Since when.
        since: Instant,
    },
    /// They cannot: whatever needs a record is refused.
    Red {
        /// Why not.
        why: Trouble,
        /// Since when.
        since: Instant,
    },
}

/// What the threads report, and everybody may ask.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    red: Option<(Trouble, Instant)>,
    strained: Option<(Trouble, Instant)>,
    busy: Option<Instant>,
}

impl Signals {
    /// A group goes to the disk.
    pub(crate) fn begin(&self) {
        self.with(|state| state.busy = Some(Instant::now()));
    }

    /// A group is durable.
    pub(crate) fn written(&self) {
        self.with(|state| {
            state.busy = None;
            state.red = None;
        });
    }

    /// Nothing can be written. The first reason's moment stays as long as the reason does.
    pub(crate) fn red(&self, why: Trouble) {
        self.with(|state| {
            state.busy = None;
            note(&mut state.red, why);
        });
    }

    /// The next segment could not be prepared.
    pub(crate) fn strained(&self, why: Trouble) {
        self.with(|state| note(&mut state.strained, why));
    }

    /// The next segment is ready.
    pub(crate) fn relieved(&self) {
        self.with(|state| state.strained = None);
    }

    /// Whether a reason to refuse stands.
    pub(crate) fn is_red(&self) -> bool {
        self.with(|state| state.red.is_some())
    }

    /// What is known, a write that has taken longer than `max_wait` included.
    pub(crate) fn health(&self, max_wait: Duration) -> Health {
        self.with(|state| {
            if let Some((why, since)) = state.red {
                return Health::Red { why, since };
            }
            if let Some(since) = state.busy.filter(|since| since.elapsed() > max_wait) {
                return Health::Red {
                    why: Trouble::Slow,
                    since,
                };
            }
            match state.strained {
                Some((why, since)) => Health::Strained { why, since },
                None => Health::Ok,
            }
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn note(place: &mut Option<(Trouble, Instant)>, why: Trouble) {
    match place {
        Some((known, _)) if *known == why => {}
        Some(_) | None => *place = Some((why, Instant::now())),
    }
}
