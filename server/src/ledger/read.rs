//! Reading pages of a trail that is being written.

use std::io;

use crate::ledger::format::Frame;
use crate::ledger::segment::unseal;
use crate::ledger::shelf::{Opened, Shelf, Spot};
use crate::ledger::{Entry, Ledger, LedgerError, Order, Page, Query};

impl Ledger {
    /// Reads a page of durable records. Each is checked against the record before it, so that none
    /// is told that was changed or moved. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] when a record on the way is not as it was written, or what the disk
    /// said.
    pub fn read(&self, query: &Query) -> Result<Page, LedgerError> {
        let shelf = Shelf::new(self);
        let first = shelf.first();
        let low = query
            .after
            .map_or(first, |after| first.max(after.saturating_add(1)));
        let head = self.head().seq;
        let high = query
            .before
            .map_or(head, |before| head.min(before.saturating_sub(1)));
        let mut reading = Reading {
            shelf,
            query,
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
    shelf: Shelf<'a>,
    query: &'a Query,
    low: u64,
    high: u64,
    looked_at: usize,
    page: Page,
}

impl Reading<'_> {
    fn run(&mut self) -> Result<(), LedgerError> {
        while self.low <= self.high {
            let seq = match self.query.order {
                Order::NewestFirst => self.high,
                Order::OldestFirst => self.low,
            };
            let Some(place) = self.shelf.place(seq) else {
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
        let slot = self.shelf.slot(place)?;
        let last = slot.last.min(self.high);
        let skipped = slot
            .span
            .is_some_and(|span| !span.meets(self.query.from, self.query.until));
        if skipped {
            self.looked_at += 1;
            self.pass(slot.first, last);
            return Ok(self.is_done(match self.query.order {
                Order::NewestFirst => slot.first,
                Order::OldestFirst => last,
            }));
        }
        if slot.proven.is_some_and(|proven| proven < slot.first) {
            self.pass(slot.first, last);
            return Ok(false);
        }
        let mut opened = self.shelf.open(&slot, last)?;
        let done = self.blocks(&mut opened);
        self.shelf.close(opened);
        let done = done?;
        if !done {
            self.pass(slot.first, last);
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
            let mut spots = opened.spots(self.shelf.keys(), seq, low, high)?;
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
        let plain = unseal(self.shelf.keys(), spot.seq, sealed)?;
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
}
