//! Where records stand, so that a page costs what the page costs.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};

use crate::ledger::cursor::Cursor;
use crate::ledger::format::{Frame, HEADER_BYTES};

/// Where every [`BLOCK`]th record of a segment stands; grows as it is asked.
#[derive(Debug)]
pub(crate) struct Index {
    first_seq: u64,
    inode: u64,
    blocks: Vec<u64>,
    next_seq: u64,
    next_at: u64,
}

/// The indexes of the segments that were read last.
#[derive(Debug, Default)]
pub(crate) struct Indexes(Mutex<Vec<Index>>);

impl Indexes {
    /// The index of the segment in `cursor`: one that is known, else an empty one.
    pub(crate) fn take(&self, first_seq: u64, cursor: &Cursor) -> io::Result<Index> {
        let inode = cursor.file().metadata()?.ino();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = known
            .iter()
            .position(|index| index.first_seq == first_seq && index.inode == inode);
        Ok(place.map_or_else(
            || Index {
                first_seq,
                inode,
                blocks: Vec::new(),
                next_seq: first_seq,
                next_at: HEADER_BYTES,
            },
            |place| known.remove(place),
        ))
    }

    /// Keeps it for the next reader.
    pub(crate) fn put(&self, index: Index) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|other| other.first_seq != index.first_seq);
        known.insert(0, index);
        known.truncate(KEPT);
    }
}

impl Index {
    /// Learns where records stand, up to `seq` or the last that stands there.
    pub(crate) fn learn(&mut self, cursor: &mut Cursor, seq: u64) -> io::Result<()> {
        while self.next_seq <= seq {
            let Some(frame) = Frame::parse(cursor.peek(self.next_at, Frame::BYTES)?) else {
                return Ok(());
            };
            if frame.seq != self.next_seq || !frame.is_plausible() {
                return Ok(());
            }
            if (self.next_seq - self.first_seq).is_multiple_of(BLOCK) {
                self.blocks.push(self.next_at);
            }
            self.next_seq += 1;
            self.next_at += frame.whole() as u64;
        }
        Ok(())
    }

    /// The first record that is not known, and where it should stand.
    pub(crate) fn end(&self) -> (u64, u64) {
        (self.next_seq, self.next_at)
    }

    /// The first record of the block with `seq`, and where it stands.
    pub(crate) fn block(&self, seq: u64) -> Option<(u64, u64)> {
        let block = seq.checked_sub(self.first_seq)? / BLOCK;
        let at = *self.blocks.get(usize::try_from(block).ok()?)?;
        Some((self.first_seq + block * BLOCK, at))
    }
}

/// How many records are found by walking from one that is known.
pub(crate) const BLOCK: u64 = 64;

/// Of how many segments indexes are kept; one of 16 MiB has about 6 KiB.
const KEPT: usize = 8;
