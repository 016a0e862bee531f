//! The place where an engine keeps its files: private, and used by one process.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::store::StoreError;

/// Holds the data directory for this process until it is dropped. The engines' own locks are not
/// enough: they are free for a moment when an engine is opened again after an error.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not used")] File);

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process has it; [`StoreError::ReadOnly`],
    /// [`StoreError::Full`], [`StoreError::Engine`] when its file cannot be made.
    pub(super) fn take(directory: &Path) -> Result<Self, StoreError> {
        let file = open_private(&directory.join("store.lock"), true)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// Opens the file at `path` to read and write, or makes it with mode 0600 if it may.
///
/// # Errors
/// [`StoreError::Exposed`] when others may use it, and what the operating system says.
pub(super) fn open_private(path: &Path, may_create: bool) -> Result<File, StoreError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(may_create)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    check_private(path, &file.metadata()?)?;
    Ok(file)
}

/// Makes the directory at `path` with mode 0700, if it is not there.
///
/// # Errors
/// [`StoreError::Exposed`] when others may use it, and what the operating system says.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => check_private(path, &fs::metadata(path)?),
    }
}

/// Makes the name of the file at `path` durable.
///
/// # Errors
/// What the operating system says.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    Ok(File::open(directory)?.sync_all()?)
}

fn check_private(path: &Path, metadata: &fs::Metadata) -> Result<(), StoreError> {
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.to_path_buf();
    Err(StoreError::Exposed { path, mode })
}
