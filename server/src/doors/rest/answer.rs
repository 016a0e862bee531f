//! From what the vault says to what the caller reads: the one place for codes, messages and HTTP
//! statuses.

use http::StatusCode;

use crate::doors::Ending;
use crate::doors::refusal::{ResultCode, refusal};
use crate::doors::rest::input::Unfit;
use crate::vault::VaultError;

/// The codes, as documented for callers in `docs/rest.md`: they stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// Those of all doors.
    Of(ResultCode),
    // HTTP's own.
    BadRequest,
    NoSuchPath,
    Verb,
    Late,
    TooLarge,
    Encoding,
    TooMany,
    NotReady,
}

impl Code {
    /// The number that callers see: HTTP's own are the status.
    pub(super) fn number(self) -> u16 {
        match self {
            Self::Of(code) => code as u16,
            other => other.status().as_u16(),
        }
    }

    /// The status of an answer with it: 200 for every refusal of what was understood, as clients
    /// expect.
    fn status(self) -> StatusCode {
        match self {
            Self::Of(code) => fate(code).0,
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::Verb => StatusCode::METHOD_NOT_ALLOWED,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
        }
    }
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

    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// How the request ended, for whoever counts.
    pub(super) fn ending(&self) -> Ending {
        match self.code {
            Code::Of(code) => fate(code).1,
            Code::NotReady => Ending::Failed,
            Code::TooMany => Ending::Refused,
            Code::BadRequest
            | Code::NoSuchPath
            | Code::Verb
            | Code::Late
            | Code::TooLarge
            | Code::Encoding => Ending::Malformed,
        }
    }
}

/// The status of an answer with a code of all doors, and how its request ended.
fn fate(code: ResultCode) -> (StatusCode, Ending) {
    match code {
        ResultCode::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, Ending::Failed),
        ResultCode::ResetFailed => (StatusCode::OK, Ending::Failed),
        ResultCode::ResourceExists
        | ResultCode::Refused
        | ResultCode::NotAllowed
        | ResultCode::ReasonRequired
        | ResultCode::TicketRequired
        | ResultCode::Policy
        | ResultCode::Invalid
        | ResultCode::ReadOnly
        | ResultCode::Unidentified
        | ResultCode::Conflict
        | ResultCode::Waiting
        | ResultCode::InUse => (StatusCode::OK, Ending::Refused),
    }
}

impl From<Unfit> for Refusal {
    fn from(Unfit(why): Unfit) -> Self {
        Self::new(
            Code::Of(ResultCode::Invalid),
            format!("Invalid argument: {why}."),
        )
    }
}

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        let (code, message) = refusal(error);
        Self::new(Code::Of(code), message)
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
                VaultError::Exists("an account with this name"),
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
                (refusal.code.number(), refusal.message.as_str()),
                (code, message)
            );
            assert_eq!(refusal.status(), StatusCode::OK, "{message}");
        }
    }

    #[test]
    fn an_outage_is_no_success_of_http_either() {
        let refusal = Refusal::from(VaultError::Unavailable(Outage::Part("audit trail")));

        assert_eq!(refusal.code.number(), 10);
        assert_eq!(
            refusal.message,
            "The server cannot do this now (audit trail). Try again later."
        );
        assert_eq!(refusal.status().as_u16(), 503);
        assert_eq!(refusal.ending(), Ending::Failed);
    }

    #[test]
    fn what_http_refuses_has_its_status_as_code() {
        for (code, number) in [
            (Code::BadRequest, 400),
            (Code::NoSuchPath, 404),
            (Code::Verb, 405),
            (Code::Late, 408),
            (Code::TooLarge, 413),
            (Code::Encoding, 415),
            (Code::TooMany, 429),
            (Code::NotReady, 503),
        ] {
            let status = Refusal::new(code, "").status();
            assert_eq!((status.as_u16(), code.number()), (number, number));
        }
    }
}
