//! Why a door cannot be opened.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

/// Why a door cannot be opened.
#[derive(Debug, Error)]
pub enum DoorError {
    /// Its address cannot be listened on.
    #[error(
        "cannot listen on {address} ({source}): stop what listens there, or name another address"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}
