//! The data directory that a restored vault is put into.

use std::fs;
use std::path::{Path, PathBuf};

use crate::app::backup::{rename_new, sync_directory_of};
use crate::app::folder::make_private;
use crate::app::restore::{Stage, compact};
use crate::app::{AppError, DataFolder};
use crate::config::Config;
use crate::crypto::KeyRing;
use crate::domain::Timestamp;
use crate::store::{self, Redb, Sled, StoreLock};

/// The data directory, locked against a server and another restore.
#[derive(Debug)]
pub(super) struct Place {
    folder: DataFolder,
    /// Whether what is there may be moved aside.
    replace: bool,
    has_vault: bool,
    _lock: StoreLock,
}

impl Place {
    /// Locks the directory.
    ///
    /// # Errors
    /// [`AppError::Store`] when somebody else has it, [`AppError::Occupied`] when there is a vault
    /// in it that is not to be replaced.
    pub(super) fn take(folder: &DataFolder, replace: bool) -> Result<Self, AppError> {
        let lock = store::lock(folder.path())?;
        let has_vault = VAULT.iter().any(|name| folder.path().join(name).exists());
        if has_vault && !replace {
            return Err(AppError::Occupied(folder.path().to_owned()));
        }
        Ok(Self {
            folder: folder.clone(),
            replace,
            has_vault,
            _lock: lock,
        })
    }

    pub(super) fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// Whether the settings in it stay in force: there is no vault that they belong to.
    pub(super) fn keeps_config(&self) -> bool {
        !self.has_vault && self.folder.path().join(Config::FILE).exists()
    }

    /// Moves what is built in `stage` into the directory, what was there aside; says where to.
    /// Blocks.
    ///
    /// # Errors
    /// [`AppError::Occupied`] before anything is moved; [`AppError::HalfWay`] after.
    pub(super) fn put(self, mut stage: Stage, now: Timestamp) -> Result<Option<PathBuf>, AppError> {
        let data = self.folder.path();
        let names = staged(stage.folder().path())?;
        let old = self.old(&names);
        if let Some(first) = old.first()
            && !self.replace
        {
            return Err(AppError::Occupied(data.join(first)));
        }
        let aside = data.join(format!("before-restore-{}", compact(now)));
        if !old.is_empty() {
            make_private(&aside)?;
        }
        stage.hold();
        let moves = old.iter().map(|name| (data.join(name), aside.join(name)));
        let from = stage.folder().path().to_owned();
        let moves = moves.chain(names.iter().map(|name| (from.join(name), data.join(name))));
        for (from, to) in moves {
            rename_new(&from, &to).map_err(|source| AppError::HalfWay { from, to, source })?;
        }
        if !old.is_empty() {
            sync_directory_of(&aside.join(KeyRing::FILE))?;
        }
        sync_directory_of(&self.folder.authority())?;
        stage.clear();
        Ok((!old.is_empty()).then_some(aside))
    }

    /// The names in the directory that have to go: of a vault all, otherwise those that are in the
    /// way. First the one that tells a whole directory.
    fn old(&self, names: &[String]) -> Vec<String> {
        let mut old: Vec<String> = names.to_vec();
        if self.has_vault {
            old.extend(VAULT.iter().map(|name| (*name).to_owned()));
        }
        old.sort_by_key(|name| order(name));
        old.reverse();
        old.dedup();
        old.retain(|name| self.folder.path().join(name).exists());
        old
    }
}

/// The names in `stage`, in the order in which they are put in place.
fn staged(stage: &Path) -> Result<Vec<String>, AppError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(stage).map_err(AppError::file(stage))? {
        let entry = entry.map_err(AppError::file(stage))?;
        // All of ours are plain text.
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| name != LOCK);
    names.sort_by_key(|name| order(name));
    Ok(names)
}

/// The keys come late, the sign of a whole directory last.
fn order(name: &str) -> (u8, String) {
    let rank = match name {
        "ca.pem" => 2,
        KeyRing::FILE => 1,
        _ => 0,
    };
    (rank, name.to_owned())
}

/// What makes a directory one with a vault.
const VAULT: [&str; 5] = [
    KeyRing::FILE,
    Redb::FILE,
    Redb::JOURNAL,
    Sled::DIRECTORY,
    "audit",
];
/// Stays where it is: it is held meanwhile.
const LOCK: &str = "store.lock";
