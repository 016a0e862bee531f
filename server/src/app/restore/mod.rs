//! `claviger restore`: a backup becomes a data directory, whole or not at all.
//!
//! Everything is built and checked in a directory `restoring-<time>` inside the data directory,
//! whose lock is held meanwhile, and then moved into place; `ca.pem` comes last, which is the sign
//! of a whole directory. (Beside the data directory there may be no right to write, and a mount
//! point cannot be moved.) A vault that is there already is refused, or moved as it is to
//! `before-restore-<time>`; nothing is ever deleted.

mod place;
mod read;
mod stage;
mod unlock;

pub use unlock::Unlock;

use std::path::{Path, PathBuf};

use crate::app::house::blocking;
use crate::app::{AppError, DataFolder, House};
use crate::config::Config;
use crate::crypto::KeyRing;
use crate::domain::{Operation, Timestamp};
use crate::ledger::{self, Damage, Head, LedgerError, LedgerKeys};
use crate::vault::{BackupProgress, Clock, SystemClock};
use place::Place;
use read::Nobody;
use stage::Stage;
use unlock::{Sealed, Settled};

/// What is restored, and by whose authority.
#[derive(Debug)]
pub struct Restore {
    /// The backup.
    pub file: PathBuf,
    /// What opens it.
    pub unlock: Unlock,
    /// Whether a vault that is in the data directory is moved aside.
    pub replace: bool,
}

/// What a backup holds, all of it checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupContent {
    /// When it was made.
    pub made: Timestamp,
    /// Rows.
    pub rows: u64,
    /// Rows that were damaged already when the backup was made.
    pub damaged_rows: u64,
    /// Files, those of the audit trail among them.
    pub files: u64,
    /// Where the audit trail ends in it.
    pub head: Head,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    /// What the backup held.
    pub content: BackupContent,
    /// What was wrong with the audit trail already when the backup was made.
    pub damage: Option<Damage>,
    /// Where the vault is now that was there before.
    pub aside: Option<PathBuf>,
    /// What to do next, a line each.
    pub next: Vec<String>,
}

/// Restores a backup into the data directory of a stopped server.
///
/// # Errors
/// [`AppError::Store`] when a server runs on it; [`AppError::Occupied`] when there is a vault that
/// shall stay; [`AppError::Keys`] without the master key or the recovery code;
/// [`AppError::Backup`] when the file is none, or was changed, cut or damaged. Nothing has been put
/// in place then.
pub async fn restore(
    folder: &DataFolder,
    what: Restore,
    progress: impl FnMut(BackupProgress) + Send + 'static,
) -> Result<RestoreReport, AppError> {
    // Before anything is made: the wrong file leaves no traces.
    Sealed::peek(&what.file)?;
    folder.make()?;
    let place = Place::take(folder, what.replace)?;
    // Nobody builds in one of them: the directory is locked.
    let leftovers = folder.leftovers();
    let now = SystemClock.now();
    let (data, unlock, file) = (folder.clone(), what.unlock, what.file);
    let building = move || -> Result<_, AppError> {
        let sealed = Sealed::open(&data, &file, &unlock)?;
        let (stage, content) = Stage::build(&place, sealed, now, progress)?;
        let settled = unlock::settle(&data, &stage, &unlock)?;
        Ok((place, stage, content, settled))
    };
    let (place, stage, content, Settled { keys, remark }) = blocking(building).await??;
    let damage = trail_damage(stage.folder().audit(), &keys, content.head).await?;
    let stopped = write_down(&stage, &content, damage.as_ref(), keys).await?;
    let mut next = warnings(&content, damage.as_ref());
    if stopped {
        next.push(STOPPED.to_owned());
    }
    next.extend(leftovers.iter().map(|path| left_over(path)));
    next.extend(remark);
    next.extend(remarks(folder, &stage));
    let aside = blocking(move || place.put(stage, now)).await??;
    Ok(RestoreReport {
        content,
        damage,
        aside,
        next,
    })
}

/// Reads a backup to its end and checks every byte of it; makes nothing. `folder` says where the
/// master key is, as for [`restore`].
///
/// # Errors
/// [`AppError::Keys`], [`AppError::Backup`].
pub async fn verify_backup(
    folder: &DataFolder,
    file: &Path,
    unlock: Unlock,
    progress: impl FnMut(BackupProgress) + Send + 'static,
) -> Result<BackupContent, AppError> {
    let (data, file) = (folder.clone(), file.to_owned());
    let checking = move || {
        let sealed = Sealed::open(&data, &file, &unlock)?;
        read::read(sealed, &mut Nobody, progress)
    };
    blocking(checking).await?
}

/// What is wrong with the restored trail. It was so when the backup was made, for the seals hold:
/// the passwords must not be hostage to it.
async fn trail_damage(
    audit: PathBuf,
    keys: &KeyRing,
    head: Head,
) -> Result<Option<Damage>, AppError> {
    let (seal, chain) = keys.ledger_keys();
    let keys = LedgerKeys::new(seal, chain);
    match blocking(move || ledger::verify(&audit, &keys, Some(head), |_| {})).await? {
        Ok(_) => Ok(None),
        Err(LedgerError::Damaged(damage) | LedgerError::DamagedAgain { first: damage, .. }) => {
            Ok(Some(damage))
        }
        Err(other) => Err(other.into()),
    }
}

/// Opens the restored house once, so that it is known to open, and writes into its trail that it
/// was restored; says whether it would change passwords on targets, which it does not until the
/// operator says so.
async fn write_down(
    stage: &Stage,
    content: &BackupContent,
    damage: Option<&Damage>,
    keys: KeyRing,
) -> Result<bool, AppError> {
    let house = House::open_past_damage(stage.folder(), stage.config(), keys).await?;
    let uid = rustix::process::geteuid().as_raw();
    let tag: String = content
        .head
        .tag
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let mut detail = format!(
        "by uid {uid}, from the backup of {}, up to record {} with tag {tag}; {} rows",
        text(content.made),
        content.head.seq,
        content.rows,
    );
    if let Some(damage) = damage {
        detail = format!("{detail}; its trail is damaged: {damage}");
    }
    let why = format!("this is a copy from the backup of {}", text(content.made));
    let stopped = house.vault.stop_resets(&why).await;
    let noted = house.vault.note(Operation::Restore, &detail).await;
    house.close("restore").await?;
    noted?;
    Ok(stopped?)
}

/// What a directory is that a killed restore left, and what to do with it.
pub(crate) fn left_over(path: &Path) -> String {
    let path = path.display();
    format!(
        "{path} was left by a restore that was killed: once all is well, remove it (rm -r {path})"
    )
}

/// What is not as it was before.
fn warnings(content: &BackupContent, damage: Option<&Damage>) -> Vec<String> {
    let mut lines = vec![format!(
        "passwords, users, shares and trust are as they were at {}: what was changed, locked or \
         revoked since must be done again",
        text(content.made)
    )];
    if let Some(damage) = damage {
        lines.push(format!(
            "the audit trail was damaged already when the backup was made: {damage}"
        ));
    }
    if content.damaged_rows > 0 {
        lines.push(format!(
            "{} rows were damaged already when the backup was made",
            content.damaged_rows
        ));
    }
    lines
}

/// What the operator must do before and after the next start.
fn remarks(folder: &DataFolder, stage: &Stage) -> Vec<String> {
    let (data, tls) = (folder.path(), &stage.config().tls);
    let mut lines = Vec::new();
    if stage.keeps_config {
        lines.push(format!(
            "{0} was kept; the backup's is {0}.from-backup",
            data.join(Config::FILE).display()
        ));
    }
    for place in [&tls.certificate, &tls.key] {
        let path = place.within(data);
        let found = match path.strip_prefix(data) {
            Ok(inside) => stage.folder().path().join(inside).exists(),
            Err(_) => path.exists(),
        };
        if !found {
            let path = path.display();
            lines.push(format!("{path} is not in the backup: put it there"));
        }
    }
    let data = data.display();
    lines.push(format!("check it: claviger audit verify --data {data}"));
    lines.push(format!("start it: claviger serve --data {data}"));
    lines
}

const STOPPED: &str = "no password is changed on its target, so that this copy changes none that the \
                       original looks after: where that is gone, say `claviger reset resume`";

/// A moment as people and scripts read it.
fn text(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

/// A moment as a part of a file name.
fn compact(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(
        |_| at.0.to_string(),
        |at| at.strftime("%Y%m%dT%H%M%SZ").to_string(),
    )
}
