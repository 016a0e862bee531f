//! Walking along all segments, each record checked against the one before.

use std::io;
use std::path::Path;

use crate::crypto::SealKey;
use crate::ledger::cursor::{Cursor, Found, Walk};
use crate::ledger::folder::{segment_path, segments};
use crate::ledger::format::{
    Begin, Frame, HEADER_BYTES, SegmentHeader, TAG, parse_name, segment_name,
};
use crate::ledger::prune::{Marker, read_marker};
use crate::ledger::segment::read_header;
use crate::ledger::tail::{classify, judge};
use crate::ledger::{Cut, Damage, DamageKind, Head, LedgerError, LedgerKeys};

/// The segments of a directory, as they were when it was opened.
#[derive(Debug)]
pub(crate) struct Trail<'a> {
    dir: &'a Path,
    keys: &'a LedgerKeys,
    pub(crate) marker: Option<Marker>,
    pub(crate) segments: Vec<u64>,
}

/// Where a walk came to.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) head: Head,
    /// Where the last segment's records end.
    pub(crate) byte: u64,
    pub(crate) torn: Option<Cut>,
}

/// Where records can be proven again behind damage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behind {
    /// The segment's place.
    pub(crate) place: usize,
    /// What its first record follows.
    pub(crate) head: Head,
    /// Whether the server went on there at the operator's word.
    pub(crate) by_order: bool,
}

impl<'a> Trail<'a> {
    pub(crate) fn open(dir: &'a Path, keys: &'a LedgerKeys) -> Result<Self, LedgerError> {
        let marker = read_marker(dir, keys)?;
        let mut segments = segments(dir)?;
        if let Some(marker) = &marker {
            // What a crash kept from being removed.
            segments.retain(|first| *first >= marker.first_kept);
        }
        Ok(Self {
            dir,
            keys,
            marker,
            segments,
        })
    }

    /// The chain's end before the first segment, if the segments begin where they must.
    pub(crate) fn start(&self) -> Result<Head, LedgerError> {
        let expected = self.marker.as_ref().map_or(1, |marker| marker.first_kept);
        let first = self.segments.first().copied().unwrap_or(u64::MAX);
        if first != expected {
            return Err(missing(
                expected,
                first,
                DamageKind::SegmentMissing { until: first },
            ));
        }
        let header = read_header(&mut self.cursor(first)?, first, self.keys)?;
        let proven = match &self.marker {
            Some(marker) => header.prev_tag == marker.prev_tag,
            None => header.begin == Begin::First,
        };
        if proven {
            return Ok(header.head());
        }
        Err(header_damage(first, DamageKind::Replaced).into())
    }

    /// Where the trail goes on at the operator's word behind `damage`, not before the segment at
    /// `from`: the segment's place, and what its first record follows.
    pub(crate) fn resumed_behind(&self, damage: &Damage, from: usize) -> Option<(usize, Head)> {
        self.whole_behind(damage, from)
            .find(|(_, header)| header.begin == Begin::Loss)
            .map(|(place, header)| (place, header.head()))
    }

    /// Where records can be proven again behind `damage`, not before the segment at `from`.
    pub(crate) fn next_behind(&self, damage: &Damage, from: usize) -> Option<Behind> {
        let (place, header) = self.whole_behind(damage, from).next()?;
        Some(Behind {
            place,
            head: header.head(),
            by_order: header.begin == Begin::Loss,
        })
    }

    /// The segments behind `damage`, not before the one at `from`, whose headers are as they were
    /// written.
    fn whole_behind(
        &self,
        damage: &Damage,
        from: usize,
    ) -> impl Iterator<Item = (usize, SegmentHeader)> {
        let named = parse_name(&damage.segment);
        let standing = self.segments.iter().position(|first| Some(*first) >= named);
        // A gap is named by the segment behind it; damage, and a missing file, by the one it is in.
        let itself = match damage.kind {
            DamageKind::Lost { .. } | DamageKind::SegmentMissing { .. } => 0,
            DamageKind::Edited
            | DamageKind::Removed
            | DamageKind::Reordered
            | DamageKind::Stray
            | DamageKind::Foreign
            | DamageKind::Misnamed
            | DamageKind::Truncated
            | DamageKind::Cut { .. }
            | DamageKind::Replaced => 1,
        };
        let least = standing.map_or(usize::MAX, |place| from.max(place + itself));
        let later = self.segments.iter().enumerate().skip(least);
        later.filter_map(|(place, first)| Some((place, self.header_of(*first)?)))
    }

    fn header_of(&self, first: u64) -> Option<SegmentHeader> {
        read_header(&mut self.cursor(first).ok()?, first, self.keys).ok()
    }

    /// Visits every record behind `head`, which stands before segment `from`.
    pub(crate) fn walk(
        &self,
        from: usize,
        mut head: Head,
        mut visit: impl FnMut(usize, &Found<'_>) -> Result<(), LedgerError>,
    ) -> Result<End, LedgerError> {
        let mut end = None;
        for (place, first) in self.segments.iter().enumerate().skip(from) {
            let mut cursor = self.cursor(*first)?;
            let header = read_header(&mut cursor, *first, self.keys)?;
            follows(&header, head)?;
            let next = self.next_header(place)?;
            let mut step = SegmentWalk {
                walk: Walk::new(&header),
                keys: self.keys,
                name: segment_name(*first),
                stop: next.as_ref().and_then(stop),
                until: next.as_ref().map_or(0, |next| next.first_seq),
            };
            let torn = step.run(&mut cursor, |found| visit(place, found))?;
            head = step.walk.head;
            end = Some(End {
                head,
                byte: step.walk.at,
                torn,
            });
        }
        end.ok_or_else(|| missing(1, u64::MAX, DamageKind::SegmentMissing { until: u64::MAX }))
    }

    fn cursor(&self, first: u64) -> Result<Cursor, LedgerError> {
        match Cursor::open(&segment_path(self.dir, first)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let until = self.segments.iter().find(|other| **other > first).copied();
                let until = until.unwrap_or(u64::MAX);
                Err(missing(first, until, DamageKind::SegmentMissing { until }))
            }
            opened => Ok(opened?),
        }
    }

    /// The header behind `place`, if there is a segment. That it may be damaged is told when its
    /// turn comes.
    fn next_header(&self, place: usize) -> Result<Option<SegmentHeader>, LedgerError> {
        let Some(first) = self.segments.get(place + 1) else {
            return Ok(None);
        };
        match read_header(&mut self.cursor(*first)?, *first, self.keys) {
            Ok(header) => Ok(Some(header)),
            Err(LedgerError::Damaged(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Where a segment must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// There, and zeros behind it.
    Clean(u64),
    /// There, whatever may be behind it.
    Anyhow(u64),
}

fn stop(next: &SegmentHeader) -> Option<Stop> {
    match next.begin {
        Begin::First | Begin::Full => Some(Stop::Clean(next.prev_end)),
        Begin::Failure => Some(Stop::Anyhow(next.prev_end)),
        Begin::Loss => None,
    }
}

struct SegmentWalk<'a> {
    walk: Walk,
    keys: &'a LedgerKeys,
    name: String,
    stop: Option<Stop>,
    /// The first record of the next segment that is there; 0 if there is none.
    until: u64,
}

impl SegmentWalk<'_> {
    fn run(
        &mut self,
        cursor: &mut Cursor,
        mut visit: impl FnMut(&Found<'_>) -> Result<(), LedgerError>,
    ) -> Result<Option<Cut>, LedgerError> {
        loop {
            if self.stop == Some(Stop::Anyhow(self.walk.at)) {
                return Ok(None);
            }
            if let Some(found) = self.walk.step(cursor, self.keys)? {
                visit(&found)?;
                continue;
            }
            let verdict = self.end(cursor)?;
            // A running server may have written here between the reading and the verdict.
            cursor.refresh();
            let again = cursor.record(
                self.keys,
                self.walk.at,
                self.walk.head.seq + 1,
                &self.walk.head.tag,
            )?;
            if again.is_none() {
                return Ok(verdict?);
            }
        }
    }

    fn end(&self, cursor: &mut Cursor) -> io::Result<Result<Option<Cut>, Damage>> {
        let Some(stop) = self.stop else {
            return judge(cursor, self.keys, &self.walk, &self.name);
        };
        let (Stop::Clean(end) | Stop::Anyhow(end)) = stop;
        if self.leads_elsewhere(end, cursor)? {
            return Ok(Ok(None));
        }
        if self.walk.at < end {
            return self.broken(cursor).map(Err);
        }
        match cursor.written(self.walk.at)? {
            None if self.walk.at == end => Ok(Ok(None)),
            Some((first, _)) => Ok(Err(self.damage(DamageKind::Stray, first))),
            None => Ok(Err(self.damage(DamageKind::Stray, end))),
        }
    }

    /// Whether segments are missing behind this one, so that the next one that is there tells the
    /// end of another: nothing is written here any more, and the records before the next one do not
    /// fit in what would be left.
    fn leads_elsewhere(&self, end: u64, cursor: &mut Cursor) -> io::Result<bool> {
        let missing = self.until.saturating_sub(self.walk.head.seq + 1);
        let room = end.saturating_sub(self.walk.at);
        let fits = missing.saturating_mul(LEAST_RECORD) <= room;
        Ok(!fits && cursor.written(self.walk.at)?.is_none())
    }

    fn broken(&self, cursor: &mut Cursor) -> io::Result<Damage> {
        if cursor.file().metadata()?.len() <= self.walk.at {
            return Ok(self.damage(DamageKind::Truncated, self.walk.at));
        }
        classify(cursor, self.keys, &self.walk, &self.name)
    }

    fn damage(&self, kind: DamageKind, byte: u64) -> Damage {
        Damage {
            kind,
            segment: self.name.clone(),
            byte,
            seq: self.walk.head.seq + 1,
        }
    }
}

/// Whether the segment goes on where the chain stands.
fn follows(header: &SegmentHeader, head: Head) -> Result<(), LedgerError> {
    if header.head() == head {
        return Ok(());
    }
    let until = header.first_seq;
    if until > head.seq + 1 {
        let kind = match header.begin {
            Begin::Loss => DamageKind::Lost { until },
            Begin::First | Begin::Full | Begin::Failure => DamageKind::SegmentMissing { until },
        };
        return Err(missing(head.seq + 1, until, kind));
    }
    Err(header_damage(until, DamageKind::Replaced).into())
}

fn missing(seq: u64, until: u64, kind: DamageKind) -> LedgerError {
    Damage {
        kind,
        segment: segment_name(if until == u64::MAX { seq } else { until }),
        byte: 0,
        seq,
    }
    .into()
}

fn header_damage(first: u64, kind: DamageKind) -> Damage {
    Damage {
        kind,
        segment: segment_name(first),
        byte: HEADER_BYTES,
        seq: first,
    }
}

/// The shortest that a record can be.
const LEAST_RECORD: u64 = (Frame::BYTES + SealKey::OVERHEAD + TAG) as u64;
