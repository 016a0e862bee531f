//! The bytes on the disk: names, segment headers, frames.

use crate::crypto::SealKey;
use crate::domain::Timestamp;
use crate::ledger::{LedgerError, LedgerKeys};

/// The end of the chain: whoever keeps it elsewhere can tell later whether the trail was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last record's number; `0` before the first.
    pub seq: u64,
    /// The last record's tag.
    pub tag: [u8; 32],
}

/// Why a segment begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// It is the first of all.
    First,
    /// The one before was full.
    Full,
    /// A write into the one before failed; from `prev_end` on that one does not count.
    Failure,
    /// The one before was lost or damaged, and the operator gave the word.
    Loss,
}

/// The earliest and latest time in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) earliest: i64,
    pub(crate) latest: i64,
}

impl Span {
    pub(crate) const EMPTY: Self = Self {
        earliest: i64::MAX,
        latest: i64::MIN,
    };

    pub(crate) const UNKNOWN: Self = Self {
        earliest: i64::MIN,
        latest: i64::MAX,
    };

    pub(crate) fn include(&mut self, at: i64) {
        self.earliest = self.earliest.min(at);
        self.latest = self.latest.max(at);
    }

    /// Whether something in it can lie within `from..=until`.
    pub(crate) fn meets(self, from: Option<Timestamp>, until: Option<Timestamp>) -> bool {
        from.is_none_or(|from| self.latest >= from.0)
            && until.is_none_or(|until| self.earliest <= until.0)
    }
}

/// What stands before a segment's first record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) begin: Begin,
    pub(crate) first_seq: u64,
    /// Where the segment before ended.
    pub(crate) prev_end: u64,
    /// The tag that the first record chains from.
    pub(crate) prev_tag: [u8; 32],
    /// The times in the segment before.
    pub(crate) prev_span: Span,
}

impl SegmentHeader {
    /// `magic || format || begin || first seq || prev end || prev tag || seal(span) ||
    /// HMAC(chain key, [label, all before])`.
    pub(crate) fn to_bytes(&self, keys: &LedgerKeys) -> Result<Vec<u8>, LedgerError> {
        let mut span = [0; 16];
        span[..8].copy_from_slice(&self.prev_span.earliest.to_le_bytes());
        span[8..].copy_from_slice(&self.prev_span.latest.to_le_bytes());
        let sealed = keys
            .seal()
            .seal(HEADER_LABEL, &span)
            .map_err(|_| LedgerError::Random)?;
        let mut bytes = Vec::with_capacity(HEADER_USED);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[FORMAT, self.begin.to_byte(), 0, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(&self.first_seq.to_le_bytes());
        bytes.extend_from_slice(&self.prev_end.to_le_bytes());
        bytes.extend_from_slice(&self.prev_tag);
        bytes.extend_from_slice(&sealed);
        let mac = keys.chain().tag(&[HEADER_LABEL, &bytes]);
        bytes.extend_from_slice(&mac);
        Ok(bytes)
    }

    /// Nothing unless these are a header's bytes under these keys, with zeros behind them.
    pub(crate) fn parse(bytes: &[u8], keys: &LedgerKeys) -> Option<Self> {
        let (used, rest) = bytes.split_at_checked(HEADER_USED)?;
        let (said, mac) = used.split_last_chunk::<32>()?;
        let proven = keys.chain().verify(&[HEADER_LABEL, said], mac);
        if !proven || rest.iter().any(|byte| *byte != 0) {
            return None;
        }
        let (magic, said) = said.split_first_chunk::<8>()?;
        let (kind, said) = said.split_first_chunk::<8>()?;
        let (first_seq, said) = said.split_first_chunk()?;
        let (prev_end, said) = said.split_first_chunk()?;
        let (prev_tag, sealed) = said.split_first_chunk::<32>()?;
        if magic != MAGIC || kind[0] != FORMAT {
            return None;
        }
        let span = keys.seal().open(HEADER_LABEL, sealed).ok()?;
        let (earliest, latest) = span.split_first_chunk()?;
        Some(Self {
            begin: Begin::parse(kind[1])?,
            first_seq: u64::from_le_bytes(*first_seq),
            prev_end: u64::from_le_bytes(*prev_end),
            prev_tag: *prev_tag,
            prev_span: Span {
                earliest: i64::from_le_bytes(*earliest),
                latest: i64::from_le_bytes(latest.try_into().ok()?),
            },
        })
    }

    /// The chain's end before the segment's first record.
    pub(crate) fn head(&self) -> Head {
        Head {
            seq: self.first_seq.saturating_sub(1),
            tag: self.prev_tag,
        }
    }
}

impl Begin {
    fn to_byte(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Full => 2,
            Self::Failure => 3,
            Self::Loss => 4,
        }
    }

    fn parse(byte: u8) -> Option<Self> {
        [Self::First, Self::Full, Self::Failure, Self::Loss]
            .into_iter()
            .find(|begin| begin.to_byte() == byte)
    }
}

/// What stands before a sealed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Bytes of the sealed record.
    pub(crate) len: u32,
    /// Bytes from the beginning of the write that brought it.
    pub(crate) back: u32,
    pub(crate) seq: u64,
}

impl Frame {
    pub(crate) const BYTES: usize = 16;

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.len.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.back.to_le_bytes());
        bytes[8..].copy_from_slice(&self.seq.to_le_bytes());
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (len, rest) = bytes.split_first_chunk()?;
        let (back, rest) = rest.split_first_chunk()?;
        let (seq, _) = rest.split_first_chunk()?;
        Some(Self {
            len: u32::from_le_bytes(*len),
            back: u32::from_le_bytes(*back),
            seq: u64::from_le_bytes(*seq),
        })
    }

    /// Bytes of the whole record: frame, sealed record, tag.
    pub(crate) fn whole(self) -> usize {
        Self::BYTES + self.len as usize + TAG
    }

    /// Whether a record can be that long.
    pub(crate) fn is_plausible(self) -> bool {
        (SealKey::OVERHEAD..=MAX_SEALED).contains(&(self.len as usize))
    }
}

/// The file name of the segment that begins with `first_seq`.
pub(crate) fn segment_name(first_seq: u64) -> String {
    format!("audit-{first_seq:020}.log")
}

/// The first record's number in a segment's file name.
pub(crate) fn parse_name(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("audit-")?.strip_suffix(".log")?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

/// Bytes of a tag.
pub(crate) const TAG: usize = 32;

/// Where a segment's first record stands: a page of its own for the header, which is never
/// written again.
pub(crate) const HEADER_BYTES: u64 = 4096;

/// What a disk may tear as one.
pub(crate) const PAGE: u64 = 4096;

/// Bytes of one write: no torn place is longer.
pub(crate) const MAX_GROUP: usize = 256 << 10;

/// Bytes of one sealed record, far above what [`super::LedgerSettings::text_bytes`] lets one grow.
pub(crate) const MAX_SEALED: usize = 64 << 10;

/// What records are sealed for.
pub(crate) const RECORD_LABEL: &[u8] = b"claviger audit record 1";

const HEADER_LABEL: &[u8] = b"claviger audit segment 1";

const MAGIC: &[u8; 8] = b"CLVAUDIT";

const FORMAT: u8 = 1;

const HEADER_USED: usize = 8 + 8 + 8 + 8 + 32 + 16 + SealKey::OVERHEAD + 32;
