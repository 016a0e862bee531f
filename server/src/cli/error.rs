//! Why a command was not done: one line that says what to do.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use thiserror::Error;

use crate::admin::wire::Problem;
use crate::admin::with_causes;
use crate::app::AppError;
use crate::config::ConfigError;

/// Why a command was not done.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// No server has the socket open.
    #[error("no server is running on {dir}: start it with `claviger serve --data {dir}`", dir = .0.display())]
    NoServer(PathBuf),
    /// There is no such directory.
    #[error("there is no {dir}: name the data directory with --data, or make one with `claviger init --data {dir}`", dir = .0.display())]
    NoData(PathBuf),
    /// The socket is there, and not for this user.
    #[error("{} may be used by its owner and root only: run this as the server's user", .0.display())]
    NotYours(PathBuf),
    /// The connection to the server broke.
    #[error("the server does not answer: {0}")]
    Connection(String),
    /// The server said no.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What the program does itself, without a server.
    #[error("{}", with_causes(&**.0).replace('\n', " "))]
    App(Box<AppError>),
    /// Something else; what, and what to do about it.
    #[error("{0}")]
    Failed(String),
    /// Whoever read the output has gone.
    #[error("nobody reads the output any more")]
    Unread,
}

impl CliError {
    /// What becomes of an error with the file at `path`.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// The exit status: 2 for a command line that makes no sense, 1 for all else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            // As a pipe's writer that SIGPIPE ends: silent, nobody is left to be told.
            Self::Unread => ExitCode::SUCCESS,
            Self::NoServer(_)
            | Self::NoData(_)
            | Self::NotYours(_)
            | Self::Connection(_)
            | Self::Refused(_)
            | Self::File { .. }
            | Self::Config(_)
            | Self::App(_)
            | Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

impl From<AppError> for CliError {
    fn from(error: AppError) -> Self {
        Self::App(Box::new(error))
    }
}
