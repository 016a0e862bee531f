//! Reading a backup to its end, every seal checked.

use std::fs::File;
use std::io::{BufReader, Write, sink};
use std::path::Path;

use crate::app::AppError;
use crate::app::restore::BackupContent;
use crate::app::restore::unlock::Sealed;
use crate::ledger::Head;
use crate::store::archive::{ArchiveError, ArchiveReader, Part};
use crate::store::{Row, rows};
use crate::vault::BackupProgress;

/// Whoever takes what is in a backup.
pub(super) trait Taker {
    /// A file that is `size` long; its content is read from `from`.
    fn file(&mut self, name: &str, size: u64, from: &mut Reader<'_>) -> Result<(), AppError>;

    /// A row.
    fn row(&mut self, row: Row) -> Result<(), AppError>;
}

/// Reads the content of one file.
pub(super) struct Reader<'a> {
    path: &'a Path,
    from: &'a mut ArchiveReader<BufReader<File>>,
    used: u64,
}

impl Reader<'_> {
    /// Writes it to `to`, and says how long it is.
    pub(super) fn content(&mut self, to: &mut impl Write) -> Result<u64, AppError> {
        let copied = self.from.content(to);
        copied.map_err(AppError::backup(self.path))?;
        Ok(self.used)
    }

    /// The backup's error.
    pub(super) fn failed(&self, error: ArchiveError) -> AppError {
        AppError::backup(self.path)(error)
    }
}

/// Takes nothing: for a check.
pub(super) struct Nobody;

impl Taker for Nobody {
    fn file(&mut self, _: &str, _: u64, from: &mut Reader<'_>) -> Result<(), AppError> {
        from.content(&mut sink()).map(drop)
    }

    fn row(&mut self, _: Row) -> Result<(), AppError> {
        Ok(())
    }
}

/// Reads `sealed` to its end; what it says is true only if this returns.
pub(super) fn read(
    sealed: Sealed,
    taker: &mut impl Taker,
    mut progress: impl FnMut(BackupProgress),
) -> Result<BackupContent, AppError> {
    let (path, made, keys) = (sealed.path, sealed.head.made, sealed.keys);
    let mut from = sealed.head.open(sealed.from, &keys);
    let mut damaged_rows = 0;
    loop {
        match from.next_part().map_err(AppError::backup(&path))? {
            Part::File { name, size, used } => {
                let mut reader = Reader {
                    path: &path,
                    from: &mut from,
                    used,
                };
                taker.file(&name, size, &mut reader)?;
            }
            Part::Row(row) => {
                damaged_rows += u64::from(rows::check(&keys, &row).is_err());
                taker.row(row)?;
            }
            Part::End { note } => {
                let head = head(&note).ok_or(ArchiveError::Damaged);
                return Ok(BackupContent {
                    made,
                    rows: from.done().rows,
                    damaged_rows,
                    files: from.done().files,
                    head: head.map_err(AppError::backup(&path))?,
                });
            }
        }
        let done = from.done();
        if (done.rows + done.files).is_multiple_of(EVERY) {
            progress(BackupProgress {
                rows: done.rows,
                bytes: done.bytes,
            });
        }
    }
}

/// Where the trail ends, as the vault noted it.
fn head(note: &[u8]) -> Option<Head> {
    let (seq, tag) = note.split_first_chunk()?;
    Some(Head {
        seq: u64::from_be_bytes(*seq),
        tag: tag.try_into().ok()?,
    })
}

const EVERY: u64 = 1000;
