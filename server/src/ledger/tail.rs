//! Where a segment ends, and whether what stands there was torn or tampered with.

use std::io;

use crate::ledger::cursor::{Cursor, Walk};
use crate::ledger::format::{Frame, Head, MAX_GROUP, TAG};
use crate::ledger::{Damage, DamageKind, LedgerKeys};

/// What a crash left of the last write, and what opening cut off: nobody was ever told that it
/// stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The file's name.
    pub segment: String,
    /// Where it began.
    pub byte: u64,
    /// How long it was.
    pub bytes: u64,
}

/// Judges what stands behind the last record that `walk` found: nothing, the rest of a torn write,
/// or something that no crash leaves.
pub(crate) fn judge(
    cursor: &mut Cursor,
    keys: &LedgerKeys,
    walk: &Walk,
    segment: &str,
) -> io::Result<Result<Option<Cut>, Damage>> {
    let Some((first, last)) = cursor.written(walk.at)? else {
        return Ok(Ok(None));
    };
    if has_later_write(cursor, keys, walk, last + 1)? {
        return Ok(Err(classify(cursor, keys, walk, segment)?));
    }
    let bytes = last + 1 - walk.at;
    if bytes > MAX_GROUP as u64 {
        return Ok(Err(Damage {
            kind: DamageKind::Stray,
            segment: segment.to_owned(),
            byte: first,
            seq: walk.head.seq + 1,
        }));
    }
    Ok(Ok(Some(Cut {
        segment: segment.to_owned(),
        byte: walk.at,
        bytes,
    })))
}

/// What was done to the record at `walk`, of which is known that it is not as it was written.
pub(crate) fn classify(
    cursor: &mut Cursor,
    keys: &LedgerKeys,
    walk: &Walk,
    segment: &str,
) -> io::Result<Damage> {
    let seq = walk.head.seq + 1;
    let there = Frame::parse(cursor.peek(walk.at, Frame::BYTES)?);
    let end = cursor.file().metadata()?.len();
    let moved = cursor
        .search(keys, walk.at + 1..end, &(seq..=seq), Some(&walk.head.tag))?
        .is_some();
    let kind = match there {
        _ if moved => DamageKind::Reordered,
        Some(frame) if is_later(frame, seq) => DamageKind::Removed,
        Some(_) | None => DamageKind::Edited,
    };
    Ok(Damage {
        kind,
        segment: segment.to_owned(),
        byte: walk.at,
        seq,
    })
}

/// The last record that still stands somewhere, walking from `walk` and then searching.
pub(crate) fn salvage(cursor: &mut Cursor, keys: &LedgerKeys, mut walk: Walk) -> io::Result<Head> {
    while walk.step(cursor, keys)?.is_some() {}
    let (mut last, mut at) = (walk.head, walk.at);
    let end = cursor.file().metadata()?.len();
    while let Some(found) = cursor.search(keys, at..end, &(last.seq + 1..=u64::MAX), None)? {
        last = found.head();
        at = found.end();
    }
    Ok(last)
}

/// Whether a record stands behind `walk` that a later write brought. A write begins after the one
/// before is durable, so then what stands at `walk` was not torn.
fn has_later_write(
    cursor: &mut Cursor,
    keys: &LedgerKeys,
    walk: &Walk,
    end: u64,
) -> io::Result<bool> {
    if follows_with_tag_mended(cursor, keys, walk)? {
        return Ok(true);
    }
    let mut at = walk.at + 1;
    let later = walk.head.seq + 1..=u64::MAX;
    while let Some(found) = cursor.search(keys, at..end, &later, None)? {
        if found.group() > walk.at {
            return Ok(true);
        }
        at = found.end();
    }
    Ok(false)
}

/// The search above goes by the tag that stands before a record. Where it is this tag that was
/// edited, the record behind it is found by what the tag should be.
fn follows_with_tag_mended(
    cursor: &mut Cursor,
    keys: &LedgerKeys,
    walk: &Walk,
) -> io::Result<bool> {
    let Some(frame) = Frame::parse(cursor.peek(walk.at, Frame::BYTES)?) else {
        return Ok(false);
    };
    if frame.seq != walk.head.seq + 1 || !frame.is_plausible() {
        return Ok(false);
    }
    let bytes = cursor.peek(walk.at, frame.whole() - TAG)?;
    let Some((head, sealed)) = bytes.split_at_checked(Frame::BYTES) else {
        return Ok(false);
    };
    let tag = keys.chain().tag(&[&walk.head.tag, head, sealed]);
    let next = walk.at + frame.whole() as u64;
    let found = cursor.record(keys, next, frame.seq + 1, &tag)?;
    Ok(found.is_some_and(|found| found.group() > walk.at))
}

/// Whether `frame` looks like one of a record not far behind `seq`.
fn is_later(frame: Frame, seq: u64) -> bool {
    frame.is_plausible() && frame.seq > seq && frame.seq - seq < 1 << 32
}
