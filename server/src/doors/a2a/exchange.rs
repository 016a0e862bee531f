//! One HTTP exchange: whatever happens, the answer has the original's form.

use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONNECTION};
use http::{HeaderValue, Request, Response, StatusCode, request};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};
use tracing::{debug, error};

use crate::domain::RequestId;
use crate::doors::a2a::guest::Guest;
use crate::doors::a2a::path::{Lost, Service, Target};
use crate::doors::a2a::reply::{INVALID, Refusal, Reply, UNAVAILABLE, mark, sentence};
use crate::doors::a2a::{A2a, Asked, core, credentials, requests, routes, signalr};
use crate::doors::body::{self, BodyError};
use crate::doors::{Ending, Meter, OperationMeter};
use crate::vault::VaultError;

/// What is counted of each kind of request.
#[derive(Debug)]
pub(super) struct Meters([OperationMeter; 7]);

/// A kind of request, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Credentials,
    Requests,
    Events,
    Core,
    Appliance,
    LogIn,
    Transport,
}

impl Family {
    const NAMES: [&str; 7] = [
        "Credentials",
        "AccessRequests",
        "signalr",
        "core",
        "appliance",
        "RSTS",
        "transport",
    ];

    fn of(target: &Target) -> Self {
        let is = |word: &str| {
            let first = target.segments.first();
            first.is_some_and(|first| first.eq_ignore_ascii_case(word))
        };
        match target.service {
            Service::A2a if is("Credentials") => Self::Credentials,
            Service::A2a if is("AccessRequests") => Self::Requests,
            Service::A2a if is("signalr") => Self::Events,
            Service::Event => Self::Events,
            Service::Core => Self::Core,
            Service::Appliance => Self::Appliance,
            Service::Rsts => Self::LogIn,
            Service::A2a => Self::Transport,
        }
    }
}

impl Meters {
    pub(super) fn new(meter: &Meter) -> Self {
        Self(Family::NAMES.map(|name| meter.operation(A2a::NAME, name)))
    }

    fn count(&self, family: Family, ending: Ending, since: Instant) {
        if let Some(operation) = self.0.get(family as usize) {
            operation.count(ending, since.elapsed());
        }
    }
}

impl A2a {
    /// Answers one request.
    pub(super) async fn exchange(
        &self,
        guest: &Guest,
        request: Request<Incoming>,
        id: RequestId,
    ) -> Response<Body> {
        let since = Instant::now();
        let (mut head, body) = request.into_parts();
        let target = match Target::read(head.uri.path(), head.uri.query()) {
            Ok(target) => target,
            Err(lost) => {
                body::discard(body, &self.limits).await;
                return self.tell((Family::Transport, since), Err(astray(lost)), id);
            }
        };
        let family = Family::of(&target);
        let document = match body::take(&head.headers, body, &self.limits, &self.purse).await {
            Ok(document) => document,
            Err(error) => return self.refuse_body((family, since), &error, id),
        };
        // Whoever stays on the connection reads them from the request.
        let headers = if family == Family::Events {
            head.headers.clone()
        } else {
            std::mem::take(&mut head.headers)
        };
        let asked = Asked {
            door: self,
            guest,
            method: head.method.clone(),
            target,
            headers,
            body: Bytes::from_owner(document),
            request: id,
        };
        // Boxed: what a request needs is given back while its connection waits for the next.
        let said = Box::pin(dispatch(family, asked, head));
        let said = timeout(self.limits.request, said).await;
        let said = said.unwrap_or_else(|_| Err(self.unfinished(id)));
        self.tell((family, since), said, id)
    }

    /// What the caller is told; the log is told what lies behind an outage.
    pub(super) fn refusal(&self, error: VaultError, id: RequestId) -> Refusal {
        if let VaultError::Unavailable(outage) = &error
            && let Some(unsaid) = self.outages.now()
        {
            error!(%id, outage = outage.in_full(), unsaid, "unavailable");
        }
        Refusal::from(error)
    }

    /// Nobody knows whether it is done: the caller must look.
    pub(super) fn unfinished(&self, id: RequestId) -> Refusal {
        if let Some(unsaid) = self.outages.now() {
            let after = self.limits.request;
            error!(%id, ?after, unsaid, "a request was not finished in time");
        }
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            UNAVAILABLE,
            "The server did not finish in time, and may have done it.",
        )
    }

    fn refuse_body(
        &self,
        counted: (Family, Instant),
        error: &BodyError,
        id: RequestId,
    ) -> Response<Body> {
        debug!(%error, "no body");
        let status = match error {
            BodyError::Crowded => StatusCode::TOO_MANY_REQUESTS,
            BodyError::TooLarge { .. } | BodyError::TooDense { .. } => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            BodyError::Late => StatusCode::REQUEST_TIMEOUT,
            BodyError::Broken(_) | BodyError::Gzip => StatusCode::BAD_REQUEST,
            BodyError::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        };
        let refusal = Refusal::new(status, INVALID, sentence(&error.to_string()));
        let mut response = self.tell(counted, Err(refusal), id);
        let headers = response.headers_mut();
        match error {
            BodyError::Late | BodyError::Broken(_) | BodyError::Crowded => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            BodyError::Encoding => {
                headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, identity"));
            }
            BodyError::TooLarge { .. } | BodyError::TooDense { .. } | BodyError::Gzip => {}
        }
        response
    }

    /// Finishes the answer, and counts it.
    fn tell(
        &self,
        (family, since): (Family, Instant),
        said: Reply,
        id: RequestId,
    ) -> Response<Body> {
        let (mut response, ending) = match said {
            Ok(response) => (response, Ending::Done),
            Err(refusal) => {
                let ending = refusal.ending();
                (refusal.into_response(), ending)
            }
        };
        self.meters.count(family, ending, since);
        debug!(?family, ?ending, "answered");
        mark(response.headers_mut(), id);
        response
    }
}

async fn dispatch(family: Family, asked: Asked<'_>, head: request::Parts) -> Reply {
    routes::admit(&asked.target, &asked.method)?;
    match family {
        Family::Credentials => credentials::answer(&asked).await,
        Family::Requests => requests::answer(&asked).await,
        Family::Events => signalr::answer(&asked, Request::from_parts(head, ())).await,
        Family::Core | Family::Appliance => core::answer(&asked).await,
        Family::LogIn => core::login::answer(&asked).await,
        Family::Transport => Err(astray(Lost::Nothing)),
    }
}

/// Why there is nothing at an address.
pub(super) fn astray(lost: Lost) -> Refusal {
    match lost {
        Lost::Nothing => Refusal::missing("There is nothing at this path."),
        Lost::Crooked => Refusal::invalid(
            "The request is invalid. Its path or query steps aside, hides a slash, or is no text.",
        ),
    }
}
