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
