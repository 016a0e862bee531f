//! One connection: who it is, once that is proved, and how long it may go on.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::domain::{Door, RequestId};
use crate::doors::ssh::SshSettings;
use crate::doors::ssh::lobby::Seat;
use crate::doors::ssh::wire::Budget;
use crate::vault::{Caller, Credential, Origin};

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has not logged in yet.
    Login(Instant),
    /// It waits for a command, since then.
    Idle(Instant),
    /// A command is under way.
    Busy,
    /// It was sent away.
    Away(Instant),
}

impl Phase {
    /// When it is over; a command ends by itself.
    pub(super) fn end(self, closing: bool, settings: &SshSettings) -> Option<Instant> {
        match self {
            Self::Login(since) if closing => Some(since),
            Self::Login(since) => Some(since + settings.login),
            // Whoever has just been answered hangs up by itself.
            Self::Idle(since) if closing => Some(since + settings.linger),
            Self::Idle(since) => Some(since + settings.idle),
            Self::Away(since) => Some(since + settings.linger),
            Self::Busy => None,
        }
    }
}

/// What is kept of a connection.
#[derive(Debug)]
pub(super) struct Guest {
    address: IpAddr,
    budget: Arc<Budget>,
    phase: watch::Sender<Phase>,
    given_up: Arc<Notify>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    /// Its place until it has logged in.
    seat: Option<Seat>,
    tried: Option<Tried>,
    /// Whether the trail tells that it was refused.
    written: bool,
}

/// What somebody called itself who proved nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    /// The last name.
    pub(super) login: String,
    /// How many names, one after the other.
    pub(super) names: u32,
}

/// Who has logged in, and with what: the key was proved for as long as the connection stands.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) credential: Arc<Credential>,
    pub(super) caller: Caller,
}

impl Guest {
    pub(super) fn new(address: IpAddr, seat: Seat, settings: &SshSettings) -> Self {
        let given_up = seat.given_up();
        let state = State {
            seat: Some(seat),
            ..State::default()
        };
        Self {
            address,
            budget: Arc::new(Budget::new(settings.login_input)),
            phase: watch::Sender::new(Phase::Login(Instant::now())),
            given_up,
            state: Mutex::new(state),
        }
    }

    /// Tells that its place was given to somebody else.
    pub(super) fn given_up(&self) -> Arc<Notify> {
        Arc::clone(&self.given_up)
    }

    pub(super) fn address(&self) -> IpAddr {
        self.address
    }

    pub(super) fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    pub(super) fn origin(&self, request: RequestId) -> Origin {
        Origin {
            door: Door::Ssh,
            peer: Some(self.address),
            request,
        }
    }

    pub(super) fn phases(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// A command begins: it may be sent so much.
    pub(super) fn begin(&self, input: usize) {
        if self.turn_to(Phase::Busy) {
            self.budget.refill(input);
        }
    }

    /// A command has ended, or a log-in succeeded.
    pub(super) fn rest(&self) {
        self.turn_to(Phase::Idle(Instant::now()));
    }

    /// It has to go, whatever it still asks.
    pub(super) fn send_away(&self) {
        self.phase.send_replace(Phase::Away(Instant::now()));
    }

    /// Whether it has to.
    pub(super) fn is_away(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Away(_))
    }

    /// `false` where it has been sent away: that stays.
    fn turn_to(&self, next: Phase) -> bool {
        self.phase.send_if_modified(|phase| {
            let stays = !matches!(phase, Phase::Away(_));
            if stays {
                *phase = next;
            }
            stays
        })
    }

    /// It calls itself `login`.
    pub(super) fn tries(&self, login: &str) {
        let mut state = self.state();
        let before = state.tried.take();
        let again = before.as_ref().is_some_and(|tried| tried.login == login);
        let names = before.map_or(0, |tried| tried.names);
        state.tried = Some(Tried {
            login: login.to_owned(),
            names: names.saturating_add(u32::from(!again)),
        });
    }

    /// The trail tells that it was refused, or that is not to be written.
    pub(super) fn is_written(&self) {
        self.state().written = true;
    }

    /// What it called itself, if it has not come in and nobody has written that down.
    pub(super) fn unwritten(&self) -> Option<Tried> {
        let state = self.state();
        let silent = state.known.is_none() && !state.written;
        state.tried.clone().filter(|_| silent)
    }

    pub(super) fn known(&self) -> Option<Known> {
        self.state().known.clone()
    }

    pub(super) fn remember(&self, known: Known) {
        let mut state = self.state();
        state.known = Some(known);
        state.seat = None;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
