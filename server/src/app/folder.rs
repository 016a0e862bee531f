//! The data directory: what is in it, and that nobody else looks into it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::crypto::KeyRing;

/// A data directory.
#[derive(Clone, Debug)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The directory at `path`, which may not be there yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The audit trail's directory.
    #[must_use]
    pub fn audit(&self) -> PathBuf {
        self.0.join("audit")
    }

    /// The operator's socket.
    #[must_use]
    pub fn admin_socket(&self) -> PathBuf {
        self.0.join("admin.sock")
    }

    /// The built-in CA's certificate, for clients.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// Whether there are keys in it.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.0.join(KeyRing::FILE).exists()
    }

    /// Whether it was made to its end: the CA's certificate is written last.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.has_keys() && self.authority().exists()
    }

    /// What restores left behind that were killed while they built: nothing uses it any more, as
    /// long as no restore is at work.
    #[must_use]
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let building = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(Self::BUILDING);
        let mut found: Vec<_> = entries
            .filter(|entry| building(&entry.file_name()))
            .map(|entry| entry.path())
            .collect();
        found.sort();
        found
    }

    /// How the directory begins in which a restore builds.
    pub(crate) const BUILDING: &'static str = "restoring-";

    /// Makes it, for its owner alone.
    ///
    /// # Errors
    /// [`AppError::File`]; [`AppError::Exposed`] or [`AppError::Owner`] when it is there and not
    /// its owner's alone.
    pub fn make(&self) -> Result<(), AppError> {
        make_private(&self.0)?;
        self.check()
    }

    /// Whether it is its owner's alone, and its owner is who asks.
    ///
    /// # Errors
    /// [`AppError::Missing`], [`AppError::Exposed`], [`AppError::Owner`].
    pub fn check(&self) -> Result<(), AppError> {
        let data = match fs::metadata(&self.0) {
            Ok(data) => data,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(AppError::Missing(self.0.clone()));
            }
            Err(error) => return Err(AppError::file(&self.0)(error)),
        };
        if data.uid() != rustix::process::geteuid().as_raw() {
            return Err(AppError::Owner(self.0.clone()));
        }
        if data.permissions().mode() & 0o077 != 0 {
            return Err(AppError::Exposed {
                path: self.0.clone(),
                mode: 0o700,
            });
        }
        Ok(())
    }
}

/// That the key at `path`, if there is one, is its owner's alone.
///
/// # Errors
/// [`AppError::Exposed`].
pub(crate) fn check_private(path: &Path) -> Result<(), AppError> {
    match fs::metadata(path) {
        Ok(data) if data.permissions().mode() & 0o077 != 0 => Err(AppError::Exposed {
            path: path.to_owned(),
            mode: 0o600,
        }),
        // Whoever reads it says better what is wrong with it.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Makes a directory, and those above it, that only its owner may enter.
pub(crate) fn make_private(path: &Path) -> Result<(), AppError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(AppError::file(path))
}
