//! What can go wrong with the safe.

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
    #[error("another process uses this data directory")]
    Busy,
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
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}
