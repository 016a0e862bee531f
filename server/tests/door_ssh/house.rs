//! A true house behind the SSH door, and a small client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use claviger::crypto::{KeyRing, MasterKey};
use claviger::domain::{Door, FreeText, Level, Lock, Role, Scope, SshKey};
use claviger::doors::{
    Closer, Crowd, CrowdSettings, HostKey, Limits, ListenSettings, Listener, Meter, Ssh,
    SshSettings,
};
use claviger::ledger::{Ledger, LedgerKeys, LedgerSettings};
use claviger::store::rows::Rows;
use claviger::store::{self, Kind};
use claviger::vault::{
    AccountEdit, AuditEntry, AuditQuery, Caller, Clock, Credential, NewPassword, NewResource,
    NewUser, Origin, Parts, Resolve, ResourceEdit, SystemChance, SystemClock, SystemResolver,
    TrustListener, Trusted, UserEdit, Vault,
};
use russh::client::{self, Handle};
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{ChannelMsg, Preferred};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// How a test wants its house.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) settings: SshSettings,
    pub(crate) crowd: CrowdSettings,
    pub(crate) drain: Duration,
    pub(crate) resolver: Arc<dyn Resolve>,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            settings: SshSettings {
                refusal: Duration::ZERO,
                ..SshSettings::default()
            },
            crowd: CrowdSettings::default(),
            drain: Duration::from_secs(10),
            resolver: Arc::new(SystemResolver {
                timeout: Duration::from_secs(2),
            }),
        }
    }
}

impl Wish {
    /// The settings, changed.
    pub(crate) fn with(change: impl FnOnce(&mut SshSettings)) -> Self {
        let mut wish = Self::default();
        change(&mut wish.settings);
        wish
    }
}

/// A house with its door open.
pub(crate) struct House {
    pub(crate) vault: Arc<Vault>,
    pub(crate) address: SocketAddr,
    closer: Closer,
    serving: JoinHandle<()>,
    _directory: TempDir,
}

/// Nobody is trusted by a certificate here.
#[derive(Debug)]
struct Nobody;

impl TrustListener for Nobody {
    fn trust(&self, _trusted: &[Trusted]) {}
}

/// A user with a key.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) login: String,
    pub(crate) name: String,
    pub(crate) key: Arc<PrivateKey>,
}

/// The key that `seed` gives.
pub(crate) fn key(seed: u8) -> Arc<PrivateKey> {
    Arc::new(PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32])))
}

pub(crate) fn public(key: &PrivateKey) -> SshKey {
    SshKey::of(key.public_key().to_bytes().unwrap(), FreeText::default()).unwrap()
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_as(Wish::default()).await
    }

    pub(crate) async fn open_as(wish: Wish) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let vault = Arc::new(Vault::open(parts(&directory, wish.resolver)).await.unwrap());
        let meter = Meter::new();
        let listen = ListenSettings {
            limits: Limits {
                drain: wish.drain,
                ..Limits::default()
            },
            ..ListenSettings::default()
        };
        let crowd = Crowd::new(wish.crowd);
        let listener = Listener::bind(&listen, crowd, meter.door(Ssh::NAME)).unwrap();
        let host_key = HostKey::of(&Zeroizing::new([9; 32]));
        let door = Arc::new(Ssh::new(vault.clone(), wish.settings, &host_key, &meter));
        let (address, closer) = (listener.address(), Closer::new());
        let serving = tokio::spawn(door.serve(listener, closer.closing()));
        Self {
            vault,
            address,
            closer,
            serving,
            _directory: directory,
        }
    }

    /// Closes the door, and waits until every connection has ended.
    pub(crate) async fn close(&mut self) {
        self.closer.close();
        (&mut self.serving).await.unwrap();
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

    /// An API user `NAME@127.0.0.1` with the key that `seed` gives.
    pub(crate) async fn app(&self, name: &str, role: Role, seed: u8) -> App {
        let login = format!("{name}@127.0.0.1");
        self.app_at(&login, role, seed, &self.operator().await)
            .await
    }

    pub(crate) async fn app_at(&self, login: &str, role: Role, seed: u8, operator: &Caller) -> App {
        let new = NewUser {
            login: login.to_owned(),
            role,
            scope: Scope::Owned,
            full_name: None,
            any_host: false,
            certificates: Vec::new(),
            department: String::new(),
            location: String::new(),
            expires: None,
        };
        self.vault.add_user(&new, operator).await.unwrap();
        let key = key(seed);
        let added = self.vault.add_ssh_keys(login, vec![public(&key)], operator);
        added.await.unwrap();
        App {
            login: login.to_owned(),
            name: login.rsplit_once('@').unwrap().0.to_owned(),
            key,
        }
    }

    /// A resource of the operator's with an account `root`, shared with `app`.
    pub(crate) async fn shared(&self, name: &str, app: &App, level: Level) {
        let new = NewResource {
            resource: name,
            kind: "Linux",
            account: "root",
            notes: "",
            owner: None,
            more: ResourceEdit::default(),
            more_of_account: AccountEdit::default(),
        };
        let password = NewPassword::parse(Zeroizing::new(PASSWORD.to_owned())).unwrap();
        let operator = self.operator().await;
        self.vault.create(&new, password, &operator).await.unwrap();
        let share = self
            .vault
            .share((name, None), app.login.as_str(), level, &operator);
        share.await.unwrap();
    }

    /// A house with a user `app` who may read `db1/root`.
    pub(crate) async fn with_app(wish: Wish) -> (Self, App) {
        let house = Self::open_as(wish).await;
        let app = house.app("app", Role::PasswordUser, 1).await;
        house.shared("db1", &app, Level::Modify).await;
        (house, app)
    }

    pub(crate) async fn lock(&self, app: &App) {
        let edit = UserEdit::Lock(Lock::Locked);
        let operator = self.operator().await;
        let locked = self.vault.edit_user(app.login.as_str(), &edit, &operator);
        locked.await.unwrap();
    }

    /// A connection on which nobody has logged in.
    pub(crate) async fn connect(&self) -> Client {
        self.connect_by(Preferred::DEFAULT).await.unwrap()
    }

    pub(crate) async fn connect_by(&self, preferred: Preferred) -> Result<Client, russh::Error> {
        let config = client::Config {
            preferred,
            ..client::Config::default()
        };
        self.connect_as(config).await
    }

    pub(crate) async fn connect_as(&self, config: client::Config) -> Result<Client, russh::Error> {
        let handle = client::connect(Arc::new(config), self.address, Trusting).await?;
        Ok(Client { handle })
    }

    /// A connection that `app` has logged in on.
    pub(crate) async fn enter(&self, app: &App) -> Client {
        let mut client = self.connect().await;
        assert!(client.login(&app.name, &app.key).await);
        client
    }

    /// The newest records of the trail that were written at this door, the newest first.
    pub(crate) async fn trail(&self) -> Vec<AuditEntry> {
        let query = AuditQuery {
            limit: 100,
            ..AuditQuery::default()
        };
        let operator = self.operator().await;
        let mut entries = self.vault.audit(query, &operator).await.unwrap().entries;
        entries.retain(|entry| entry.door.known() == Some(&Door::Ssh));
        entries
    }
}

fn parts(directory: &TempDir, resolver: Arc<dyn Resolve>) -> Parts {
    let data = directory.path();
    let master = MasterKey::random().unwrap();
    let keys = Arc::new(KeyRing::create(data, &master, SystemClock.now()).unwrap().0);
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
        clock: Arc::new(SystemClock),
        chance: Arc::new(SystemChance),
        resolver,
        trust: Arc::new(Nobody),
        shortcuts: 1024,
        secondary: false,
    }
}

/// A password that every shipped policy likes.
pub(crate) const PASSWORD: &str = "First-Pass1!word";

/// Believes every host key.
#[derive(Debug)]
pub(crate) struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _key: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

/// A client's connection.
pub(crate) struct Client {
    pub(crate) handle: Handle<Trusting>,
}

/// What a command said, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) exit: Option<u32>,
}

impl Client {
    /// Whether it comes in.
    pub(crate) async fn login(&mut self, name: &str, key: &Arc<PrivateKey>) -> bool {
        let key = PrivateKeyWithHashAlg::new(key.clone(), None);
        let result = self.handle.authenticate_publickey(name, key).await;
        result.is_ok_and(|result| result.success())
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, command: &str) -> Said {
        let channel = self.handle.channel_open_session().await.unwrap();
        channel.exec(true, command).await.unwrap();
        listen(channel).await
    }
}

/// What comes on a channel until it is closed.
pub(crate) async fn listen(mut channel: russh::Channel<client::Msg>) -> Said {
    let mut said = Said::default();
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).unwrap();
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => said.out.push_str(&text(&data)),
            ChannelMsg::ExtendedData { data, .. } => said.err.push_str(&text(&data)),
            ChannelMsg::ExitStatus { exit_status } => said.exit = Some(exit_status),
            _ => {}
        }
    }
    said
}

/// What a success says.
pub(crate) fn done(out: &str) -> Said {
    Said {
        out: out.to_owned(),
        err: String::new(),
        exit: Some(0),
    }
}

/// What a failure says.
pub(crate) fn failed(exit: u32, err: &str) -> Said {
    Said {
        out: String::new(),
        err: err.to_owned(),
        exit: Some(exit),
    }
}
