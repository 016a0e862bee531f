//! What a door must be able to do for the accept loop to serve it.

use std::error::Error;
use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::doors::Peer;

/// One protocol spoken over HTTP/1.1.
///
/// The accept loop has already refused what is no HTTP, what has no clear end and what is too
/// slow; a request that comes here is whole in its head, and its body is still on the wire.
pub trait Protocol: Send + Sync + 'static {
    /// What is kept of a connection between its requests.
    type Session: Send + Sync + 'static;
    /// An answer's body; its default is the empty one.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>
        + Default
        + Send
        + Unpin
        + 'static;

    /// Whether a double quote in a request line is taken for `%22`, as clients mean it that leave
    /// JSON in a URL as it is. Otherwise such a request is none.
    const QUOTES_IN_URLS: bool = false;

    /// Opens a session for a connection whose handshake is done.
    fn open(&self, peer: Peer) -> Self::Session;

    /// Answers one request; there is never a second one under way in the same session.
    fn answer(
        &self,
        session: &Self::Session,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Speaks on in the protocol that an answer of 101 has agreed on, until it is over: over the
    /// same wire, after what the peer has sent early. It times its own reads; a peer that does not
    /// take what is written is ended as everywhere.
    fn switched(
        &self,
        _session: &Self::Session,
        _line: (impl AsyncRead + AsyncWrite + Unpin + Send, Bytes),
    ) -> impl Future<Output = ()> + Send {
        async {}
    }
}
