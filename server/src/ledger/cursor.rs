//! Reading a segment forward, a window at a time.

use std::fs::File;
use std::io;
use std::ops::{Range, RangeInclusive};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::ledger::LedgerKeys;
use crate::ledger::format::{Frame, HEADER_BYTES, Head, MAX_SEALED, SegmentHeader, TAG};

/// A segment's bytes. Holds no more than a window of them.
#[derive(Debug)]
pub(crate) struct Cursor {
    file: File,
    window: Vec<u8>,
    /// How much of the window holds bytes, and from where.
    held: usize,
    at: u64,
}

/// A whole record whose tag is right.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) at: u64,
    pub(crate) frame: Frame,
    pub(crate) sealed: &'a [u8],
    pub(crate) tag: [u8; TAG],
}

impl Found<'_> {
    /// Where the next one stands.
    pub(crate) fn end(&self) -> u64 {
        self.at + self.frame.whole() as u64
    }

    /// Where the write that brought it began.
    pub(crate) fn group(&self) -> u64 {
        self.at.saturating_sub(self.frame.back.into())
    }

    pub(crate) fn head(&self) -> Head {
        Head {
            seq: self.frame.seq,
            tag: self.tag,
        }
    }
}

impl Cursor {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::new(File::open(path)?))
    }

    pub(crate) fn new(file: File) -> Self {
        Self {
            file,
            window: Vec::new(),
            held: 0,
            at: 0,
        }
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Nothing if it is not one of this ledger's.
    pub(crate) fn header(&mut self, keys: &LedgerKeys) -> io::Result<Option<SegmentHeader>> {
        let bytes = self.peek(0, HEADER_BYTES as usize)?;
        if bytes.len() < HEADER_BYTES as usize {
            return Ok(None);
        }
        Ok(SegmentHeader::parse(bytes, keys))
    }

    /// `len` bytes from `at`, fewer where the file ends.
    pub(crate) fn peek(&mut self, at: u64, len: usize) -> io::Result<&[u8]> {
        let held = self.at..=self.at + self.held as u64;
        if !(held.contains(&at) && held.contains(&(at + len as u64))) {
            self.fill(at, len.max(WINDOW))?;
        }
        let skip = usize::try_from(at - self.at).unwrap_or(usize::MAX);
        let rest = self.window.get(skip..self.held).unwrap_or_default();
        Ok(rest.get(..len).unwrap_or(rest))
    }

    /// Forgets what was read, so that it is read anew.
    pub(crate) fn refresh(&mut self) {
        self.held = 0;
    }

    /// The record `seq` at `at`, if it stands there whole and follows the tag `before`.
    pub(crate) fn record(
        &mut self,
        keys: &LedgerKeys,
        at: u64,
        seq: u64,
        before: &[u8; TAG],
    ) -> io::Result<Option<Found<'_>>> {
        let Some(frame) = Frame::parse(self.peek(at, Frame::BYTES)?) else {
            return Ok(None);
        };
        if frame.seq != seq || !frame.is_plausible() {
            return Ok(None);
        }
        let bytes = self.peek(at, frame.whole())?;
        Ok(
            proven(bytes, frame, keys, before).map(|(sealed, tag)| Found {
                at,
                frame,
                sealed,
                tag,
            }),
        )
    }

    /// Where the first and the last byte stand, from `at`, that are not zero.
    pub(crate) fn written(&mut self, mut at: u64) -> io::Result<Option<(u64, u64)>> {
        let mut found: Option<(u64, u64)> = None;
        loop {
            let bytes = self.peek(at, WINDOW)?;
            if bytes.is_empty() {
                return Ok(found);
            }
            if !is_blank(bytes) {
                let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(0);
                let last = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
                let begin = found.map_or(at + first as u64, |(begin, _)| begin);
                found = Some((begin, at + last as u64));
            }
            at += bytes.len() as u64;
        }
    }

    /// The first record that begins in `place`, wherever it may stand, that has a number in `seqs`
    /// and a tag that follows `before`, or else the tag that stands before it.
    pub(crate) fn search(
        &mut self,
        keys: &LedgerKeys,
        place: Range<u64>,
        seqs: &RangeInclusive<u64>,
        before: Option<&[u8; TAG]>,
    ) -> io::Result<Option<Found<'_>>> {
        let mut at = place.start.max(HEADER_BYTES + TAG as u64);
        while at < place.end {
            let left = usize::try_from(place.end - at).unwrap_or(SEARCH);
            let bytes = self.peek(at, SEARCH.min(left + Frame::BYTES))?;
            if bytes.len() < Frame::BYTES {
                return Ok(None);
            }
            let candidate = bytes.windows(Frame::BYTES).position(|bytes| {
                Frame::parse(bytes)
                    .is_some_and(|frame| frame.is_plausible() && seqs.contains(&frame.seq))
            });
            let Some(candidate) = candidate else {
                at += (bytes.len() - Frame::BYTES + 1) as u64;
                continue;
            };
            at += candidate as u64;
            if let Some((seq, before)) = self.candidate(keys, at, before)? {
                return self.record(keys, at, seq, &before);
            }
            at += 1;
        }
        Ok(None)
    }

    fn candidate(
        &mut self,
        keys: &LedgerKeys,
        at: u64,
        before: Option<&[u8; TAG]>,
    ) -> io::Result<Option<(u64, [u8; TAG])>> {
        let bytes = self.peek(at - TAG as u64, TAG + MAX_RECORD)?;
        let Some((standing, bytes)) = bytes.split_first_chunk::<TAG>() else {
            return Ok(None);
        };
        let before = *before.unwrap_or(standing);
        Ok(Frame::parse(bytes)
            .filter(|frame| proven(bytes, *frame, keys, &before).is_some())
            .map(|frame| (frame.seq, before)))
    }
}

/// Walks along the chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    /// Where the next record stands.
    pub(crate) at: u64,
    /// What it follows.
    pub(crate) head: Head,
}

impl Walk {
    pub(crate) fn new(header: &SegmentHeader) -> Self {
        Self {
            at: HEADER_BYTES,
            head: header.head(),
        }
    }

    /// The next record, if it stands there whole; moves on.
    pub(crate) fn step<'c>(
        &mut self,
        cursor: &'c mut Cursor,
        keys: &LedgerKeys,
    ) -> io::Result<Option<Found<'c>>> {
        let found = cursor.record(keys, self.at, self.head.seq + 1, &self.head.tag)?;
        if let Some(found) = &found {
            self.at = found.end();
            self.head = found.head();
        }
        Ok(found)
    }
}

impl Cursor {
    fn fill(&mut self, at: u64, len: usize) -> io::Result<()> {
        if self.window.len() < len {
            self.window = vec![0; len];
        }
        self.at = at;
        self.held = 0;
        while let Some(rest) = self
            .window
            .get_mut(self.held..)
            .filter(|rest| !rest.is_empty())
        {
            match self.file.read_at(rest, at + self.held as u64) {
                Ok(0) => break,
                Ok(count) => self.held += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.held = 0;
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

/// Whether all of `bytes` is zero: a page at a time, which the compiler turns into wide instructions.
fn is_blank(bytes: &[u8]) -> bool {
    bytes
        .chunks(4096)
        .all(|page| page.iter().fold(0, |seen, byte| seen | byte) == 0)
}

/// The sealed record and the tag in `bytes`, if the tag is right.
fn proven<'a>(
    bytes: &'a [u8],
    frame: Frame,
    keys: &LedgerKeys,
    before: &[u8; TAG],
) -> Option<(&'a [u8], [u8; TAG])> {
    let (head, rest) = bytes.split_at_checked(Frame::BYTES)?;
    let (sealed, rest) = rest.split_at_checked(frame.len as usize)?;
    let (tag, _) = rest.split_first_chunk::<TAG>()?;
    keys.chain()
        .verify(&[before, head, sealed], tag)
        .then_some((sealed, *tag))
}

const WINDOW: usize = 256 << 10;

const MAX_RECORD: usize = Frame::BYTES + MAX_SEALED + TAG;

/// As far as the search looks at once: a candidate's whole record stays within the window.
const SEARCH: usize = WINDOW / 2;
