//! How the server is.

use serde::{Deserialize, Serialize};

/// How the server is, for an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// When it started.
    pub started: String,
    /// `primary` or `secondary`.
    pub mode: String,
    /// The store's engine.
    pub engine: String,
    /// The doors and where they listen.
    pub doors: Vec<DoorStatus>,
    /// `ok`; `warning`, when it works and something is wrong; `failing`, when it does not work.
    pub state: String,
    /// What is wrong, a line each.
    pub problems: Vec<String>,
    /// The number and the keyed hash of the audit trail's last record, `NUMBER:HASH`.
    pub audit_head: String,
    /// Which data key seals new rows.
    pub data_key: u32,
    /// How many data keys there are; more than one while a rotation is under way.
    pub data_keys: usize,
    /// Certificates that have expired or soon will.
    pub certificates: Vec<Certificate>,
}

/// A door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorStatus {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub listen: String,
    /// The SHA-256 of its host key, as `ssh-keygen -l` shows it; the SSH door has one.
    pub host_key: Option<String>,
}

/// A certificate that has expired or soon will.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// `server`, `ca`, or whose it is.
    pub use_for: String,
    /// Whom it names.
    pub subject: String,
    /// Its SHA-256.
    pub fingerprint: String,
    /// Until when it is valid.
    pub not_after: String,
    /// How many days are left; negative once it has expired.
    pub days_left: i64,
}
