//! A server that answers as it is told, over real TLS on a port of its own.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file uses its part"
)]

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use certs::{
    Anchors, CertificateAuthority, CommonName, Identity, ServerIdentity, ServerOptions, Term,
    TrustStore,
};
use claviger_client::{Builder, Client};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use xmlrpc_codec::{Call, IntoValue, Limits, Response, Value, decode_call, encode_response};

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    /// Answers with the value or the fault.
    Answer(Response),
    /// Answers, and closes without having said so.
    AnswerAndClose(Response),
    /// Answers with bytes of its own.
    Raw(Vec<u8>),
    /// Closes without an answer.
    Close,
    /// Never answers.
    Hang,
}

/// What the server saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// TCP connections.
    pub(crate) accepted: usize,
    /// Connections that passed the handshake.
    pub(crate) connections: usize,
    /// Each call, with the number of its connection from 1.
    pub(crate) calls: Vec<(usize, Call)>,
    /// The key exchange of each connection.
    pub(crate) key_exchanges: Vec<String>,
    /// The head of each request.
    pub(crate) heads: Vec<String>,
}

/// Who is who in a test.
pub(crate) struct World {
    pub(crate) authority: CertificateAuthority,
    pub(crate) client: Identity,
}

/// The script: from the number of the request, from 1, to what becomes of it.
type Script = Arc<dyn Fn(usize, &Call) -> Reaction + Send + Sync>;

/// A running server. Dropping it stops it.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer with a value.
pub(crate) fn value(value: impl IntoValue) -> Reaction {
    Reaction::Answer(Response::value(value))
}

/// An answer with a result code.
pub(crate) fn refusal(code: i32) -> Reaction {
    Reaction::Answer(Response::fault(code, "no"))
}

pub(crate) fn now() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "the TLS libraries look at this clock too"
    )]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_secs()).expect("it fits")
}

impl World {
    pub(crate) fn new() -> Self {
        let authority = CertificateAuthority::create("Test CA", now() - 60).expect("a CA");
        let name = CommonName::parse("billing").expect("a name");
        let client = authority
            .issue_client(&name, None, term())
            .expect("a certificate");
        Self { authority, client }
    }

    /// A server with a certificate for localhost and 127.0.0.1 that lets this world's client in.
    pub(crate) async fn server(
        &self,
        script: impl Fn(usize, &Call) -> Reaction + Send + Sync + 'static,
    ) -> TestServer {
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let identity = self
            .authority
            .issue_server(&hosts, term())
            .expect("a certificate");
        let roots = vec![self.authority.certificate().clone()];
        let anchors = Anchors {
            roots,
            ..Anchors::default()
        };
        TestServer::start(&identity, anchors, script).await
    }

    /// A client of that server, which fails early.
    pub(crate) fn builder(&self, server: SocketAddr) -> Builder {
        quick(Client::builder())
            .server(server.ip().to_string(), server.port())
            .identity_pem(
                self.certificate_pem(),
                self.client.key().expose_pem().as_bytes(),
            )
            .ca_pem(self.authority.certificate_pem())
    }

    pub(crate) fn client(&self, server: &TestServer) -> Client {
        self.builder(server.address).build().expect("a client")
    }

    pub(crate) fn certificate_pem(&self) -> String {
        certs::certificate_pem(self.client.certificate())
    }
}

/// Short waits where they are spent, long ones where a slow machine may need them.
pub(crate) fn quick(builder: Builder) -> Builder {
    builder
        .connect_timeout(Duration::from_secs(10))
        .backoff(Duration::from_millis(2), Duration::from_millis(4))
}

pub(crate) fn term() -> Term {
    Term {
        now: now() - 60,
        days: 2,
    }
}

/// An address where nobody listens.
pub(crate) fn closed_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

impl TestServer {
    pub(crate) async fn start(
        identity: &Identity,
        anchors: Anchors,
        script: impl Fn(usize, &Call) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let identity = ServerIdentity::new(identity).expect("an identity");
        let trust = TrustStore::new(anchors).expect("a truststore");
        let config = certs::server_config(&identity, &trust, ServerOptions::default());
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("TLS")));
        let script: Script = Arc::new(script);
        Self::listen(move |tcp, seen| {
            let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
            async move {
                if let Ok(stream) = acceptor.accept(tcp).await {
                    // A client may go away at any time.
                    let _ = serve(stream, &script, &seen).await;
                }
            }
        })
        .await
    }

    /// A server that takes connections and says nothing.
    pub(crate) async fn silent() -> Self {
        Self::listen(|tcp, _| async move {
            let _held = tcp;
            std::future::pending::<()>().await;
        })
        .await
    }

    /// A server that closes every connection at once.
    pub(crate) async fn closing() -> Self {
        Self::listen(|tcp, _| async move { drop(tcp) }).await
    }

    async fn listen<F, W>(visit: F) -> Self
    where
        F: Fn(TcpStream, Arc<Mutex<Seen>>) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut visitors = tokio::task::JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                lock(&shared).accepted += 1;
                visitors.spawn(visit(tcp, Arc::clone(&shared)));
            }
        });
        Self {
            address,
            seen,
            task,
        }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }

    /// The method and the texts and flags of each call.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.seen()
            .calls
            .iter()
            .map(|(_, call)| written(call))
            .collect()
    }

    /// The connection on which each call came.
    pub(crate) fn connections_of_calls(&self) -> Vec<usize> {
        self.seen()
            .calls
            .iter()
            .map(|(connection, _)| *connection)
            .collect()
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().expect("no test panicked here")
}

/// A call as somebody would write it.
pub(crate) fn written(call: &Call) -> String {
    let shown = |param: &Value| match param {
        Value::String(text) => text.clone(),
        other => format!("{other:?}"),
    };
    let params: Vec<_> = call.params.iter().map(shown).collect();
    format!("{}({})", call.method, params.join(", "))
}

async fn serve(
    mut stream: TlsStream<TcpStream>,
    script: &Script,
    seen: &Mutex<Seen>,
) -> io::Result<()> {
    let number = {
        let mut seen = lock(seen);
        let group = stream.get_ref().1.negotiated_key_exchange_group();
        seen.key_exchanges
            .push(format!("{:?}", group.expect("a handshake").name()));
        seen.connections += 1;
        seen.connections
    };
    loop {
        let (head, body) = read_request(&mut stream).await?;
        let call = decode_call(&body, Some("utf-8"), &Limits::default()).expect("a call");
        let reaction = {
            let mut seen = lock(seen);
            seen.heads.push(head);
            seen.calls.push((number, call));
            script(seen.calls.len(), &seen.calls[seen.calls.len() - 1].1)
        };
        match reaction {
            Reaction::Answer(response) => stream.write_all(&http(&response)).await?,
            Reaction::AnswerAndClose(response) => {
                stream.write_all(&http(&response)).await?;
                return stream.shutdown().await;
            }
            Reaction::Raw(bytes) => stream.write_all(&bytes).await?,
            Reaction::Close => return Ok(()),
            Reaction::Hang => std::future::pending().await,
        }
        stream.flush().await?;
    }
}

async fn read_request(stream: &mut TlsStream<TcpStream>) -> io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head)
        .expect("a head in ASCII")
        .to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length
        .and_then(|it| it.parse().ok())
        .expect("a content length");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok((head, body))
}

fn http(response: &Response) -> Vec<u8> {
    raw("200 OK", &encode_response(response).expect("an answer"))
}

/// A response with that status line and body.
pub(crate) fn raw(status: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/xml; charset=utf-8\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
