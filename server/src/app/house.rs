//! The floors, built from the ground up.

use std::path::Path;
use std::sync::Arc;

use crate::app::trust::TrustKeeper;
use crate::app::{AppError, DataFolder, checks, resets};
use crate::config::{Config, Engine, HaMode, KeySource};
use crate::crypto::{KeyRing, MasterSource, Passphrase, PassphraseCost};
use crate::domain::{Door, Operation};
use crate::ledger::{Head, Ledger, LedgerError, LedgerKeys, LedgerSettings};
use crate::store::rows::{AnchorRow, Rows};
use crate::store::{self, Kind};
use crate::vault::{
    Caller, Credential, ListLimits, Origin, Parts, SystemChance, SystemClock, SystemResolver, Vault,
};

/// Store, ledger and vault over one data directory.
#[derive(Debug)]
pub struct House {
    pub(crate) vault: Arc<Vault>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) trust: Arc<TrustKeeper>,
}

impl House {
    /// Opens the floors over keys that are unlocked.
    ///
    /// # Errors
    /// [`AppError::Store`] when another process has the data; [`AppError::Damaged`] when somebody
    /// changed the end of the audit trail; [`AppError::Ledger`]; [`AppError::Vault`].
    pub async fn open(
        folder: &DataFolder,
        config: &Config,
        keys: KeyRing,
    ) -> Result<Self, AppError> {
        let open = |dir: &Path, keys, settings, _| Ledger::open(dir, keys, settings);
        Self::open_with(folder, config, keys, open).await
    }

    /// Opens them although the end of the audit trail is damaged: it goes on behind the damage.
    ///
    /// # Errors
    /// Those of [`House::open`] but damage.
    pub(crate) async fn open_past_damage(
        folder: &DataFolder,
        config: &Config,
        keys: KeyRing,
    ) -> Result<Self, AppError> {
        Self::open_with(folder, config, keys, Ledger::open_past_damage).await
    }

    async fn open_with(
        folder: &DataFolder,
        config: &Config,
        keys: KeyRing,
        open: OpenLedger,
    ) -> Result<Self, AppError> {
        let data = folder.path().to_owned();
        let (kind, settings) = (engine(config), store_settings(config));
        let opening = move || store::open(kind, &data, &settings);
        let store = blocking(opening).await??;
        let keys = Arc::new(keys);
        let (seal, chain) = keys.ledger_keys();
        let rows = Rows::new(store, keys);
        let known = rows.get::<AnchorRow>(rows.places().anchor()).await?;
        let known = known.map(|kept| Head {
            seq: kept.record.seq,
            tag: kept.record.tag,
        });
        let (audit, settings) = (folder.audit(), ledger_settings(config));
        let opening = move || open(&audit, LedgerKeys::new(seal, chain), settings, known);
        let ledger = Arc::new(blocking(opening).await?.map_err(told)?);
        let lists = config.tls.crl_dir.within(folder.path());
        let trust = TrustKeeper::new(
            &lists,
            checks::crl_limits(&config.tls),
            checks::trust_policy(&config.tls),
        );
        let trust = Arc::new(trust.map_err(AppError::certificate("the truststore"))?);
        let vault = Vault::open(Parts {
            rows,
            ledger: ledger.clone(),
            clock: Arc::new(SystemClock),
            chance: Arc::new(SystemChance),
            resolver: Arc::new(SystemResolver {
                timeout: config.limits.lookup_timeout.get(),
            }),
            trust: trust.clone(),
            shortcuts: config.store.remembered.as_usize(),
            secondary: config.ha.mode == HaMode::Secondary,
        });
        let vault = vault.await?;
        resets::connect(&vault, config)?;
        vault.limit_access_times(config.limits.access_times.as_usize());
        vault.limit_lists(ListLimits {
            memory: config.limits.list_memory.as_usize(),
            idle: config.limits.list_idle.get(),
            rows: config.limits.list_rows.as_usize(),
        });
        Ok(Self {
            vault: Arc::new(vault),
            ledger,
            trust,
        })
    }

    /// Closes it: what is under way is written, and the store remembers where the ledger ends.
    ///
    /// # Errors
    /// [`AppError::Ledger`] when the end could not be written; [`AppError::Vault`].
    pub async fn close(self, why: &str) -> Result<(), AppError> {
        let accesses = self.vault.write_access_times().await;
        // The anchor comes right behind the stop: a store that does not have it is an old one.
        let noted = self.vault.note(Operation::Stop, why).await;
        let anchored = self.vault.drop_anchor().await;
        self.ledger.close().await?;
        noted?;
        accesses?;
        Ok(anchored?)
    }

    /// The operator on this machine, for what the program itself does.
    ///
    /// # Errors
    /// [`AppError::Vault`] when the store cannot be read.
    pub async fn operator(&self) -> Result<Caller, AppError> {
        let uid = rustix::process::geteuid().as_raw();
        let request = self.vault.next_request();
        let origin = Origin {
            door: Door::Server,
            peer: None,
            request,
        };
        Ok(self
            .vault
            .identify(&Credential::LocalOperator { uid }, &origin)
            .await?)
    }
}

/// How the audit trail is opened, the end given that the store remembers.
type OpenLedger =
    fn(&Path, LedgerKeys, LedgerSettings, Option<Head>) -> Result<Ledger, LedgerError>;

/// Whoever meets damage here can go on past it.
fn told(error: LedgerError) -> AppError {
    match error {
        LedgerError::Damaged(damage) => AppError::Damaged(damage),
        other => AppError::Ledger(other),
    }
}

/// Where the master key comes from, as `claviger.toml` says.
///
/// # Errors
/// [`AppError::Keys`] when the source is not there; [`AppError::Other`] when it is not set.
pub(crate) fn master_source(
    folder: &DataFolder,
    config: &Config,
) -> Result<MasterSource, AppError> {
    let key = &config.master_key;
    Ok(match key.source {
        KeySource::File => MasterSource::File(key.file.within(folder.path())),
        KeySource::Credential => MasterSource::credential(key.credential.as_str())?,
        KeySource::Passphrase => {
            let passphrase = match &key.passphrase_file {
                Some(place) => Passphrase::from_file(&place.within(folder.path()))?,
                None => Passphrase::from_credential(key.credential.as_str())?,
            };
            MasterSource::Passphrase(passphrase, PassphraseCost::default())
        }
        KeySource::Command => {
            let unset = "master_key.command is not set: give the program that prints the key";
            let argv = key
                .command
                .as_ref()
                .ok_or_else(|| AppError::Other(unset.to_owned()))?;
            let argv = argv.iter().map(|word| word.as_str().to_owned()).collect();
            MasterSource::Command(argv, key.command_timeout.get())
        }
    })
}

/// Unlocks the keys in `folder`; key derivation and the operator's command take their time, so on
/// a thread that may wait.
pub(crate) async fn unlock(folder: &DataFolder, config: &Config) -> Result<KeyRing, AppError> {
    let source = master_source(folder, config)?;
    let data = folder.path().to_owned();
    Ok(blocking(move || KeyRing::unlock(&data, &source)).await??)
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AppError> {
    let stopped = |_| AppError::Other("the program is stopping".to_owned());
    tokio::task::spawn_blocking(work).await.map_err(stopped)
}

pub(crate) fn engine(config: &Config) -> Kind {
    match config.store.engine {
        Engine::Redb => Kind::Redb,
        Engine::Sled => Kind::Sled,
    }
}

pub(crate) fn store_settings(config: &Config) -> store::Settings {
    store::Settings {
        cache: config.store.cache.as_usize(),
        queue: config.store.queue.as_usize(),
        journal: config.store.journal.as_usize(),
        company: config.store.company.get(),
        wait: config.store.max_wait.get(),
        answer: config.store.disk_timeout.get(),
        close: config.store.close_timeout.get(),
        pause: config.store.backup_pause.get(),
    }
}

fn ledger_settings(config: &Config) -> LedgerSettings {
    LedgerSettings {
        segment_bytes: config.audit.segment.as_usize() as u64,
        queue: config.audit.queue.as_usize(),
        company: config.audit.company.get(),
        max_wait: config.audit.max_wait.get(),
        retry: config.audit.retry.get(),
        text_bytes: config.audit.max_text.as_usize(),
    }
}
