//! Long work: rotation of keys, backups.

use serde::{Deserialize, Serialize};

/// How far a rotation of the data key is; the last line has `finished` or `error`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// How many rows have been looked at.
    pub seen: u64,
    /// How many of them were sealed again.
    pub resealed: u64,
    /// Whether all of them are under the new key, and the old ones gone.
    pub finished: bool,
    /// Why it stopped; null if it did not.
    pub error: Option<String>,
}

/// What is in a backup: the trailer behind its last byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReport {
    /// How many rows.
    pub rows: u64,
    /// How many files, those of the audit trail among them.
    pub files: u64,
    /// How many bytes, before they were sealed.
    pub bytes: u64,
    /// Where the audit trail ends in it, `NUMBER:HASH`.
    pub head: String,
    /// What is not in it, a line each: files outside the data directory or not there.
    pub left_out: Vec<String>,
}

impl BackupReport {
    /// The name of the trailer.
    pub const TRAILER: &'static str = "backup-report";
}
