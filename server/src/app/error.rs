//! Why the house cannot be built or opened: one line each, that says what to do.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::admin::AdminError;
use crate::config::ConfigError;
use crate::crypto::CryptoError;
use crate::doors::DoorError;
use crate::ledger::{Damage, LedgerError};
use crate::store::StoreError;
use crate::store::archive::ArchiveError;
use crate::vault::{AnchorState, VaultError};

/// Why the house cannot be built or opened.
#[derive(Debug, Error)]
pub enum AppError {
    /// The data directory was made already.
    #[error("{0} holds a vault already: use it, or name another directory with --data")]
    Exists(PathBuf),
    /// There is no vault in the data directory.
    #[error("there is no vault in {0}: make one with `claviger init --data {0}`")]
    Missing(PathBuf),
    /// Somebody else than the owner may look into it.
    #[error("{path} can be read by others: run `chmod {mode:o} {path}`")]
    Exposed {
        /// What is open.
        path: PathBuf,
        /// What it should be.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error("{0} belongs to another user: run claviger as its owner")]
    Owner(PathBuf),
    /// A file or directory could not be read or made.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `claviger.toml` says something that cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is a vault in the data directory, and it was not said to move it aside.
    #[error("{0} is there already: name an empty directory, or say --replace to move it aside")]
    Occupied(PathBuf),
    /// There is a file where a backup was to be made.
    #[error("{0} is there already: choose another name, a backup overwrites nothing")]
    Taken(PathBuf),
    /// The file with the master key is not there.
    #[error(
        "{0} is not there: put the master key there, name its file with --master-key, or give \
         --recovery-code"
    )]
    NoKey(PathBuf),
    /// A restored vault could be put in place in part only.
    #[error(
        "half-way: {from} could not be moved to {to} ({source}); move it by hand, and the rest"
    )]
    HalfWay {
        /// What was to be moved.
        from: PathBuf,
        /// Where to.
        to: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A backup.
    #[error("{path}: {source}")]
    Backup {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        source: ArchiveError,
    },
    /// The keys.
    #[error(transparent)]
    Keys(#[from] CryptoError),
    /// The store; another process may have it.
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    /// The audit trail.
    #[error("the audit trail: {0}")]
    Ledger(#[from] LedgerError),
    /// The audit trail was damaged.
    #[error(
        "the audit trail: {0}; keep a copy of it, and go on behind the damage by \
         `claviger audit resume --reason TEXT`"
    )]
    Damaged(Damage),
    /// The audit trail is whole, and the store is older than it.
    #[error("{0}")]
    StoreBehind(AnchorState),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A certificate.
    #[error("{what}: {source}")]
    Certificate {
        /// Which.
        what: String,
        /// Why.
        source: certs::CertError,
    },
    /// A door.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The operator's socket.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// Something else, in a line.
    #[error("{0}")]
    Other(String),
}

impl AppError {
    /// For `map_err` on what was done with `path`.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// For `map_err` on what was read from the backup at `path`.
    pub(crate) fn backup(path: impl Into<PathBuf>) -> impl FnOnce(ArchiveError) -> Self {
        let path = path.into();
        move |source| Self::Backup { path, source }
    }

    /// For `map_err` on what was done with the certificate `what`.
    pub(crate) fn certificate(what: impl Into<String>) -> impl FnOnce(certs::CertError) -> Self {
        let what = what.into();
        move |source| Self::Certificate { what, source }
    }
}
