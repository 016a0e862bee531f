//! The other embedded engine: sled 0.34, with guards for what it does not do by itself.
//!
//! Its `flush` does not reach the disk on Linux, so its file is synced after each one; its memory
//! grows with a batch, so batches are short; its own timer is off; on a disk that is full it waits
//! for ever, so it is kept from filling it. What the guards cannot give: rows are readable a moment
//! before they are durable, it reuses parts of its file by rules that a power cut has not been
//! tested against, and another program may fill the disk. `ARCHITECTURE.md` says more.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use sled::{Db, IVec, Tree};
use tokio::sync::oneshot;

use crate::store::group::{Engine, Group};
use crate::store::place::{self, Lock};
use crate::store::row::UntilError;
use crate::store::{
    Batch, Key, Row, Settings, Snapshot, Stamps, Status, Step, StepKind, Store, StoreError,
};

/// Sealed rows in a sled directory.
pub struct Sled {
    tree: Arc<ArcSwapOption<Tree>>,
    group: Group<Writer>,
    /// How long a snapshot may stop the writing.
    pause: Duration,
}

/// What the writing thread holds.
struct Writer {
    tree: Arc<ArcSwapOption<Tree>>,
    path: PathBuf,
    cache: usize,
    opened: Option<Opened>,
    tried: Instant,
    _lock: Lock,
}

struct Opened {
    database: Db,
    tree: Tree,
    /// sled's log, once more, to sync it.
    log: File,
}

impl Sled {
    /// The directory in a data directory.
    pub const DIRECTORY: &str = "store.sled";

    /// Opens the store in `directory`, or makes one.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process has it, [`StoreError::Exposed`] when others may
    /// read it, [`StoreError::Full`], [`StoreError::ReadOnly`], [`StoreError::Engine`].
    pub fn open(directory: &Path, settings: &Settings) -> Result<Self, StoreError> {
        let lock = Lock::take(directory)?;
        let path = directory.join(Self::DIRECTORY);
        let opened = open_patiently(&path, settings)?;
        let tree = Arc::new(ArcSwapOption::from_pointee(opened.tree.clone()));
        let writer = Writer {
            tree: Arc::clone(&tree),
            path,
            cache: settings.cache,
            opened: Some(opened),
            tried: Instant::now(),
            _lock: lock,
        };
        let group = Group::start(writer, settings)?;
        Ok(Self {
            tree,
            group,
            pause: settings.pause,
        })
    }

    fn tree(&self) -> Result<Arc<Tree>, StoreError> {
        self.tree.load_full().ok_or(StoreError::Closed)
    }
}

#[async_trait]
impl Store for Sled {
    async fn get(&self, key: &Key) -> Result<Option<Row>, StoreError> {
        row(&*self.tree()?, key)
    }

    async fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let bounds = (prefix.first_after(after), std::ops::Bound::Unbounded);
        let entries = self.tree()?.range::<&[u8], _>(bounds).take(limit);
        entries
            .take_while(|entry| match entry {
                Ok((key, _)) => key.starts_with(prefix.as_bytes()),
                Err(_) => true,
            })
            .map(unpack)
            .collect()
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.group.commit(batch).await
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let (pausing, paused) = oneshot::channel();
        let (pause, resumed) = mpsc::channel::<()>();
        let longest = self.pause;
        self.group
            .call(move |_| {
                // If nobody waits any more, `resumed` ends at once.
                let _ = pausing.send(Instant::now() + longest);
                let _ = resumed.recv_timeout(longest + GRACE);
            })
            .await?;
        let until = paused.await.map_err(|_| StoreError::Closed)?;
        let entries = self.tree()?.iter();
        Ok(Box::new(UntilError(Some(Paused {
            entries,
            until,
            _pause: pause,
        }))))
    }

    fn stamps(&self) -> &Stamps {
        self.group.stamps()
    }

    fn most_steps(&self) -> usize {
        Writer::MOST_STEPS
    }

    fn status(&self) -> Status {
        self.group.status()
    }
}

impl Engine for Writer {
    /// A million rows in batches of ten thousand took 12.9 GiB of memory.
    const MOST_STEPS: usize = 1000;

    fn row(&self, key: &Key) -> Result<Option<Row>, StoreError> {
        row(&self.opened.as_ref().ok_or(StoreError::Closed)?.tree, key)
    }

    fn write(&mut self, steps: &[&Step]) -> Result<(), StoreError> {
        if self.opened.is_none() && self.tried.elapsed() >= RETRY {
            self.reopen();
        }
        let opened = self.opened.as_ref().ok_or(StoreError::Closed)?;
        check_room(&opened.log)?;
        let mut batch = sled::Batch::default();
        for step in steps {
            let key = step.key.as_bytes();
            match &step.kind {
                StepKind::Keep => {}
                StepKind::Put { version, sealed } => batch.insert(key, Row::pack(*version, sealed)),
                StepKind::Delete => batch.remove(key),
            }
        }
        opened.tree.apply_batch(batch).map_err(failed)?;
        opened.database.flush().map_err(failed)?;
        Ok(opened.log.sync_data()?)
    }

    fn reopen(&mut self) {
        self.tried = Instant::now();
        // Every handle is dropped before sled opens its directory again: it locks it.
        self.tree.store(None);
        self.opened = None;
        self.opened = open(&self.path, self.cache)
            .inspect_err(|error| tracing::error!(%error, "the store does not open"))
            .ok();
        let tree = self
            .opened
            .as_ref()
            .map(|opened| Arc::new(opened.tree.clone()));
        self.tree.store(tree);
    }
}

/// sled's own threads may keep its lock for a moment after the last handle is dropped. Our lock is
/// taken already, so nobody else has the data: who waits here waits for them only.
fn open_patiently(path: &Path, settings: &Settings) -> Result<Opened, StoreError> {
    let end = Instant::now() + settings.wait;
    loop {
        match open(path, settings.cache) {
            Err(StoreError::Engine(why)) if is_locked(&*why) && Instant::now() < end => {
                thread::sleep(Duration::from_millis(5));
            }
            opened => return opened,
        }
    }
}

fn is_locked(why: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    why.to_string().contains("could not acquire lock")
}

/// Rows, while the writing thread waits.
struct Paused {
    entries: sled::Iter,
    until: Instant,
    _pause: Sender<()>,
}

impl Iterator for Paused {
    type Item = Result<Row, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        if Instant::now() >= self.until {
            return Some(Err(StoreError::Paused));
        }
        Some(unpack(entry))
    }
}

impl fmt::Debug for Sled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sled(..)")
    }
}

fn open(path: &Path, cache: usize) -> Result<Opened, StoreError> {
    place::make_private(path)?;
    let database = sled::Config::new()
        .path(path)
        .cache_capacity(cache as u64)
        .flush_every_ms(None)
        .open()
        .map_err(failed)?;
    let tree = database.open_tree("rows").map_err(failed)?;
    let log = File::open(path.join("db"))?;
    Ok(Opened {
        database,
        tree,
        log,
    })
}

/// That the disk has room for what a batch may take, and sled's own cleaning beside it.
fn check_room(file: &File) -> Result<(), StoreError> {
    let disk = rustix::fs::fstatvfs(file).map_err(std::io::Error::from)?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM {
        return Err(StoreError::Full);
    }
    Ok(())
}

fn row(tree: &Tree, key: &Key) -> Result<Option<Row>, StoreError> {
    let value = tree.get(key.as_bytes()).map_err(failed)?;
    value
        .map(|value| Row::unpack(key.clone(), &value))
        .transpose()
}

fn unpack(entry: sled::Result<(IVec, IVec)>) -> Result<Row, StoreError> {
    let (key, value) = entry.map_err(failed)?;
    Row::unpack(Key::from_bytes(&key), &value)
}

fn failed(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) => error.into(),
        other => StoreError::Engine(other.into()),
    }
}

/// Sixteen of sled's segments.
const ROOM: u64 = 8 << 20;
/// What the writing thread waits longer than a snapshot reads.
const GRACE: Duration = Duration::from_secs(1);
/// Between two tries to open.
const RETRY: Duration = Duration::from_millis(250);
