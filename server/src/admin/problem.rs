//! From the vault's refusals to RFC 9457: the one mapping of this door.

use std::error::Error;

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::admin::wire::Problem;
use crate::domain::RequestId;
use crate::vault::VaultError;

/// Why a request was not done. The request's id is added on the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
}

impl Refusal {
    fn new(
        status: StatusCode,
        (kind, title): (&'static str, &'static str),
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
        }
    }

    /// What was asked for makes no sense.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(
            status,
            ("invalid", "what was asked for makes no sense"),
            detail,
        )
    }

    /// The request cannot be read.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self::new(status, ("malformed", "the request cannot be read"), detail)
    }

    /// The body is too long.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("at most {limit} bytes are read; an import comes in batches");
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        Self::new(status, ("too-large", "the request is too large"), detail)
    }

    /// The body did not come in time.
    pub(crate) fn too_slow() -> Self {
        let detail = "the body did not come in time";
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            ("too-slow", "the request took too long"),
            detail,
        )
    }

    /// The body is of another kind than this wants.
    pub(crate) fn media_type(wanted: &str) -> Self {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let kind = ("media-type", "the body is of another kind");
        Self::new(status, kind, format!("the body must be {wanted}"))
    }

    /// Nobody knows who asks.
    pub(crate) fn unknown(detail: impl Into<String>) -> Self {
        let kind = ("unknown", "it is not known who you are");
        Self::new(StatusCode::UNAUTHORIZED, kind, detail)
    }

    /// Too many from there have shown nothing that counts.
    pub(crate) fn crowd() -> Self {
        let kind = ("crowd", "too many requests");
        let detail = "too many requests from this address have shown nothing that counts: try \
                      again in a minute";
        Self::new(StatusCode::TOO_MANY_REQUESTS, kind, detail)
    }

    /// There is no such path.
    pub(crate) fn no_such_path() -> Self {
        let detail = "there is no such path: docs/openapi/admin.json lists them";
        Self::new(
            StatusCode::NOT_FOUND,
            ("no-such-path", "there is no such path"),
            detail,
        )
    }

    /// The path does not know the method.
    pub(crate) fn no_such_method() -> Self {
        let detail = "this path does not know this method: docs/openapi/admin.json lists them";
        let kind = ("no-such-method", "there is no such method");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, kind, detail)
    }

    /// The house cannot do it now.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, UNAVAILABLE, detail)
    }

    /// There is no such thing.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND, detail)
    }

    /// The problem with the id of its request.
    pub(crate) fn of(self, request: RequestId) -> Problem {
        Problem {
            kind: format!("tag:claviger,2026:{}", self.kind),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            request: request.to_string(),
        }
    }
}

const UNAVAILABLE: (&str, &str) = ("unavailable", "the server cannot do this now");
const NOT_FOUND: (&str, &str) = ("not-found", "there is no such thing");

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        let detail = with_causes(&error);
        let (status, kind) = match error {
            VaultError::Unidentified(_) | VaultError::NotAllowed => {
                (StatusCode::FORBIDDEN, ("forbidden", "you may not do this"))
            }
            VaultError::Refused | VaultError::NotFound(_) => (StatusCode::NOT_FOUND, NOT_FOUND),
            VaultError::ReasonRequired => (
                StatusCode::UNPROCESSABLE_ENTITY,
                ("reason-required", "a reason is demanded"),
            ),
            VaultError::TicketRequired => (
                StatusCode::UNPROCESSABLE_ENTITY,
                ("ticket-required", "a ticket is demanded"),
            ),
            VaultError::OwnRequest => (
                StatusCode::FORBIDDEN,
                ("own-request", "nobody decides about a request of their own"),
            ),
            VaultError::Waiting(_) => (
                StatusCode::CONFLICT,
                ("waiting", "it is under access control and not checked out"),
            ),
            VaultError::InUse(_) | VaultError::Held => {
                (StatusCode::CONFLICT, ("in-use", "somebody holds it"))
            }
            VaultError::Policy(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                ("policy", "the password does not keep its policy"),
            ),
            VaultError::Invalid(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                ("invalid", "what was asked for makes no sense"),
            ),
            VaultError::ResourceExists | VaultError::Exists(_) => {
                (StatusCode::CONFLICT, ("exists", "it is there already"))
            }
            VaultError::Conflict => (
                StatusCode::CONFLICT,
                ("conflict", "somebody else changed it meanwhile"),
            ),
            VaultError::ReadOnly => (
                StatusCode::CONFLICT,
                ("read-only", "this server answers retrievals only"),
            ),
            VaultError::RemoteReset(_) => (
                StatusCode::BAD_GATEWAY,
                ("target", "the target machine could not be told"),
            ),
            VaultError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
        };
        Self::new(status, kind, detail)
    }
}

/// An error with its causes in one line: whoever is on this socket may know them.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let more = deeper.to_string();
        // Some errors tell their cause themselves.
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = deeper.source();
    }
    text
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PolicyViolation;
    use crate::vault::{Hurdle, Outage};

    #[test]
    fn every_refusal_has_its_status() {
        let cases = [
            (VaultError::Unidentified("x".to_owned()), 403, "forbidden"),
            (VaultError::NotAllowed, 403, "forbidden"),
            (VaultError::Refused, 404, "not-found"),
            (VaultError::NotFound("user"), 404, "not-found"),
            (VaultError::ReasonRequired, 422, "reason-required"),
            (VaultError::TicketRequired, 422, "ticket-required"),
            (VaultError::OwnRequest, 403, "own-request"),
            (VaultError::Waiting(Hurdle::Approval), 409, "waiting"),
            (VaultError::InUse("x".to_owned()), 409, "in-use"),
            (VaultError::Held, 409, "in-use"),
            (VaultError::Policy(PolicyViolation::NoUpper), 422, "policy"),
            (VaultError::Invalid("x".to_owned()), 422, "invalid"),
            (VaultError::ResourceExists, 409, "exists"),
            (VaultError::Exists("a user with this name"), 409, "exists"),
            (VaultError::Conflict, 409, "conflict"),
            (VaultError::ReadOnly, 409, "read-only"),
            (VaultError::RemoteReset("x".to_owned()), 502, "target"),
            (
                VaultError::Unavailable(Outage::Part("x")),
                503,
                "unavailable",
            ),
        ];

        for (error, status, kind) in cases {
            let shown = format!("{error:?}");
            let problem = Refusal::from(error).of(RequestId(10));
            assert_eq!(problem.status, status, "{shown}");
            assert_eq!(problem.kind, format!("tag:claviger,2026:{kind}"), "{shown}");
            assert_eq!(problem.request, "000000000000000a");
        }
    }

    #[test]
    fn a_cause_is_told_once() {
        let outage = VaultError::Unavailable(Outage::Part("the disk is full"));

        assert_eq!(
            with_causes(&outage),
            "the server cannot do this now: the disk is full"
        );
    }
}
