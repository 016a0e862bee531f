//! `DIR/claviger.toml`: every limit, time-out and place, with its default.
//!
//! The file that `init` writes is made from the same declarations (`settings.rs`) as the defaults.
//! A setting that is missing has its default; one that is empty, unknown or malformed stops the
//! start with a line that names it, for a server must not run on half of what was meant.

mod error;
mod load;
mod render;
mod section;
mod settings;
mod tls;
mod value;

pub use error::ConfigError;
pub use settings::{
    A2aDoor, Admin, Audit, Engine, Ha, HaMode, Health, KeySource, Limits, LineEnd, Log, LogFormat,
    LogLevel, MasterKey, Reset, RestDoor, SshDoor, Store, XmlrpcDoor,
};
pub use tls::{Lenience, Nonce, Ocsp, Tls};
pub use value::{Count, Listen, Place, Size, Span, Text};

use serde::{Deserialize, Serialize};

/// The doors that are open to applications.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Doors {
    /// XML-RPC.
    pub xmlrpc: XmlrpcDoor,
    /// REST.
    pub rest: RestDoor,
    /// SSH.
    pub ssh: SshDoor,
    /// A2A.
    pub a2a: A2aDoor,
}

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `[doors.…]`
    pub doors: Doors,
    /// `[tls]`
    pub tls: Tls,
    /// `[health]`
    pub health: Health,
    /// `[admin]`
    pub admin: Admin,
    /// `[store]`
    pub store: Store,
    /// `[audit]`
    pub audit: Audit,
    /// `[master_key]`
    pub master_key: MasterKey,
    /// `[log]`
    pub log: Log,
    /// `[limits]`
    pub limits: Limits,
    /// `[reset]`
    pub reset: Reset,
    /// `[ha]`
    pub ha: Ha,
}

impl Config {
    /// The name of the file in the data directory.
    pub const FILE: &'static str = "claviger.toml";
}
