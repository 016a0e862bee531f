//! What can go wrong with the safe.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::crypto::CryptoError;

/// Why a store could not do it.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A row is not as the batch expects it; nothing was written.
    #[error("the row was changed by somebody else meanwhile")]
    Conflict,
    /// The disk is full; nothing was written.
    #[error("the disk is full")]
    Full,
    /// The directory or file cannot be written.
    #[error("the data directory is read-only")]
    ReadOnly,
    /// Another process has the data.
    #[error("another process uses this data directory: is a server running? stop it first")]
    Busy,
    /// Too many changes wait for the disk; nothing was written.
    #[error("too many changes wait for the disk")]
    Overloaded,
    /// The disk does not answer; whether the change stands is open.
    #[error("the disk does not answer, whether the change was made is not known")]
    Stuck,
    /// A snapshot was not read in the time for which it may stop the writing.
    #[error(
        "reading all rows took longer than changes may wait for it: make store.backup_pause in \
         claviger.toml longer"
    )]
    Paused,
    /// A batch names more rows than the engine writes at once; nothing was written.
    #[error("a batch changes more than {most} rows")]
    TooLarge {
        /// Most rows of a batch.
        most: usize,
    },
    /// A batch names a row twice; nothing was written.
    #[error("a batch names a row twice")]
    Twice,
    /// Others than their owner may use the data.
    #[error("{} has mode {mode:04o}: others may use it; run `chmod go= ` on it", path.display())]
    Exposed {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The data were written by the other engine.
    #[error("{} was written by the other engine: set store.engine back, or export and import", .0.display())]
    OtherEngine(PathBuf),
    /// The journal is gone, and with it the last changes.
    #[error(
        "{} is gone, and the last changes were in it: put it back, restore a backup, or make an \
         empty file there to go on without them", .0.display()
    )]
    JournalGone(PathBuf),
    /// A row does not open, or is not what it should be.
    #[error("a row is damaged, moved or rolled back")]
    Sealed(#[from] CryptoError),
    /// A row opened and cannot be read.
    #[error("a row has a form that this version does not know")]
    Form,
    /// The engine is closed, or stopped after an error.
    #[error("the store is closed")]
    Closed,
    /// The engine reported something else.
    #[error("the store's engine reported an error")]
    Engine(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// The same error once more, for the next of those that share a write.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Conflict => Self::Conflict,
            Self::Full => Self::Full,
            Self::ReadOnly => Self::ReadOnly,
            Self::Busy => Self::Busy,
            Self::Overloaded => Self::Overloaded,
            Self::Stuck => Self::Stuck,
            Self::Paused => Self::Paused,
            Self::TooLarge { most } => Self::TooLarge { most: *most },
            Self::Twice => Self::Twice,
            Self::Exposed { path, mode } => Self::Exposed {
                path: path.clone(),
                mode: *mode,
            },
            Self::OtherEngine(path) => Self::OtherEngine(path.clone()),
            Self::JournalGone(path) => Self::JournalGone(path.clone()),
            Self::Sealed(_) | Self::Form => Self::Form,
            Self::Closed => Self::Closed,
            Self::Engine(cause) => Self::Engine(cause.to_string().into()),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::ReadOnly,
            _ => Self::Engine(error.into()),
        }
    }
}
