//! The same API for whoever does not stand at this machine: another door has found out who it is,
//! or that nobody knows, and each decision is by its own rights.

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request};
use http_body_util::Limited;

use crate::admin::answer::{answered, told};
use crate::admin::asked::Peer;
use crate::admin::problem::Refusal;
use crate::admin::routes::{SESSION, router};
use crate::admin::{Desk, Tasks};
use crate::vault::{Caller, Origin};

/// Whoever comes by another door than the socket.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// From where.
    pub origin: Origin,
    /// Who it is, or why nobody knows.
    pub who: Result<Caller, Nobody>,
}

/// Why nobody knows who comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nobody {
    /// Nothing that counts was shown; in words for them.
    Unknown(String),
    /// Too many from there have shown nothing that counts.
    Crowd,
    /// It cannot be found out now; in words.
    Unavailable(String),
}

impl Nobody {
    pub(crate) fn refusal(&self) -> Refusal {
        match self {
            Self::Unknown(words) => Refusal::unknown(words.clone()),
            Self::Crowd => Refusal::crowd(),
            Self::Unavailable(words) => Refusal::unavailable(words.clone()),
        }
    }
}

/// The API for visitors.
#[derive(Clone, Debug)]
pub struct RemoteDesk {
    router: Router,
    tasks: Tasks,
}

impl RemoteDesk {
    /// Over the same desk as the socket's.
    #[must_use]
    pub fn new(desk: &Desk) -> Self {
        Self {
            router: router(desk.clone()),
            tasks: desk.tasks.clone(),
        }
    }

    /// Answers one request, whose path is as on the socket. Nobody who is unknown comes further
    /// than to where one signs in.
    pub async fn answer(&self, mut request: Request<Body>, visitor: Visitor) -> Response {
        let id = visitor.origin.request;
        let refusal = match &visitor.who {
            Ok(_) => None,
            Err(Nobody::Unknown(_)) if signs_in(&request) => None,
            Err(nobody) => Some(nobody.refusal()),
        };
        let mut response = match refusal {
            Some(refusal) => told(refusal.into_response(), id),
            None => {
                if visitor.who.is_err() {
                    // Of whoever is unknown, no more is read than it takes to sign in.
                    request = request.map(|body| Body::new(Limited::new(body, SIGN_IN_BYTES)));
                }
                request.extensions_mut().insert(Peer::Visitor(visitor));
                answered(self.router.clone(), &self.tasks, request, id).await
            }
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

/// The longest request to sign in.
const SIGN_IN_BYTES: usize = 16 * 1024;

fn signs_in(request: &Request<Body>) -> bool {
    request.method() == Method::POST && request.uri().path() == SESSION
}
