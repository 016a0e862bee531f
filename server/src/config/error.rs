//! What can be wrong with `claviger.toml`: each in one line that names the key.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error(
        "there is no {}: make the data directory with `claviger init`, or name another with --data",
        path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may write it, and with it name a command to be run.
    #[error("{} may be written by others than its owner: chmod go-w it", path.display())]
    Writable {
        /// Which file.
        path: PathBuf,
    },
    /// A line is no TOML.
    #[error("{}, line {line}: {reason}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting is unknown, or its value is none that it may have.
    #[error("{}, line {line}, {key}: {reason}", path.display())]
    Setting {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Which setting, with its section.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two settings do not go together.
    #[error("{}, {key}: {reason}", path.display())]
    Together {
        /// Which file.
        path: PathBuf,
        /// The setting to change.
        key: &'static str,
        /// Why.
        reason: &'static str,
    },
}
