use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claviger::app::{self, AppError, DataFolder, Restore, RestoreReport, Unlock};
use claviger::crypto::{KeyRing, MasterSource};
use claviger::domain::{CertBinding, Door, Fingerprint, Password, Role, Scope, Timestamp};
use claviger::ledger::{Ledger, LedgerKeys, LedgerSettings};
use claviger::store::rows::Rows;
use claviger::store::{self, Kind};
use claviger::vault::{
    AccountEdit, BackupFiles, BackupReport, Caller, CertificateCredential, CertificateTrust,
    Credential, NewPassword, NewResource, NewUser, Origin, Parts, Reach, ResourceEdit,
    SystemChance, SystemClock, SystemResolver, TrustListener, Trusted, Vault, VaultError, Wanted,
};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// Settings that fill less of the disk ahead of use.
pub const SMALL: &str = "[audit]\nsegment = \"1MiB\"\n";

/// A data directory as `init` makes it, with room beside it.
pub struct Home {
    pub dir: TempDir,
    pub code: String,
}

pub async fn home() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let folder = DataFolder::new(dir.path().join("data"));
    folder.make().unwrap();
    fs::write(folder.path().join("claviger.toml"), SMALL).unwrap();
    let made = app::init(&folder, &[]).await.unwrap();
    let code = made.recovery_code.expose().to_string();
    Home { dir, code }
}

impl Home {
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn folder(&self, name: &str) -> DataFolder {
        DataFolder::new(self.path(name))
    }

    /// A backup of the stopped server, in the file "backup".
    pub async fn backup(&self) -> BackupReport {
        app::backup(&self.folder("data"), &self.path("backup"), |_| {})
            .await
            .unwrap()
    }

    /// The backup restored into the directory `name` by the first directory's master key.
    pub async fn restore(&self, name: &str) -> Result<RestoreReport, AppError> {
        let unlock = Unlock::KeyFile(self.path("data/master.key"));
        self.restore_by(name, unlock).await
    }

    pub async fn restore_by(&self, name: &str, unlock: Unlock) -> Result<RestoreReport, AppError> {
        let what = Restore {
            file: self.path("backup"),
            unlock,
            replace: false,
        };
        app::restore(&self.folder(name), what, |_| {}).await
    }

    pub fn by_code(&self) -> Unlock {
        Unlock::Code(Zeroizing::new(self.code.clone()))
    }

    /// A running vault over the directory `name`.
    pub async fn open(&self, name: &str) -> Live {
        open(&self.path(name)).await
    }
}

/// The names in a directory.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What the vault last said is trusted.
#[derive(Debug, Default)]
pub struct Heard(pub Mutex<Vec<Trusted>>);

impl TrustListener for Heard {
    fn trust(&self, trusted: &[Trusted]) {
        *self.0.lock().unwrap() = trusted.to_vec();
    }
}

/// A running vault.
pub struct Live {
    pub vault: Arc<Vault>,
    pub ledger: Arc<Ledger>,
    pub heard: Arc<Heard>,
    pub data: PathBuf,
}

pub async fn open(data: &Path) -> Live {
    let key = MasterSource::File(data.join("master.key"));
    let ring = KeyRing::unlock(data, &key).unwrap();
    let (seal, chain) = ring.ledger_keys();
    let store = store::open(Kind::Redb, data, &store::Settings::default()).unwrap();
    let keys = LedgerKeys::new(seal, chain);
    let settings = LedgerSettings {
        segment_bytes: 1 << 20,
        ..LedgerSettings::default()
    };
    let ledger = Arc::new(Ledger::open(&data.join("audit"), keys, settings).unwrap());
    let heard = Arc::new(Heard::default());
    let vault = Vault::open(Parts {
        rows: Rows::new(store, Arc::new(ring)),
        ledger: ledger.clone(),
        clock: Arc::new(SystemClock),
        chance: Arc::new(SystemChance),
        resolver: Arc::new(SystemResolver {
            timeout: Duration::from_secs(2),
        }),
        trust: heard.clone(),
        shortcuts: 1024,
        secondary: false,
    });
    Live {
        vault: Arc::new(vault.await.unwrap()),
        ledger,
        heard,
        data: data.to_owned(),
    }
}

impl Live {
    pub async fn close(self) {
        self.vault.drop_anchor().await.unwrap();
        self.ledger.close().await.unwrap();
    }

    pub fn origin(&self) -> Origin {
        Origin {
            door: Door::Xmlrpc,
            peer: Some("10.0.0.1".parse().unwrap()),
            request: self.vault.next_request(),
        }
    }

    pub async fn operator(&self) -> Caller {
        let shown = Credential::LocalOperator { uid: 0 };
        let origin = self.origin();
        self.vault.identify(&shown, &origin).await.unwrap()
    }

    /// Makes an API user on 10.0.0.1 whose certificate has the fingerprint `[mark; 32]`.
    pub async fn user(&self, name: &str, mark: u8, role: Role) -> Caller {
        let new = NewUser {
            login: format!("{name}@10.0.0.1"),
            role,
            scope: Scope::Owned,
            full_name: None,
            any_host: false,
            certificates: vec![CertBinding::Exactly(Fingerprint([mark; 32]))],
            department: String::new(),
            location: String::new(),
            expires: None,
        };
        let operator = self.operator().await;
        self.vault.add_user(&new, &operator).await.unwrap();
        self.enter(name, mark).await.unwrap()
    }

    pub async fn enter(&self, name: &str, mark: u8) -> Result<Caller, VaultError> {
        let shown = CertificateCredential {
            thumbprint: claviger::domain::Thumbprint([0; 20]),
            fingerprint: Fingerprint([mark; 32]),
            common_name: Ok(name.to_owned()),
            organisation: None,
            trust: CertificateTrust::Pinned,
            valid_until: Timestamp(i64::MAX),
        };
        let shown = Credential::Certificate(shown);
        self.vault.identify(&shown, &self.origin()).await
    }

    pub async fn create(&self, resource: &str, password: &str, caller: &Caller) {
        let new = NewResource {
            resource,
            kind: "Linux",
            account: "root",
            notes: "",
            owner: None,
            more: ResourceEdit::default(),
            more_of_account: AccountEdit::default(),
        };
        let made = self.vault.create(&new, given(password), caller).await;
        assert!(made.unwrap().generated.is_none());
    }

    pub async fn change(&self, resource: &str, password: &str, caller: &Caller) {
        let (wanted, new) = (wanted(resource), given(password));
        let changed = self.vault.change(&wanted, new, Reach::Local, caller);
        assert!(changed.await.unwrap().is_none());
    }

    pub async fn retrieve(&self, resource: &str, caller: &Caller) -> Result<String, VaultError> {
        let got = self.vault.retrieve(&wanted(resource), caller).await;
        got.map(|password| password.expose().to_owned())
    }

    /// The files that a server of the command line would add.
    pub fn files(&self) -> BackupFiles {
        BackupFiles::new(&self.data)
            .with(self.data.join("claviger.toml"))
            .with(self.data.join("ca.pem"))
    }

    /// A backup of the running vault.
    pub async fn backup(&self, path: &Path) -> Result<BackupReport, VaultError> {
        let target = app::BackupTarget::create(path).unwrap();
        let (sink, operator) = (target.sink().unwrap(), self.operator().await);
        let made = self.vault.backup(sink, self.files(), |_| {}, &operator);
        let report = made.await?;
        target.keep().unwrap();
        Ok(report)
    }
}

fn given(password: &str) -> NewPassword {
    NewPassword::Given(Password::parse(Zeroizing::new(password.to_owned())).unwrap())
}

fn wanted(resource: &str) -> Wanted<'_> {
    Wanted::named(resource, "root")
}
