//! Files that a command makes.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::cli::CliError;

/// Whether a file that is there already is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and the command fails.
    Keep,
    /// It is replaced.
    Replace,
}

/// Makes a file with `mode` and these bytes, on disk when this returns.
///
/// # Errors
/// [`CliError::File`] when it cannot be made, or is there already and shall be kept.
pub(crate) fn write(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    existing: Existing,
) -> Result<(), CliError> {
    let mut file = create(path, mode, existing)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(CliError::file(path))
}

/// Makes an empty file with `mode`.
///
/// # Errors
/// As [`write`].
pub(crate) fn create(path: &Path, mode: u32, existing: Existing) -> Result<File, CliError> {
    if existing == Existing::Replace {
        // Not written over: whoever has the old one open, or linked it elsewhere, keeps the old.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(CliError::file(path)(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => CliError::Failed(format!(
            "{} is there already: remove it, or choose another name",
            path.display()
        )),
        _ => CliError::file(path)(error),
    })
}
