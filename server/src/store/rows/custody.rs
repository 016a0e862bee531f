//! The forms of access control, requests and custody.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{
    AccessControl, AccountId, Approver, Custody, GroupId, Holder, OrgId, Request, ResourceId,
    State, Target, Timestamp, UserId, Window,
};
use crate::store::rows::form::{Form, is_default};

#[derive(Serialize, Deserialize)]
pub(super) struct AccessControlForm {
    o: u64,
    r: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    by: Vec<u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    gs: Vec<u64>,
    n: u8,
    #[serde(default, skip_serializing_if = "is_default")]
    x: bool,
    l: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    rd: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    td: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<String>,
}

impl Form<AccessControl> for AccessControlForm {
    fn of(control: &AccessControl) -> Self {
        Self {
            o: control.org.0,
            r: control.target.resource.0,
            a: control.target.account.map(|account| account.0),
            by: control.approvers.iter().map(|user| user.0).collect(),
            gs: control
                .approver_groups
                .iter()
                .map(|group| group.0)
                .collect(),
            n: control.approvals,
            x: control.exclusive,
            l: control.longest.as_secs(),
            rd: control.reason,
            td: control.ticket,
            c: control.change_after.map(|place| place.as_str().to_owned()),
        }
    }

    fn read(self) -> Option<AccessControl> {
        Some(AccessControl {
            org: OrgId(self.o),
            target: Target {
                resource: ResourceId(self.r),
                account: self.a.map(AccountId),
            },
            approvers: self.by.into_iter().map(UserId).collect(),
            approver_groups: self.gs.into_iter().map(GroupId).collect(),
            approvals: self.n,
            exclusive: self.x,
            longest: Duration::from_secs(self.l),
            reason: self.rd,
            ticket: self.td,
            change_after: change_after(self.c)?,
        })
    }
}

/// A word of a later version does not read: what it promises is not to be forgotten.
fn change_after(word: Option<String>) -> Option<Option<crate::domain::ChangeAfter>> {
    match word {
        None => Some(None),
        Some(word) => word.parse().ok().map(Some),
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct RequestForm {
    o: u64,
    r: u64,
    a: u64,
    u: u64,
    t: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    y: String,
    #[serde(default, skip_serializing_if = "is_default")]
    k: String,
    /// User ids; 0 is the operator.
    #[serde(default, skip_serializing_if = "is_default")]
    by: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<(i64, i64)>,
    s: StateForm,
}

#[derive(Serialize, Deserialize)]
enum StateForm {
    #[serde(rename = "r")]
    Requested(i64),
    #[serde(rename = "a")]
    Approved(i64),
    #[serde(rename = "n")]
    Rejected,
    #[serde(rename = "o")]
    CheckedOut(i64, i64),
    #[serde(rename = "i")]
    CheckedIn,
    #[serde(rename = "x")]
    Expired,
}

impl StateForm {
    fn of(state: State) -> Self {
        match state {
            State::Requested { lapses } => Self::Requested(lapses.0),
            State::Approved { lapses } => Self::Approved(lapses.0),
            State::Rejected => Self::Rejected,
            State::CheckedOut { since, until } => Self::CheckedOut(since.0, until.0),
            State::CheckedIn => Self::CheckedIn,
            State::Expired => Self::Expired,
        }
    }

    fn read(self) -> State {
        match self {
            Self::Requested(lapses) => State::Requested {
                lapses: Timestamp(lapses),
            },
            Self::Approved(lapses) => State::Approved {
                lapses: Timestamp(lapses),
            },
            Self::Rejected => State::Rejected,
            Self::CheckedOut(since, until) => State::CheckedOut {
                since: Timestamp(since),
                until: Timestamp(until),
            },
            Self::CheckedIn => State::CheckedIn,
            Self::Expired => State::Expired,
        }
    }
}

impl Form<Request> for RequestForm {
    fn of(request: &Request) -> Self {
        let number = |approver: &Approver| match approver {
            Approver::Operator => 0,
            Approver::User(id) => id.0,
        };
        Self {
            o: request.org.0,
            r: request.resource.0,
            a: request.account.0,
            u: request.requester.0,
            t: request.raised.0,
            y: request.reason.clone(),
            k: request.ticket.clone(),
            by: request.approvals.iter().map(number).collect(),
            w: request.window.map(|it| (it.from.0, it.until.0)),
            s: StateForm::of(request.state),
        }
    }

    fn read(self) -> Option<Request> {
        let approver = |number: u64| match number {
            0 => Approver::Operator,
            id => Approver::User(UserId(id)),
        };
        Some(Request {
            org: OrgId(self.o),
            resource: ResourceId(self.r),
            account: AccountId(self.a),
            requester: UserId(self.u),
            raised: Timestamp(self.t),
            reason: self.y,
            ticket: self.k,
            approvals: self.by.into_iter().map(approver).collect(),
            window: self.w.map(|(from, until)| Window {
                from: Timestamp(from),
                until: Timestamp(until),
            }),
            state: self.s.read(),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct CustodyForm {
    o: u64,
    r: u64,
    a: u64,
    h: Vec<(u64, i64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<String>,
}

impl Form<Custody> for CustodyForm {
    fn of(custody: &Custody) -> Self {
        let pair = |holder: &Holder| (holder.user.0, holder.until.0);
        Self {
            o: custody.org.0,
            r: custody.resource.0,
            a: custody.account.0,
            h: custody.holders.iter().map(pair).collect(),
            c: custody.change_after.map(|place| place.as_str().to_owned()),
        }
    }

    fn read(self) -> Option<Custody> {
        let holder = |(user, until)| Holder {
            user: UserId(user),
            until: Timestamp(until),
        };
        Some(Custody {
            org: OrgId(self.o),
            resource: ResourceId(self.r),
            account: AccountId(self.a),
            holders: self.h.into_iter().map(holder).collect(),
            change_after: change_after(self.c)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ChangeAfter;
    use crate::store::rows::Record;

    fn request(state: State) -> Request {
        Request {
            org: OrgId(1),
            resource: ResourceId(2),
            account: AccountId(3),
            requester: UserId(4),
            raised: Timestamp(5),
            reason: "why".to_owned(),
            ticket: "T-1".to_owned(),
            approvals: vec![Approver::Operator, Approver::User(UserId(6))],
            window: Some(Window {
                from: Timestamp(8),
                until: Timestamp(9),
            }),
            state,
        }
    }

    #[test]
    fn every_state_comes_back() {
        let lapses = Timestamp(7);
        let states = [
            State::Requested { lapses },
            State::Approved { lapses },
            State::Rejected,
            State::CheckedOut {
                since: Timestamp(8),
                until: Timestamp(9),
            },
            State::CheckedIn,
            State::Expired,
        ];

        for state in states {
            let request = request(state);
            assert_eq!(Request::decode(&request.encode()), Some(request));
        }
    }

    #[test]
    fn access_control_and_custody_come_back() {
        let control = AccessControl {
            org: OrgId(1),
            target: Target {
                resource: ResourceId(2),
                account: Some(AccountId(3)),
            },
            approvers: vec![UserId(4), UserId(5)],
            approver_groups: vec![GroupId(6)],
            approvals: 2,
            exclusive: true,
            longest: Duration::from_mins(7),
            reason: true,
            ticket: true,
            change_after: Some(ChangeAfter::Local),
        };
        let custody = Custody {
            org: OrgId(1),
            resource: ResourceId(2),
            account: AccountId(3),
            holders: vec![Holder {
                user: UserId(4),
                until: Timestamp(5),
            }],
            change_after: Some(ChangeAfter::Remote),
        };

        assert_eq!(AccessControl::decode(&control.encode()), Some(control));
        assert_eq!(Custody::decode(&custody.encode()), Some(custody));
    }
}
