//! What can go wrong with the book.

use std::fmt;
use std::io;
use std::path::PathBuf;

use rustix::io::Errno;
use thiserror::Error;

use crate::crypto::CryptoError;

/// Why the ledger could not do it. After an error from an append, the record does not count: what
/// it stands for must not happen.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// The disk is full.
    #[error("the audit trail's disk is full")]
    Full,
    /// The directory or file cannot be written.
    #[error("the audit trail's directory is read-only")]
    ReadOnly,
    /// The file that is written was deleted, replaced or truncated, or its directory was.
    #[error("the audit trail's file was deleted, replaced or truncated")]
    Gone,
    /// The disk did not answer in time. Whether the record stands is not known.
    #[error("the audit trail's disk is too slow")]
    TooSlow,
    /// The ledger was closed.
    #[error("the audit trail is closed")]
    Closed,
    /// Another process writes here.
    #[error("another process writes this audit trail")]
    Busy,
    /// The record does not fit into a segment.
    #[error("the record does not fit into a segment of the audit trail")]
    TooLarge,
    /// Others on this machine could read or write it.
    #[error("{path} is open to other users: chmod go= it")]
    Exposed {
        /// The file or directory.
        path: PathBuf,
    },
    /// Somebody changed it.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// Somebody changed it, and again behind the place where it went on at the operator's word.
    #[error("{first}; and behind where it went on by order: {again}")]
    DamagedAgain {
        /// The first place.
        first: Damage,
        /// The next place that no order explains.
        again: Damage,
    },
    /// A record opened and cannot be read, or the seal key is another.
    #[error("record {seq} does not open under this key")]
    Sealed {
        /// Which one.
        seq: u64,
        /// What the locks said.
        #[source]
        source: CryptoError,
    },
    /// The operating system gave no random numbers.
    #[error("the operating system gave no random numbers")]
    Random,
    /// The disk or the sink reported something else.
    #[error("the audit trail's disk reported an error")]
    Io(#[from] io::Error),
}

impl From<Trouble> for LedgerError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Full => Self::Full,
            Trouble::ReadOnly => Self::ReadOnly,
            Trouble::Gone => Self::Gone,
            Trouble::Slow => Self::TooSlow,
            Trouble::Closed => Self::Closed,
            Trouble::Disk(code) => Self::Io(io::Error::from_raw_os_error(code)),
        }
    }
}

/// Why records cannot be written at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Trouble {
    /// The disk is full.
    #[error("the audit trail's disk is full")]
    Full,
    /// The directory or file cannot be written.
    #[error("the audit trail's directory is read-only")]
    ReadOnly,
    /// The file that is written was deleted, replaced or truncated.
    #[error("the audit trail's file was deleted, replaced or truncated")]
    Gone,
    /// A write takes longer than an append may.
    #[error("the audit trail's disk is too slow")]
    Slow,
    /// The ledger is closed.
    #[error("the audit trail is closed")]
    Closed,
    /// The disk reported this error number.
    #[error("the audit trail's disk reported error {0}")]
    Disk(i32),
}

impl Trouble {
    /// What the disk's error means.
    pub(crate) fn from_error(error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => Self::Full,
            Some(Errno::ROFS | Errno::PERM | Errno::ACCESS) => Self::ReadOnly,
            Some(Errno::NOENT | Errno::STALE | Errno::NOTDIR) => Self::Gone,
            Some(code) => Self::Disk(code.raw_os_error()),
            None => Self::Disk(Errno::IO.raw_os_error()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::from_error(&error)
    }
}

/// The first place where the trail is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{segment}, byte {byte}, record {seq}: {kind}")]
pub struct Damage {
    /// What is wrong.
    pub kind: DamageKind,
    /// The file's name.
    pub segment: String,
    /// Where in the file.
    pub byte: u64,
    /// Which record stood there, or should have.
    pub seq: u64,
}

/// What somebody did to the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// A record's bytes are not those that were written.
    Edited,
    /// The record is not there; later ones are.
    Removed,
    /// The record stands elsewhere.
    Reordered,
    /// There are bytes where nothing was written.
    Stray,
    /// The segment's header is not one of this ledger, or not under these keys.
    Foreign,
    /// The file has the name of another segment.
    Misnamed,
    /// Segments are missing: the next record that is there is this.
    SegmentMissing {
        /// The first record after the gap.
        until: u64,
    },
    /// Records were lost, and the server went on from here at the operator's word.
    Lost {
        /// The first record after the gap.
        until: u64,
    },
    /// The segment ends before its successor says it did.
    Truncated,
    /// The trail ends before a record that the vault knows of.
    Cut {
        /// The record that the vault knows of.
        known: u64,
    },
    /// The record is another than the vault knows of: the chain was replaced.
    Replaced,
}

impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited => f.write_str("edited"),
            Self::Removed => f.write_str("removed"),
            Self::Reordered => f.write_str("moved to another place"),
            Self::Stray => f.write_str("bytes where nothing was written"),
            Self::Foreign => f.write_str("not a segment of this trail, or not under this key"),
            Self::Misnamed => f.write_str("the file has another segment's name"),
            Self::SegmentMissing { until } => {
                write!(
                    f,
                    "segments are missing; the trail goes on with record {until}"
                )
            }
            Self::Lost { until } => {
                write!(f, "lost; the trail goes on with record {until} by order")
            }
            Self::Truncated => f.write_str("the segment was truncated"),
            Self::Cut { known } => write!(f, "the trail was cut; record {known} is known"),
            Self::Replaced => f.write_str("the trail was replaced by another"),
        }
    }
}
