//! From what the vault says to what the caller reads: the one place for codes, messages and HTTP
//! statuses.

use http::StatusCode;

use crate::doors::Ending;
use crate::doors::refusal::{ResultCode, refusal};
use crate::doors::rest::input::Unfit;
use crate::vault::VaultError;

/// The codes, as documented for callers in `docs/rest.md`: they stay. The first fifteen are those
/// of the XML-RPC door, the others HTTP's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Code {
    ResourceExists = 1,
    Refused = 2,
    NotAllowed = 3,
    ReasonRequired = 4,
    TicketRequired = 5,
    Policy = 6,
    Invalid = 7,
    ResetFailed = 8,
    ReadOnly = 9,
    Unavailable = 10,
    Unidentified = 11,
    Conflict = 12,
    Waiting = 13,
    InUse = 14,
    BadRequest = 400,
    NoSuchPath = 404,
    Verb = 405,
    Late = 408,
    TooLarge = 413,
    Encoding = 415,
    TooMany = 429,
    NotReady = 503,
}

/// What is said to a caller who does not get what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The status of the answer: 200 for every refusal of what was understood, as clients expect.
    pub(super) fn status(&self) -> StatusCode {
        match self.code {
            Code::ResourceExists
            | Code::Refused
            | Code::NotAllowed
            | Code::ReasonRequired
            | Code::TicketRequired
            | Code::Policy
            | Code::Invalid
            | Code::ResetFailed
            | Code::ReadOnly
            | Code::Unidentified
            | Code::Conflict
            | Code::Waiting
            | Code::InUse => StatusCode::OK,
            Code::BadRequest => StatusCode::BAD_REQUEST,
            Code::NoSuchPath => StatusCode::NOT_FOUND,
            Code::Verb => StatusCode::METHOD_NOT_ALLOWED,
            Code::Late => StatusCode::REQUEST_TIMEOUT,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Code::Unavailable | Code::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// How the request ended, for whoever counts.
    pub(super) fn ending(&self) -> Ending {
        match self.code {
            Code::Unavailable | Code::NotReady | Code::ResetFailed => Ending::Failed,
            Code::BadRequest
            | Code::NoSuchPath
            | Code::Verb
            | Code::Late
            | Code::TooLarge
            | Code::Encoding => Ending::Malformed,
            Code::ResourceExists
            | Code::Refused
            | Code::NotAllowed
            | Code::ReasonRequired
            | Code::TicketRequired
            | Code::Policy
            | Code::Invalid
            | Code::ReadOnly
            | Code::Unidentified
            | Code::Conflict
            | Code::Waiting
            | Code::InUse
            | Code::TooMany => Ending::Refused,
        }
    }
}

impl From<Unfit> for Refusal {
    fn from(Unfit(why): Unfit) -> Self {
        Self::new(Code::Invalid, format!("Invalid argument: {why}."))
    }
}

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        let (code, message) = refusal(error);
        Self::new(code.into(), message)
    }
}

impl From<ResultCode> for Code {
    fn from(code: ResultCode) -> Self {
        match code {
            ResultCode::ResourceExists => Self::ResourceExists,
            ResultCode::Refused => Self::Refused,
            ResultCode::NotAllowed => Self::NotAllowed,
            ResultCode::ReasonRequired => Self::ReasonRequired,
            ResultCode::TicketRequired => Self::TicketRequired,
            ResultCode::Policy => Self::Policy,
            ResultCode::Invalid => Self::Invalid,
            ResultCode::ResetFailed => Self::ResetFailed,
            ResultCode::ReadOnly => Self::ReadOnly,
            ResultCode::Unavailable => Self::Unavailable,
            ResultCode::Unidentified => Self::Unidentified,
            ResultCode::Conflict => Self::Conflict,
            ResultCode::Waiting => Self::Waiting,
            ResultCode::InUse => Self::InUse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PolicyViolation;
    use crate::vault::{Hurdle, Outage};

    #[test]
    fn every_refusal_has_its_code_message_and_status() {
        let why = || "why".to_owned();
        let table = [
            (
                VaultError::ResourceExists,
                1,
                "Resource with the given resource name already exists.",
            ),
            (
                VaultError::Refused,
                2,
                "No such resource or account, or it is not shared with you.",
            ),
            (VaultError::NotAllowed, 3, "You are not allowed to do this."),
            (
                VaultError::OwnRequest,
                3,
                "Nobody decides about a request of their own.",
            ),
            (VaultError::ReasonRequired, 4, "A reason must be given."),
            (VaultError::TicketRequired, 5, "A ticket id must be given."),
            (
                VaultError::Policy(PolicyViolation::NoDigit),
                6,
                "The password does not keep its policy: it must have a digit.",
            ),
            (VaultError::Invalid(why()), 7, "Invalid argument: why."),
            (
                VaultError::Exists("an account"),
                7,
                "There already is an account with this name.",
            ),
            (
                VaultError::NotFound("policy"),
                7,
                "There is no such policy.",
            ),
            (
                VaultError::RemoteReset(why()),
                8,
                "Password reset failed: why.",
            ),
            (
                VaultError::ReadOnly,
                9,
                "This server is a secondary: it answers retrievals only.",
            ),
        ];

        assert_told(table);
    }

    #[test]
    fn every_refusal_of_who_and_when_has_its_code_message_and_status() {
        let why = || "why".to_owned();
        let table = [
            (VaultError::Unidentified(why()), 11, "why"),
            (
                VaultError::Conflict,
                12,
                "Somebody else is changing the same thing. Try again.",
            ),
            (
                VaultError::Waiting(Hurdle::Request),
                13,
                "This password is given out on request only. Request it first.",
            ),
            (
                VaultError::Waiting(Hurdle::Approval),
                13,
                "Waiting for approval.",
            ),
            (
                VaultError::Waiting(Hurdle::CheckOut),
                13,
                "The request is approved. Check the password out first.",
            ),
            (
                VaultError::InUse(why()),
                14,
                "The password is in use: why holds it.",
            ),
            (
                VaultError::Held,
                14,
                "The password is in use: you hold it already.",
            ),
        ];

        assert_told(table);
    }

    #[track_caller]
    fn assert_told<const N: usize>(table: [(VaultError, u16, &str); N]) {
        for (error, code, message) in table {
            let refusal = Refusal::from(error);
            assert_eq!(
                (refusal.code as u16, refusal.message.as_str()),
                (code, message)
            );
            assert_eq!(refusal.status(), StatusCode::OK, "{message}");
        }
    }

    #[test]
    fn an_outage_is_no_success_of_http_either() {
        let refusal = Refusal::from(VaultError::Unavailable(Outage::Part("audit trail")));

        assert_eq!(refusal.code as u16, 10);
        assert_eq!(
            refusal.message,
            "The server cannot do this now (audit trail). Try again later."
        );
        assert_eq!(refusal.status().as_u16(), 503);
        assert_eq!(refusal.ending(), Ending::Failed);
    }

    #[test]
    fn what_http_refuses_has_its_status_as_code() {
        for code in [
            Code::BadRequest,
            Code::NoSuchPath,
            Code::Verb,
            Code::Late,
            Code::TooLarge,
            Code::Encoding,
            Code::TooMany,
            Code::NotReady,
        ] {
            let status = Refusal::new(code, "").status();
            assert_eq!(status.as_u16(), code as u16);
        }
    }
}
