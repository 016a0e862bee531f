//! Why the socket cannot be opened.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why the socket cannot be opened.
#[derive(Debug, Error)]
pub enum AdminError {
    /// The socket's file could not be made.
    #[error("{} cannot be made: {source}", path.display())]
    Socket {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is something at its place that is no socket.
    #[error("{} is no socket: move it away", .0.display())]
    NoSocket(PathBuf),
}
