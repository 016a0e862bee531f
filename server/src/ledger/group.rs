//! The records of one write, and those before them on the same page.

use crate::ledger::LedgerKeys;
use crate::ledger::format::{Frame, Head, PAGE, TAG};

/// Chains records into the bytes of one write. The whole records that share the last page are kept
/// in memory: when a write fails, they must go elsewhere with it.
#[derive(Debug)]
pub(crate) struct Group {
    bytes: Vec<u8>,
    /// How many of the bytes are durable.
    durable: usize,
    /// Where the first byte stands in the segment.
    start: u64,
    /// The chain's end before the first byte.
    before: Head,
    /// The chain's durable end.
    head: Head,
    /// The chain's end with what is not durable yet.
    tip: Head,
}

impl Group {
    /// Nothing yet, at `start`, behind `head`.
    pub(crate) fn new(start: u64, head: Head) -> Self {
        Self {
            bytes: Vec::new(),
            durable: 0,
            start,
            before: head,
            head,
            tip: head,
        }
    }

    /// The chain's durable end.
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Where the next write goes.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.durable as u64
    }

    /// What is to be written there.
    pub(crate) fn pending(&self) -> &[u8] {
        self.bytes.get(self.durable..).unwrap_or_default()
    }

    /// The durable records that share a page with the next write, where they stand, and the
    /// chain's end before them.
    pub(crate) fn shared(&self) -> (&[u8], u64, Head) {
        let records = self.bytes.get(..self.durable).unwrap_or_default();
        (records, self.start, self.before)
    }

    /// Chains one more, and returns its number.
    pub(crate) fn add(&mut self, keys: &LedgerKeys, sealed: &[u8]) -> u64 {
        let frame = Frame {
            len: u32::try_from(sealed.len()).unwrap_or(u32::MAX),
            back: u32::try_from(self.pending().len()).unwrap_or(u32::MAX),
            seq: self.tip.seq + 1,
        };
        let head = frame.to_bytes();
        let tag = keys.chain().tag(&[&self.tip.tag, &head, sealed]);
        self.bytes.extend_from_slice(&head);
        self.bytes.extend_from_slice(sealed);
        self.bytes.extend_from_slice(&tag);
        self.tip = Head {
            seq: frame.seq,
            tag,
        };
        frame.seq
    }

    /// Takes a record that is in the segment already.
    pub(crate) fn recall(&mut self, record: &[u8]) {
        if let (Some(frame), Some(tag)) = (Frame::parse(record), record.last_chunk()) {
            self.bytes.extend_from_slice(record);
            self.tip = Head {
                seq: frame.seq,
                tag: *tag,
            };
        }
        self.commit();
    }

    /// What was pending is durable.
    pub(crate) fn commit(&mut self) {
        self.durable = self.bytes.len();
        self.head = self.tip;
        self.forget_full_pages();
    }

    /// What was pending is not durable, and never was.
    pub(crate) fn discard(&mut self) {
        self.bytes.truncate(self.durable);
        self.tip = self.head;
    }

    /// The same chain goes on at `start` of another segment, the shared records with it.
    pub(crate) fn move_to(&mut self, start: u64) {
        self.start = start;
        self.forget_full_pages();
    }

    fn forget_full_pages(&mut self) {
        let page = self.end() / PAGE * PAGE;
        let mut passed = 0;
        while let Some(frame) = self.bytes.get(passed..).and_then(Frame::parse) {
            let end = passed + frame.whole();
            if self.start + end as u64 > page {
                break;
            }
            let Some(tag) = self.bytes.get(..end).and_then(<[u8]>::last_chunk::<TAG>) else {
                break;
            };
            self.before = Head {
                seq: frame.seq,
                tag: *tag,
            };
            passed = end;
        }
        self.bytes.drain(..passed);
        self.durable -= passed;
        self.start += passed as u64;
    }
}
