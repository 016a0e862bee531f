//! What is lost where the trail goes on at the operator's word.

use std::io;
use std::ops::RangeInclusive;

use crate::ledger::cursor::{Cursor, Walk};
use crate::ledger::folder::segment_path;
use crate::ledger::prune::read_marker;
use crate::ledger::segment::read_header;
use crate::ledger::{Head, Ledger, LedgerError};

impl Ledger {
    /// The records right before the end of the gap that `head` stands in, which cannot be read and
    /// proven any more: what [`Ledger::resume`] or [`Ledger::open_past_damage`] went past. Reads
    /// one segment; blocks for as long as the disk takes.
    ///
    /// # Errors
    /// What the disk said.
    pub fn lost_before(&self, head: Head) -> Result<Option<RangeInclusive<u64>>, LedgerError> {
        let segments = self.board.segments();
        let whole = match segments.iter().rfind(|first| **first <= head.seq) {
            Some(first) => self.proven_in(*first)?,
            None => read_marker(&self.dir, &self.keys)?.map_or(0, |marker| marker.first_kept - 1),
        };
        Ok((whole < head.seq).then(|| whole + 1..=head.seq))
    }

    /// The last record in the segment that begins with `first` that stands where it must.
    pub(crate) fn proven_in(&self, first: u64) -> Result<u64, LedgerError> {
        let mut cursor = match Cursor::open(&segment_path(&self.dir, first)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(first - 1),
            opened => opened?,
        };
        let mut walk = match read_header(&mut cursor, first, &self.keys) {
            Err(LedgerError::Damaged(_)) => return Ok(first - 1),
            header => Walk::new(&header?),
        };
        while walk.step(&mut cursor, &self.keys)?.is_some() {}
        Ok(walk.head.seq)
    }
}
