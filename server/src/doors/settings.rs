//! What an operator may set about a door, each with its default.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Where a door listens and what its visitors may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenSettings {
    /// The address; port 0 picks a free one. Default `127.0.0.1:0`: each door has its own.
    pub address: SocketAddr,
    /// How many connections the kernel keeps waiting to be accepted. Default 1024.
    pub backlog: u32,
    /// What one connection may cost.
    pub limits: Limits,
}

impl Default for ListenSettings {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            backlog: 1024,
            limits: Limits::default(),
        }
    }
}

impl ListenSettings {
    /// The defaults at `address`.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            ..Self::default()
        }
    }
}

/// How many connections there may be at once, over all doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrowdSettings {
    /// In all. Default 10 000.
    pub all: usize,
    /// From one IPv4 address, or from one IPv6 network of 64 bits. Default 256.
    pub per_address: usize,
}

impl Default for CrowdSettings {
    fn default() -> Self {
        Self {
            all: 10_000,
            per_address: 256,
        }
    }
}

/// What one connection may cost, in time and in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the accepted connection to the end of the TLS handshake. Default 10 s.
    pub handshake: Duration,
    /// From the first byte of a request's head to its last. Default 10 s.
    pub header: Duration,
    /// From the end of the head to the last byte of the body. Default 30 s.
    pub body: Duration,
    /// Between two requests, and before the first. Default 60 s.
    pub idle: Duration,
    /// From the whole request to its answer. Default 30 s.
    pub request: Duration,
    /// For the peer to take an answer. Default 30 s.
    pub write: Duration,
    /// From the signal to stop until connections that still work are cut. Default 10 s.
    pub drain: Duration,
    /// How long what a peer still sends after a refusal is read and thrown away, so that it sees
    /// the refusal instead of a reset. Default 2 s.
    pub linger: Duration,
    /// Bytes in a request's head. Default 16 KiB; at least 8 KiB is kept for it.
    pub header_bytes: usize,
    /// Header fields in a request. Default 64.
    pub headers: usize,
    /// Bytes in a request's body. Default 1 MiB.
    pub body_bytes: usize,
    /// Whether a body may come compressed with gzip. Default yes.
    pub gzip: bool,
    /// Bytes that a compressed body may grow to. Default 1 MiB.
    pub inflated_bytes: usize,
    /// Bytes of memory that all bodies of more than 64 KiB share; whoever comes after waits as long
    /// as a body may take. Default 64 MiB, and never less than one body needs.
    pub body_memory: usize,
    /// How many times its size a compressed body may grow. Default 100.
    pub inflate_ratio: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            request: Duration::from_secs(30),
            write: Duration::from_secs(30),
            drain: Duration::from_secs(10),
            linger: Duration::from_secs(2),
            header_bytes: 16 * 1024,
            headers: 64,
            body_bytes: 1024 * 1024,
            gzip: true,
            inflated_bytes: 1024 * 1024,
            body_memory: 64 * 1024 * 1024,
            inflate_ratio: 100,
        }
    }
}
