//! The segments of a running ledger, for its readers.

use std::io;

use crate::ledger::cursor::Cursor;
use crate::ledger::folder::segment_path;
use crate::ledger::format::{Begin, HEADER_BYTES, SegmentHeader, Span, TAG, segment_name};
use crate::ledger::index::{BLOCK, Index};
use crate::ledger::segment::read_header;
use crate::ledger::{Damage, DamageKind, Head, Ledger, LedgerError, LedgerKeys};

/// The segments as they were when the reading began.
pub(crate) struct Shelf<'a> {
    ledger: &'a Ledger,
    segments: Vec<u64>,
}

/// Where one segment stands among the others.
pub(crate) struct Slot {
    pub(crate) first: u64,
    /// No record of it that counts has a greater number.
    pub(crate) last: u64,
    /// The times in it; unknown for the segment that is written.
    pub(crate) span: Option<Span>,
    /// The last record that can be proven, where it may end before `last`.
    pub(crate) proven: Option<u64>,
}

/// A segment that is read.
pub(crate) struct Opened {
    pub(crate) first: u64,
    /// The last record that is there and may be read.
    pub(crate) last: u64,
    pub(crate) cursor: Cursor,
    header: SegmentHeader,
    index: Index,
}

/// A record that is known to be right.
pub(crate) struct Spot {
    pub(crate) seq: u64,
    pub(crate) at: u64,
    /// Bytes of the sealed record.
    pub(crate) len: usize,
    tag: [u8; TAG],
}

impl Ledger {
    /// Whether the trail still holds the end that is `known` from elsewhere: what to ask after
    /// opening. Costs what reading one record costs; [`super::verify`] checks the rest. An end that
    /// was pruned since is taken as held. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] when the trail ends before it or has another record in its place,
    /// or what the disk said.
    pub fn holds(&self, known: Head) -> Result<(), LedgerError> {
        let head = self.head();
        let shelf = Shelf::new(self);
        if known.seq > head.seq {
            let last = shelf.segments.last().copied().unwrap_or(1);
            let kind = DamageKind::Cut { known: known.seq };
            return Err(damage(kind, last, HEADER_BYTES, head.seq + 1).into());
        }
        let Some(place) = shelf.place(known.seq) else {
            return Ok(());
        };
        let slot = shelf.slot(place)?;
        if slot.proven.is_some_and(|proven| proven < known.seq) {
            return Err(edited(slot.first, HEADER_BYTES, known.seq).into());
        }
        let mut opened = shelf.open(&slot, known.seq)?;
        let spot = opened
            .spots(&self.keys, known.seq, known.seq, known.seq)?
            .pop();
        shelf.close(opened);
        match spot {
            Some(spot) if spot.tag == known.tag => Ok(()),
            other => {
                let at = other.map_or(HEADER_BYTES, |spot| spot.at);
                Err(damage(DamageKind::Replaced, slot.first, at, known.seq).into())
            }
        }
    }
}

impl<'a> Shelf<'a> {
    pub(crate) fn new(ledger: &'a Ledger) -> Self {
        Self {
            ledger,
            segments: ledger.board.segments(),
        }
    }

    pub(crate) fn keys(&self) -> &'a LedgerKeys {
        &self.ledger.keys
    }

    /// The first record that is there.
    pub(crate) fn first(&self) -> u64 {
        self.segments.first().copied().unwrap_or(1)
    }

    /// Which segment has record `seq`.
    pub(crate) fn place(&self, seq: u64) -> Option<usize> {
        self.segments
            .partition_point(|first| *first <= seq)
            .checked_sub(1)
    }

    pub(crate) fn slot(&self, place: usize) -> Result<Slot, LedgerError> {
        let first = self.segments.get(place).copied().unwrap_or_default();
        let Some(next) = self.segments.get(place + 1) else {
            return Ok(Slot {
                first,
                last: u64::MAX,
                span: None,
                proven: None,
            });
        };
        let header = match self.header(*next) {
            Err(LedgerError::Damaged(_)) if self.is_passed(place + 1) => None,
            header => Some(header?),
        };
        let is_lossy = header.as_ref().is_none_or(|next| next.begin == Begin::Loss);
        Ok(Slot {
            first,
            last: next - 1,
            span: header.map(|next| next.prev_span),
            proven: if is_lossy {
                Some(self.ledger.proven_in(first)?)
            } else {
                None
            },
        })
    }

    /// Whether the operator let the trail go on behind the segment at `place`.
    fn is_passed(&self, place: usize) -> bool {
        let next = self.segments.get(place + 1);
        next.is_some_and(|next| {
            self.header(*next)
                .is_ok_and(|next| next.begin == Begin::Loss)
        })
    }

    fn header(&self, first: u64) -> Result<SegmentHeader, LedgerError> {
        read_header(&mut self.cursor(first)?, first, self.keys())
    }

    /// Opens a segment to read it up to record `last`.
    pub(crate) fn open(&self, slot: &Slot, last: u64) -> Result<Opened, LedgerError> {
        let mut cursor = self.cursor(slot.first)?;
        let header = read_header(&mut cursor, slot.first, self.keys())?;
        let mut index = self.ledger.indexes.take(slot.first, &cursor)?;
        index.learn(&mut cursor, last)?;
        let (end, at) = index.end();
        if end <= last && slot.proven.is_none() {
            return Err(edited(slot.first, at, end).into());
        }
        Ok(Opened {
            first: slot.first,
            last: last.min(end - 1).min(slot.proven.unwrap_or(u64::MAX)),
            cursor,
            header,
            index,
        })
    }

    /// Keeps what was learnt of a segment.
    pub(crate) fn close(&self, opened: Opened) {
        self.ledger.indexes.put(opened.index);
    }

    fn cursor(&self, first: u64) -> Result<Cursor, LedgerError> {
        match Cursor::open(&segment_path(&self.ledger.dir, first)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let until = self.segments.iter().find(|other| **other > first).copied();
                let until = until.unwrap_or(u64::MAX);
                Err(damage(DamageKind::SegmentMissing { until }, first, 0, first).into())
            }
            opened => Ok(opened?),
        }
    }
}

impl Opened {
    /// The records of `low..=high` in the block with `seq`, each checked.
    pub(crate) fn spots(
        &mut self,
        keys: &LedgerKeys,
        seq: u64,
        low: u64,
        high: u64,
    ) -> Result<Vec<Spot>, LedgerError> {
        let Some((mut number, mut at)) = self.index.block(seq) else {
            return Err(edited(self.first, HEADER_BYTES, seq).into());
        };
        let mut before = self.tag_before(at)?;
        let mut spots = Vec::with_capacity(BLOCK as usize);
        let end = high.min(number + BLOCK - 1);
        while number <= end {
            let found = self.cursor.record(keys, at, number, &before)?;
            let Some(found) = found else {
                return Err(edited(self.first, at, number).into());
            };
            if number >= low {
                spots.push(Spot {
                    seq: number,
                    at,
                    len: found.sealed.len(),
                    tag: found.tag,
                });
            }
            before = found.tag;
            at = found.end();
            number += 1;
        }
        Ok(spots)
    }

    fn tag_before(&mut self, at: u64) -> io::Result<[u8; TAG]> {
        if at == HEADER_BYTES {
            return Ok(self.header.prev_tag);
        }
        let bytes = self.cursor.peek(at - TAG as u64, TAG)?;
        bytes
            .first_chunk()
            .copied()
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

fn edited(first: u64, byte: u64, seq: u64) -> Damage {
    damage(DamageKind::Edited, first, byte, seq)
}

fn damage(kind: DamageKind, first: u64, byte: u64, seq: u64) -> Damage {
    Damage {
        kind,
        segment: segment_name(first),
        byte,
        seq,
    }
}
