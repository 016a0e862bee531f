//! One connection: TCP, TLS, HTTP/1.1, and one request at a time.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsConnector;

/// Where to connect, and whom to expect there.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) name: ServerName<'static>,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum ConnectFailure {
    Io(io::Error),
    Tls(rustls::Error),
}

/// Why a request has no response.
#[derive(Debug)]
pub(crate) struct SendFailure {
    pub(crate) error: hyper::Error,
    /// Whether it is certain that not a byte of it was sent.
    pub(crate) unsent: bool,
}

/// An open connection. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    driver: Driver,
}

/// The task that moves the bytes, stopped when nobody needs it any more.
#[derive(Debug)]
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connection {
    /// Connects within that time.
    pub(crate) async fn open(
        address: &Address,
        tls: &Arc<ClientConfig>,
        within: Duration,
    ) -> Result<Self, ConnectFailure> {
        timeout(within, Self::open_at(address, tls, Instant::now() + within))
            .await
            .unwrap_or_else(|_| Err(ConnectFailure::Io(io::ErrorKind::TimedOut.into())))
    }

    async fn open_at(
        address: &Address,
        tls: &Arc<ClientConfig>,
        deadline: Instant,
    ) -> Result<Self, ConnectFailure> {
        let tcp = connect(address, deadline)
            .await
            .map_err(ConnectFailure::Io)?;
        tcp.set_nodelay(true).map_err(ConnectFailure::Io)?;
        let connector = TlsConnector::from(Arc::clone(tls));
        let stream = connector
            .connect(address.name.clone(), tcp)
            .await
            .map_err(|error| match tls_error(&error) {
                Some(error) => ConnectFailure::Tls(error.clone()),
                None => ConnectFailure::Io(error),
            })?;
        let (requests, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| ConnectFailure::Io(io::Error::other(error)))?;
        let driver = Driver(tokio::spawn(async move {
            // What breaks is told to whoever waits for an answer.
            let _ = connection.await;
        }));
        Ok(Self { requests, driver })
    }

    /// Whether it can take another request, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.requests.is_closed() && !self.driver.0.is_finished()
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, SendFailure> {
        self.requests.ready().await.map_err(|error| SendFailure {
            error,
            unsent: true,
        })?;
        self.requests
            .try_send_request(request)
            .await
            .map_err(|mut failure| {
                let unsent = failure.take_message().is_some();
                SendFailure {
                    error: failure.into_error(),
                    unsent,
                }
            })
    }
}

/// Tries the host's addresses one after the other, none of them for longer than its share: one
/// that swallows packets must not hide the next.
async fn connect(address: &Address, deadline: Instant) -> io::Result<TcpStream> {
    let found: Vec<_> = lookup_host((address.host.as_str(), address.port))
        .await?
        .collect();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for (tried, socket) in found.iter().enumerate() {
        let left = u32::try_from(found.len() - tried).unwrap_or(u32::MAX);
        let now = Instant::now();
        let share = now + deadline.saturating_duration_since(now) / left;
        match timeout_at(share, TcpStream::connect(socket)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

/// What TLS had to say, if it was TLS.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// The alert by which a server closed the door after the handshake: in TLS 1.3 a client hears
/// that its certificate is not accepted when it waits for the first answer.
pub(crate) fn rejection(error: &hyper::Error) -> Option<rustls::Error> {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>().and_then(tls_error) {
            return matches!(error, rustls::Error::AlertReceived(_)).then(|| error.clone());
        }
        cause = error.source();
    }
    None
}
