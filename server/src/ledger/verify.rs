//! `audit verify`: is the trail as it was written?

use std::path::Path;

use crate::ledger::format::segment_name;
use crate::ledger::trail::{End, Trail};
use crate::ledger::{Cut, Damage, DamageKind, Head, LedgerError, LedgerKeys};

/// How far a verification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Segments begun.
    pub segment: usize,
    /// Segments in all.
    pub segments: usize,
    /// Records checked.
    pub records: u64,
}

/// What a verification found to be in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The first record that is there; not `1` after pruning.
    pub first: u64,
    /// How many records were checked.
    pub records: u64,
    /// In how many segments.
    pub segments: usize,
    /// The chain's end.
    pub head: Head,
    /// What stands behind the end and is no whole record: a write under way on a running server,
    /// what a crash tore on a stopped one. Without an anchor it cannot be told from an edit of the
    /// last write.
    pub torn: Option<Cut>,
}

/// Checks every record in `dir`, on a running server too. `anchors` are ends of the chain that are
/// known from elsewhere. `progress` is told every few thousand records.
///
/// # Errors
/// [`LedgerError::Damaged`] names the first record that is not as it was written, was removed or
/// moved; a missing or foreign segment; an end before an anchor, or another record in its place.
pub fn verify(
    dir: &Path,
    keys: &LedgerKeys,
    anchors: impl IntoIterator<Item = Head>,
    mut progress: impl FnMut(Progress),
) -> Result<Report, LedgerError> {
    let anchors: Vec<_> = anchors.into_iter().collect();
    loop {
        let trail = Trail::open(dir, keys)?;
        let result = check(&trail, &anchors, &mut progress);
        // Segments that were pruned meanwhile are no damage.
        let pruned = Trail::open(dir, keys)?.marker != trail.marker;
        if result.is_ok() || !pruned {
            return result;
        }
    }
}

fn check(
    trail: &Trail<'_>,
    anchors: &[Head],
    progress: &mut impl FnMut(Progress),
) -> Result<Report, LedgerError> {
    let start = trail.start()?;
    let mut records = 0;
    is_anchored(start, anchors, start.seq + 1, 0)?;
    let end = trail.walk(0, start, |place, found| {
        let first = trail.segments.get(place).copied().unwrap_or_default();
        is_anchored(found.head(), anchors, first, found.at)?;
        records += 1;
        if records % EVERY == 1 {
            progress(Progress {
                segment: place + 1,
                segments: trail.segments.len(),
                records,
            });
        }
        Ok(())
    })?;
    if let Some(anchor) = anchors.iter().max_by_key(|anchor| anchor.seq) {
        reaches(trail, &end, *anchor)?;
    }
    Ok(Report {
        first: start.seq + 1,
        records,
        segments: trail.segments.len(),
        head: end.head,
        torn: end.torn,
    })
}

fn is_anchored(head: Head, anchors: &[Head], segment: u64, byte: u64) -> Result<(), Damage> {
    let contradicts = |anchor: &Head| anchor.seq == head.seq && anchor.tag != head.tag;
    if !anchors.iter().any(contradicts) {
        return Ok(());
    }
    Err(Damage {
        kind: DamageKind::Replaced,
        segment: segment_name(segment),
        byte,
        seq: head.seq,
    })
}

fn reaches(trail: &Trail<'_>, end: &End, anchor: Head) -> Result<(), Damage> {
    if end.head.seq >= anchor.seq {
        return Ok(());
    }
    let kind = match end.torn {
        Some(_) => DamageKind::Edited,
        None => DamageKind::Cut { known: anchor.seq },
    };
    Err(Damage {
        kind,
        segment: segment_name(trail.segments.last().copied().unwrap_or(1)),
        byte: end.byte,
        seq: end.head.seq + 1,
    })
}

const EVERY: u64 = 4096;
