//! SAFE: sealed rows, kept so that they survive. May use `domain` and `crypto`.
//!
//! [`Store`] deals in sealed rows only and knows nothing of what is in them. `rows` above it seals,
//! opens and names them; the engines below it are a file each.

mod batch;
mod error;
mod key;
pub mod rows;

pub use batch::{Batch, Expected, Step, StepKind};
pub use error::StoreError;
pub use key::{Key, Table};

use async_trait::async_trait;

/// A sealed row with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it is.
    pub key: Key,
    /// How often it has been written, beginning with 1.
    pub version: u64,
    /// `key id || nonce || ciphertext || tag`.
    pub sealed: Vec<u8>,
}

/// A place that keeps sealed rows.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// The row at `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when the engine could not read.
    async fn get(&self, key: &Key) -> Result<Option<Row>, StoreError>;

    /// At most `limit` rows whose keys begin with `prefix`, in key order, after `after`.
    ///
    /// # Errors
    /// [`StoreError`] when the engine could not read.
    async fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;

    /// All of `batch`, or none of it. Returns after it would survive a power cut; concurrent
    /// commits share a flush.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a row is not as the batch expects it: nothing is written.
    /// Otherwise what the engine could not do; then, too, nothing is written.
    async fn commit(&self, batch: Batch) -> Result<(), StoreError>;
}
