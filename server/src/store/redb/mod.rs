//! The default engine: redb, one file, one table of rows, and a journal before it.

mod journal;
mod overlay;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use redb::backends::FileBackend;
use redb::{
    Builder, Database, Durability, ReadOnlyTable, ReadableDatabase, StorageBackend, StorageError,
    TableDefinition, TableError, WriteTransaction,
};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::store::group::{Engine, Group};
use crate::store::place::{self, Lock};
use crate::store::redb::journal::Journal;
use crate::store::redb::overlay::Overlay;
use crate::store::row::UntilError;
use crate::store::{
    Batch, Key, Row, Settings, Snapshot, Stamps, Status, Step, StepKind, Store, StoreError,
};

/// Sealed rows in a redb file. Reads are made where they are asked for, from the last durable
/// state; writes go through one thread.
#[derive(Debug)]
pub struct Redb {
    view: Arc<View>,
    group: Group<Writer>,
}

/// What readers see: the state that the last write left.
struct View {
    seen: ArcSwap<Seen>,
    /// How often the file has been opened.
    opened: watch::Sender<u64>,
}

struct Seen {
    opened: u64,
    /// Nothing while the file cannot even be read.
    table: Option<Table>,
}

type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// What the writing thread holds.
struct Writer {
    view: Arc<View>,
    paths: Paths,
    handle: Handle,
    opened: u64,
    tried: Instant,
    _lock: Lock,
}

/// Where the files are, and how large.
struct Paths {
    database: PathBuf,
    journal: PathBuf,
    cache: usize,
    journal_size: usize,
}

enum Handle {
    Writable(Database, Journal),
    /// It cannot be opened to write, for this reason; meanwhile it is read, if it can be.
    Broken(Option<Database>, StoreError),
}

impl Redb {
    /// The file in a data directory.
    pub const FILE: &str = "store.redb";
    /// What was written since that was brought up to date.
    pub const JOURNAL: &str = "store.journal";

    /// Opens the store in `directory`, or makes one.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process has it, [`StoreError::Exposed`] when others may
    /// read it, [`StoreError::Full`], [`StoreError::ReadOnly`], [`StoreError::Engine`].
    pub fn open(directory: &Path, settings: &Settings) -> Result<Self, StoreError> {
        let lock = Lock::take(directory)?;
        let paths = Paths {
            database: directory.join(Self::FILE),
            journal: directory.join(Self::JOURNAL),
            cache: settings.cache,
            journal_size: settings.journal,
        };
        let handle = match paths.open(true) {
            Ok((database, journal)) => Handle::Writable(database, journal),
            // A full disk keeps nobody from reading.
            Err(StoreError::Full) => match paths.open_to_read() {
                Ok(database) => Handle::Broken(Some(database), StoreError::Full),
                Err(_) => return Err(StoreError::Full),
            },
            Err(error) => return Err(error),
        };
        let table = handle.table();
        let view = Arc::new(View {
            seen: ArcSwap::from_pointee(Seen { opened: 1, table }),
            opened: watch::Sender::new(1),
        });
        let writer = Writer {
            view: Arc::clone(&view),
            paths,
            handle,
            opened: 1,
            tried: Instant::now(),
            _lock: lock,
        };
        let group = Group::start(writer, settings)?;
        Ok(Self { view, group })
    }

    /// Reads; where the file had to be closed after an error, again once it has been opened.
    /// Nothing of the table's may leave `read`: redb frees a page as soon as the table that it
    /// was read through is gone, whether or not somebody still looks at a value on it.
    async fn read<T>(
        &self,
        read: impl Fn(&Table) -> Result<T, StorageError> + Send,
    ) -> Result<T, StoreError> {
        let opened = match self.view.read(&read) {
            Err(Unread::Closed { opened }) => opened,
            Err(Unread::Failed(error)) => return Err(error),
            Ok(answer) => return Ok(answer),
        };
        let mut watch = self.view.opened.subscribe();
        self.group
            .call(move |writer| writer.reopen_since(opened))
            .await?;
        timeout(PATIENCE, watch.wait_for(|now| *now > opened))
            .await
            .map_err(|_| StoreError::Closed)?
            .map_err(|_| StoreError::Closed)?;
        self.view.read(&read).map_err(|unread| match unread {
            Unread::Closed { .. } => StoreError::Closed,
            Unread::Failed(error) => error,
        })
    }
}

#[async_trait]
impl Store for Redb {
    async fn get(&self, key: &Key) -> Result<Option<Row>, StoreError> {
        self.read(|table| row(table, key)).await?
    }

    async fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.read(|table| scan(table, prefix, after, limit)).await?
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.group.commit(batch).await
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let entries = self.read(|table| table.range_owned::<&[u8]>(..)).await?;
        let rows = entries.map(|entry| {
            let (key, value) = entry.map_err(failed)?;
            Row::unpack(Key::from_bytes(key.value()), value.value())
        });
        Ok(Box::new(UntilError(Some(rows))))
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

/// Why nothing was read.
enum Unread {
    /// The file was closed after an error, and may be open again.
    Closed { opened: u64 },
    /// The engine says so.
    Failed(StoreError),
}

impl View {
    fn read<T>(&self, read: impl Fn(&Table) -> Result<T, StorageError>) -> Result<T, Unread> {
        let seen = self.seen.load();
        let opened = seen.opened;
        let table = seen.table.as_ref().ok_or(Unread::Closed { opened })?;
        read(table).map_err(|error| match error {
            // After the first error of the disk, redb reads nothing more through this handle.
            StorageError::Io(_) | StorageError::PreviousIo | StorageError::DatabaseClosed => {
                Unread::Closed { opened }
            }
            other => Unread::Failed(failed(other)),
        })
    }
}

impl Engine for Writer {
    /// Bounds the memory of a write to some tens of MiB.
    const MOST_STEPS: usize = 65_536;

    fn row(&self, key: &Key) -> Result<Option<Row>, StoreError> {
        let found = self.view.read(|table| row(table, key));
        found.map_err(|unread| match unread {
            Unread::Closed { .. } => StoreError::Closed,
            Unread::Failed(error) => error,
        })?
    }

    fn write(&mut self, steps: &[&Step]) -> Result<(), StoreError> {
        let (database, journal) = self.writable()?;
        let mut frame = journal.frame(steps);
        if steps.is_empty() || !journal.could_take(&frame) {
            bring_up_to_date(database, journal, steps)?;
        } else {
            if !journal.takes(&frame) {
                bring_up_to_date(database, journal, &[])?;
                // The journal begins again, and counts anew.
                frame = journal.frame(steps);
            }
            add(database, journal, steps, &frame)?;
        }
        let table = read_table(database)?;
        self.show(Some(table));
        Ok(())
    }

    fn reopen(&mut self) {
        self.tried = Instant::now();
        // Closed before it is opened: redb locks its file.
        self.handle = Handle::Broken(None, StoreError::Closed);
        // A file that is gone is not made anew: an empty vault would take its place.
        self.handle = match self.paths.open(false) {
            Ok((database, journal)) => Handle::Writable(database, journal),
            Err(error) => {
                let read = self.paths.open_to_read();
                let trouble = read.as_ref().err();
                tracing::error!(%error, ?trouble, "the store opens for reading only");
                Handle::Broken(read.ok(), error)
            }
        };
        self.opened += 1;
        let table = self.handle.table();
        self.show(table);
        self.view.opened.send_replace(self.opened);
    }
}

impl Handle {
    /// What there is to read.
    fn table(&self) -> Option<Table> {
        match self {
            Self::Writable(database, _) => read_table(database).ok(),
            Self::Broken(database, _) => database.as_ref().and_then(|d| read_table(d).ok()),
        }
    }
}

/// Closing brings the file up to date, so that opening it has nothing to do.
impl Drop for Writer {
    fn drop(&mut self) {
        if let Handle::Writable(database, journal) = &mut self.handle
            && !journal.is_empty()
            && let Err(error) = bring_up_to_date(database, journal, &[])
        {
            // The journal has it all.
            tracing::warn!(%error, "the store's file is not up to date at its end");
        }
    }
}

impl Writer {
    fn show(&self, table: Option<Table>) {
        let opened = self.opened;
        self.view.seen.store(Arc::new(Seen { opened, table }));
    }

    /// The database; where it is broken, tries now and then whether it opens again.
    fn writable(&mut self) -> Result<(&Database, &mut Journal), StoreError> {
        if matches!(self.handle, Handle::Broken(..)) && self.tried.elapsed() >= RETRY {
            self.reopen();
        }
        match &mut self.handle {
            Handle::Writable(database, journal) => Ok((database, journal)),
            Handle::Broken(_, error) => Err(error.again()),
        }
    }

    /// Opens the file again, unless that was done since a reader met an error.
    fn reopen_since(&mut self, opened: u64) {
        if self.opened == opened {
            self.reopen();
        }
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("View(..)")
    }
}

impl Paths {
    /// Opens both files, and writes into the one what the other holds.
    fn open(&self, may_create: bool) -> Result<(Database, Journal), StoreError> {
        let file = place::open_private(&self.database, may_create)?;
        let database = open_on(FileBackend::new(file).map_err(failed)?, self.cache)?;
        let mut epoch = self.take_over(&database)?;
        if epoch == 0 {
            // Filled before it is named: from then on it is missed if it is gone.
            Journal::begin(&self.journal, self.journal_size, 0)?;
            epoch = draw_epoch()?;
            write_durably(&database, &[], epoch).map_err(failed)?;
        }
        let journal = Journal::begin(&self.journal, self.journal_size, epoch)?;
        Ok((database, journal))
    }

    /// Opens files that cannot be opened to write: on a disk that became read-only, for instance.
    fn open_to_read(&self) -> Result<Database, StoreError> {
        let database = open_on(
            Overlay::new(File::open(&self.database)?, self.overlay())?,
            self.cache,
        )?;
        self.take_over(&database)?;
        Ok(database)
    }

    /// Memory for what opening writes: some hundred KiB, and a page for each row in the journal.
    fn overlay(&self) -> usize {
        self.journal_size.saturating_mul(32).max(64 << 20)
    }

    /// Writes what the journal holds, and says to which epoch its next frame belongs; 0 where
    /// there has been no journal yet.
    fn take_over(&self, database: &Database) -> Result<u64, StoreError> {
        let epoch = read_epoch(database).map_err(failed)?;
        let steps = Journal::read(&self.journal, epoch)?;
        if steps.is_empty() {
            return Ok(epoch);
        }
        let steps: Vec<&Step> = steps.iter().collect();
        let epoch = draw_epoch()?;
        write_durably(database, &steps, epoch).map_err(failed)?;
        Ok(epoch)
    }
}

fn open_on(backend: impl StorageBackend, cache: usize) -> Result<Database, StoreError> {
    Builder::new()
        .set_cache_size(cache)
        .create_with_backend(backend)
        .map_err(failed)
}

fn read_table(database: &Database) -> Result<Table, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    transaction.open_table(ROWS).map_err(failed)
}

/// An epoch that no other life of the files has had: a copy that is put back finds nothing in a
/// journal that is not its own.
fn draw_epoch() -> Result<u64, StoreError> {
    let drawn = getrandom::u64().map_err(|error| StoreError::Engine(error.to_string().into()))?;
    Ok(drawn.max(1))
}

/// The epoch of the journal's frames that are not in the file yet.
fn read_epoch(database: &Database) -> Result<u64, redb::Error> {
    let table = match database.begin_read()?.open_table(EPOCH) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(0),
        table => table?,
    };
    Ok(table.get(())?.map_or(0, |epoch| epoch.value()))
}

/// Adds `steps` to the journal, and shows them in a transaction that is durable by that alone.
fn add(
    database: &Database,
    journal: &mut Journal,
    steps: &[&Step],
    frame: &[u8],
) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(failed)?;
    transaction
        .set_durability(Durability::None)
        .map_err(failed)?;
    take(&transaction, steps).map_err(failed)?;
    // What finds no room in the file is refused before it stands in the journal.
    if let Err(error) = journal.append(frame) {
        transaction.abort().map_err(failed)?;
        return Err(error.into());
    }
    transaction.commit().map_err(failed)
}

/// Makes the redb file durable with all that was journaled, and `steps` after it; then the journal
/// begins again.
fn bring_up_to_date(
    database: &Database,
    journal: &mut Journal,
    steps: &[&Step],
) -> Result<(), StoreError> {
    let epoch = draw_epoch()?;
    write_durably(database, steps, epoch).map_err(failed)?;
    journal.forget(epoch);
    Ok(())
}

/// One durable transaction, after which the journal's frames are of `epoch`. Quick repair saves
/// seconds when a large store is opened after a crash, two for a million rows.
fn write_durably(database: &Database, steps: &[&Step], epoch: u64) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_quick_repair(true);
    take(&transaction, steps)?;
    transaction.open_table(EPOCH)?.insert((), epoch)?;
    Ok(transaction.commit()?)
}

fn take(transaction: &WriteTransaction, steps: &[&Step]) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(ROWS)?;
    for step in steps {
        let key = step.key.as_bytes();
        match &step.kind {
            StepKind::Keep => {}
            StepKind::Put { version, sealed } => {
                table.insert(key, Row::pack(*version, sealed).as_slice())?;
            }
            StepKind::Delete => drop(table.remove(key)?),
        }
    }
    Ok(())
}

fn row(table: &Table, key: &Key) -> Result<Result<Option<Row>, StoreError>, StorageError> {
    let found = table.get(key.as_bytes())?;
    let row = found.map(|value| Row::unpack(key.clone(), value.value()));
    Ok(row.transpose())
}

fn scan(
    table: &Table,
    prefix: &Key,
    after: Option<&Key>,
    limit: usize,
) -> Result<Result<Vec<Row>, StoreError>, StorageError> {
    let bounds = (prefix.first_after(after), Bound::Unbounded);
    let mut rows = Vec::new();
    for entry in table.range::<&[u8]>(bounds)?.take(limit) {
        let (key, value) = entry?;
        if !key.value().starts_with(prefix.as_bytes()) {
            break;
        }
        match Row::unpack(Key::from_bytes(key.value()), value.value()) {
            Ok(row) => rows.push(row),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(rows))
}

fn failed(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Io(error) => error.into(),
        redb::Error::DatabaseAlreadyOpen => StoreError::Busy,
        redb::Error::DatabaseClosed => StoreError::Closed,
        other => StoreError::Engine(other.into()),
    }
}

const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");
const EPOCH: TableDefinition<'static, (), u64> = TableDefinition::new("journal");
/// How long a read waits until the file has been opened again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries to open a file to write.
const RETRY: Duration = Duration::from_millis(250);
