//! The ledger as the vault has it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::domain::Record;
use crate::ledger::entry::encode;
use crate::ledger::format::{Frame, HEADER_BYTES, RECORD_LABEL, TAG};
use crate::ledger::index::Indexes;
use crate::ledger::open::Opening;
use crate::ledger::writer::{Append, Board, Job, Tip};
use crate::ledger::{Cut, Damage, Head, Health, LedgerError, LedgerKeys, LedgerSettings};

/// The audit trail of one server: append-only, sealed, chained, durable.
///
/// Dropping it ends its threads after what is queued is written; [`Ledger::close`] waits for that.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) dir: PathBuf,
    pub(crate) keys: LedgerKeys,
    pub(crate) settings: LedgerSettings,
    pub(crate) board: Arc<Board>,
    pub(crate) indexes: Indexes,
    pub(crate) pruning: Mutex<()>,
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) cut: Option<Cut>,
    pub(crate) passed: Option<Damage>,
}

impl Ledger {
    /// Opens the trail in `dir`, or begins one there. Reads the last segment only. Blocks for as
    /// long as the disk takes.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] when another process writes there, [`LedgerError::Exposed`] when
    /// others can read it, [`LedgerError::Damaged`] when its end was tampered with (the rest of a
    /// write that a crash tore is cut off instead, see [`Ledger::cut`]), or what the disk said.
    pub fn open(
        dir: &Path,
        keys: LedgerKeys,
        settings: LedgerSettings,
    ) -> Result<Self, LedgerError> {
        Opening::new(dir, keys, settings)?.run(Opening::stand)
    }

    /// Like [`Ledger::open`], but where that finds damage, goes on at the operator's word in a new
    /// segment, numbered behind all that can be found in the last and behind `known`, an end that
    /// is known from elsewhere. [`super::verify`] names the damage from then on.
    ///
    /// # Errors
    /// Those of [`Ledger::open`] but damage.
    pub fn open_past_damage(
        dir: &Path,
        keys: LedgerKeys,
        settings: LedgerSettings,
        known: Option<Head>,
    ) -> Result<Self, LedgerError> {
        Opening::new(dir, keys, settings)?.run(|opening| match opening.stand() {
            Err(LedgerError::Damaged(damage)) => opening.pass(damage, known),
            other => other,
        })
    }

    /// Adds a record, and returns its number after it would survive a power cut. Texts longer than
    /// [`LedgerSettings::text_bytes`] are cut, and end with `…`.
    ///
    /// If the future is dropped, the record may stand all the same.
    ///
    /// # Errors
    /// Why it could not be written; what the record stands for must then not happen.
    /// [`LedgerError::TooSlow`] after [`LedgerSettings::max_wait`].
    pub async fn append(&self, record: &Record) -> Result<u64, LedgerError> {
        let sealed = self
            .keys
            .seal()
            .seal(RECORD_LABEL, &encode(record, self.settings.text_bytes))
            .map_err(|_| LedgerError::Random)?;
        let whole = (Frame::BYTES + sealed.len() + TAG) as u64;
        if whole > self.settings.segment_bytes - HEADER_BYTES {
            return Err(LedgerError::TooLarge);
        }
        let (answer, answered) = oneshot::channel();
        let job = Job::Append(Append {
            at: record.at.0,
            sealed,
            answer,
        });
        Ok(self.ask(job, answered).await??)
    }

    /// The chain's durable end. Kept elsewhere, it proves later that the trail was not cut.
    #[must_use]
    pub fn head(&self) -> Head {
        self.board.head.borrow().head
    }

    /// Whether records can be written. Looks at the file as well, so that its loss shows without
    /// traffic.
    #[must_use]
    pub fn health(&self) -> Health {
        if let Err(why) = self.board.check() {
            self.board.signals.red(why);
        }
        self.board.signals.health(self.settings.max_wait)
    }

    /// What opening cut off: the rest of a write that a crash tore, acknowledged to nobody.
    #[must_use]
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// What [`Ledger::open_past_damage`] went past.
    #[must_use]
    pub fn passed(&self) -> Option<&Damage> {
        self.passed.as_ref()
    }

    /// Tells of each new durable end from now on, for whoever follows the trail.
    #[must_use]
    pub fn subscribe(&self) -> Follower {
        Follower {
            tips: self.board.head.subscribe(),
            told: self.head(),
        }
    }

    /// Goes on, at the operator's word, in a new segment behind the last acknowledged record,
    /// although the file with it is gone, or behind `lost`, an end that is known from elsewhere and
    /// that the trail does not hold. [`super::verify`] names the gap from then on. Changes nothing
    /// when nothing is lost.
    ///
    /// # Errors
    /// Why the new segment could not be made.
    pub async fn resume(&self, lost: Option<Head>) -> Result<Resumed, LedgerError> {
        let (answer, answered) = oneshot::channel();
        Ok(self.ask(Job::Resume(lost, answer), answered).await??)
    }

    /// Writes what is queued, ends the threads and lets go of the directory. Appends are refused
    /// from now on.
    ///
    /// # Errors
    /// [`LedgerError::TooSlow`] when the disk does not come back; [`LedgerError::Closed`] when it
    /// was closed before.
    pub async fn close(&self) -> Result<(), LedgerError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Job::Close(answer), answered).await
    }

    /// Hands a job to the writer and waits for the answer, for a place in the queue first.
    async fn ask<T>(&self, job: Job, answered: oneshot::Receiver<T>) -> Result<T, LedgerError> {
        let asked = async {
            self.jobs.send(job).await.map_err(|_| LedgerError::Closed)?;
            answered.await.map_err(|_| LedgerError::Closed)
        };
        timeout(self.settings.max_wait, asked)
            .await
            .map_err(|_| LedgerError::TooSlow)?
    }
}

/// What became of the order to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// What the next record follows.
    pub head: Head,
    /// Whether it stands in a new segment; otherwise nothing was lost.
    pub renewed: bool,
}

/// Follows the trail's end.
#[derive(Clone, Debug)]
pub struct Follower {
    tips: watch::Receiver<Tip>,
    told: Head,
}

impl Follower {
    /// The next end that was not told yet; nothing after the ledger was closed. Ends that came in
    /// quick succession are told as one.
    pub async fn next(&mut self) -> Option<Head> {
        let told = self.told;
        let moved = |tip: &Tip| tip.closed || tip.head != told;
        self.told = self.tips.wait_for(moved).await.ok()?.head;
        (self.told != told).then_some(self.told)
    }
}
