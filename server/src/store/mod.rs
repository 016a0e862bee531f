//! SAFE: sealed rows, kept so that they survive. May use `domain` and `crypto`.
//!
//! [`Store`] deals in sealed rows only and knows nothing of what is in them. `rows` above it seals,
//! opens and names them; the engines below it are a file each.

pub mod archive;
mod batch;
mod error;
mod group;
mod key;
mod place;
mod redb;
mod renewed;
mod row;
pub mod rows;
mod sled;
mod stamps;
mod status;
mod touched;

pub use batch::{Batch, Expected, Step, StepKind};
pub use error::StoreError;
pub use key::{Key, Table};
pub use redb::Redb;
pub use renewed::{Renewals, Renewed};
pub use row::Row;
pub use sled::Sled;
pub use stamps::{Stamp, Stamps};
pub use status::{Settings, Status, Trouble};
pub use touched::{Noted, Touched};

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

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
    /// commits share a flush. A caller that goes away while waiting leaves all or none of it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a row is not as the batch expects it: nothing is written.
    /// Otherwise what the engine could not do; then, too, nothing is written.
    async fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// All rows as they are at one moment, in key order, for a backup. Reading them blocks:
    /// `spawn_blocking`. redb goes on writing beside it (what is deleted meanwhile keeps its room
    /// until the snapshot is dropped); sled stops writing until it is dropped, at most a minute.
    ///
    /// # Errors
    /// [`StoreError`] when the engine could not read; within the iterator, too. What came before
    /// an error is then no whole backup.
    async fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// Whether rows may have changed since they were read.
    fn stamps(&self) -> &Stamps;

    /// Most steps of a batch.
    fn most_steps(&self) -> usize;

    /// How it does, for health and metrics.
    fn status(&self) -> Status;
}

/// Rows as they were at one moment.
pub type Snapshot = Box<dyn Iterator<Item = Result<Row, StoreError>> + Send>;

/// Which program keeps the rows on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The default: ACID, synced, a stable file format.
    Redb,
    /// The other embedded choice.
    Sled,
}

/// Opens the store in `directory`, or makes one.
///
/// # Errors
/// [`StoreError::OtherEngine`] when the data were written by the other engine, and as
/// [`Redb::open`] and [`Sled::open`].
pub fn open(
    kind: Kind,
    directory: &Path,
    settings: &Settings,
) -> Result<Arc<dyn Store>, StoreError> {
    let other = directory.join(match kind {
        Kind::Redb => Sled::DIRECTORY,
        Kind::Sled => Redb::FILE,
    });
    if other.try_exists()? {
        return Err(StoreError::OtherEngine(other));
    }
    Ok(match kind {
        Kind::Redb => Arc::new(Redb::open(directory, settings)?),
        Kind::Sled => Arc::new(Sled::open(directory, settings)?),
    })
}

/// Keeps every engine and every other process from a directory's store until it is dropped.
#[derive(Debug)]
pub struct StoreLock(#[expect(dead_code, reason = "held, not used")] place::Lock);

/// Locks the store in `directory`, whether there is one or not.
///
/// # Errors
/// [`StoreError::Busy`] when another process has it; [`StoreError::ReadOnly`].
pub fn lock(directory: &Path) -> Result<StoreLock, StoreError> {
    place::Lock::take(directory).map(StoreLock)
}
