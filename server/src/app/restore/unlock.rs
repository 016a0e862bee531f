//! By whose authority: the master key or the recovery code.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::app::house::master_source;
use crate::app::restore::Stage;
use crate::app::{AppError, DataFolder};
use crate::config::Config;
use crate::crypto::{CryptoError, KeyRing, MasterSource, RecoveryCode, private_file};
use crate::store::archive::ArchiveHead;

/// What opens a backup.
#[derive(Debug)]
pub enum Unlock {
    /// The master key from where the data directory's `claviger.toml` says; without one, from the
    /// file `master.key` in it. What the backup itself says does not count: it is not known to be
    /// true before it is open.
    Configured,
    /// The master key in this file.
    KeyFile(PathBuf),
    /// The recovery code, as it was typed.
    Code(Zeroizing<String>),
}

impl Unlock {
    /// Where the master key is, unless it is the code that opens.
    fn source(&self, folder: &DataFolder) -> Result<Option<MasterSource>, AppError> {
        let source = match self {
            Self::Code(_) => return Ok(None),
            Self::KeyFile(path) => MasterSource::File(path.clone()),
            Self::Configured => {
                let path = folder.path().join(Config::FILE);
                let config = if path.exists() {
                    Config::load(folder.path())?
                } else {
                    Config::default()
                };
                master_source(folder, &config)?
            }
        };
        match source {
            MasterSource::File(path) if !path.exists() => Err(AppError::NoKey(path)),
            there => Ok(Some(there)),
        }
    }
}

/// A backup whose keys are open.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) path: PathBuf,
    pub(super) from: BufReader<File>,
    pub(super) head: ArchiveHead,
    pub(super) keys: KeyRing,
}

impl Sealed {
    /// Whether the file at `path` is a backup, by its beginning.
    pub(super) fn peek(path: &Path) -> Result<(), AppError> {
        let file = File::open(path).map_err(AppError::file(path))?;
        let head = ArchiveHead::read(&mut BufReader::new(file));
        head.map(drop).map_err(AppError::backup(path))
    }

    /// Opens the keys of the backup at `path`.
    pub(super) fn open(
        folder: &DataFolder,
        path: &Path,
        unlock: &Unlock,
    ) -> Result<Self, AppError> {
        let file = File::open(path).map_err(AppError::file(path))?;
        let mut from = BufReader::with_capacity(BUFFER, file);
        let head = ArchiveHead::read(&mut from).map_err(AppError::backup(path))?;
        let keys = match (unlock.source(folder)?, unlock) {
            (Some(source), _) => KeyRing::unlock_copy(head.keyring(), path, &source)?,
            (None, Unlock::Code(typed)) => {
                let code = RecoveryCode::parse(typed)?;
                KeyRing::recover_copy(head.keyring(), path, &code)?
            }
            (None, Unlock::Configured | Unlock::KeyFile(_)) => {
                return Err(CryptoError::NoRing(path.to_owned()).into());
            }
        };
        Ok(Self {
            path: path.to_owned(),
            from,
            head,
            keys,
        })
    }
}

/// Makes the staged keyring open by the master key from where the staged `claviger.toml` says, as
/// `serve` will want it: by the same key where it can be had there, by another one otherwise.
///
/// # Errors
/// [`AppError::Keys`], when there is no master key to be had there.
pub(super) fn settle(
    folder: &DataFolder,
    stage: &Stage,
    unlock: &Unlock,
) -> Result<Settled, AppError> {
    let staged = stage.folder().path();
    let source = master_source(folder, stage.config())?;
    let opened_by = unlock.source(folder)?;
    if let (MasterSource::File(place), Some(MasterSource::File(key))) = (&source, &opened_by)
        && !place.exists()
    {
        private_file::create(place, &private_file::read(key, LONGEST_KEY)?)?;
    }
    match KeyRing::unlock(staged, &source) {
        Ok(keys) => return Ok(Settled { keys, remark: None }),
        Err(why) => tracing::debug!(%why, "the keyring is wrapped anew"),
    }
    let master = source.establish()?;
    let keys = match (opened_by, unlock) {
        (Some(key), _) => {
            let keys = KeyRing::unlock(staged, &key)?;
            keys.rewrap(&master)?;
            keys
        }
        (None, Unlock::Code(typed)) => {
            let code = RecoveryCode::parse(typed)?;
            KeyRing::recover(staged, &code, &master)?
        }
        (None, Unlock::Configured | Unlock::KeyFile(_)) => {
            return Err(CryptoError::NoRing(staged.to_owned()).into());
        }
    };
    let remark = format!("{}: keep a copy of it away from the data", new_key(&source));
    Ok(Settled {
        keys,
        remark: Some(remark),
    })
}

/// The keyring, as it will be opened from now on.
pub(super) struct Settled {
    pub(super) keys: KeyRing,
    /// What the operator should know about the master key.
    pub(super) remark: Option<String>,
}

fn new_key(source: &MasterSource) -> String {
    let now = "the keys are wrapped by the master key";
    match source {
        MasterSource::File(path) => format!("{now} in {}", path.display()),
        MasterSource::Passphrase(..) | MasterSource::Credential(_) | MasterSource::Command(..) => {
            format!("{now} that claviger.toml names")
        }
    }
}

const BUFFER: usize = 256 << 10;
/// Longest text that may hold a key.
const LONGEST_KEY: usize = 4096;
