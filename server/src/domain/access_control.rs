//! Access control: who must agree before a password is given out, and what happens afterwards.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::{GroupId, OrgId, Target, UserId};

/// What stands before the passwords of a resource or of one account; an account's own wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessControl {
    /// The organisation it belongs to.
    pub org: OrgId,
    /// What it stands before.
    pub target: Target,
    /// Who may approve; nobody named, and no group, is whoever may manage it.
    pub approvers: Vec<UserId>,
    /// The groups of which everybody may approve, beside them.
    pub approver_groups: Vec<GroupId>,
    /// How many must approve: 1 or 2; 0 is nobody, and it is requested and checked out all the same.
    pub approvals: u8,
    /// Whether one at a time may hold it.
    pub exclusive: bool,
    /// The longest that it may be held.
    pub longest: Duration,
    /// Whether a request must give a reason.
    pub reason: bool,
    /// Whether a request must give a ticket.
    pub ticket: bool,
    /// Whether, and where, the password changes when it has been checked in.
    pub change_after: Option<ChangeAfter>,
}

/// Where a password changes after it has been checked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeAfter {
    /// Here only.
    Local,
    /// On the target first, then here.
    Remote,
}

/// Who approves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Approver {
    /// The operator on the machine.
    Operator,
    /// A user.
    User(UserId),
}

/// How an approver stands when its approval is counted: not when it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApproverStanding {
    /// Whether it is there and neither locked nor expired.
    pub present: bool,
    /// Whether it may manage what is asked for.
    pub manages: bool,
    /// Whether it is in a group of which everybody may approve.
    pub grouped: bool,
}

impl AccessControl {
    /// The most approvers that are named, and the most groups of them.
    pub const MOST_APPROVERS: usize = 20;
    /// The longest that anything may be held.
    pub const LONGEST: Duration = Duration::from_hours(30 * 24);

    /// Whether an approval by `approver` counts for a request of `requester`: nobody's own, and
    /// nobody's who has lost the right.
    #[must_use]
    pub fn counts(
        &self,
        approver: Approver,
        requester: UserId,
        standing: ApproverStanding,
    ) -> bool {
        approver != Approver::User(requester) && self.may_approve(approver, standing)
    }

    /// Whether neither a user nor a group is named, so that whoever manages it approves.
    #[must_use]
    pub fn names_nobody(&self) -> bool {
        self.approvers.is_empty() && self.approver_groups.is_empty()
    }

    /// Whether fewer are named than must approve. Who is in a group changes: that enough are is not
    /// asked.
    #[must_use]
    pub fn names_too_few(&self) -> bool {
        let named = self.approvers.len();
        named > 0 && self.approver_groups.is_empty() && named < usize::from(self.approvals)
    }

    /// Whether `approver` may decide about requests of others.
    #[must_use]
    pub fn may_approve(&self, approver: Approver, standing: ApproverStanding) -> bool {
        match approver {
            Approver::Operator => true,
            Approver::User(_) if !standing.present => false,
            Approver::User(_) if self.names_nobody() => standing.manages,
            Approver::User(user) => standing.grouped || self.approvers.contains(&user),
        }
    }
}

impl ChangeAfter {
    /// The word for it on the command line and in the admin API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
        }
    }
}

impl fmt::Display for ChangeAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChangeAfter {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Local, Self::Remote]
            .into_iter()
            .find(|place| place.as_str() == text)
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ResourceId;

    fn control(approvers: &[u64], groups: &[u64]) -> AccessControl {
        AccessControl {
            org: OrgId::DEFAULT,
            target: Target {
                resource: ResourceId(1),
                account: None,
            },
            approvers: approvers.iter().map(|id| UserId(*id)).collect(),
            approver_groups: groups.iter().map(|id| GroupId(*id)).collect(),
            approvals: 1,
            exclusive: true,
            longest: Duration::from_hours(1),
            reason: false,
            ticket: false,
            change_after: None,
        }
    }

    #[test]
    fn an_approval_counts_by_who_the_approver_is_now() {
        let me = UserId(7);
        let (named, unnamed) = (control(&[7, 8], &[]), control(&[], &[]));
        let grouped = control(&[8], &[1]);
        let user = |id| Approver::User(UserId(id));
        let stands = |present, manages, grouped| ApproverStanding {
            present,
            manages,
            grouped,
        };
        let table = [
            // control, approver, there, manages, in the group, counts
            (&named, user(8), true, false, false, true),
            (&named, user(8), false, false, false, false),
            (&named, user(9), true, true, false, false),
            (&named, user(7), true, true, false, false),
            (&named, Approver::Operator, false, false, false, true),
            (&unnamed, user(9), true, true, false, true),
            (&unnamed, user(9), true, false, false, false),
            (&unnamed, user(9), false, true, false, false),
            (&unnamed, user(7), true, true, false, false),
            (&unnamed, Approver::Operator, false, false, false, true),
            (&grouped, user(9), true, false, true, true),
            (&grouped, user(9), true, true, false, false),
            (&grouped, user(9), false, true, true, false),
            (&grouped, user(8), true, false, false, true),
            (&grouped, user(7), true, false, true, false),
        ];

        for (control, approver, present, manages, grouped, counts) in table {
            assert_eq!(
                control.counts(approver, me, stands(present, manages, grouped)),
                counts,
                "{approver:?} {present} {manages} {grouped} of {:?}",
                control.approvers
            );
        }
    }
}
