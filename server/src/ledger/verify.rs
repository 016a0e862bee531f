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
/// Where the trail went on behind it at the operator's word, the rest is checked, too:
/// [`LedgerError::DamagedAgain`] when that is not as it was written either.
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
    let mut records = 0;
    let first = match check_from(trail, None, anchors, (&mut records, progress)) {
        Err(LedgerError::Damaged(damage)) => damage,
        other => return other,
    };
    let mut passed = first.clone();
    let mut from = 0;
    // Behind each gap that was passed by order, the chain begins anew.
    while let Some(next) = trail.resumed_behind(&passed, from) {
        from = next.0 + 1;
        match check_from(trail, Some(next), anchors, (&mut records, progress)) {
            Err(LedgerError::Damaged(damage)) => passed = damage,
            Err(other) => return Err(other),
            Ok(_) => return Err(first.into()),
        }
    }
    if passed == first {
        return Err(first.into());
    }
    Err(LedgerError::DamagedAgain {
        first,
        again: passed,
    })
}

/// Checks everything from the segment at the place that is given, which follows the head that is
/// given; from the beginning otherwise.
fn check_from(
    trail: &Trail<'_>,
    from: Option<(usize, Head)>,
    anchors: &[Head],
    (records, progress): (&mut u64, &mut impl FnMut(Progress)),
) -> Result<Report, LedgerError> {
    let (place, start) = match from {
        Some(from) => from,
        None => (0, trail.start()?),
    };
    is_anchored(start, anchors, start.seq + 1, 0)?;
    let end = trail.walk(place, start, |place, found| {
        let first = trail.segments.get(place).copied().unwrap_or_default();
        is_anchored(found.head(), anchors, first, found.at)?;
        *records += 1;
        if *records % EVERY == 1 {
            progress(Progress {
                segment: place + 1,
                segments: trail.segments.len(),
                records: *records,
            });
        }
        Ok(())
    })?;
    if let Some(anchor) = anchors.iter().max_by_key(|anchor| anchor.seq) {
        reaches(trail, &end, *anchor)?;
    }
    Ok(Report {
        first: start.seq + 1,
        records: *records,
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
