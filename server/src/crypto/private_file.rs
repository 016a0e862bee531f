//! Files that only their owner may read, written so that a crash leaves the old or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::crypto::CryptoError;

/// The bytes of the file at `path`, at most `limit`.
///
/// # Errors
/// [`CryptoError::Exposed`] and [`CryptoError::Owner`] when others may use it,
/// [`CryptoError::File`] when it cannot be read or is longer.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let file = File::open(path).map_err(CryptoError::file(path))?;
    check(path, &file)?;
    read_all(file, limit).map_err(CryptoError::file(path))
}

/// All that `from` gives, at most `limit` bytes.
pub(super) fn read_all(from: impl Read, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for everything at once: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit.saturating_add(1)));
    from.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too long"));
    }
    Ok(bytes)
}

/// Makes a file (mode 0600) that was not there, whole and durable or not at all.
///
/// # Errors
/// [`CryptoError::Exists`] when there is one, [`CryptoError::File`] when it cannot be written.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), CryptoError> {
    let new = write_new(path, bytes)?;
    // A link refuses to replace, which a rename does not.
    let linked = fs::hard_link(&new, path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CryptoError::Exists(path.to_path_buf()),
        _ => CryptoError::file(path)(error),
    });
    fs::remove_file(&new).map_err(CryptoError::file(new))?;
    linked?;
    sync_directory(path)
}

/// Replaces the file at `path` (mode 0600): after a crash it is the old or the new one, whole.
///
/// # Errors
/// [`CryptoError::File`] when it cannot be written.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), CryptoError> {
    let new = write_new(path, bytes)?;
    rename(&new, path)
}

/// Moves a file of the same directory over `path`, durably.
///
/// # Errors
/// [`CryptoError::File`] when it cannot be moved.
pub(crate) fn rename(from: &Path, path: &Path) -> Result<(), CryptoError> {
    fs::rename(from, path).map_err(CryptoError::file(path))?;
    sync_directory(path)
}

fn check(path: &Path, file: &File) -> Result<(), CryptoError> {
    let metadata = file.metadata().map_err(CryptoError::file(path))?;
    let mode = metadata.mode() & 0o7777;
    let owner = metadata.uid();
    // Nobody should change the mode of a directory or device because it was named by mistake.
    if mode & 0o077 != 0 && !metadata.is_file() {
        let why = io::Error::other("it is no file that only its owner may read");
        return Err(CryptoError::file(path)(why));
    }
    if mode & 0o077 != 0 {
        let path = path.to_path_buf();
        return Err(CryptoError::Exposed { path, mode });
    }
    if owner != rustix::process::geteuid().as_raw() {
        let path = path.to_path_buf();
        return Err(CryptoError::Owner { path, owner });
    }
    Ok(())
}

/// Writes `bytes` durably beside `path`. What an earlier crash left there is replaced.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<PathBuf, CryptoError> {
    let new = beside(path);
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(CryptoError::file(new)(error));
        }
        _ => {}
    }
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    if let Err(error) = written {
        // The first error is the one to tell; a leftover is replaced next time.
        let _ = fs::remove_file(&new);
        return Err(CryptoError::file(new)(error));
    }
    Ok(new)
}

/// Where the next file at `path` is written first.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".new");
    PathBuf::from(name)
}

fn sync_directory(path: &Path) -> Result<(), CryptoError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)
        .and_then(|opened| opened.sync_all())
        .map_err(CryptoError::file(directory))
}
