//! Where the socket is.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// The socket's file in a data directory.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    data.join("admin.sock")
}

/// A path to the socket that is short enough for the kernel, which takes 107 bytes (unix(7)).
///
/// Where the data directory's own path is longer, the way goes through a descriptor of the
/// directory; it stays open as long as this value lives.
#[derive(Debug)]
pub struct Address {
    path: PathBuf,
    _directory: Option<File>,
}

impl Address {
    /// The address of the socket of a data directory.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub fn of(data: &Path) -> io::Result<Self> {
        let direct = path(data);
        if direct.as_os_str().len() < LIMIT {
            return Ok(Self {
                path: direct,
                _directory: None,
            });
        }
        let directory = File::open(data)?;
        let path = path(&PathBuf::from(format!(
            "/proc/self/fd/{}",
            directory.as_raw_fd()
        )));
        Ok(Self {
            path,
            _directory: Some(directory),
        })
    }

    /// The path to bind or to connect to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

const LIMIT: usize = 100;
