//! One server: its connections, its health, and one attempt at a request.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request, Response,
    body::Incoming,
    header::{CONTENT_TYPE, HOST, HeaderValue, USER_AGENT},
};
use rustls::ClientConfig;
use tokio::time::timeout;
use xmlrpc_codec::{Limits, Value, decode_response};
use zeroize::Zeroizing;

use crate::{
    Code, Error,
    connection::{Address, ConnectFailure, Connection, SendFailure, rejection},
    health::Health,
    pool::Pool,
    settings::Settings,
};

/// Whether a request may be sent again when nobody knows what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only reads.
    Retrieval,
    /// It changes something: once is enough.
    Change,
}

/// A server and what this client has to do with it.
#[derive(Debug)]
pub(crate) struct Server {
    address: Address,
    host: HeaderValue,
    tls: Arc<ClientConfig>,
    pool: Pool,
    pub(crate) health: Health,
}

/// Why an attempt on a connection failed.
enum Failure {
    /// The connection was dead before the first byte was sent, or broke with a request that may
    /// be sent again.
    Again(Error),
    Final(Error),
}

impl Server {
    pub(crate) fn new(
        address: Address,
        host: HeaderValue,
        tls: Arc<ClientConfig>,
        places: usize,
    ) -> Self {
        Self {
            address,
            host,
            tls,
            pool: Pool::new(places),
            health: Health::default(),
        }
    }

    /// Sends a request and reads the answer. A kept connection that turns out to be dead costs
    /// nothing but another connection, as long as that cannot do a thing twice.
    pub(crate) async fn attempt(
        &self,
        body: &Bytes,
        effect: Effect,
        settings: &Settings,
    ) -> Result<Value, Error> {
        let place = timeout(settings.request, self.pool.places.acquire()).await;
        let Ok(Ok(_place)) = place else {
            return Err(Error::Busy {
                server: self.shown(),
            });
        };
        if let Some(connection) = self.pool.take(Instant::now(), usable(effect, settings)) {
            match self.exchange(connection, body, effect, settings).await {
                Ok(value) => return Ok(value),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Again(_)) => self.pool.clear(),
            }
        }
        let connection = self.connect(settings).await?;
        match self.exchange(connection, body, effect, settings).await {
            Ok(value) => Ok(value),
            Err(Failure::Again(error) | Failure::Final(error)) => Err(error),
        }
    }

    async fn connect(&self, settings: &Settings) -> Result<Connection, Error> {
        let result = Connection::open(&self.address, &self.tls, settings.connect).await;
        if result.is_err() {
            self.down(settings);
        } else {
            self.health.mark_up();
        }
        result.map_err(|failure| match failure {
            ConnectFailure::Io(source) => Error::Connect {
                server: self.shown(),
                source,
            },
            ConnectFailure::Tls(source @ rustls::Error::AlertReceived(_)) => Error::Rejected {
                server: self.shown(),
                source,
            },
            ConnectFailure::Tls(source) => Error::Untrusted {
                server: self.shown(),
                source,
            },
        })
    }

    async fn exchange(
        &self,
        mut connection: Connection,
        body: &Bytes,
        effect: Effect,
        settings: &Settings,
    ) -> Result<Value, Failure> {
        let conversation = async {
            let sent = connection.send(self.request(body)).await;
            let response = sent.map_err(|failure| self.unsent(failure, effect))?;
            self.read(response, settings).await
        };
        match timeout(settings.request, conversation).await {
            Ok(answer) => {
                let answer = answer?;
                self.pool.put(connection, Instant::now(), settings.idle);
                answer.map_err(Failure::Final)
            }
            Err(_) => {
                self.down(settings);
                Err(Failure::Final(Error::TimedOut {
                    server: self.shown(),
                }))
            }
        }
    }

    fn request(&self, body: &Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::post(PATH)
            .body(Full::new(body.clone()))
            .unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/xml; charset=utf-8"),
        );
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        request
    }

    fn unsent(&self, failure: SendFailure, effect: Effect) -> Failure {
        let SendFailure {
            error: source,
            unsent,
        } = failure;
        let server = self.shown();
        if let Some(source) = rejection(&source) {
            return Failure::Final(Error::Rejected { server, source });
        }
        let error = Error::Interrupted { server, source };
        if unsent || effect == Effect::Retrieval {
            return Failure::Again(error);
        }
        Failure::Final(error)
    }

    /// Reads the answer. The outer error means that the connection is of no more use.
    async fn read(
        &self,
        response: Response<Incoming>,
        settings: &Settings,
    ) -> Result<Result<Value, Error>, Failure> {
        let (head, body) = response.into_parts();
        let document = self
            .collect(body, settings.answer)
            .await
            .map_err(Failure::Final)?;
        let limits = Limits {
            bytes: settings.answer,
            ..Limits::default()
        };
        let answer = match decode_response(&document, charset(&head.headers), &limits) {
            Ok(response) => response.into_result().map_err(|fault| Error::Answered {
                code: Code::from_number(fault.code),
                message: fault.message,
            }),
            Err(source) if head.status.is_success() => Err(Error::Unreadable {
                server: self.shown(),
                source,
            }),
            Err(_) => Err(Error::Status {
                server: self.shown(),
                status: head.status.as_u16(),
            }),
        };
        Ok(answer)
    }

    async fn collect(&self, mut body: Incoming, limit: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        use hyper::body::Body;
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let mut document =
            Zeroizing::new(Vec::with_capacity(announced.clamp(ROOM, limit.max(ROOM))));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|source| Error::Interrupted {
                server: self.shown(),
                source,
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if document.len() + data.len() > limit {
                return Err(Error::TooLong {
                    server: self.shown(),
                    limit,
                });
            }
            extend(&mut document, &data);
        }
        Ok(document)
    }

    fn down(&self, settings: &Settings) {
        self.health.mark_down(Instant::now() + settings.down);
        self.pool.clear();
    }

    /// Its name and port, for people.
    fn shown(&self) -> String {
        self.host.to_str().unwrap_or_default().to_owned()
    }
}

/// Grows by moving to a new buffer and wiping the old one, where `Vec` would leave it behind.
fn extend(document: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    if document.capacity() - document.len() < data.len() {
        let room = 2 * (document.len() + data.len());
        let mut larger = Zeroizing::new(Vec::with_capacity(room));
        larger.extend_from_slice(document);
        *document = larger;
    }
    document.extend_from_slice(data);
}

fn usable(effect: Effect, settings: &Settings) -> std::time::Duration {
    match effect {
        Effect::Retrieval => settings.idle,
        Effect::Change => settings.idle.min(Settings::IDLE_BEFORE_CHANGE),
    }
}

/// The charset of the Content-Type header.
fn charset(headers: &HeaderMap) -> Option<&str> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let mut parameters = content_type
        .split(';')
        .skip(1)
        .filter_map(|it| it.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim())
}

const PATH: &str = "/xmlrpc";
const AGENT: &str = concat!("claviger-client/", env!("CARGO_PKG_VERSION"));
/// Enough for every usual answer.
const ROOM: usize = 1024;
