//! A backup of everything: rows, audit trail, settings and certificates, in one sealed file.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::domain::{Operation, Timestamp};
use crate::ledger::{Head, TrailFile};
use crate::store::archive::{ArchiveError, ArchiveWriter, Totals};
use crate::store::rows::{Rows, check};
use crate::store::{Snapshot, StoreError};
use crate::vault::book::Deed;
use crate::vault::error::Outage;
use crate::vault::{Caller, Vault, VaultError};

/// Files of the data directory that go into a backup beside the rows and the audit trail. Never
/// the master key.
#[derive(Clone, Debug)]
pub struct BackupFiles {
    directory: PathBuf,
    files: Vec<(PathBuf, Presence)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Needed,
    Optional,
}

impl BackupFiles {
    /// None yet, of the data directory `directory`.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            files: Vec::new(),
        }
    }

    /// Adds the file at `path`: without it there is no backup.
    #[must_use]
    pub fn with(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push((path.into(), Presence::Needed));
        self
    }

    /// Adds the file at `path`; the report says so when it is not there, or elsewhere than in the
    /// data directory.
    #[must_use]
    pub fn with_optional(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push((path.into(), Presence::Optional));
        self
    }

    /// Its name in the data directory, if that is where `path` leads.
    fn name(&self, path: &Path) -> Option<String> {
        let inside = path.strip_prefix(&self.directory).ok()?;
        let plain = |part| matches!(part, std::path::Component::Normal(_));
        let named = inside.components().all(plain) && inside.components().next().is_some();
        named.then(|| inside.to_str().map(str::to_owned)).flatten()
    }
}

/// How far a backup, or the reading of one, has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackupProgress {
    /// Rows.
    pub rows: u64,
    /// Bytes, before they are sealed.
    pub bytes: u64,
}

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// When it was made.
    pub made: Timestamp,
    /// Rows.
    pub rows: u64,
    /// Files, those of the audit trail among them.
    pub files: u64,
    /// Bytes, before they were sealed.
    pub bytes: u64,
    /// Where the audit trail ends in it.
    pub head: Head,
    /// What is not in it, a line each: files outside the data directory or not there.
    pub left_out: Vec<String>,
}

impl Vault {
    /// Writes a backup to `sink`: the rows as they are at one moment, the audit trail up to it,
    /// and `files`. Whoever makes a file of it syncs it to disk. Memory stays the same however
    /// much there is; `progress` is told every thousand rows.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for everybody but administrators; [`VaultError::Conflict`] while
    /// keys are rotated; [`VaultError::Unavailable`] with what could not be read or written: what
    /// has been written is no backup then.
    pub async fn backup(
        &self,
        sink: impl Write + Send + 'static,
        files: BackupFiles,
        progress: impl FnMut(BackupProgress) + Send + 'static,
        caller: &Caller,
    ) -> Result<BackupReport, VaultError> {
        let deed = Deed::new(Operation::Backup);
        self.govern(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        let done = self.write_backup(sink, files, progress).await;
        self.settle(&deed, done, caller).await
    }

    async fn write_backup(
        &self,
        sink: impl Write + Send + 'static,
        files: BackupFiles,
        progress: impl FnMut(BackupProgress) + Send + 'static,
    ) -> Result<BackupReport, VaultError> {
        let (keyring, rows, head) = self.moment().await?;
        let (all, ledger, made) = (self.rows.clone(), self.ledger.clone(), self.clock.now());
        let writing = move || {
            let mut backup = Backup {
                archive: ArchiveWriter::begin(sink, all.keys(), &keyring, made)?,
                left_out: Vec::new(),
                progress,
            };
            backup.files(&files)?;
            backup.rows(&all, rows)?;
            let gone = ledger.copy_until(head, |file| backup.trail(file))?;
            backup.left_out.extend(gone.into_iter().map(not_there));
            backup.end(made, head)
        };
        let stopped = |_| VaultError::Unavailable(Outage::Part("the backup was stopped"));
        tokio::task::spawn_blocking(writing)
            .await
            .map_err(stopped)?
    }

    /// The keyring, the rows, and where the trail ends, of one moment: every row opens under the
    /// keys, and every change among the rows has its record before that end.
    async fn moment(&self) -> Result<(Vec<u8>, Snapshot, Head), VaultError> {
        let _keys_stay = self.rotating.try_lock().map_err(|_| VaultError::Conflict)?;
        let keyring = self.rows.keys().wrapped();
        let rows = self.rows.store().snapshot().await?;
        Ok((keyring, rows, self.ledger.head()))
    }
}

/// A backup in the making.
struct Backup<W, P> {
    archive: ArchiveWriter<W>,
    left_out: Vec<String>,
    progress: P,
}

impl<W: Write, P: FnMut(BackupProgress)> Backup<W, P> {
    fn files(&mut self, files: &BackupFiles) -> Result<(), VaultError> {
        for (path, presence) in &files.files {
            let Some(name) = files.name(path) else {
                self.left_out
                    .push(format!("{}: not in the data directory", path.display()));
                continue;
            };
            let content = match File::open(path) {
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound
                        && *presence == Presence::Optional =>
                {
                    self.left_out.push(not_there(name));
                    continue;
                }
                opened => opened.map_err(ArchiveError::Io)?,
            };
            let size = content.metadata().map_err(ArchiveError::Io)?.len();
            self.archive.file(&name, (size, size), content)?;
        }
        Ok(())
    }

    fn rows(&mut self, all: &Rows, rows: Snapshot) -> Result<(), VaultError> {
        for row in rows {
            let row = row?;
            check(all.keys(), &row).or_else(|error| self.broken(error))?;
            self.archive.row(&row)?;
            if self.archive.done().rows.is_multiple_of(EVERY) {
                self.tell();
            }
        }
        self.tell();
        Ok(())
    }

    /// A row that is damaged in the store is backed up as it is: the others must not suffer.
    fn broken(&mut self, error: StoreError) -> Result<(), StoreError> {
        let StoreError::Sealed(_) = error else {
            return Err(error);
        };
        let line = "a row that does not open is in it as it is";
        if !self.left_out.iter().any(|known| known == line) {
            self.left_out.push(line.to_owned());
        }
        Ok(())
    }

    fn trail(&mut self, file: TrailFile) -> Result<(), VaultError> {
        let name = format!("{TRAIL}/{}", file.name);
        self.archive
            .file(&name, (file.size, file.used), file.content)?;
        self.tell();
        Ok(())
    }

    fn end(self, made: Timestamp, head: Head) -> Result<BackupReport, VaultError> {
        let note = [&head.seq.to_be_bytes()[..], &head.tag].concat();
        let (_, Totals { files, rows, bytes }) = self.archive.end(&note)?;
        Ok(BackupReport {
            made,
            rows,
            files,
            bytes,
            head,
            left_out: self.left_out,
        })
    }

    fn tell(&mut self) {
        let Totals { rows, bytes, .. } = self.archive.done();
        (self.progress)(BackupProgress { rows, bytes });
    }
}

fn not_there(name: impl AsRef<str>) -> String {
    format!("{}: not there", name.as_ref())
}

const EVERY: u64 = 1000;
/// Where the trail lies in a data directory.
const TRAIL: &str = "audit";
