//! The directory of the segments.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;

use crate::ledger::format::{parse_name, segment_name};
use crate::ledger::{LedgerError, Trouble};

/// The directory, locked for one writer as long as this lives.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    handle: Mutex<File>,
}

impl Folder {
    /// Makes it if it is not there, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self {
            path: path.to_owned(),
            handle: Mutex::new(lock(path)?),
        })
    }

    /// Makes and locks it anew, if it was moved away or replaced.
    pub(crate) fn reopen(&self) -> Result<(), LedgerError> {
        let mut handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let held = handle.metadata()?;
        let same = fs::metadata(&self.path)
            .is_ok_and(|meta| meta.dev() == held.dev() && meta.ino() == held.ino());
        if !same {
            *handle = lock(&self.path)?;
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes renames and removals durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.handle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .sync_all()
    }

    /// Keeps whatever stands in the place of the segment that begins with `first_seq`, under
    /// another name: it may be evidence.
    pub(crate) fn set_aside(&self, first_seq: u64) -> io::Result<()> {
        let path = segment_path(&self.path, first_seq);
        let mut aside = path.clone().into_os_string();
        aside.push(".aside");
        match fs::rename(path, aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A new, empty file for this user only, in the place of an old one.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)
    }

    /// Opens a file that is there for reading and writing.
    pub(crate) fn open_file(&self, name: &str) -> Result<File, LedgerError> {
        let path = self.path.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .map_err(from_disk)?;
        refuse_exposed(&path, &file)?;
        Ok(file)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let handle = self
            .handle
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        // Closing would do, but for a child process that was forked just now and has not yet
        // closed its copy. There is nobody to tell that it failed.
        let _ = handle.unlock();
    }
}

/// The first records' numbers of the segments in `dir`, in order.
pub(crate) fn segments(dir: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for file in fs::read_dir(dir)? {
        found.extend(file?.file_name().to_str().and_then(parse_name));
    }
    found.sort_unstable();
    Ok(found)
}

/// Where the segment is that begins with `first_seq`.
pub(crate) fn segment_path(dir: &Path, first_seq: u64) -> PathBuf {
    dir.join(segment_name(first_seq))
}

/// Which file stands at a path: that another stands there later does not go unnoticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    path: PathBuf,
    device: u64,
    inode: u64,
    size: u64,
}

impl Identity {
    pub(crate) fn of(file: &File, path: PathBuf) -> io::Result<Self> {
        let meta = file.metadata()?;
        Ok(Self {
            path,
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
        })
    }

    /// [`Trouble::Gone`] unless the very file still stands there, as long as it was.
    pub(crate) fn check(&self) -> Result<(), Trouble> {
        let meta = fs::symlink_metadata(&self.path)?;
        let same = meta.dev() == self.device && meta.ino() == self.inode;
        if same && meta.size() == self.size {
            Ok(())
        } else {
            Err(Trouble::Gone)
        }
    }
}

/// The error of a write, open or rename, told apart.
pub(crate) fn from_disk(error: io::Error) -> LedgerError {
    match Trouble::from_error(&error) {
        Trouble::Disk(_) => LedgerError::Io(error),
        told @ (Trouble::Full
        | Trouble::ReadOnly
        | Trouble::Gone
        | Trouble::Slow
        | Trouble::Closed) => told.into(),
    }
}

fn lock(path: &Path) -> Result<File, LedgerError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => sync_parent(path)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(from_disk(error)),
    }
    let handle = File::open(path)?;
    refuse_exposed(path, &handle)?;
    match handle.try_lock() {
        Ok(()) => Ok(handle),
        Err(TryLockError::WouldBlock) => Err(LedgerError::Busy),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn refuse_exposed(path: &Path, file: &File) -> Result<(), LedgerError> {
    if file.metadata()?.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(LedgerError::Exposed {
        path: path.to_owned(),
    })
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}
