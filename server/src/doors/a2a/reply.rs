//! The form of every answer: compact JSON, and one form for whatever is refused.

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use zeroize::Zeroizing;

use crate::domain::RequestId;
use crate::doors::Ending;
use crate::doors::body::append;
use crate::vault::VaultError;

/// What a request is answered.
pub(super) type Reply = Result<Response<Body>, Refusal>;

/// A request that is not done, in the original's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: i32,
    pub(super) message: String,
    /// Which members of a body are wrong, and why.
    pub(super) model: Vec<(String, String)>,
    /// The verbs that the path takes, where another came.
    allowed: Option<HeaderValue>,
}

impl Refusal {
    /// Refused with this status, code and message.
    pub(super) fn new(status: StatusCode, code: i32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            model: Vec::new(),
            allowed: None,
        }
    }

    /// Nobody is known by what was shown, or nothing was: 401. `help` may be empty.
    pub(super) fn unknown(help: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            UNKNOWN,
            with("Authorization is denied for this request.", help),
        )
    }

    /// It may not: 403. `help` may be empty.
    pub(super) fn forbidden(help: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            FORBIDDEN,
            with("Authorization is required for this request.", help),
        )
    }

    /// There is no such thing: 404.
    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, MISSING, message)
    }

    /// The request makes no sense: 400.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID, message)
    }

    /// The same with a code of its own.
    pub(super) fn bad(code: i32, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// One member of the body is wrong: 400.
    pub(super) fn field(name: &str, why: impl Into<String>) -> Self {
        let mut refusal = Self::invalid("The request is invalid.");
        refusal.model.push((name.to_owned(), why.into()));
        refusal
    }

    /// This path takes these verbs only: 405.
    pub(super) fn verb(allowed: &[&str]) -> Self {
        let words = match allowed {
            [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
            _ => allowed.concat(),
        };
        let message = format!("This path takes {words} only.");
        let mut refusal = Self::new(StatusCode::METHOD_NOT_ALLOWED, INVALID, message);
        refusal.allowed = HeaderValue::from_str(&allowed.join(", ")).ok();
        refusal
    }

    /// Too many requests from this address have proved nothing: 429.
    pub(super) fn crowd() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            UNKNOWN,
            "Too many requests from this address have shown no certificate, key or token that \
             counts. Try again in a minute.",
        )
    }

    /// For the metrics.
    pub(super) fn ending(&self) -> Ending {
        match self.status.as_u16() {
            400 | 404 | 405 | 408 | 413 | 415 => Ending::Malformed,
            500..=599 => Ending::Failed,
            _ => Ending::Refused,
        }
    }

    /// As it is sent.
    pub(super) fn into_response(mut self) -> Response<Body> {
        let allowed = self.allowed.take();
        let mut response = json(self.status, &self);
        if let Some(allowed) = allowed {
            response.headers_mut().insert(ALLOW, allowed);
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            let minute = HeaderValue::from_static("60");
            response.headers_mut().insert(RETRY_AFTER, minute);
        }
        response
    }
}

fn with(message: &str, help: &str) -> String {
    match help.is_empty() {
        true => message.to_owned(),
        false => format!("{message} {help}"),
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Code", &self.code)?;
        map.serialize_entry("Message", &self.message)?;
        map.serialize_entry("InnerError", &())?;
        if !self.model.is_empty() {
            map.serialize_entry("ModelState", &Model(&self.model))?;
        }
        map.end()
    }
}

/// Each member with the list of what is wrong with it.
struct Model<'a>(&'a [(String, String)]);

impl Serialize for Model<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.0.iter().map(|(name, why)| (name, [why]));
        serializer.collect_map(entries)
    }
}

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        let clash = |code, message: String| Self::new(StatusCode::CONFLICT, code, message);
        match error {
            VaultError::Unidentified(why) => Self::unknown(&sentence(&why)),
            VaultError::NotAllowed => Self::forbidden(""),
            VaultError::ReasonRequired
            | VaultError::TicketRequired
            | VaultError::OwnRequest
            | VaultError::Waiting(_) => Self::forbidden(&sentence(&error.to_string())),
            VaultError::Refused => Self::missing("There is no such asset or account."),
            VaultError::NotFound(what) => Self::missing(format!("There is no such {what}.")),
            VaultError::InUse(_) | VaultError::Held => clash(OVERLAP, sentence(&error.to_string())),
            VaultError::Policy(violation) => Self::bad(
                COMPLEXITY,
                format!("The password does not keep its policy: {violation}."),
            ),
            VaultError::Invalid(why) => Self::bad(INVALID, sentence(&why)),
            VaultError::ResourceExists => clash(
                INVALID,
                "An asset with this name exists already.".to_owned(),
            ),
            VaultError::Exists(what) => clash(INVALID, format!("There already is {what}.")),
            VaultError::Conflict => clash(INVALID, sentence(&error.to_string())),
            VaultError::RemoteReset(why) => {
                Self::bad(INVALID, format!("Password reset failed: {why}."))
            }
            VaultError::ReadOnly | VaultError::Unavailable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                UNAVAILABLE,
                sentence(&error.to_string()),
            ),
        }
    }
}

/// Words as the vault says them, as a sentence.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// 200 with `content`.
pub(super) fn ok(content: &impl Serialize) -> Response<Body> {
    json(StatusCode::OK, content)
}

/// 201 with `content`.
pub(super) fn created(content: &impl Serialize) -> Response<Body> {
    json(StatusCode::CREATED, content)
}

/// 204.
pub(super) fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// 200 with a text that is no JSON.
pub(super) fn plain(text: Zeroizing<Vec<u8>>) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from_owner(text)));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Compact JSON, since some clients look for their values with regular expressions; wiped when it
/// is sent, since some of it is secret.
pub(super) fn json(status: StatusCode, content: &impl Serialize) -> Response<Body> {
    let mut bytes = Wiped(Zeroizing::new(Vec::with_capacity(256)));
    let written = serde_json::to_writer(&mut bytes, content);
    let mut response = Response::new(Body::from(Bytes::from_owner(bytes.0)));
    // Only content that cannot be written as JSON at all fails, and there is none here.
    *response.status_mut() = match written {
        Ok(()) => status,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// A buffer that leaves no copy behind where it grows.
struct Wiped(Zeroizing<Vec<u8>>);

impl std::io::Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        append(&mut self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What every answer says of itself.
pub(super) fn mark(headers: &mut HeaderMap, id: RequestId) {
    // Nothing in an answer is to be shown as a page, whatever a name or reason says.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_maybe_shared(Bytes::from(id.to_string())) {
        headers.insert(X_REQUEST_ID, id);
    }
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

// The original's codes, as far as they are public (see docs/a2a.md for those that are not).
/// Nobody is known by what was shown.
pub(super) const UNKNOWN: i32 = 60094;
/// It may not.
pub(super) const FORBIDDEN: i32 = 60108;
/// There is no such thing.
pub(super) const MISSING: i32 = 60107;
/// The request makes no sense.
pub(super) const INVALID: i32 = 70000;
/// There is no body where one is needed.
pub(super) const NO_BODY: i32 = 60245;
/// A password breaks its policy.
pub(super) const COMPLEXITY: i32 = 60247;
/// An account's password is not in the body.
pub(super) const NO_PASSWORD_SENT: i32 = 60027;
/// A person's password is not in the body.
pub(super) const NO_OWN_PASSWORD_SENT: i32 = 60077;
/// A password is longer than any.
pub(super) const TOO_LONG: i32 = 70004;
/// Somebody holds it.
pub(super) const OVERLAP: i32 = 90001;
/// The server cannot do it now.
pub(super) const UNAVAILABLE: i32 = 50000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_compact_and_in_the_originals_order() {
        let told = |refusal: &Refusal| serde_json::to_string(refusal).unwrap();

        assert_eq!(
            told(&Refusal::forbidden("")),
            r#"{"Code":60108,"Message":"Authorization is required for this request.","InnerError":null}"#
        );
        assert_eq!(
            told(&Refusal::field("entity.Name", "It is missing.")),
            r#"{"Code":70000,"Message":"The request is invalid.","InnerError":null,"ModelState":{"entity.Name":["It is missing."]}}"#
        );
    }

    #[test]
    fn what_may_not_be_and_what_is_not_there_are_told_apart() {
        let told = |error| {
            let refusal = Refusal::from(error);
            (refusal.status.as_u16(), refusal.code)
        };

        assert_eq!(told(VaultError::NotAllowed), (403, 60108));
        assert_eq!(told(VaultError::Refused), (404, 60107));
        assert_eq!(told(VaultError::Unidentified("x".to_owned())), (401, 60094));
        assert_eq!(told(VaultError::Invalid("x".to_owned())), (400, 70000));
        assert_eq!(told(VaultError::ReadOnly), (503, 50000));
    }
}
