//! The server's result codes.

use std::fmt;

/// Why the server did not do what it was asked: its result code, which stays the same from
/// version to version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// 1: there is a resource of that name.
    ResourceExists,
    /// 2: no such resource or account, or it is not shared with this user: one and the same.
    Refused,
    /// 3: the user may not do this.
    NotAllowed,
    /// 4: a reason must be given.
    ReasonRequired,
    /// 5: a ticket must be given.
    TicketRequired,
    /// 6: the new password does not keep its policy.
    PolicyViolated,
    /// 7: an argument makes no sense.
    InvalidArgument,
    /// 8: the password could not be changed on the resource itself.
    ResetFailed,
    /// 9: this server answers retrievals only.
    ReadOnly,
    /// 10: the server cannot do it now.
    Unavailable,
    /// 11: the certificate shows no user, or one that is locked or comes from another host.
    NotAuthenticated,
    /// 12: somebody else changed it at the same time; try again.
    Conflict,
    /// 13: somebody has to approve it first.
    WaitingForApproval,
    /// 14: somebody else has it in use.
    InUse,
    /// Another code: of a newer server, or a fault of the protocol (below 0).
    Other(i32),
}

impl Code {
    /// From the number that the server sends.
    pub(crate) fn from_number(number: i32) -> Self {
        match number {
            1 => Self::ResourceExists,
            2 => Self::Refused,
            3 => Self::NotAllowed,
            4 => Self::ReasonRequired,
            5 => Self::TicketRequired,
            6 => Self::PolicyViolated,
            7 => Self::InvalidArgument,
            8 => Self::ResetFailed,
            9 => Self::ReadOnly,
            10 => Self::Unavailable,
            11 => Self::NotAuthenticated,
            12 => Self::Conflict,
            13 => Self::WaitingForApproval,
            14 => Self::InUse,
            other => Self::Other(other),
        }
    }

    /// The number that the server sends.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::ResourceExists => 1,
            Self::Refused => 2,
            Self::NotAllowed => 3,
            Self::ReasonRequired => 4,
            Self::TicketRequired => 5,
            Self::PolicyViolated => 6,
            Self::InvalidArgument => 7,
            Self::ResetFailed => 8,
            Self::ReadOnly => 9,
            Self::Unavailable => 10,
            Self::NotAuthenticated => 11,
            Self::Conflict => 12,
            Self::WaitingForApproval => 13,
            Self::InUse => 14,
            Self::Other(other) => other,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        for number in -1..20 {
            assert_eq!(Code::from_number(number).number(), number);
        }
        assert_eq!(Code::from_number(0), Code::Other(0));
        assert_eq!(Code::from_number(15), Code::Other(15));
        assert_eq!(Code::from_number(-32601), Code::Other(-32601));
    }
}
