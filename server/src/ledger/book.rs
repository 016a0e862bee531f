//! The ledger as the vault has it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::domain::Record;
use crate::ledger::entry::encode;
use crate::ledger::folder::{Folder, segments};
use crate::ledger::format::{Begin, Frame, HEADER_BYTES, RECORD_LABEL, SegmentHeader, Span, TAG};
use crate::ledger::group::Group;
use crate::ledger::health::Signals;
use crate::ledger::index::Indexes;
use crate::ledger::prune::finish_pruning;
use crate::ledger::reserve::{Reserve, Watch, prepare};
use crate::ledger::segment::Segment;
use crate::ledger::writer::{Append, Board, Job, State, Tip, Writer};
use crate::ledger::{
    Cut, Damage, DamageKind, Head, Health, LedgerError, LedgerKeys, LedgerSettings, Trouble,
};

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
    jobs: mpsc::Sender<Job>,
    cut: Option<Cut>,
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
        let settings = settings.bounded();
        let folder = Arc::new(Folder::open(dir)?);
        let kept = finish_pruning(&folder, &keys)?;
        let there = segments(dir)?;
        let (segment, group, cut) = match there.last() {
            Some(last) => Segment::reopen(&folder, *last, &keys)?,
            None if kept.is_some() => return Err(everything_gone(kept.unwrap_or_default()).into()),
            None => begin(&folder, &keys, settings.segment_bytes)?,
        };
        let present = segment.identity().clone();
        let board = Arc::new(Board {
            signals: Signals::default(),
            head: watch::Sender::new(Tip {
                head: group.head(),
                closed: false,
            }),
            segments: Mutex::new(segments(dir)?),
            present: Mutex::new(present),
        });
        let (jobs, queue) = mpsc::channel(settings.queue);
        let sentry = Sentry {
            board: Arc::clone(&board),
            jobs: jobs.downgrade(),
        };
        let writer = Writer {
            board: Arc::clone(&board),
            keys: keys.clone(),
            reserve: Reserve::start(
                Arc::clone(&folder),
                settings.segment_bytes,
                settings.retry,
                sentry,
            )?,
            folder,
            segment,
            group,
            state: State::Sound,
            waiting: Vec::new(),
        };
        thread::Builder::new()
            .name("audit-writer".to_owned())
            .spawn(move || writer.run(queue))?;
        Ok(Self {
            dir: dir.to_owned(),
            keys,
            settings,
            board,
            indexes: Indexes::default(),
            pruning: Mutex::new(()),
            jobs,
            cut,
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

    /// Tells of each new durable end, for whoever follows the trail.
    #[must_use]
    pub fn subscribe(&self) -> Follower {
        Follower(self.board.head.subscribe())
    }

    /// Goes on, at the operator's word, in a new segment behind the last acknowledged record,
    /// although the file with it is gone. [`super::verify`] names the gap from then on. Changes
    /// nothing when nothing is lost.
    ///
    /// # Errors
    /// Why the new segment could not be made.
    pub async fn resume(&self) -> Result<Head, LedgerError> {
        let (answer, answered) = oneshot::channel();
        Ok(self.ask(Job::Resume(answer), answered).await??)
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

/// Follows the trail's end.
#[derive(Clone, Debug)]
pub struct Follower(watch::Receiver<Tip>);

impl Follower {
    /// The next end that was not told yet; nothing after the ledger was closed. Ends that came in
    /// quick succession are told as one.
    pub async fn next(&mut self) -> Option<Head> {
        let told = self.0.borrow_and_update().head;
        let moved = |tip: &Tip| tip.closed || tip.head != told;
        let tip = *self.0.wait_for(moved).await.ok()?;
        (!tip.closed || tip.head != told).then_some(tip.head)
    }
}

/// Stands beside the thread that prepares segments, and wakes the writer when its trouble may be
/// over.
#[derive(Debug)]
struct Sentry {
    board: Arc<Board>,
    jobs: mpsc::WeakSender<Job>,
}

impl Sentry {
    fn retry_if_red(&self) {
        if !self.board.signals.is_red() {
            return;
        }
        if let Some(jobs) = self.jobs.upgrade() {
            // A full queue is traffic, and traffic retries by itself.
            let _ = jobs.try_send(Job::Retry);
        }
    }
}

impl Watch for Sentry {
    fn ready(&mut self) {
        self.board.signals.relieved();
        self.retry_if_red();
    }

    fn failed(&mut self, why: Trouble) {
        self.board.signals.strained(why);
        self.retry_if_red();
    }

    fn idle(&mut self) {
        if let Err(why) = self.board.check() {
            self.board.signals.red(why);
        }
        self.retry_if_red();
    }
}

/// The first segment of all, chained from a random tag.
fn begin(
    folder: &Folder,
    keys: &LedgerKeys,
    size: u64,
) -> Result<(Segment, Group, Option<Cut>), LedgerError> {
    let mut prev_tag = [0; TAG];
    getrandom::fill(&mut prev_tag).map_err(|_| LedgerError::Random)?;
    let header = SegmentHeader {
        begin: Begin::First,
        first_seq: 1,
        prev_end: 0,
        prev_tag,
        prev_span: Span::EMPTY,
    };
    let group = Group::new(HEADER_BYTES, header.head());
    let file = prepare(folder, size, || false)?;
    let mut segment = Segment::begin(file, folder, header, &[], keys)?;
    segment.write(folder, HEADER_BYTES, &[])?;
    Ok((segment, group, None))
}

fn everything_gone(first_kept: u64) -> Damage {
    Damage {
        kind: DamageKind::SegmentMissing { until: u64::MAX },
        segment: crate::ledger::format::segment_name(first_kept),
        byte: 0,
        seq: first_kept,
    }
}
