//! The segment that is written.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use crate::ledger::cursor::{Cursor, Walk};
use crate::ledger::folder::{Folder, Identity, from_disk, segment_path};
use crate::ledger::format::{
    HEADER_BYTES, MAX_GROUP, PAGE, RECORD_LABEL, SegmentHeader, Span, segment_name,
};
use crate::ledger::group::Group;
use crate::ledger::reserve::NEXT;
use crate::ledger::tail::{Cut, judge};
use crate::ledger::{Damage, DamageKind, LedgerError, LedgerKeys, Trouble};

/// A segment's file, open for writing.
#[derive(Debug)]
pub(crate) struct Segment {
    file: File,
    identity: Identity,
    size: u64,
    /// Whether its name is durable.
    named: bool,
    pub(crate) header: SegmentHeader,
    pub(crate) span: Span,
}

impl Segment {
    /// Turns the prepared `file` into the segment that `header` describes, beginning with
    /// `records`. It has its name only after all of it is durable; that it has, only after the
    /// first write.
    pub(crate) fn begin(
        file: File,
        folder: &Folder,
        header: SegmentHeader,
        records: &[u8],
        keys: &LedgerKeys,
    ) -> Result<Self, Trouble> {
        let bytes = header
            .to_bytes(keys)
            .map_err(|_| Trouble::Disk(rustix::io::Errno::IO.raw_os_error()))?;
        file.write_all_at(&bytes, 0)?;
        file.write_all_at(records, HEADER_BYTES)?;
        file.sync_all()?;
        let path = segment_path(folder.path(), header.first_seq);
        let size = file.metadata()?.len();
        let prepared = folder.path().join(NEXT);
        Identity::of(&file, prepared.clone())?.check()?;
        let identity = Identity::of(&file, path.clone())?;
        // The last step that can fail: a segment with a name is the one that is written.
        fs::rename(prepared, path)?;
        Ok(Self {
            file,
            identity,
            size,
            named: false,
            header,
            span: Span::EMPTY,
        })
    }

    /// Opens the last segment of `folder` and finds where to go on. What a crash tore is cut off.
    pub(crate) fn reopen(
        folder: &Folder,
        first_seq: u64,
        keys: &LedgerKeys,
    ) -> Result<(Self, Group, Option<Cut>), LedgerError> {
        let name = segment_name(first_seq);
        let file = folder.open_file(&name)?;
        let mut cursor = Cursor::new(file.try_clone()?);
        let header = read_header(&mut cursor, first_seq, keys)?;
        let mut walk = Walk::new(&header);
        let mut group = Group::new(HEADER_BYTES, walk.head);
        let mut span = Span::EMPTY;
        while let Some(found) = walk.step(&mut cursor, keys)? {
            span.include(time(keys, found.frame.seq, found.sealed)?);
            let (at, whole) = (found.at, found.frame.whole());
            group.recall(cursor.peek(at, whole)?);
        }
        let cut = judge(&mut cursor, keys, &walk, &name)??;
        let segment = Self {
            size: file.metadata()?.len(),
            identity: Identity::of(&file, segment_path(folder.path(), first_seq))?,
            file,
            named: false,
            header,
            span,
        };
        segment.settle(&mut cursor, walk.at, cut.as_ref())?;
        Ok((segment, group, cut))
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// [`Trouble::Gone`] unless the file still stands at its path.
    pub(crate) fn check(&self) -> Result<(), Trouble> {
        self.identity.check()
    }

    /// Writes `bytes` at `at`, and returns after they would survive a power cut.
    pub(crate) fn write(&mut self, folder: &Folder, at: u64, bytes: &[u8]) -> Result<(), Trouble> {
        if !self.named {
            folder.sync()?;
            self.named = true;
        }
        self.file.write_all_at(bytes, at)?;
        self.file.sync_data()?;
        Ok(())
    }

    /// Cuts off what was torn, and writes the last write's bytes again: if it failed to reach the
    /// disk before the server stopped, its pages may seem clean, and only a new write proves them.
    fn settle(&self, cursor: &mut Cursor, end: u64, cut: Option<&Cut>) -> Result<(), LedgerError> {
        let from = end
            .saturating_sub(MAX_GROUP as u64 + PAGE)
            .max(HEADER_BYTES);
        let known = cursor.peek(from, usize::try_from(end - from).unwrap_or_default())?;
        self.file.write_all_at(known, from).map_err(from_disk)?;
        let torn = cut.map_or(0, |cut| usize::try_from(cut.bytes).unwrap_or_default());
        self.file
            .write_all_at(&vec![0; torn], end)
            .map_err(from_disk)?;
        self.file.sync_data().map_err(from_disk)
    }
}

/// The header of the segment that is named after `first_seq`.
pub(crate) fn read_header(
    cursor: &mut Cursor,
    first_seq: u64,
    keys: &LedgerKeys,
) -> Result<SegmentHeader, LedgerError> {
    let damage = |kind| Damage {
        kind,
        segment: segment_name(first_seq),
        byte: 0,
        seq: first_seq,
    };
    let header = cursor
        .header(keys)?
        .ok_or_else(|| damage(DamageKind::Foreign))?;
    if header.first_seq != first_seq {
        return Err(damage(DamageKind::Misnamed).into());
    }
    Ok(header)
}

/// What is inside the seal of record `seq`.
pub(crate) fn unseal(
    keys: &LedgerKeys,
    seq: u64,
    sealed: &[u8],
) -> Result<zeroize::Zeroizing<Vec<u8>>, LedgerError> {
    keys.seal()
        .open(RECORD_LABEL, sealed)
        .map_err(|source| LedgerError::Sealed { seq, source })
}

fn time(keys: &LedgerKeys, seq: u64, sealed: &[u8]) -> Result<i64, LedgerError> {
    let plain = unseal(keys, seq, sealed)?;
    plain
        .first_chunk()
        .map(|at| i64::from_le_bytes(*at))
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData).into())
}
