//! The directory in which a restored vault is built before it is put in place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::app::backup::sync_directory_of;
use crate::app::folder::make_private;
use crate::app::house::{engine, store_settings};
use crate::app::restore::place::Place;
use crate::app::restore::read::{Reader, Taker, read};
use crate::app::restore::unlock::Sealed;
use crate::app::restore::{BackupContent, compact};
use crate::app::{AppError, DataFolder};
use crate::config::Config;
use crate::crypto::{KeyRing, private_file};
use crate::domain::Timestamp;
use crate::store::archive::ArchiveError;
use crate::store::{self, Batch, Expected, Row, StepKind, Store};
use crate::vault::BackupProgress;

/// The directory, filled. Dropped before it is put in place, it goes with all that is in it.
#[derive(Debug)]
pub(super) struct Stage {
    scaffold: Scaffold,
    config: Config,
    /// Whether the data directory's own settings stay in force.
    pub(super) keeps_config: bool,
}

impl Stage {
    /// Builds what `sealed` holds beside `place`. Blocks.
    pub(super) fn build(
        place: &Place,
        sealed: Sealed,
        now: Timestamp,
        progress: impl FnMut(BackupProgress),
    ) -> Result<(Self, BackupContent), AppError> {
        let path = place
            .folder()
            .path()
            .join(format!("{}{}", DataFolder::BUILDING, compact(now)));
        let scaffold = Scaffold::make(path)?;
        let ring = scaffold.path().join(KeyRing::FILE);
        private_file::create(&ring, sealed.head.keyring())?;
        let mut building = Building {
            scaffold: &scaffold,
            place,
            store: None,
            batch: Batch::default(),
            bytes: 0,
        };
        let content = read(sealed, &mut building, progress)?;
        building.end()?;
        let keeps_config = place.keeps_config();
        let config = in_force(place, scaffold.path())?;
        if keeps_config {
            let staged = scaffold.path().join(Config::FILE);
            let aside = staged.with_extension("toml.from-backup");
            fs::rename(&staged, aside).map_err(AppError::file(staged))?;
        }
        let stage = Self {
            scaffold,
            config,
            keeps_config,
        };
        Ok((stage, content))
    }

    /// The directory.
    pub(super) fn folder(&self) -> &DataFolder {
        &self.scaffold.folder
    }

    /// The settings that will be in force.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// From now on it stays, whatever happens, until [`Stage::clear`].
    pub(super) fn hold(&mut self) {
        self.scaffold.held = true;
    }

    /// What is left in it is not needed any more.
    pub(super) fn clear(&mut self) {
        self.scaffold.held = false;
    }
}

/// The settings that will be in force: the data directory's own, where there are some and no
/// vault, so that they were put there for this; the backup's otherwise.
fn in_force(place: &Place, staged: &Path) -> Result<Config, AppError> {
    let directory = if place.keeps_config() {
        place.folder().path()
    } else {
        staged
    };
    Ok(Config::load(directory)?)
}

#[derive(Debug)]
struct Scaffold {
    folder: DataFolder,
    held: bool,
}

impl Scaffold {
    fn make(path: PathBuf) -> Result<Self, AppError> {
        if path.exists() {
            return Err(AppError::file(path)(io::ErrorKind::AlreadyExists.into()));
        }
        make_private(&path)?;
        Ok(Self {
            folder: DataFolder::new(path),
            held: false,
        })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Scaffold {
    fn drop(&mut self) {
        if self.held {
            return;
        }
        if let Err(why) = fs::remove_dir_all(self.path()) {
            tracing::warn!(%why, path = %self.path().display(), "cannot be removed");
        }
    }
}

/// Takes the parts of a backup into the directory.
struct Building<'a> {
    scaffold: &'a Scaffold,
    place: &'a Place,
    store: Option<Arc<dyn Store>>,
    batch: Batch,
    bytes: usize,
}

impl Taker for Building<'_> {
    fn file(&mut self, name: &str, size: u64, from: &mut Reader<'_>) -> Result<(), AppError> {
        let inside = Path::new(name);
        let plain = |part| matches!(part, Component::Normal(_));
        if !inside.components().all(plain) {
            return Err(from.failed(ArchiveError::Damaged));
        }
        let path = self.scaffold.path().join(inside);
        if let Some(parent) = path.parent() {
            make_private(parent)?;
        }
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let mut to = Told {
            file: opened.map_err(AppError::file(&path))?,
            failure: None,
        };
        let copied = from.content(&mut to);
        if let Some(failure) = to.failure {
            return Err(AppError::file(path)(failure));
        }
        let used = copied?;
        pad(&mut to.file, size.saturating_sub(used))
            .and_then(|()| to.file.sync_all())
            .map_err(AppError::file(&path))?;
        sync_directory_of(&path)
    }

    fn row(&mut self, row: Row) -> Result<(), AppError> {
        let most = self.store()?.most_steps().min(MOST_STEPS);
        self.bytes += row.sealed.len();
        let (version, sealed) = (row.version, row.sealed);
        let step = StepKind::Put { version, sealed };
        self.batch.push(row.key, Expected::Absent, step);
        if self.batch.steps.len() >= most || self.bytes >= MOST_BYTES {
            self.write()?;
        }
        Ok(())
    }
}

impl Building<'_> {
    /// The store of the engine that the settings name, which came before the rows.
    fn store(&mut self) -> Result<&Arc<dyn Store>, AppError> {
        if self.store.is_none() {
            let config = in_force(self.place, self.scaffold.path())?;
            let (kind, settings) = (engine(&config), store_settings(&config));
            self.store = Some(store::open(kind, self.scaffold.path(), &settings)?);
        }
        self.store
            .as_ref()
            .ok_or_else(|| store::StoreError::Closed.into())
    }

    fn write(&mut self) -> Result<(), AppError> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        let written = self.store()?.commit(batch);
        Ok(Handle::current().block_on(written)?)
    }

    fn end(mut self) -> Result<(), AppError> {
        if !self.batch.steps.is_empty() {
            self.write()?;
        }
        sync_directory_of(&self.scaffold.path().join(KeyRing::FILE))
    }
}

/// Remembers that it was the writing that failed.
struct Told {
    file: File,
    failure: Option<io::Error>,
}

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.file.write(bytes) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let kind = error.kind();
                self.failure = Some(error);
                Err(kind.into())
            }
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// True zeros, not a hole: the trail is written over them, and must not run out of disk then.
fn pad(file: &mut File, mut count: u64) -> io::Result<()> {
    let zeros = [0; 64 << 10];
    while count > 0 {
        let some = count.min(zeros.len() as u64);
        let length = usize::try_from(some).unwrap_or_default();
        file.write_all(zeros.get(..length).unwrap_or_default())?;
        count -= some;
    }
    Ok(())
}

const MOST_STEPS: usize = 8192;
const MOST_BYTES: usize = 4 << 20;
