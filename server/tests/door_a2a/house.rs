//! A true house behind the A2A door: store, ledger and vault in a temporary directory, TLS that asks
//! for certificates and demands none, on a free loopback port; a CA of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use certs::{
    Anchors, CertificateAuthority, CertificateDer, ClientOptions, Clients, CommonName, Identity,
    OcspChecker, OcspMode, OcspSettings, ServerIdentity, ServerOptions, ServerTrust, Term,
    TrustStore, client_config, server_config,
};
use claviger::crypto::{KeyRing, MasterKey};
use claviger::domain::{Door, Fingerprint, Operation, Timestamp};
use claviger::doors::{
    A2a, A2aSettings, Closer, Crowd, CrowdSettings, Gate, Limits, ListenSettings, Listener, Meter,
};
use claviger::ledger::{Ledger, LedgerKeys, LedgerSettings};
use claviger::store::rows::Rows;
use claviger::store::{self, Kind};
use claviger::vault::{
    AuditEntry, AuditQuery, Caller, Clock, Credential, Origin, Parts, SystemChance, SystemClock,
    SystemResolver, TrustListener, Trusted, Vault,
};
use rustls::pki_types::ServerName;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How a test wants its house.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) limits: Limits,
    pub(crate) settings: A2aSettings,
}

/// A house with its door open.
pub(crate) struct House {
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) authority: CertificateAuthority,
    pub(crate) address: SocketAddr,
    pub(crate) closer: Closer,
    _directory: TempDir,
}

/// The machine's clock, set forward at will.
#[derive(Debug, Default)]
pub(crate) struct HeldClock(AtomicI64);

impl HeldClock {
    pub(crate) fn forward(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::Relaxed);
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
    /// A house that trusts its own CA.
    pub(crate) async fn open() -> Self {
        Self::open_as(Wish::default()).await
    }

    pub(crate) async fn open_as(wish: Wish) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(HeldClock::default());
        let trust = TrustStore::new(Anchors::default()).unwrap();
        let vault = Vault::open(parts(&directory, &clock, &trust)).await;
        let vault = Arc::new(vault.unwrap());
        let listen = ListenSettings {
            limits: wish.limits,
            ..ListenSettings::default()
        };
        let meter = Meter::new();
        let crowd = Crowd::new(CrowdSettings::default());
        let listener = Listener::bind(&listen, crowd, meter.door(A2a::NAME)).unwrap();
        let ocsp = OcspSettings {
            mode: OcspMode::Off,
            ..OcspSettings::default()
        };
        let responders = Arc::new(OcspChecker::new(ocsp));
        let gate = Gate::new(vault.clone(), trust.clone(), responders, Door::A2a);
        let door = A2a::new(vault.clone(), gate, wish.settings, wish.limits, &meter);
        let closer = Closer::new();
        let door = door.telling_until(closer.closing());
        let authority = CertificateAuthority::create("test CA", clock.now().unix_seconds());
        let authority = authority.unwrap();
        let identity = authority.issue_server(&["localhost".to_owned()], term(&clock));
        let identity = ServerIdentity::new(&identity.unwrap()).unwrap();
        let options = ServerOptions {
            clients: Clients::DangerUnjudged,
            ..ServerOptions::default()
        };
        let tls = server_config(&identity, &trust, options).unwrap();
        let address = listener.address();
        tokio::spawn(listener.serve_tls(Arc::new(tls), door, closer.closing()));
        let house = Self {
            vault,
            clock,
            authority,
            address,
            closer,
            _directory: directory,
        };
        house.trust(house.authority.certificate(), true).await;
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

    /// Trusts a certificate, as a CA's root or as itself.
    pub(crate) async fn trust(&self, certificate: &CertificateDer<'_>, root: bool) {
        let trusted = (print(certificate), certificate.as_ref());
        let operator = self.operator().await;
        let done = self
            .vault
            .trust_certificate(trusted, root, "test", &operator);
        done.await.unwrap();
    }

    /// Trusts the house's own CA no more.
    pub(crate) async fn distrust_authority(&self) {
        let print = print(self.authority.certificate());
        let operator = self.operator().await;
        self.vault
            .distrust_certificate(print, &operator)
            .await
            .unwrap();
    }

    /// A certificate of the house's own CA for `name`, of nobody's yet.
    pub(crate) fn issue(&self, name: &str) -> Identity {
        issue(&self.authority, name, &self.clock)
    }

    /// A certificate of a CA that nobody trusts.
    pub(crate) fn issue_elsewhere(&self, name: &str) -> Identity {
        let now = self.clock.now().unix_seconds();
        let authority = CertificateAuthority::create("another CA", now).unwrap();
        issue(&authority, name, &self.clock)
    }

    /// A connection that shows `identity`, if any.
    pub(crate) async fn connect(&self, identity: Option<&Identity>) -> Wire {
        let trust = ServerTrust {
            roots: vec![self.authority.certificate().clone()],
            pins: Vec::new(),
        };
        let config = client_config(&trust, identity, ClientOptions { sessions: 0 }).unwrap();
        let socket = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, socket);
        Wire {
            stream: stream.await.unwrap(),
        }
    }

    /// The records of the trail that were written at this door, the newest first.
    pub(crate) async fn trail(&self) -> Vec<AuditEntry> {
        let query = AuditQuery {
            limit: 100,
            ..AuditQuery::default()
        };
        let operator = self.operator().await;
        let mut entries = self.vault.audit(query, &operator).await.unwrap().entries;
        entries.retain(|entry| {
            entry.door.known() == Some(&Door::A2a)
                && entry.operation.known() != Some(&Operation::ReadAudit)
        });
        entries
    }
}

fn issue(authority: &CertificateAuthority, name: &str, clock: &HeldClock) -> Identity {
    let name = CommonName::parse(name).unwrap();
    authority.issue_client(&name, None, term(clock)).unwrap()
}

fn parts(directory: &TempDir, clock: &Arc<HeldClock>, trust: &TrustStore) -> Parts {
    let data = directory.path();
    let master = MasterKey::random().unwrap();
    let keys = Arc::new(KeyRing::create(data, &master, clock.now()).unwrap().0);
    let store = store::open(Kind::Redb, data, &store::Settings::default()).unwrap();
    let (seal, chain) = keys.ledger_keys();
    let settings = LedgerSettings {
        segment_bytes: 1 << 20,
        ..LedgerSettings::default()
    };
    let ledger = Ledger::open(&data.join("audit"), LedgerKeys::new(seal, chain), settings);
    Parts {
        rows: Rows::new(store, keys),
        ledger: Arc::new(ledger.unwrap()),
        clock: clock.clone(),
        chance: Arc::new(SystemChance),
        resolver: Arc::new(SystemResolver {
            timeout: Duration::from_secs(2),
        }),
        trust: Arc::new(Keeper(trust.clone())),
        shortcuts: 1024,
        secondary: false,
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
    pub(crate) body: String,
}

impl Wire {
    pub(crate) async fn get(&mut self, path: &str, fields: &[&str]) -> Answer {
        self.ask("GET", path, fields, "").await
    }

    /// One request; `fields` are whole header lines.
    pub(crate) async fn ask(
        &mut self,
        verb: &str,
        path: &str,
        fields: &[&str],
        body: &str,
    ) -> Answer {
        let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let length = body.len();
        let request = format!(
            "{verb} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
        self.answer().await
    }

    /// Reads one answer with a length, or with a status that has no body.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut bytes = Vec::new();
        loop {
            if let Some(answer) = parse(&bytes) {
                return answer;
            }
            let read = self.stream.read_buf(&mut bytes).await.unwrap();
            assert_ne!(read, 0, "closed after {}", String::from_utf8_lossy(&bytes));
        }
    }
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Status and code of a refusal.
    pub(crate) fn refused(&self) -> (u16, i64) {
        (self.status, self.json()["Code"].as_i64().unwrap())
    }
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.get(9..12)?.parse().unwrap();
    let answer = |body: &[u8]| Answer {
        status,
        head: head.clone(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let lengths = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = match lengths.next() {
        Some((_, length)) => length.parse().unwrap(),
        None => 0,
    };
    bytes[end + 4..].get(..length).map(answer)
}
