//! A true house behind the XML-RPC door: store, ledger and vault in a temporary directory, mutual
//! TLS on a free loopback port, a CA of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use certs::{
    Anchors, CertificateAuthority, CertificateDer, ClientOptions, CommonName, Identity,
    OcspChecker, OcspMode, OcspSettings, ServerIdentity, ServerOptions, ServerTrust, Term,
    TrustStore, client_config, server_config,
};
use claviger::crypto::{KeyRing, MasterKey};
use claviger::domain::{CertBinding, Door, Fingerprint, Level, Role, Scope, Timestamp};
use claviger::doors::{
    Closer, Crowd, CrowdSettings, Gate, Limits, ListenSettings, Listener, Meter, Xmlrpc,
    XmlrpcSettings,
};
use claviger::ledger::{Ledger, LedgerKeys, LedgerSettings};
use claviger::store::rows::Rows;
use claviger::store::{self, Kind};
use claviger::vault::{
    AccountEdit, Caller, Clock, Credential, NewPassword, NewResource, NewUser, Origin, Parts,
    Resolve, ResourceEdit, SystemChance, SystemClock, SystemResolver, TrustListener, Trusted,
    Vault,
};
use rustls::pki_types::ServerName;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use xmlrpc_codec::{Call, Fault, IntoValue, Struct, Value};
use zeroize::Zeroizing;

/// How a test wants its house.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) resolver: Option<Arc<dyn Resolve>>,
    pub(crate) limits: Limits,
    pub(crate) crowd: CrowdSettings,
    pub(crate) settings: XmlrpcSettings,
    pub(crate) secondary: bool,
}

/// A house with its door open.
pub(crate) struct House {
    pub(crate) vault: Arc<Vault>,
    pub(crate) trust: TrustStore,
    pub(crate) meter: Arc<Meter>,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) authority: CertificateAuthority,
    pub(crate) address: SocketAddr,
    pub(crate) closer: Closer,
    pub(crate) served: JoinHandle<()>,
    _directory: TempDir,
}

/// The machine's clock, set forward at will.
#[derive(Debug, Default)]
pub(crate) struct HeldClock(AtomicI64);

impl HeldClock {
    pub(crate) fn forward(&self, days: i64) {
        self.0.fetch_add(days * 86_400_000, Ordering::Relaxed);
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0.load(Ordering::Relaxed))
    }
}

/// Trusts what the vault says, as the application does.
#[derive(Debug)]
struct Keeper(TrustStore);

impl TrustListener for Keeper {
    fn trust(&self, trusted: &[Trusted]) {
        let ders = |root| {
            let those = trusted.iter().filter(move |it| it.root == root);
            those
                .map(|it| CertificateDer::from(it.der.clone()))
                .collect()
        };
        let anchors = Anchors {
            pins: ders(false),
            roots: ders(true),
            ..Anchors::default()
        };
        self.0.replace(anchors).unwrap();
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_as(Wish::default()).await
    }

    pub(crate) async fn open_as(wish: Wish) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(HeldClock::default());
        let trust = TrustStore::new(Anchors::default()).unwrap();
        let mut parts = parts(&directory, &clock, &trust, wish.secondary);
        if let Some(resolver) = wish.resolver {
            parts.resolver = resolver;
        }
        let vault = Arc::new(Vault::open(parts).await.unwrap());
        let authority =
            CertificateAuthority::create("test CA", clock.now().unix_seconds()).unwrap();
        let meter = Arc::new(Meter::new());
        let settings = ListenSettings {
            limits: wish.limits,
            ..ListenSettings::default()
        };
        let listener =
            Listener::bind(&settings, Crowd::new(wish.crowd), meter.door(Xmlrpc::NAME)).unwrap();
        let ocsp = OcspSettings {
            mode: OcspMode::Off,
            ..OcspSettings::default()
        };
        let responders = Arc::new(OcspChecker::new(ocsp));
        let gate = Gate::new(Arc::clone(&vault), trust.clone(), responders, Door::Xmlrpc);
        let door = Xmlrpc::new(Arc::clone(&vault), gate, wish.settings, wish.limits, &meter);
        let identity = authority
            .issue_server(&["localhost".to_owned()], term(&clock))
            .unwrap();
        let identity = ServerIdentity::new(&identity).unwrap();
        let tls = server_config(&identity, &trust, ServerOptions::default()).unwrap();
        let (address, closer) = (listener.address(), Closer::new());
        let served =
            tokio::spawn(listener.serve_tls(Arc::new(tls), Arc::new(door), closer.closing()));
        let house = Self {
            vault,
            trust,
            meter,
            clock,
            authority,
            address,
            closer,
            served,
            _directory: directory,
        };
        if !wish.secondary {
            house.trust_authority().await;
        }
        house
    }

    pub(crate) async fn operator(&self) -> Caller {
        let origin = Origin {
            door: Door::Admin,
            peer: None,
            request: self.vault.next_request(),
        };
        let credential = Credential::LocalOperator { uid: 0 };
        self.vault.identify(&credential, &origin).await.unwrap()
    }

    async fn trust_authority(&self) {
        let der = self.authority.certificate();
        let trusted = (print(der), der.as_ref());
        let operator = self.operator().await;
        self.vault
            .trust_certificate(trusted, true, "test CA", &operator)
            .await
            .unwrap();
    }

    /// A certificate for `name` that belongs to nobody yet.
    pub(crate) fn issue(&self, name: &str) -> Identity {
        let name = CommonName::parse(name).unwrap();
        self.authority
            .issue_client(&name, None, term(&self.clock))
            .unwrap()
    }

    /// An API user `NAME@127.0.0.1` with its certificate.
    pub(crate) async fn user(&self, name: &str, role: Role) -> Identity {
        let identity = self.issue(name);
        self.register(&format!("{name}@127.0.0.1"), role, &identity)
            .await;
        identity
    }

    pub(crate) async fn register(&self, login: &str, role: Role, identity: &Identity) {
        let new = NewUser {
            login: login.to_owned(),
            role,
            scope: Scope::Owned,
            full_name: None,
            any_host: false,
            certificates: vec![CertBinding::Exactly(print(identity.certificate()))],
            department: String::new(),
            location: String::new(),
            expires: None,
        };
        self.vault
            .add_user(&new, &self.operator().await)
            .await
            .unwrap();
    }

    /// A resource `db-1` with an account `root` whose password is known, shared with `login`.
    pub(crate) async fn share_password(&self, login: &str, level: Level, password: &str) {
        let operator = self.operator().await;
        let new = NewResource {
            resource: "db-1",
            kind: "Linux",
            account: "root",
            notes: "",
            owner: None,
            more: ResourceEdit::default(),
            more_of_account: AccountEdit::default(),
        };
        let password = NewPassword::parse(Zeroizing::new(password.to_owned())).unwrap();
        self.vault.create(&new, password, &operator).await.unwrap();
        self.vault
            .share(("db-1", None), login, level, &operator)
            .await
            .unwrap();
    }

    /// A connection that shows `identity`.
    pub(crate) async fn connect(&self, identity: Option<&Identity>) -> std::io::Result<Wire> {
        let trust = ServerTrust {
            roots: vec![self.authority.certificate().clone()],
            pins: Vec::new(),
        };
        let options = ClientOptions { sessions: 0 };
        let config = client_config(&trust, identity, options).unwrap();
        let socket = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, socket)
            .await?;
        Ok(Wire { stream })
    }

    /// Waits until the metric that has all of `words` is `value`: what is counted is counted just
    /// after the peer was told.
    pub(crate) async fn until_metric(&self, words: &[&str], value: f64) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.metric(words) != Some(value) {
            assert!(
                Instant::now() < end,
                "{words:?} in {}",
                self.meter.to_text().unwrap()
            );
            tokio::task::yield_now().await;
        }
    }

    /// The value of the metric that has all of `words`.
    pub(crate) fn metric(&self, words: &[&str]) -> Option<f64> {
        let text = self.meter.to_text().unwrap();
        let line = text
            .lines()
            .find(|line| words.iter().all(|word| line.contains(word)))?;
        line.rsplit(' ').next()?.parse().ok()
    }
}

fn parts(
    directory: &TempDir,
    clock: &Arc<HeldClock>,
    trust: &TrustStore,
    secondary: bool,
) -> Parts {
    let data = directory.path();
    let keys = KeyRing::create(data, &MasterKey::random().unwrap(), clock.now())
        .unwrap()
        .0;
    let keys = Arc::new(keys);
    let store = store::open(Kind::Redb, data, &store::Settings::default()).unwrap();
    let (seal, chain) = keys.ledger_keys();
    let settings = LedgerSettings {
        segment_bytes: 1 << 20,
        ..LedgerSettings::default()
    };
    let ledger = Ledger::open(&data.join("audit"), LedgerKeys::new(seal, chain), settings).unwrap();
    Parts {
        rows: Rows::new(store, keys),
        ledger: Arc::new(ledger),
        clock: clock.clone(),
        chance: Arc::new(SystemChance),
        resolver: Arc::new(SystemResolver {
            timeout: Duration::from_secs(2),
        }),
        trust: Arc::new(Keeper(trust.clone())),
        shortcuts: 1024,
        secondary,
    }
}

fn term(clock: &HeldClock) -> Term {
    Term {
        now: clock.now().unix_seconds(),
        days: 30,
    }
}

pub(crate) fn print(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(*certs::Fingerprint::of(certificate).as_bytes())
}

/// A TLS connection that can say anything.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) stream: TlsStream<TcpStream>,
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Reads one answer with a length.
    pub(crate) async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("an answer")
    }

    pub(crate) async fn try_answer(&mut self) -> std::io::Result<Answer> {
        let mut bytes = Vec::new();
        loop {
            if let Some(answer) = parse(&bytes) {
                return Ok(answer);
            }
            if self.stream.read_buf(&mut bytes).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Whether the server closes the connection, having said nothing more.
    pub(crate) async fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]).await, Ok(0) | Err(_))
    }

    pub(crate) async fn post(&mut self, fields: &str, body: &[u8]) -> Answer {
        self.send(&request(fields, body)).await;
        self.answer().await
    }

    pub(crate) async fn post_xml(&mut self, body: &str) -> Result<Value, Fault> {
        let answer = self
            .post("Content-Type: text/xml\r\n", body.as_bytes())
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.said()
    }

    /// One call with string parameters, empty ones too.
    pub(crate) async fn call(&mut self, method: &str, params: &[&str]) -> Result<Value, Fault> {
        let params = params.iter().map(|param| param.into_value()).collect();
        self.call_with(method, params).await
    }

    pub(crate) async fn call_with(
        &mut self,
        method: &str,
        params: Vec<Value>,
    ) -> Result<Value, Fault> {
        let call = Call {
            method: method.to_owned(),
            params,
        };
        let body = xmlrpc_codec::encode_call(&call).unwrap();
        let answer = self.post("Content-Type: text/xml\r\n", &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.said()
    }
}

impl Answer {
    pub(crate) fn said(&self) -> Result<Value, Fault> {
        let response =
            xmlrpc_codec::decode_response(&self.body, None, &xmlrpc_codec::Limits::default());
        response.unwrap().into_result()
    }

    pub(crate) fn fault(&self) -> (i32, String) {
        let fault = self.said().unwrap_err();
        (fault.code, fault.message)
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }
}

pub(crate) fn request(fields: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /xmlrpc HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let body = &bytes[end + 4..];
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.parse().unwrap());
    (body.len() >= length).then(|| Answer {
        status: head[9..12].parse().unwrap(),
        body: body[..length].to_vec(),
        head,
    })
}

/// The members of a documented answer: code, message and password.
pub(crate) fn result(value: &Value) -> (i32, &str, Option<&str>) {
    let members: &Struct = value.as_struct().unwrap();
    let code = members.get("resultCode").and_then(Value::as_int).unwrap();
    let message = members.get("message").and_then(Value::as_str).unwrap();
    (
        code,
        message,
        members.get("password").and_then(Value::as_str),
    )
}
