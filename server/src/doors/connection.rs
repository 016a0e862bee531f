//! One connection: from its first request to its last byte.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, HOST, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use crate::doors::framing::Place;
use crate::doors::pace::{Paced, Readiness, Traffic};
use crate::doors::{Closing, Limits, Protocol};

/// A stream that carries HTTP, and the socket below it.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Readiness + Unpin + Send {
    /// The socket, for what is read only to be thrown away.
    fn socket(&mut self) -> &mut TcpStream;
}

impl Wire for TcpStream {
    fn socket(&mut self) -> &mut TcpStream {
        self
    }
}

/// A connection after its handshake; boxed, since it is large and handed on a few times.
pub(crate) type Tls = Box<TlsStream<TcpStream>>;

impl Wire for Tls {
    fn socket(&mut self) -> &mut TcpStream {
        self.get_mut().0
    }
}

impl Readiness for TcpStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_read_ready(cx).map(drop)
    }
}

impl Readiness for Tls {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(self).poll_fill_buf(cx).map(drop)
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Between two requests, by either side.
    Done,
    /// The peer was late.
    Late,
    /// The door closes, and the peer had asked for nothing.
    Closing,
    /// What the peer sent was no request, or it went away in the middle of one.
    Broken,
}

/// Serves all requests of one connection, then closes it so that the peer sees its last answer.
pub(crate) async fn serve<W: Wire, P: Protocol>(
    wire: W,
    (protocol, session): (Arc<P>, P::Session),
    limits: Limits,
    mut closing: Closing,
) {
    let traffic = Arc::new(Traffic::default());
    let mut stream = Paced::new(wire, Arc::clone(&traffic), &limits);
    if P::QUOTES_IN_URLS {
        stream.encode_quotes();
    }
    let desk = Arc::new(Desk {
        protocol,
        session,
        traffic,
        switched: AtomicBool::new(false),
    });
    let (end, early) = loop {
        match or_closing(stream.ready(), &mut closing).await {
            None => break (End::Closing, Bytes::new()),
            Some(Err(_)) => break (End::Late, Bytes::new()),
            Some(Ok(())) => {}
        }
        // Boxed, so that a parked connection has no room for what it does not do.
        let talk = converse(&mut stream, Arc::clone(&desk), &limits, &mut closing);
        let end = Box::pin(talk).await;
        if !stream.take_parked() {
            break end;
        }
    };
    if end == End::Done && desk.switched.load(Ordering::Relaxed) {
        stream.switch();
        let talk = desk.protocol.switched(&desk.session, (&mut stream, early));
        Box::pin(talk).await;
    }
    Box::pin(leave(stream, end, &limits)).await;
}

/// What `future` gives, or nothing when `closing` comes first.
pub(crate) async fn or_closing<F: Future>(future: F, closing: &mut Closing) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = closing.said() => None,
    }
}

/// Whoever answers the requests of one connection.
struct Desk<P: Protocol> {
    protocol: Arc<P>,
    session: P::Session,
    traffic: Arc<Traffic>,
    /// An answer has said that another protocol follows.
    switched: AtomicBool,
}

impl<P: Protocol> Desk<P> {
    async fn answer(&self, request: Request<Incoming>) -> Response<Answer<P::Body>> {
        let answering = Answering::begin(&self.traffic);
        let may_switch =
            request.version() == Version::HTTP_11 && request.headers().contains_key(UPGRADE);
        let response = if self.traffic.is_ambiguous() || !has_one_host(&request) {
            bad_request()
        } else {
            self.protocol.answer(&self.session, request).await
        };
        if may_switch && response.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.switched.store(true, Ordering::Relaxed);
        }
        response.map(|body| Answer {
            body,
            _answering: answering,
        })
    }
}

/// Until it is dropped a request is being answered.
struct Answering(Arc<Traffic>);

impl Answering {
    fn begin(traffic: &Arc<Traffic>) -> Self {
        traffic.set_answering(true);
        Self(Arc::clone(traffic))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.set_answering(false);
    }
}

/// The body of an answer, which is ours to give until its end: one may have long pauses.
struct Answer<B> {
    body: B,
    _answering: Answering,
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// RFC 9112 §3.2: a request with no host, or with two, is answered 400. Which one it names decides
/// nothing here.
fn has_one_host(request: &Request<Incoming>) -> bool {
    let hosts = request.headers().get_all(HOST).iter().count();
    hosts == 1 || (hosts == 0 && request.version() == Version::HTTP_10)
}

fn bad_request<B: Default>() -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Speaks HTTP; what the peer sent behind its last request comes along.
async fn converse<W: Wire, P: Protocol>(
    stream: &mut Paced<W>,
    desk: Arc<Desk<P>>,
    limits: &Limits,
    closing: &mut Closing,
) -> (End, Bytes) {
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.answer(request).await) }
    });
    let mut connection = http(limits).serve_connection(TokioIo::new(stream), service);
    let result = tokio::select! {
        biased;
        result = &mut connection => result,
        () = closing.said() => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    let end = match result {
        Ok(()) => End::Done,
        Err(error) if is_late(&error) => End::Late,
        Err(_) => End::Broken,
    };
    (end, connection.into_parts().read_buf)
}

/// HTTP/1.1 within `limits`. The times are kept by [`Paced`], so hyper needs no timer.
fn http(limits: &Limits) -> http1::Builder {
    const LEAST: usize = 8192; // hyper's own
    let mut http = http1::Builder::new();
    // A peer may close its half once it has asked; what it asked for is still done and answered.
    http.half_close(true)
        .header_read_timeout(None)
        .max_header_size(limits.header_bytes)
        .max_headers(limits.headers)
        .max_buf_size(limits.header_bytes.max(LEAST))
        .writev(true);
    http
}

fn is_late(error: &hyper::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return io.kind() == io::ErrorKind::TimedOut;
        }
        source = cause.source();
    }
    false
}

/// Closes the connection. A socket that is closed with bytes unread is reset, and a reset may
/// overtake the answer: so what a refused peer still sends is read for a while.
async fn leave<W: Wire>(mut stream: Paced<W>, end: End, limits: &Limits) {
    let place = stream.place();
    if end == End::Done && place == Place::Between {
        return;
    }
    let may_still_send = end == End::Broken || place != Place::Between;
    let farewell = async {
        if end == End::Late && place == Place::Head {
            stream.write_all(REQUEST_TIMEOUT).await?;
        }
        stream.shutdown().await?;
        if may_still_send {
            discard(stream.get_mut().socket()).await?;
        }
        io::Result::Ok(())
    };
    let _ = timeout(limits.linger, farewell).await;
}

async fn discard(socket: &mut TcpStream) -> io::Result<()> {
    let mut waste = vec![0; 16 * 1024];
    while socket.read(&mut waste).await? > 0 {}
    Ok(())
}

const REQUEST_TIMEOUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
