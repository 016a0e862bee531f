//! Removing old segments at the operator's word, so that the rest still verifies.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::PoisonError;

use crate::domain::Timestamp;
use crate::ledger::cursor::Cursor;
use crate::ledger::folder::{Folder, segment_path, segments};
use crate::ledger::segment::read_header;
use crate::ledger::{Damage, DamageKind, Ledger, LedgerError, LedgerKeys};

/// What may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Records with smaller numbers.
    Seq(u64),
    /// Records of earlier moments.
    Time(Timestamp),
}

/// What pruning did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// How many segments were removed.
    pub segments: usize,
    /// The first record that is left.
    pub first_kept: u64,
}

/// The note that records were pruned: where the chain begins since, under the chain key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) first_kept: u64,
    pub(crate) prev_tag: [u8; 32],
    at: Timestamp,
}

impl Ledger {
    /// Removes the segments that hold nothing but what is `before`; never the one that is written.
    /// Export them first: they are gone for good. Leaves a signed note, dated `at`, so that the
    /// rest verifies, also where segments before it were lost. Blocks for as long as the disk
    /// takes.
    ///
    /// # Errors
    /// What the disk said; nothing is removed before the note is durable.
    pub fn prune(&self, before: Before, at: Timestamp) -> Result<Pruned, LedgerError> {
        let _one_at_a_time = self.pruning.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = read_marker(&self.dir, &self.keys)?.map_or(1, |marker| marker.first_kept);
        let Some((kept, prev_tag)) = self
            .first_to_keep(before)?
            .filter(|(kept, _)| *kept > begin)
        else {
            return Ok(Pruned {
                segments: 0,
                first_kept: begin,
            });
        };
        let marker = Marker {
            first_kept: kept,
            prev_tag,
            at,
        };
        self.board
            .segments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|first| *first >= kept);
        marker.write(&self.dir, &self.keys)?;
        Ok(Pruned {
            segments: remove(&self.dir, kept)?,
            first_kept: kept,
        })
    }

    /// The last segment with nothing but what is `before` in front of it, and the tag it follows.
    fn first_to_keep(&self, before: Before) -> Result<Option<(u64, [u8; 32])>, LedgerError> {
        let mut found = None;
        for first in self.board.segments() {
            let mut cursor = Cursor::open(&segment_path(&self.dir, first))?;
            let header = read_header(&mut cursor, first, &self.keys)?;
            let old = match before {
                Before::Seq(seq) => header.first_seq <= seq,
                Before::Time(time) => header.prev_span.latest < time.0,
            };
            if !old {
                break;
            }
            found = Some((first, header.prev_tag));
        }
        Ok(found)
    }
}

/// Removes what a crash kept from being removed, and returns where the trail begins if it was ever
/// pruned.
pub(crate) fn finish_pruning(
    folder: &Folder,
    keys: &LedgerKeys,
) -> Result<Option<u64>, LedgerError> {
    let Some(marker) = read_marker(folder.path(), keys)? else {
        return Ok(None);
    };
    remove(folder.path(), marker.first_kept)?;
    Ok(Some(marker.first_kept))
}

/// Where the trail begins by its note; a note that is not one of this ledger's is kept under another
/// name, so that the next opening goes on without it.
pub(crate) fn keep_marker(folder: &Folder, keys: &LedgerKeys) -> Result<Option<u64>, LedgerError> {
    let path = folder.path().join(MARKER);
    match read_marker(folder.path(), keys) {
        Err(LedgerError::Damaged(_)) => {
            fs::rename(&path, path.with_extension("aside"))?;
            Ok(None)
        }
        read => Ok(read?.map(|marker| marker.first_kept)),
    }
}

/// The note in `dir`, if there is one.
pub(crate) fn read_marker(dir: &Path, keys: &LedgerKeys) -> Result<Option<Marker>, LedgerError> {
    match fs::read(dir.join(MARKER)) {
        Ok(bytes) => match Marker::parse(&bytes, keys) {
            Some(marker) => Ok(Some(marker)),
            None => Err(Damage {
                kind: DamageKind::Foreign,
                segment: MARKER.to_owned(),
                byte: 0,
                seq: 1,
            }
            .into()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Marker {
    fn write(&self, dir: &Path, keys: &LedgerKeys) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(80);
        bytes.extend_from_slice(&self.first_kept.to_le_bytes());
        bytes.extend_from_slice(&self.prev_tag);
        bytes.extend_from_slice(&self.at.0.to_le_bytes());
        let mac = keys.chain().tag(&[LABEL, &bytes]);
        bytes.extend_from_slice(&mac);
        let mut file = tempfile_beside(dir)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(dir.join(MARKER_NEXT), dir.join(MARKER))?;
        fs::File::open(dir)?.sync_all()
    }

    fn parse(bytes: &[u8], keys: &LedgerKeys) -> Option<Self> {
        let (said, mac) = bytes.split_last_chunk::<32>()?;
        if !keys.chain().verify(&[LABEL, said], mac) {
            return None;
        }
        let (first_kept, said) = said.split_first_chunk()?;
        let (prev_tag, at) = said.split_first_chunk()?;
        Some(Self {
            first_kept: u64::from_le_bytes(*first_kept),
            prev_tag: *prev_tag,
            at: Timestamp(i64::from_le_bytes(at.try_into().ok()?)),
        })
    }
}

fn tempfile_beside(dir: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(dir.join(MARKER_NEXT))
}

fn remove(dir: &Path, first_kept: u64) -> io::Result<usize> {
    let mut removed = 0;
    for first in segments(dir)? {
        if first < first_kept {
            fs::remove_file(segment_path(dir, first))?;
            removed += 1;
        }
    }
    Ok(removed)
}

pub(crate) const MARKER: &str = "pruned";

const MARKER_NEXT: &str = "pruned.tmp";

const LABEL: &[u8] = b"claviger audit pruned 1";
