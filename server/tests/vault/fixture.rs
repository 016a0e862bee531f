use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use claviger::crypto::{KeyRing, MasterKey};
use claviger::domain::{
    AccountId, CertBinding, Door, Fingerprint, Level, Operation, Outcome, Password, RefusalReason,
    ResourceId, Role, Scope, Timestamp,
};
use claviger::ledger::{Ledger, LedgerKeys, LedgerSettings, Query, Word};
use claviger::store::rows::Rows;
use claviger::store::{self, Kind, Store};
use claviger::vault::{
    AccountEdit, Caller, CertificateCredential, CertificateTrust, Clock, Credential, NewPassword,
    NewResource, NewUser, Origin, Parts, Resolve, ResolveError, ResourceEdit, SystemChance,
    TrustListener, Trusted, Vault, VaultError, Wanted,
};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// A clock that moves when it is told to.
#[derive(Debug)]
pub struct HeldClock(AtomicI64);

impl HeldClock {
    pub fn pass(&self, span: Duration) {
        self.0.fetch_add(span.as_millis() as i64, Ordering::SeqCst);
    }

    pub fn back(&self, span: Duration) {
        self.0.fetch_sub(span.as_millis() as i64, Ordering::SeqCst);
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Names and their addresses.
#[derive(Debug, Default)]
pub struct Names(Mutex<HashMap<String, Vec<IpAddr>>>);

impl Names {
    pub fn set(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        self.0.lock().unwrap().insert(name.to_owned(), addresses);
    }
}

#[async_trait]
impl Resolve for Names {
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        self.0
            .lock()
            .unwrap()
            .get(name)
            .cloned()
            .ok_or(ResolveError::NoAddress)
    }
}

/// What the vault last said is trusted.
#[derive(Debug, Default)]
pub struct Heard(pub Mutex<Vec<Trusted>>, pub Mutex<Option<Pause>>);

/// Told that somebody listens, and until when that takes.
pub type Pause = (Sender<()>, Receiver<()>);

impl TrustListener for Heard {
    fn trust(&self, trusted: &[Trusted]) {
        let pause = self.1.lock().unwrap().take();
        if let Some((listening, goes_on)) = pause {
            listening.send(()).unwrap();
            goes_on.recv().unwrap();
        }
        *self.0.lock().unwrap() = trusted.to_vec();
    }
}

pub struct House {
    pub vault: Vault,
    pub ledger: Arc<Ledger>,
    pub clock: Arc<HeldClock>,
    pub names: Arc<Names>,
    pub heard: Arc<Heard>,
    pub rows: Rows,
    pub dir: TempDir,
}

pub async fn house() -> House {
    house_in(tempfile::tempdir().unwrap(), false).await
}

pub async fn house_in(dir: TempDir, secondary: bool) -> House {
    house_over(dir, secondary, |store| store).await
}

/// A house whose store `wrap` has in hand.
pub async fn house_over(
    dir: TempDir,
    secondary: bool,
    wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
) -> House {
    let master = MasterKey::new(Zeroizing::new([7; 32]));
    let ring = match KeyRing::load(dir.path(), &master) {
        Ok(ring) => ring,
        Err(_) => {
            KeyRing::create(dir.path(), &master, Timestamp(0))
                .unwrap()
                .0
        }
    };
    let store = wrap(store::open(Kind::Redb, dir.path(), &store::Settings::default()).unwrap());
    let (seal, chain) = ring.ledger_keys();
    let settings = LedgerSettings {
        segment_bytes: 1 << 20,
        ..LedgerSettings::default()
    };
    let audit = dir.path().join("audit");
    let ledger = Arc::new(Ledger::open(&audit, LedgerKeys::new(seal, chain), settings).unwrap());
    let clock = Arc::new(HeldClock(AtomicI64::new(1_800_000_000_000)));
    let names = Arc::new(Names::default());
    let heard = Arc::new(Heard::default());
    let rows = Rows::new(store, Arc::new(ring));
    let vault = Vault::open(Parts {
        rows: rows.clone(),
        ledger: ledger.clone(),
        clock: clock.clone(),
        chance: Arc::new(SystemChance),
        resolver: names.clone(),
        trust: heard.clone(),
        shortcuts: 1024,
        secondary,
    });
    let vault = vault.await.unwrap();
    House {
        vault,
        ledger,
        clock,
        names,
        heard,
        rows,
        dir,
    }
}

impl House {
    pub fn origin(&self, peer: &str) -> Origin {
        let request = self.vault.next_request();
        Origin {
            door: Door::Xmlrpc,
            peer: Some(peer.parse().unwrap()),
            request,
        }
    }

    pub async fn operator(&self) -> Caller {
        let origin = Origin {
            peer: None,
            door: Door::Admin,
            ..self.origin("::1")
        };
        self.vault
            .identify(&Credential::LocalOperator { uid: 0 }, &origin)
            .await
            .unwrap()
    }

    /// Makes an API user on 10.0.0.1 whose certificate has the fingerprint `[mark; 32]`, and lets
    /// it in.
    pub async fn user(&self, name: &str, mark: u8, role: Role, scope: Scope) -> Caller {
        let new = NewUser {
            role,
            scope,
            ..new_user(name, "10.0.0.1", mark)
        };
        self.vault
            .add_user(&new, &self.operator().await)
            .await
            .unwrap();
        self.enter(&credential(name, mark), "10.0.0.1")
            .await
            .unwrap()
    }

    pub async fn plain_user(&self, name: &str, mark: u8) -> Caller {
        self.user(name, mark, Role::PasswordUser, Scope::Owned)
            .await
    }

    pub async fn enter(
        &self,
        shown: &CertificateCredential,
        peer: &str,
    ) -> Result<Caller, VaultError> {
        let origin = self.origin(peer);
        self.vault
            .identify(&Credential::Certificate(shown.clone()), &origin)
            .await
    }

    /// Makes a resource with one account as `caller`.
    pub async fn create(
        &self,
        resource: &str,
        account: &str,
        password: &str,
        caller: &Caller,
    ) -> (ResourceId, AccountId) {
        let new = NewResource {
            account,
            ..new_resource(resource)
        };
        let made = self
            .vault
            .create(&new, given(password), caller)
            .await
            .unwrap();
        assert!(made.generated.is_none());
        (made.resource, made.account)
    }

    pub async fn retrieve(
        &self,
        resource: &str,
        account: &str,
        caller: &Caller,
    ) -> Result<String, VaultError> {
        let got = self
            .vault
            .retrieve(&wanted(resource, account), caller)
            .await;
        got.map(|password| password.expose().to_owned())
    }

    pub async fn share(&self, resource: &str, account: Option<&str>, login: &str, level: Level) {
        let operator = self.operator().await;
        self.vault
            .share((resource, account), login, level, &operator)
            .await
            .unwrap();
    }

    /// That whoever showed something was turned away with `words`, and the audit trail knows why.
    #[track_caller]
    pub fn assert_turned_away(
        &self,
        shown: Result<Caller, VaultError>,
        why: RefusalReason,
        words: &str,
    ) {
        match shown {
            Err(VaultError::Unidentified(told)) => assert_eq!(told, words),
            other => panic!("{other:?}"),
        }
        let newest = self.newest(1);
        assert_eq!(newest, [(Operation::Identify, Outcome::Refused(why))]);
    }

    /// The operation and outcome of the newest records, newest first.
    pub fn newest(&self, count: usize) -> Vec<(Operation, Outcome)> {
        let page = self
            .ledger
            .read(&Query {
                limit: count,
                ..Query::default()
            })
            .unwrap();
        let known = |entry: claviger::ledger::Entry| match (entry.operation, entry.outcome) {
            (Word::Known(operation), Word::Known(outcome)) => (operation, outcome),
            other => panic!("{other:?}"),
        };
        page.entries.into_iter().map(known).collect()
    }
}

pub fn new_user(name: &str, host: &str, mark: u8) -> NewUser {
    NewUser {
        login: format!("{name}@{host}"),
        role: Role::PasswordUser,
        scope: Scope::Owned,
        full_name: None,
        any_host: false,
        certificates: vec![CertBinding::Exactly(Fingerprint([mark; 32]))],
        department: String::new(),
        location: String::new(),
        expires: None,
    }
}

pub fn credential(name: &str, mark: u8) -> CertificateCredential {
    CertificateCredential {
        thumbprint: claviger::domain::Thumbprint([0; 20]),
        fingerprint: Fingerprint([mark; 32]),
        common_name: Ok(name.to_owned()),
        organisation: None,
        trust: CertificateTrust::Pinned,
        valid_until: Timestamp(i64::MAX),
    }
}

pub fn new_resource(resource: &str) -> NewResource<'_> {
    NewResource {
        resource,
        kind: "Linux",
        account: "root",
        notes: "",
        owner: None,
        more: ResourceEdit::default(),
        more_of_account: AccountEdit::default(),
    }
}

pub fn given(password: &str) -> NewPassword {
    NewPassword::Given(Password::parse(Zeroizing::new(password.to_owned())).unwrap())
}

pub fn wanted<'a>(resource: &'a str, account: &'a str) -> Wanted<'a> {
    Wanted::named(resource, account)
}
