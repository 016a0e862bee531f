//! Copying the trail for a backup, while it goes on.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::PoisonError;

use crate::ledger::cursor::{Cursor, Walk};
use crate::ledger::folder::segment_path;
use crate::ledger::format::{PAGE, segment_name};
use crate::ledger::prune::MARKER;
use crate::ledger::segment::read_header;
use crate::ledger::{Damage, DamageKind, Head, Ledger, LedgerError};

/// A file of the trail as it was at some end of the chain.
#[derive(Debug)]
pub struct TrailFile {
    /// Its name in the trail's directory.
    pub name: String,
    /// It, open for reading at its beginning.
    pub content: File,
    /// How long it is.
    pub size: u64,
    /// How many bytes of it count; the rest are zeros.
    pub used: u64,
}

impl Ledger {
    /// Gives `take` every file of the trail up to `end`, and returns the names of those that are
    /// missing. A copy made so opens and verifies as the trail does; nothing is pruned meanwhile.
    /// Blocks for as long as the disk and `take` do.
    ///
    /// # Errors
    /// What `take` says; [`LedgerError::Damaged`] when `end` cannot be reached in the last segment;
    /// what the disk said.
    pub fn copy_until<E: From<LedgerError>>(
        &self,
        end: Head,
        mut take: impl FnMut(TrailFile) -> Result<(), E>,
    ) -> Result<Vec<String>, E> {
        let _kept = self.pruning.lock().unwrap_or_else(PoisonError::into_inner);
        let mut segments = self.board.segments();
        segments.retain(|first| *first <= end.seq);
        if let Some(marker) = self.marker().map_err(LedgerError::from)? {
            take(marker)?;
        }
        let last = segments.pop().ok_or_else(|| missing(end.seq))?;
        let mut gone = Vec::new();
        for first in segments {
            match self.whole(first) {
                Ok(file) => take(file)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    gone.push(segment_name(first));
                }
                Err(error) => return Err(LedgerError::from(error).into()),
            }
        }
        take(self.upto(last, end)?)?;
        Ok(gone)
    }

    fn marker(&self) -> io::Result<Option<TrailFile>> {
        match File::open(self.dir.join(MARKER)) {
            Ok(content) => {
                let size = content.metadata()?.len();
                Ok(Some(TrailFile {
                    name: MARKER.to_owned(),
                    content,
                    size,
                    used: size,
                }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A segment that is not written any more.
    fn whole(&self, first: u64) -> io::Result<TrailFile> {
        let content = File::open(segment_path(&self.dir, first))?;
        let size = content.metadata()?.len();
        Ok(TrailFile {
            name: segment_name(first),
            used: before_zeros(&content, size)?,
            content,
            size,
        })
    }

    /// A segment up to the record that `end` names.
    fn upto(&self, first: u64, end: Head) -> Result<TrailFile, LedgerError> {
        let mut cursor = Cursor::open(&segment_path(&self.dir, first))?;
        let header = read_header(&mut cursor, first, &self.keys)?;
        let mut walk = Walk::new(&header);
        while walk.head.seq < end.seq {
            if walk.step(&mut cursor, &self.keys)?.is_none() {
                break;
            }
        }
        if walk.head != end {
            return Err(Damage {
                kind: DamageKind::Edited,
                segment: segment_name(first),
                byte: walk.at,
                seq: walk.head.seq + 1,
            }
            .into());
        }
        let mut content = cursor.file().try_clone()?;
        content.seek(SeekFrom::Start(0))?;
        Ok(TrailFile {
            name: segment_name(first),
            size: content.metadata()?.len(),
            content,
            used: walk.at,
        })
    }
}

/// Where the zeros begin that a file ends with.
fn before_zeros(file: &File, size: u64) -> io::Result<u64> {
    let mut end = size;
    let mut page = [0; PAGE as usize];
    while end > 0 {
        let length = end.min(PAGE);
        let bytes = page
            .get_mut(..usize::try_from(length).unwrap_or_default())
            .unwrap_or_default();
        file.read_exact_at(bytes, end - length)?;
        if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
            return Ok(end - length + last as u64 + 1);
        }
        end -= length;
    }
    Ok(0)
}

fn missing(seq: u64) -> LedgerError {
    Damage {
        kind: DamageKind::SegmentMissing { until: u64::MAX },
        segment: segment_name(seq),
        byte: 0,
        seq,
    }
    .into()
}
