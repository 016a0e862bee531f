//! One HTTP exchange: whatever happens, the answer is an envelope.

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_TYPE,
    HeaderName, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, request};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};
use tracing::{debug, error};

use crate::domain::RequestId;
use crate::doors::Ending;
use crate::doors::body::{self, BodyError};
use crate::doors::rest::Rest;
use crate::doors::rest::answer::{Code, Refusal};
use crate::doors::rest::dispatch::{Ask, Trouble};
use crate::doors::rest::envelope::{Done, Ended, Envelope, File};
use crate::doors::rest::guest::Guest;
use crate::doors::rest::input::{self, Input};
use crate::doors::rest::named::by_name;
use crate::doors::rest::route::{AUTHENTICATION, Endpoint, Lost, TRANSPORT, route};
use crate::vault::VaultError;

/// What is answered, under which name.
struct Said {
    name: &'static str,
    result: Result<Done, Refusal>,
}

impl Said {
    fn refused(name: &'static str, refusal: impl Into<Refusal>) -> Self {
        Self {
            name,
            result: Err(refusal.into()),
        }
    }

    fn ending(&self) -> Ending {
        match &self.result {
            Ok(_) => Ending::Done,
            Err(refusal) => refusal.ending(),
        }
    }
}

impl Rest {
    /// Answers one request.
    pub(super) async fn exchange(
        &self,
        guest: &Guest,
        request: Request<Incoming>,
        id: RequestId,
    ) -> Response<Full<Bytes>> {
        let since = Instant::now();
        let (head, body) = request.into_parts();
        let endpoint = match route(&head.method, head.uri.path()) {
            Ok(endpoint) => endpoint,
            Err(lost) => {
                body::discard(body, &self.limits).await;
                return self.lose(lost, since, id);
            }
        };
        let name = endpoint.operation();
        // The one request for which nobody need say who asks.
        if endpoint == Endpoint::Ping {
            body::discard(body, &self.limits).await;
            let result = self.ping();
            return self.tell(Said { name, result }, since, id);
        }
        let document = match body::take(&head.headers, body, &self.limits, &self.purse).await {
            Ok(document) => document,
            Err(error) => return self.refuse_body(name, &error, since, id),
        };
        let said = self.converse(guest, &head, endpoint, (document.bytes(), id));
        let said = timeout(self.limits.request, said).await;
        let said = said.unwrap_or_else(|_| self.unfinished(name, id));
        self.tell(said, since, id)
    }

    /// Finds out who asks, reads what came along, and has it done. A body is not looked into
    /// before it is known whose it is.
    async fn converse(
        &self,
        guest: &Guest,
        head: &request::Parts,
        endpoint: Endpoint,
        (body, id): (&[u8], RequestId),
    ) -> Said {
        let name = endpoint.operation();
        let limits = &self.settings.input;
        let query = match input::query(head.uri.query(), limits) {
            Ok(query) => query,
            Err(unfit) => return Said::refused(name, unfit),
        };
        let caller = match self.admit(guest, (&head.headers, &query), id).await {
            Ok(caller) => caller,
            Err(refusal) => return Said::refused(AUTHENTICATION, refusal),
        };
        let input = match Input::read(query, body, limits) {
            Ok(input) => input,
            Err(unfit) => return Said::refused(name, unfit),
        };
        let endpoint = match endpoint {
            Endpoint::Named => by_name(&input),
            // See `route`: only what the manual shows is taken for a DELETE.
            Endpoint::DeleteResource(_) if head.method == http::Method::POST => {
                bare(endpoint, &input)
            }
            other => Ok(other),
        };
        let endpoint = match endpoint {
            Ok(endpoint) => endpoint,
            Err(unfit) => return Said::refused(name, unfit),
        };
        let ask = Ask {
            input: &input,
            caller: &caller,
        };
        let done = self.perform(&endpoint, &ask).await;
        Said {
            name: endpoint.operation(),
            result: done.map_err(|trouble| self.refused(trouble, &ask)),
        }
    }

    /// What the caller is told of trouble.
    pub(super) fn refused(&self, trouble: Trouble, ask: &Ask<'_>) -> Refusal {
        match trouble {
            Trouble::Vault(error) => self.refusal(error, ask.caller.origin().request),
            Trouble::Unfit(unfit) => unfit.into(),
            Trouble::Told(refusal) => refusal,
        }
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
    fn unfinished(&self, name: &'static str, id: RequestId) -> Said {
        if let Some(unsaid) = self.outages.now() {
            let after = self.limits.request;
            error!(%id, ?after, unsaid, "a request was not finished in time");
        }
        let message = "The server did not finish in time, and may have done it.";
        Said::refused(name, Refusal::new(Code::NotReady, message))
    }

    fn lose(&self, lost: Lost, since: Instant, id: RequestId) -> Response<Full<Bytes>> {
        let refusal = match lost {
            Lost::NoSuchPath => Refusal::new(Code::NoSuchPath, "There is nothing at this path."),
            Lost::Verb(allowed) => {
                let message = format!("This path takes {allowed} only.");
                Refusal::new(Code::Verb, message)
            }
        };
        let mut response = self.tell(Said::refused(TRANSPORT, refusal), since, id);
        if let Lost::Verb(allowed) = lost {
            let allowed = HeaderValue::from_static(allowed);
            response.headers_mut().insert(ALLOW, allowed);
        }
        response
    }

    fn refuse_body(
        &self,
        name: &'static str,
        error: &BodyError,
        since: Instant,
        id: RequestId,
    ) -> Response<Full<Bytes>> {
        debug!(%error, "no body");
        let code = match error {
            BodyError::Crowded => Code::TooMany,
            BodyError::TooLarge { .. } | BodyError::TooDense { .. } => Code::TooLarge,
            BodyError::Late => Code::Late,
            BodyError::Broken(_) | BodyError::Gzip => Code::BadRequest,
            BodyError::Encoding => Code::Encoding,
        };
        let refusal = Refusal::new(code, sentence(&error.to_string()));
        let mut response = self.tell(Said::refused(name, refusal), since, id);
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

    /// Writes the answer, and counts it.
    fn tell(&self, mut said: Said, since: Instant, id: RequestId) -> Response<Full<Bytes>> {
        let ending = said.ending();
        self.meters.count(said.name, ending, since);
        debug!(operation = said.name, ?ending, "answered");
        if let Some(file) = said.result.as_mut().ok().and_then(Done::take_file) {
            return hand_over(file, id);
        }
        let (status, result) = match &said.result {
            Ok(done) => (StatusCode::OK, Ended::Success(done)),
            Err(refusal) => {
                let code = refusal.code.number();
                let message = &refusal.message;
                (refusal.status(), Ended::Failed { message, code })
            }
        };
        let name = said.name;
        let bytes = Envelope { name, result }.to_bytes();
        let mut response = Response::new(Full::new(Bytes::from_owner(bytes)));
        *response.status_mut() = status;
        mark(response.headers_mut(), id);
        if status == StatusCode::TOO_MANY_REQUESTS {
            let minute = HeaderValue::from_static("60");
            response.headers_mut().insert(RETRY_AFTER, minute);
        }
        response
    }
}

/// A file, to be kept and not to be shown.
fn hand_over(file: File, id: RequestId) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_owner(file.bytes)));
    let headers = response.headers_mut();
    mark(headers, id);
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    let name = format!("attachment; filename=\"{}\"", file.name);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    response
}

/// A POST that deletes: only where nothing says that something else was meant.
fn bare(endpoint: Endpoint, input: &Input) -> Result<Endpoint, input::Unfit> {
    if input.has_document() {
        let words = "INPUT_DATA: a resource is changed with PUT, and deleted with DELETE";
        return Err(input::Unfit(words.to_owned()));
    }
    Ok(endpoint)
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

fn mark(headers: &mut HeaderMap, id: RequestId) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Nothing in an answer is to be shown as a page, whatever a name or reason says.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_maybe_shared(Bytes::from(id.to_string())) {
        headers.insert(X_REQUEST_ID, id);
    }
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
