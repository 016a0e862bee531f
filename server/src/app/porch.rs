//! Two APIs at one address: what is below `/api/v1/` is the native one, all else the original's.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Either, Full};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use crate::admin::{Nobody, RemoteDesk, Visitor};
use crate::doors::{Approach, Away, Behind, Guest, Native, Peer, Protocol, Rest};

/// Both of them; the native one once the house is furnished.
#[derive(Debug)]
pub(crate) struct Porch {
    rest: Rest,
    native: OnceLock<Native<Desk>>,
}

impl Porch {
    /// The original's API alone, so far.
    pub(crate) fn new(rest: Rest) -> Self {
        Self {
            rest,
            native: OnceLock::new(),
        }
    }

    /// Opens the native one beside it.
    pub(crate) fn open_native(&self, native: Native<Desk>) {
        // There is one house, which is furnished once.
        let _already = self.native.set(native);
    }
}

impl Protocol for Porch {
    type Session = (Guest, IpAddr);
    type Body = Told;

    const QUOTES_IN_URLS: bool = Rest::QUOTES_IN_URLS;

    fn open(&self, peer: Peer) -> (Guest, IpAddr) {
        let address = peer.address();
        (self.rest.open(peer), address)
    }

    async fn answer(
        &self,
        (guest, address): &(Guest, IpAddr),
        request: Request<Incoming>,
    ) -> Response<Told> {
        match self.native.get() {
            Some(native) if Native::<Desk>::takes(request.uri().path()) => {
                // Boxed: it needs more room, and few ask for it.
                let told = Box::pin(native.answer(*address, request)).await;
                told.map(|body| Told(Either::Right(body)))
            }
            _ => {
                let told = self.rest.answer(guest, request).await;
                told.map(|body| Told(Either::Left(body)))
            }
        }
    }
}

/// What stands behind the native door.
#[derive(Debug)]
pub(crate) struct Desk(pub(crate) RemoteDesk);

impl Behind for Desk {
    async fn answer(&self, request: Request<Incoming>, approach: Approach) -> Response<Body> {
        let visitor = Visitor {
            origin: approach.origin,
            who: approach.who.map_err(|away| match away {
                Away::Unknown(words) => Nobody::Unknown(words),
                Away::Crowd => Nobody::Crowd,
                Away::Unavailable(words) => Nobody::Unavailable(words),
            }),
        };
        self.0.answer(request.map(Body::new), visitor).await
    }
}

/// An answer's body, of either.
#[derive(Debug)]
pub(crate) struct Told(Either<Full<Bytes>, Body>);

impl Default for Told {
    fn default() -> Self {
        Self(Either::Left(Full::default()))
    }
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
