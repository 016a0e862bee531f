//! A true house behind the REST door: store, ledger and vault in a temporary directory, TLS on a
//! free loopback port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use certs::{
    Anchors, CertificateAuthority, ClientOptions, Clients, ServerIdentity, ServerOptions,
    ServerTrust, Term, TrustStore, client_config, server_config,
};
use claviger::crypto::{KeyRing, MasterKey};
use claviger::domain::{Door, Level, Role, Scope, Timestamp};
use claviger::doors::{
    Closer, Crowd, CrowdSettings, Limits, ListenSettings, Listener, Meter, Rest, RestSettings,
};
use claviger::ledger::{Ledger, LedgerKeys, LedgerSettings};
use claviger::store::rows::Rows;
use claviger::store::{self, Kind};
use claviger::vault::{
    AccountEdit, AuditEntry, AuditQuery, Caller, Clock, Credential, Made, NewPassword, NewResource,
    NewUser, Origin, Parts, ResourceEdit, SystemChance, SystemClock, SystemResolver, TrustListener,
    Trusted, Vault,
};
use rustls::pki_types::ServerName;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

/// How a test wants its house.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) limits: Limits,
    pub(crate) settings: RestSettings,
    pub(crate) secondary: bool,
}

/// A house with its door open.
pub(crate) struct House {
    pub(crate) vault: Arc<Vault>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) clock: Arc<HeldClock>,
    authority: CertificateAuthority,
    address: SocketAddr,
    closer: Closer,
    serving: JoinHandle<()>,
    directory: TempDir,
    master: MasterKey,
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

/// Nobody is trusted by a certificate here.
#[derive(Debug)]
struct Nobody;

impl TrustListener for Nobody {
    fn trust(&self, _trusted: &[Trusted]) {}
}

/// A user with a token.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) login: String,
    pub(crate) id: u64,
    pub(crate) token: String,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_as(Wish::default()).await
    }

    pub(crate) async fn open_as(wish: Wish) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let master = MasterKey::random().unwrap();
        Self::open_in(directory, master, wish).await
    }

    /// Closes it, and opens it again as a secondary over what there is.
    pub(crate) async fn again_as_secondary(self) -> Self {
        let Self {
            vault,
            closer,
            serving,
            directory,
            master,
            ..
        } = self;
        closer.close();
        serving.await.unwrap();
        // The last of whoever holds the store.
        assert_eq!(Arc::strong_count(&vault), 1);
        drop(vault);
        let wish = Wish {
            secondary: true,
            ..Wish::default()
        };
        Self::open_in(directory, master, wish).await
    }

    async fn open_in(directory: TempDir, master: MasterKey, wish: Wish) -> Self {
        let clock = Arc::new(HeldClock::default());
        let parts = parts((&directory, &master), &clock, wish.secondary);
        let vault = Arc::new(Vault::open(parts).await.unwrap());
        let meter = Arc::new(Meter::new());
        let listen = ListenSettings {
            limits: wish.limits,
            ..ListenSettings::default()
        };
        let crowd = Crowd::new(CrowdSettings::default());
        let listener = Listener::bind(&listen, crowd, meter.door(Rest::NAME)).unwrap();
        let door = Rest::new(vault.clone(), wish.settings, wish.limits, &meter);
        let now = clock.now().unix_seconds();
        let authority = CertificateAuthority::create("test CA", now).unwrap();
        let identity = authority
            .issue_server(&["localhost".to_owned()], Term { now, days: 30 })
            .unwrap();
        let identity = ServerIdentity::new(&identity).unwrap();
        let options = ServerOptions {
            clients: Clients::Anonymous,
            ..ServerOptions::default()
        };
        let trust = TrustStore::new(Anchors::default()).unwrap();
        let tls = server_config(&identity, &trust, options).unwrap();
        let (address, closer) = (listener.address(), Closer::new());
        let serving = listener.serve_tls(Arc::new(tls), Arc::new(door), closer.closing());
        let serving = tokio::spawn(serving);
        Self {
            vault,
            meter,
            clock,
            authority,
            address,
            closer,
            serving,
            directory,
            master,
        }
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

    /// An API user `NAME@127.0.0.1` with a token.
    pub(crate) async fn app(&self, name: &str, role: Role) -> App {
        self.app_of(
            &format!("{name}@127.0.0.1"),
            role,
            Scope::Owned,
            &self.operator().await,
        )
        .await
    }

    /// A super administrator with a token.
    pub(crate) async fn admin(&self) -> App {
        let operator = self.operator().await;
        self.app_of("boss@127.0.0.1", Role::Administrator, Scope::All, &operator)
            .await
    }

    pub(crate) async fn app_of(
        &self,
        login: &str,
        role: Role,
        scope: Scope,
        operator: &Caller,
    ) -> App {
        let new = NewUser {
            login: login.to_owned(),
            role,
            scope,
            full_name: None,
            any_host: false,
            certificates: Vec::new(),
            department: String::new(),
            location: String::new(),
            expires: None,
        };
        let user = self.vault.add_user(&new, operator).await.unwrap();
        let login = user.login();
        let issued = self.vault.issue_token(&login, None, operator);
        let issued = issued.await.unwrap();
        App {
            login,
            id: user.id.0,
            token: issued.text.expose().to_owned(),
        }
    }

    /// A resource of the operator's with an account `root`.
    pub(crate) async fn resource(&self, name: &str, password: &str) -> Made {
        let new = NewResource {
            resource: name,
            kind: "Linux",
            account: "root",
            notes: "",
            owner: None,
            more: ResourceEdit::default(),
            more_of_account: AccountEdit::default(),
        };
        let password = NewPassword::parse(Zeroizing::new(password.to_owned())).unwrap();
        let operator = self.operator().await;
        self.vault.create(&new, password, &operator).await.unwrap()
    }

    /// The same, shared with `app`.
    pub(crate) async fn shared(&self, name: &str, app: &App, level: Level) -> Made {
        let made = self.resource(name, PASSWORD).await;
        let operator = self.operator().await;
        self.vault
            .share((name, None), app.login.as_str(), level, &operator)
            .await
            .unwrap();
        made
    }

    pub(crate) async fn connect(&self) -> Wire {
        let trust = ServerTrust {
            roots: vec![self.authority.certificate().clone()],
            pins: Vec::new(),
        };
        let config = client_config(&trust, None, ClientOptions { sessions: 0 }).unwrap();
        let socket = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, socket)
            .await
            .unwrap();
        Wire { stream }
    }

    /// A connection on which every request shows the token of `app`.
    pub(crate) async fn talk(&self, app: &App) -> Talk {
        Talk {
            wire: self.connect().await,
            token: app.token.clone(),
        }
    }

    /// The newest records of the trail, the newest first.
    pub(crate) async fn trail(&self, limit: usize) -> Vec<AuditEntry> {
        let query = AuditQuery {
            limit,
            ..AuditQuery::default()
        };
        let operator = self.operator().await;
        let mut entries = self.vault.audit(query, &operator).await.unwrap().entries;
        // That it is being read is a record, too.
        entries.retain(|entry| {
            entry.operation.known() != Some(&claviger::domain::Operation::ReadAudit)
        });
        entries
    }
}

fn parts(
    (directory, master): (&TempDir, &MasterKey),
    clock: &Arc<HeldClock>,
    secondary: bool,
) -> Parts {
    let data = directory.path();
    let keys = KeyRing::load(data, master)
        .or_else(|_| KeyRing::create(data, master, clock.now()).map(|(keys, _)| keys));
    let keys = Arc::new(keys.unwrap());
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
        trust: Arc::new(Nobody),
        shortcuts: 1024,
        secondary,
    }
}

/// A password that every shipped policy likes.
pub(crate) const PASSWORD: &str = "First-Pass1!word";

/// A TLS connection that can say anything.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TlsStream<TcpStream>,
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
        let mut bytes = Vec::new();
        loop {
            if let Some(answer) = parse(&bytes) {
                return answer;
            }
            let read = self.stream.read_buf(&mut bytes).await.unwrap();
            assert!(
                read > 0,
                "closed after {:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }

    /// One request with these header lines.
    pub(crate) async fn ask(
        &mut self,
        method: &str,
        target: &str,
        fields: &[&str],
        body: &[u8],
    ) -> Answer {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        for field in fields {
            head.push_str(field);
            head.push_str("\r\n");
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        self.send(&[head.as_bytes(), body].concat()).await;
        self.answer().await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.field("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Status, operation, `Success` or `Failed`, message, code.
    pub(crate) fn told(&self) -> (u16, String, String, String, String) {
        let json = self.json();
        let operation = &json["operation"];
        let result = &operation["result"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            self.status,
            text(&operation["name"]),
            text(&result["status"]),
            text(&result["message"]),
            text(&result["statusCode"]),
        )
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }
}

/// A conversation under one token.
pub(crate) struct Talk {
    pub(crate) wire: Wire,
    token: String,
}

impl Talk {
    /// Asks below the API's base path, with `details` as INPUT_DATA in the body.
    pub(crate) async fn say(&mut self, method: &str, path: &str, details: &Value) -> Answer {
        let body = match details {
            Value::Null => String::new(),
            details => {
                let data = serde_json::json!({"operation": {"Details": details}});
                format!("INPUT_DATA={data}")
            }
        };
        let target = format!("/restapi/json/v1{path}");
        let token = format!("AUTHTOKEN: {}", self.token);
        self.wire
            .ask(method, &target, &[&token], body.as_bytes())
            .await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.say("GET", path, &Value::Null).await
    }

    pub(crate) async fn post(&mut self, path: &str, details: Value) -> Answer {
        self.say("POST", path, &details).await
    }

    pub(crate) async fn put(&mut self, path: &str, details: Value) -> Answer {
        self.say("PUT", path, &details).await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Answer {
        self.say("DELETE", path, &Value::Null).await
    }

    /// The details of a success.
    pub(crate) async fn details(&mut self, path: &str) -> Value {
        let answer = self.get(path).await;
        let json = answer.json();
        assert_eq!(json["operation"]["result"]["status"], "Success", "{json}");
        json["operation"]["Details"].clone()
    }
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
