//! One sealed file with everything in it: a backup.
//!
//! ```text
//! "claviger backup 1\n"
//! {"made": ms, "salt": hex, "keyring": n}\n     in the clear
//! the keyring's file, n bytes                   its keys wrapped by master key and recovery code
//! piece …                                       sealed, 64 KiB of what follows in each
//!
//! 1 | name u16 | size u64 | used u64 | bytes    a file: its first `used` bytes, zeros up to `size`
//! 2 | key u16 | version u64 | sealed u32        a row, sealed once more as it lies in the store
//! 3 | files u64 | rows u64 | bytes u64 | note   the end, and what there was before it
//! ```
//!
//! Pieces are sealed under a key of the keyring's, each bound to its number, to whether it is the
//! last, and to all that stands in the clear: none can be changed, cut, moved or swapped with
//! another backup's.

mod read;
mod write;

pub use read::{ArchiveHead, ArchiveReader, Part};
pub use write::ArchiveWriter;

use std::io;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::crypto::{CryptoError, KeyRing, SealKey};

/// What was written or read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files.
    pub files: u64,
    /// Rows.
    pub rows: u64,
    /// Bytes of files and rows.
    pub bytes: u64,
}

/// Why a backup could not be written or read.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// It is some other file.
    #[error("this is no backup of claviger: name a file that `claviger backup` made")]
    Foreign,
    /// Another version wrote it.
    #[error("the backup has a form that this version does not know: use the version that made it")]
    Format,
    /// Its bytes are not those that were written, or some are missing.
    #[error("the backup was changed, cut or damaged: nothing of it was used, take another")]
    Damaged,
    /// A file became shorter while it was read.
    #[error("{0} changed while it was read: make the backup again")]
    Changed(String),
    /// It could not be sealed.
    #[error(transparent)]
    Keys(#[from] CryptoError),
    /// It could not be written or read.
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Damaged,
            _ => Self::Io(error),
        }
    }
}

/// What stands in the clear before the keyring.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clear {
    made: i64,
    salt: String,
    keyring: usize,
}

/// The key of the pieces, and what binds them to `clear`, all that stands in front of them.
fn seal(keys: &KeyRing, clear: &[u8]) -> (SealKey, Vec<u8>) {
    let place = keys.derive_mac("claviger backup head 1").tag(&[clear]);
    (keys.derive_seal("claviger backup 1"), place.to_vec())
}

const MAGIC: &[u8] = b"claviger backup 1\n";
/// What the magic of every version begins with.
const FAMILY: &[u8] = b"claviger backup ";
const FILE: u8 = 1;
const ROW: u8 = 2;
const END: u8 = 3;
