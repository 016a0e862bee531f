//! Requests: from asking for a password to giving it back, as one pure state machine.

use std::fmt;
use std::time::Duration;

use crate::domain::{AccountId, Approver, OrgId, ResourceId, Timestamp, UserId};

/// A user's request for an account's password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The organisation it belongs to.
    pub org: OrgId,
    /// The resource.
    pub resource: ResourceId,
    /// The account.
    pub account: AccountId,
    /// Who wants the password.
    pub requester: UserId,
    /// When it was raised.
    pub raised: Timestamp,
    /// The reason that was given.
    pub reason: String,
    /// The ticket that was given.
    pub ticket: String,
    /// For which time it is; nothing said is from now on.
    pub window: Option<Window>,
    /// Who has approved, each once.
    pub approvals: Vec<Approver>,
    /// How far it has come.
    pub state: State,
}

/// The time for which a password is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From when it may be checked out.
    pub from: Timestamp,
    /// Until when it may be held.
    pub until: Timestamp,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for approval.
    Requested {
        /// Until when.
        lapses: Timestamp,
    },
    /// Enough have approved; it waits for its check-out.
    Approved {
        /// Until when.
        lapses: Timestamp,
    },
    /// An approver said no.
    Rejected,
    /// The requester holds the password.
    CheckedOut {
        /// Since when.
        since: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// It was given back, or taken back by an approver.
    CheckedIn,
    /// Its time was up.
    Expired,
}

/// What somebody does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The requester asks.
    Raise,
    /// An approver says yes.
    Approve,
    /// An approver says no.
    Reject,
    /// The requester takes the password.
    CheckOut,
    /// The requester, or an approver, ends it.
    CheckIn,
    /// The requester does not want it any more.
    Withdraw,
}

/// All that a step depends on beside the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// When the step is made.
    pub now: Timestamp,
    /// How long a request waits.
    pub patience: Duration,
    /// How long a password may be held.
    pub longest: Duration,
    /// How many approvals count now, this step's included.
    pub counted: usize,
    /// How many are needed.
    pub needed: usize,
    /// Who else holds it, so that the requester cannot.
    pub in_use: Option<UserId>,
    /// For which time it is requested.
    pub window: Option<Window>,
}

/// Why a step is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// There is a request already.
    Requested,
    /// The requester holds it already.
    Held,
    /// There is no request that waits.
    NotRequested,
    /// There is no check-out to end.
    NotHeld,
    /// Not enough have approved.
    NotApproved,
    /// It is requested for later.
    NotYet,
    /// Somebody else holds it.
    InUse(UserId),
}

impl State {
    /// The state at `now`: what should have ended by then has ended, whoever slept.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        match self {
            Self::Requested { lapses } | Self::Approved { lapses } if now >= lapses => {
                Self::Expired
            }
            Self::CheckedOut { until, .. } if now >= until => Self::Expired,
            Self::Requested { .. }
            | Self::Approved { .. }
            | Self::Rejected
            | Self::CheckedOut { .. }
            | Self::CheckedIn
            | Self::Expired => self,
        }
    }

    /// Whether nothing can follow but another request.
    #[must_use]
    pub fn has_ended(self) -> bool {
        match self {
            Self::Rejected | Self::CheckedIn | Self::Expired => true,
            Self::Requested { .. } | Self::Approved { .. } | Self::CheckedOut { .. } => false,
        }
    }
}

/// The state after `step`; a user without a request is as one whose request has ended.
///
/// # Errors
/// [`Slip`] when the step cannot be made from here.
pub fn step(state: Option<State>, step: Step, sight: &Sight) -> Result<State, Slip> {
    let state = state.map_or(State::Expired, |state| state.at(sight.now));
    match (state, step) {
        (State::Rejected | State::CheckedIn | State::Expired, Step::Raise) => {
            let patience = sight.now.after(sight.patience);
            let lapses = sight.window.map_or(patience, |window| window.until);
            Ok(match sight.needed {
                0 => State::Approved { lapses },
                _ => State::Requested { lapses },
            })
        }
        (State::Rejected | State::CheckedIn | State::Expired, Step::CheckIn)
        | (State::Requested { .. } | State::Approved { .. }, Step::CheckIn) => Err(Slip::NotHeld),
        (State::Rejected | State::CheckedIn | State::Expired, _)
        | (State::CheckedOut { .. }, Step::Approve | Step::Reject) => Err(Slip::NotRequested),
        (State::Requested { .. } | State::Approved { .. }, Step::Raise) => Err(Slip::Requested),
        (State::Requested { lapses } | State::Approved { lapses }, Step::Approve) => {
            Ok(if sight.counted >= sight.needed {
                State::Approved { lapses }
            } else {
                State::Requested { lapses }
            })
        }
        (State::Requested { .. } | State::Approved { .. }, Step::Reject | Step::Withdraw) => {
            Ok(State::Rejected)
        }
        (State::Requested { .. } | State::Approved { .. }, Step::CheckOut) => taken(sight),
        (State::CheckedOut { .. }, Step::Raise | Step::CheckOut | Step::Withdraw) => {
            Err(Slip::Held)
        }
        (State::CheckedOut { .. }, Step::CheckIn) => Ok(State::CheckedIn),
    }
}

/// The approvals are counted again: whoever has lost the right since does not count.
fn taken(sight: &Sight) -> Result<State, Slip> {
    match sight.in_use {
        Some(other) => Err(Slip::InUse(other)),
        None if sight.counted < sight.needed => Err(Slip::NotApproved),
        None if sight.window.is_some_and(|window| sight.now < window.from) => Err(Slip::NotYet),
        None => {
            let until = sight.now.after(sight.longest);
            Ok(State::CheckedOut {
                since: sight.now,
                until: sight.window.map_or(until, |window| window.until.min(until)),
            })
        }
    }
}

/// What a user sees of an account's password in a list: the original's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is there to be retrieved.
    Readable,
    /// It can be requested.
    Request,
    /// The user's own request waits for approval, or for its check-out.
    Waiting,
    /// The user holds it.
    Held,
    /// Somebody else holds it.
    InUse,
}

impl Status {
    /// What a user sees where access control is on, by its own request and by whether somebody
    /// else holds the password alone.
    #[must_use]
    pub fn of(own: Option<State>, in_use: bool, now: Timestamp) -> Self {
        match own.map(|state| state.at(now)) {
            Some(State::CheckedOut { .. }) => Self::Held,
            _ if in_use => Self::InUse,
            Some(State::Requested { .. } | State::Approved { .. }) => Self::Waiting,
            None | Some(State::Rejected | State::CheckedIn | State::Expired) => Self::Request,
        }
    }

    /// The original's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Readable => "****",
            Self::Request => "[REQUEST]",
            Self::Waiting => "WAITING FOR APPROVAL / CHECKOUT",
            Self::Held => "***** [checkIn]",
            Self::InUse => "[ In use ]",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const LATER: Timestamp = Timestamp(1_000_001);
    const REQUESTED: State = State::Requested { lapses: LATER };
    const APPROVED: State = State::Approved { lapses: LATER };
    const HELD: State = State::CheckedOut {
        since: Timestamp(0),
        until: LATER,
    };
    const TAKEN: State = State::CheckedOut {
        since: NOW,
        until: Timestamp(1_060_000),
    };
    const LAPSED: [State; 3] = [
        State::Requested { lapses: NOW },
        State::Approved { lapses: NOW },
        State::CheckedOut {
            since: Timestamp(0),
            until: NOW,
        },
    ];
    const STEPS: [Step; 6] = [
        Step::Raise,
        Step::Approve,
        Step::Reject,
        Step::CheckOut,
        Step::CheckIn,
        Step::Withdraw,
    ];

    fn sight(counted: usize) -> Sight {
        Sight {
            now: NOW,
            patience: Duration::from_hours(1),
            longest: Duration::from_mins(1),
            counted,
            needed: 2,
            in_use: None,
            window: None,
        }
    }

    #[test]
    fn every_step_from_every_state_has_its_one_answer() {
        let raised = State::Requested {
            lapses: Timestamp(4_600_000),
        };
        let waiting = |approval| {
            [
                Err(Slip::Requested),
                Ok(approval),
                Ok(State::Rejected),
                Ok(TAKEN),
                Err(Slip::NotHeld),
                Ok(State::Rejected),
            ]
        };
        let ended = [
            Ok(raised),
            Err(Slip::NotRequested),
            Err(Slip::NotRequested),
            Err(Slip::NotRequested),
            Err(Slip::NotHeld),
            Err(Slip::NotRequested),
        ];
        let held = [
            Err(Slip::Held),
            Err(Slip::NotRequested),
            Err(Slip::NotRequested),
            Err(Slip::Held),
            Ok(State::CheckedIn),
            Err(Slip::Held),
        ];
        let mut table = vec![
            (None, ended),
            (Some(REQUESTED), waiting(APPROVED)),
            (Some(APPROVED), waiting(APPROVED)),
            (Some(HELD), held),
        ];
        let over = [State::Rejected, State::CheckedIn, State::Expired];
        table.extend(over.map(|state| (Some(state), ended)));
        table.extend(LAPSED.map(|state| (Some(state), ended)));

        for (state, answers) in table {
            for (made, answer) in STEPS.into_iter().zip(answers) {
                assert_eq!(step(state, made, &sight(2)), answer, "{state:?} {made:?}");
            }
        }
    }

    #[test]
    fn what_nobody_need_approve_is_approved_when_it_is_raised() {
        let sight = Sight {
            needed: 0,
            ..sight(0)
        };
        let raised = State::Approved {
            lapses: Timestamp(4_600_000),
        };

        assert_eq!(step(None, Step::Raise, &sight), Ok(raised));
        assert_eq!(step(Some(raised), Step::CheckOut, &sight), Ok(TAKEN));
        let held = Sight {
            in_use: Some(UserId(3)),
            ..sight
        };
        let answer = step(Some(raised), Step::CheckOut, &held);
        assert_eq!(answer, Err(Slip::InUse(UserId(3))));
    }

    #[test]
    fn too_few_approvals_open_nothing_even_where_they_once_were_enough() {
        for state in [REQUESTED, APPROVED] {
            for counted in [0, 1] {
                let sight = sight(counted);
                assert_eq!(step(Some(state), Step::Approve, &sight), Ok(REQUESTED));
                assert_eq!(
                    step(Some(state), Step::CheckOut, &sight),
                    Err(Slip::NotApproved)
                );
            }
        }
    }

    #[test]
    fn what_is_requested_for_later_is_taken_in_its_time_only() {
        let within = |from, until| Sight {
            window: Some(Window {
                from: Timestamp(from),
                until: Timestamp(until),
            }),
            ..sight(2)
        };
        let (later, now) = (within(NOW.0 + 1, NOW.0 + 9), within(NOW.0, NOW.0 + 9));
        let long = within(0, NOW.0 + 9_000_000);
        let take = |sight| step(Some(APPROVED), Step::CheckOut, sight);

        let raised = State::Requested {
            lapses: Timestamp(NOW.0 + 9),
        };
        assert_eq!(step(None, Step::Raise, &later), Ok(raised));
        assert_eq!(take(&later), Err(Slip::NotYet));
        let held = State::CheckedOut {
            since: NOW,
            until: Timestamp(NOW.0 + 9),
        };
        assert_eq!(take(&now), Ok(held), "no longer than its time");
        assert_eq!(take(&long), Ok(TAKEN));
        let few = Sight {
            counted: 1,
            ..later
        };
        assert_eq!(take(&few), Err(Slip::NotApproved));
    }

    #[test]
    fn what_another_holds_is_not_taken_and_that_is_said_first() {
        let sight = Sight {
            in_use: Some(UserId(3)),
            ..sight(0)
        };

        for state in [REQUESTED, APPROVED] {
            let answer = step(Some(state), Step::CheckOut, &sight);
            assert_eq!(answer, Err(Slip::InUse(UserId(3))));
        }
    }

    #[test]
    fn everybody_sees_the_original_s_word() {
        let table = [
            (None, false, "[REQUEST]"),
            (None, true, "[ In use ]"),
            (Some(REQUESTED), false, "WAITING FOR APPROVAL / CHECKOUT"),
            (Some(APPROVED), false, "WAITING FOR APPROVAL / CHECKOUT"),
            (Some(APPROVED), true, "[ In use ]"),
            (Some(HELD), false, "***** [checkIn]"),
            (Some(State::Rejected), false, "[REQUEST]"),
            (Some(State::CheckedIn), false, "[REQUEST]"),
            (Some(LAPSED[0]), false, "[REQUEST]"),
            (Some(LAPSED[2]), false, "[REQUEST]"),
        ];

        for (own, in_use, word) in table {
            let seen = Status::of(own, in_use, NOW);
            assert_eq!(seen.as_str(), word, "{own:?} {in_use}");
        }
        assert_eq!(Status::Readable.as_str(), "****");
    }
}
