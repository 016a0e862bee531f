//! `claviger backup`: what goes into one, and the file that it becomes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::app::house::{blocking, unlock};
use crate::app::{AppError, DataFolder, House};
use crate::config::Config;
use crate::vault::{BackupFiles, BackupProgress, BackupReport};

/// Makes a backup of a stopped server's data in the new file `path`. A running server makes its
/// own: [`crate::vault::Vault::backup`].
///
/// # Errors
/// [`AppError::Store`] when a server is running; [`AppError::Taken`] when there is a file at
/// `path`; [`AppError::File`] when it cannot be written: then there is none; [`AppError::Vault`].
pub async fn backup(
    folder: &DataFolder,
    path: &Path,
    progress: impl FnMut(BackupProgress) + Send + 'static,
) -> Result<BackupReport, AppError> {
    folder.check()?;
    let config = Config::load(folder.path())?;
    let target = BackupTarget::create(path)?;
    let keys = unlock(folder, &config).await?;
    let house = House::open(folder, &config, keys).await?;
    let made = from(&house, folder, &config, &target, progress).await;
    house.close("backup").await?;
    let report = made?;
    blocking(move || target.keep()).await??;
    Ok(report)
}

async fn from(
    house: &House,
    folder: &DataFolder,
    config: &Config,
    target: &BackupTarget,
    progress: impl FnMut(BackupProgress) + Send + 'static,
) -> Result<BackupReport, AppError> {
    let operator = house.operator().await?;
    let files = backup_files(folder, config)?;
    let sink = target.sink()?;
    let made = house.vault.backup(sink, files, progress, &operator);
    Ok(made.await?)
}

/// The files of a data directory that belong into a backup: settings, certificates, the server's
/// keys, revocation lists. Not the master key: who finds a backup must not find its key in it.
///
/// # Errors
/// [`AppError::File`] when the lists cannot be read.
pub(crate) fn backup_files(folder: &DataFolder, config: &Config) -> Result<BackupFiles, AppError> {
    let data = folder.path();
    let mut files = BackupFiles::new(data)
        // First: a restore reads it before the rows.
        .with(data.join(Config::FILE))
        .with(folder.authority())
        .with_optional(config.tls.certificate.within(data))
        .with_optional(config.tls.key.within(data));
    // Made when the door is first opened.
    let host_key = config.doors.ssh.host_key.within(data);
    if host_key.exists() {
        files = files.with_optional(host_key);
    }
    for list in lists(&config.tls.crl_dir.within(data))? {
        files = files.with_optional(list);
    }
    Ok(files)
}

/// The files in `directory`, if it is there, by name.
fn lists(directory: &Path) -> Result<Vec<PathBuf>, AppError> {
    let failed = || AppError::file(directory);
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(failed())?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed())?.path();
        if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A backup's file in the making: mode 0600, beside its place until it is whole. Dropped before
/// [`BackupTarget::keep`], it leaves nothing.
#[derive(Debug)]
pub struct BackupTarget {
    path: PathBuf,
    beside: PathBuf,
    file: File,
    kept: bool,
}

impl BackupTarget {
    /// Begins the file that will be at `path`, where none is yet.
    ///
    /// # Errors
    /// [`AppError::Taken`], [`AppError::File`].
    pub fn create(path: &Path) -> Result<Self, AppError> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(AppError::Taken(path.to_owned()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside);
        Ok(Self {
            path: path.to_owned(),
            // Named by what was asked for: nobody knows the other name.
            file: opened.map_err(AppError::file(path))?,
            beside,
            kept: false,
        })
    }

    /// Where to write it.
    ///
    /// # Errors
    /// [`AppError::File`] when there are too many open files.
    pub fn sink(&self) -> Result<BufWriter<File>, AppError> {
        let file = self.file.try_clone().map_err(AppError::file(&self.path))?;
        Ok(BufWriter::with_capacity(SINK, file))
    }

    /// Puts the whole file in its place, on disk. Blocks.
    ///
    /// # Errors
    /// [`AppError::Taken`] when another file came to `path` meanwhile; [`AppError::File`].
    pub fn keep(mut self) -> Result<(), AppError> {
        let failed = || AppError::file(&self.path);
        self.file.sync_all().map_err(failed())?;
        rename_new(&self.beside, &self.path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => AppError::Taken(self.path.clone()),
            _ => failed()(error),
        })?;
        self.kept = true;
        sync_directory_of(&self.path)
    }
}

impl Drop for BackupTarget {
    fn drop(&mut self) {
        if !self.kept {
            // It is told apart from a backup by its name if it cannot be removed.
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// Moves `from` to `to`, where nothing may be.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network file systems cannot say it in one step.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        moved => Ok(moved?),
    }
}

/// Makes durable what came into or left the directory that `path` is in.
pub(crate) fn sync_directory_of(path: &Path) -> Result<(), AppError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    File::open(parent)
        .and_then(|opened| opened.sync_all())
        .map_err(AppError::file(parent))
}

const SINK: usize = 256 << 10;
