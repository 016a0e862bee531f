//! The native admin API away from this machine: who it is that comes, and on to what stands behind.
//!
//! Persons sign in with name, password and code and then show their session's token; programs show
//! a token of their own. Nothing is decided here but who it is.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::AUTHORIZATION;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use tokio::time::Instant;
use tracing::error;

use crate::domain::{ApiToken, Door};
use crate::doors::rarely::Rarely;
use crate::doors::strangers::Strangers;
use crate::doors::{Ending, Meter, OperationMeter};
use crate::vault::{Caller, Credential, Origin, Vault, VaultError};

/// What stands behind the door.
pub trait Behind: Send + Sync + 'static {
    /// Answers one request, whose path is below [`Native::PREFIX`].
    fn answer(
        &self,
        request: Request<Incoming>,
        approach: Approach,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// Somebody who comes.
#[derive(Debug)]
pub struct Approach {
    /// From where.
    pub origin: Origin,
    /// Who it is, or why nobody knows.
    pub who: Result<Caller, Away>,
}

/// Why nobody knows who comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Away {
    /// Nothing that counts was shown; in words for them.
    Unknown(String),
    /// Too many from there have shown nothing that counts.
    Crowd,
    /// It cannot be found out now; in words.
    Unavailable(String),
}

/// The door for persons, and for programs that administer.
pub struct Native<B> {
    vault: Arc<Vault>,
    behind: B,
    strangers: Strangers,
    meter: OperationMeter,
    outages: Rarely,
}

impl<B> fmt::Debug for Native<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Native").finish_non_exhaustive()
    }
}

impl<B> Native<B> {
    /// The beginning of every path here.
    pub const PREFIX: &'static str = "/api/v1/";

    /// Whether a path is of this API.
    #[must_use]
    pub fn takes(path: &str) -> bool {
        path.starts_with(Self::PREFIX)
    }
}

impl<B: Behind> Native<B> {
    /// A door to what is `behind` it; of those whom nobody knows, so many a minute from one address
    /// are answered and written down.
    #[must_use]
    pub fn new(vault: Arc<Vault>, behind: B, strangers: u32, meter: &Meter) -> Self {
        Self {
            vault,
            behind,
            strangers: Strangers::new(strangers),
            meter: meter.operation("native", "request"),
            outages: Rarely::new(Duration::from_secs(1)),
        }
    }

    /// Answers one request of whoever is at `address`.
    pub async fn answer(&self, address: IpAddr, mut request: Request<Incoming>) -> Response<Body> {
        let since = Instant::now();
        let origin = Origin {
            door: Door::Admin,
            peer: Some(address),
            request: self.vault.next_request(),
        };
        let signs_in = request.method() == Method::POST && request.uri().path() == SESSION;
        let who = match signs_in {
            true => Err(self.before_signing_in(address)),
            false => self.recognise(request.headers(), address, &origin).await,
        };
        *request.uri_mut() = below(request.uri());
        let approach = Approach { origin, who };
        let response = self.behind.answer(request, approach).await;
        if signs_in && response.status() == StatusCode::UNAUTHORIZED {
            self.strangers.count(address);
        }
        self.meter.count(ending(response.status()), since.elapsed());
        response
    }

    /// Whoever signed in, or the user of a token of its own.
    async fn recognise(
        &self,
        headers: &HeaderMap,
        address: IpAddr,
        origin: &Origin,
    ) -> Result<Caller, Away> {
        let Some(token) = bearer(headers) else {
            if self.strangers.too_many(address) {
                return Err(Away::Crowd);
            }
            let told = self.vault.turn_away_untold("(no token)", origin).await;
            return Err(self.turned_away(&told, address));
        };
        let session = self.vault.by_session(&token, origin).await;
        if let Some(caller) = session.map_err(|error| self.turned_away(&error, address))? {
            return Ok(caller);
        }
        if self.strangers.too_many(address) {
            let live = self.vault.is_live(&token).await;
            if !live.map_err(|error| self.turned_away(&error, address))? {
                return Err(Away::Crowd);
            }
        }
        let credential = Credential::Token(token);
        let found = self.vault.identify_now(&credential, origin).await;
        found.map_err(|error| self.turned_away(&error, address))
    }

    fn turned_away(&self, error: &VaultError, address: IpAddr) -> Away {
        if let VaultError::Unavailable(outage) = error {
            if let Some(unsaid) = self.outages.now() {
                error!(outage = outage.in_full(), unsaid, "unavailable");
            }
            return Away::Unavailable(error.to_string());
        }
        self.strangers.count(address);
        Away::Unknown(HOW.to_owned())
    }

    fn before_signing_in(&self, address: IpAddr) -> Away {
        match self.strangers.too_many_near(address) {
            true => Away::Crowd,
            false => Away::Unknown(String::new()),
        }
    }
}

/// The token of `Authorization: Bearer`; none where there are several.
fn bearer(headers: &HeaderMap) -> Option<ApiToken> {
    let mut shown = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (shown.next()?, shown.next());
    if second.is_some() {
        return None;
    }
    let (scheme, token) = first.to_str().ok()?.split_once(' ')?;
    let bearer = scheme.eq_ignore_ascii_case("bearer");
    bearer.then(|| ApiToken::parse(token.trim()).ok()).flatten()
}

/// The same without what is before `/v1/`.
fn below(uri: &Uri) -> Uri {
    let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let rest = whole.strip_prefix(BEFORE).unwrap_or(whole);
    rest.parse().unwrap_or_default()
}

fn ending(status: StatusCode) -> Ending {
    match status.as_u16() {
        200..=399 => Ending::Done,
        400 | 404 | 405 | 408 | 413 | 415 => Ending::Malformed,
        500..=599 => Ending::Failed,
        _ => Ending::Refused,
    }
}

const SESSION: &str = "/api/v1/session";
const BEFORE: &str = "/api";
const HOW: &str = "sign in with POST /api/v1/session and send its token as `Authorization: Bearer`, \
                   or a token of your own";

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const TOKEN: &str = "B9A1809A-5BF7-4459-9ED2-8D4F499CB902";

    fn shown(values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        bearer(&headers).is_some()
    }

    #[test]
    fn a_token_comes_as_bearer_once_and_no_other_way() {
        let bearer = format!("Bearer {TOKEN}");

        assert!(shown(&[&bearer]));
        assert!(shown(&[&format!("bearer  {TOKEN}")]));
        assert!(!shown(&[]));
        assert!(!shown(&[&bearer, &bearer]));
        assert!(!shown(&[TOKEN]));
        assert!(!shown(&[&format!("Basic {TOKEN}")]));
        assert!(!shown(&["Bearer x"]));
    }

    #[test]
    fn a_path_goes_on_as_on_the_socket() {
        let table = [
            ("/api/v1/users?limit=1", "/v1/users?limit=1"),
            ("/api/v1/users/a%2Fb", "/v1/users/a%2Fb"),
            ("/api/v1//x/../y", "/v1//x/../y"),
        ];

        for (outside, inside) in table {
            assert_eq!(below(&outside.parse().unwrap()).to_string(), inside);
        }
    }
}
