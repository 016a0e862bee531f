//! Reading pages of a trail that is being written.

use std::io;

use crate::ledger::cursor::Cursor;
use crate::ledger::folder::segment_path;
use crate::ledger::format::{Begin, Frame, HEADER_BYTES, SegmentHeader, Span, TAG, segment_name};
use crate::ledger::index::{BLOCK, Index};
use crate::ledger::segment::{read_header, unseal};
use crate::ledger::{Damage, DamageKind, Entry, Ledger, LedgerError, Order, Page, Query};

impl Ledger {
    /// Reads a page of durable records. Each is checked against the record before it, so that none
    /// is told that was changed or moved. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] when a record on the way is not as it was written, or what the disk
    /// said.
    pub fn read(&self, query: &Query) -> Result<Page, LedgerError> {
        let segments = self.board.segments();
        let first = segments.first().copied().unwrap_or(1);
        let low = query
            .after
            .map_or(first, |after| first.max(after.saturating_add(1)));
        let head = self.head().seq;
        let high = query
            .before
            .map_or(head, |before| head.min(before.saturating_sub(1)));
        let mut reading = Reading {
            ledger: self,
            query,
            segments,
            low,
            high,
            looked_at: 0,
            page: Page {
                entries: Vec::new(),
                next: None,
            },
        };
        reading.run()?;
        Ok(reading.page)
    }
}

/// A page in the making: `low..=high` is what has not been looked at.
struct Reading<'a> {
    ledger: &'a Ledger,
    query: &'a Query,
    segments: Vec<u64>,
    low: u64,
    high: u64,
    looked_at: usize,
    page: Page,
}

/// A segment that is read.
struct Opened {
    first: u64,
    /// No record of it that counts has a greater number.
    last: u64,
    cursor: Cursor,
    header: SegmentHeader,
    index: Index,
}

/// A record that is known to be right.
struct Spot {
    seq: u64,
    at: u64,
    len: usize,
}

impl Reading<'_> {
    fn run(&mut self) -> Result<(), LedgerError> {
        while self.low <= self.high {
            let seq = match self.query.order {
                Order::NewestFirst => self.high,
                Order::OldestFirst => self.low,
            };
            let place = self.segments.partition_point(|first| *first <= seq);
            let Some(place) = place.checked_sub(1) else {
                return Ok(());
            };
            if self.segment(place)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks at one segment; tells whether the page is done.
    fn segment(&mut self, place: usize) -> Result<bool, LedgerError> {
        let first = self.segments.get(place).copied().unwrap_or_default();
        let next = self.next_header(place)?;
        let last = next
            .as_ref()
            .map_or(u64::MAX, |next| next.first_seq - 1)
            .min(self.high);
        let span = next.as_ref().map(|next| next.prev_span);
        if span.is_some_and(|span: Span| !span.meets(self.query.from, self.query.until)) {
            self.looked_at += 1;
            self.pass(first, last);
            return Ok(self.is_done(match self.query.order {
                Order::NewestFirst => first,
                Order::OldestFirst => last,
            }));
        }
        let mut opened = self.open(first, last)?;
        opened.index.learn(&mut opened.cursor, last)?;
        let (end, at) = opened.index.end();
        if end <= last && next.is_none_or(|next| next.begin != Begin::Loss) {
            return Err(edited(first, at, end).into());
        }
        opened.last = last.min(end - 1);
        let done = self.blocks(&mut opened);
        self.ledger.indexes.put(opened.index);
        let done = done?;
        if !done {
            self.pass(first, last);
        }
        Ok(done)
    }

    /// Looks at the blocks of one segment.
    fn blocks(&mut self, opened: &mut Opened) -> Result<bool, LedgerError> {
        let mut low = self.low.max(opened.first);
        let mut high = self.high.min(opened.last);
        while low <= high {
            let seq = match self.query.order {
                Order::NewestFirst => high,
                Order::OldestFirst => low,
            };
            let mut spots = opened.spots(self.ledger, seq, low, high)?;
            match self.query.order {
                Order::NewestFirst => {
                    spots.reverse();
                    high = spots.last().map_or(0, |spot| spot.seq - 1);
                }
                Order::OldestFirst => low = spots.last().map_or(u64::MAX, |spot| spot.seq + 1),
            }
            for spot in &spots {
                self.look(opened, spot)?;
                if self.is_done(spot.seq) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn look(&mut self, opened: &mut Opened, spot: &Spot) -> Result<(), LedgerError> {
        self.looked_at += 1;
        let sealed = opened
            .cursor
            .peek(spot.at + Frame::BYTES as u64, spot.len)?;
        let plain = unseal(&self.ledger.keys, spot.seq, sealed)?;
        let entry = Entry::decode(spot.seq, &plain)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        if self.query.matches(&entry) {
            self.page.entries.push(entry);
        }
        Ok(())
    }

    /// Whether the page is full or has cost enough; notes where the next one begins.
    fn is_done(&mut self, seq: u64) -> bool {
        let full = self.page.entries.len() >= self.query.limit.max(1);
        if !full && self.looked_at < self.query.examine.max(1) {
            return false;
        }
        let more = match self.query.order {
            Order::NewestFirst => seq > self.low,
            Order::OldestFirst => seq < self.high,
        };
        self.page.next = more.then_some(seq);
        true
    }

    /// Nothing in `first..=last` is left to look at.
    fn pass(&mut self, first: u64, last: u64) {
        match self.query.order {
            Order::NewestFirst => self.high = first.saturating_sub(1),
            Order::OldestFirst => self.low = last.saturating_add(1),
        }
    }

    fn open(&self, first: u64, last: u64) -> Result<Opened, LedgerError> {
        let mut cursor = self.cursor(first)?;
        let header = read_header(&mut cursor, first, &self.ledger.keys)?;
        let index = self.ledger.indexes.take(first, &cursor)?;
        Ok(Opened {
            first,
            last,
            cursor,
            header,
            index,
        })
    }

    fn next_header(&self, place: usize) -> Result<Option<SegmentHeader>, LedgerError> {
        let Some(first) = self.segments.get(place + 1).copied() else {
            return Ok(None);
        };
        read_header(&mut self.cursor(first)?, first, &self.ledger.keys).map(Some)
    }

    fn cursor(&self, first: u64) -> Result<Cursor, LedgerError> {
        match Cursor::open(&segment_path(&self.ledger.dir, first)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let until = self.segments.iter().find(|other| **other > first).copied();
                Err(Damage {
                    kind: DamageKind::SegmentMissing {
                        until: until.unwrap_or(u64::MAX),
                    },
                    segment: segment_name(first),
                    byte: 0,
                    seq: first,
                }
                .into())
            }
            opened => Ok(opened?),
        }
    }
}

impl Opened {
    /// The records of `low..=high` in the block with `seq`, each checked.
    fn spots(
        &mut self,
        ledger: &Ledger,
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
            let found = self.cursor.record(&ledger.keys, at, number, &before)?;
            let Some(found) = found else {
                return Err(edited(self.first, at, number).into());
            };
            if number >= low {
                spots.push(Spot {
                    seq: number,
                    at,
                    len: found.sealed.len(),
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
    Damage {
        kind: DamageKind::Edited,
        segment: segment_name(first),
        byte,
        seq,
    }
}
