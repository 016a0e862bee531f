//! From a directory to a ledger with its threads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::sync::{mpsc, watch};

use crate::domain::Pace;
use crate::ledger::cursor::{Cursor, Walk};
use crate::ledger::folder::{Folder, segment_path, segments};
use crate::ledger::format::{Begin, HEADER_BYTES, SegmentHeader, Span, TAG, segment_name};
use crate::ledger::group::Group;
use crate::ledger::health::Signals;
use crate::ledger::index::Indexes;
use crate::ledger::prune::finish_pruning;
use crate::ledger::reserve::{Reserve, Watch, prepare};
use crate::ledger::segment::Segment;
use crate::ledger::tail::salvage;
use crate::ledger::writer::{Board, Job, State, Tip, Writer};
use crate::ledger::{
    Cut, Damage, DamageKind, Head, Ledger, LedgerError, LedgerKeys, LedgerSettings, Trouble,
};

/// A ledger about to be.
pub(crate) struct Opening {
    dir: PathBuf,
    keys: LedgerKeys,
    settings: LedgerSettings,
    folder: Arc<Folder>,
}

/// The segment that will be written, where the chain stands in it, and what was cut off.
pub(crate) type Standing = (Segment, Group, Option<Cut>);

impl Opening {
    pub(crate) fn new(
        dir: &Path,
        keys: LedgerKeys,
        settings: LedgerSettings,
    ) -> Result<Self, LedgerError> {
        Ok(Self {
            dir: dir.to_owned(),
            keys,
            settings: settings.bounded(),
            folder: Arc::new(Folder::open(dir)?),
        })
    }

    pub(crate) fn run(
        self,
        reopen: impl FnOnce(&Self, u64) -> Result<Standing, LedgerError>,
    ) -> Result<Ledger, LedgerError> {
        let kept = finish_pruning(&self.folder, &self.keys)?;
        let (segment, group, cut) = match (segments(&self.dir)?.last(), kept) {
            (Some(last), _) => reopen(&self, *last)?,
            (None, Some(first_kept)) => return Err(everything_gone(first_kept).into()),
            (None, None) => self.begin()?,
        };
        let board = Arc::new(Board {
            signals: Signals::default(),
            head: watch::Sender::new(Tip {
                head: group.head(),
                closed: false,
            }),
            segments: Mutex::new(segments(&self.dir)?),
            present: Mutex::new(segment.identity().clone()),
        });
        let jobs = self.start(&board, segment, group)?;
        Ok(Ledger {
            dir: self.dir,
            keys: self.keys,
            settings: self.settings,
            board,
            indexes: Indexes::default(),
            pruning: Mutex::new(()),
            jobs,
            cut,
        })
    }

    fn start(
        &self,
        board: &Arc<Board>,
        segment: Segment,
        group: Group,
    ) -> Result<mpsc::Sender<Job>, LedgerError> {
        let (jobs, queue) = mpsc::channel(self.settings.queue);
        let sentry = Sentry {
            board: Arc::clone(board),
            jobs: jobs.downgrade(),
        };
        let reserve = Reserve::start(
            Arc::clone(&self.folder),
            self.settings.segment_bytes,
            self.settings.retry,
            sentry,
        )?;
        let writer = Writer {
            pace: Pace::new(self.settings.company),
            board: Arc::clone(board),
            keys: self.keys.clone(),
            reserve,
            folder: Arc::clone(&self.folder),
            segment,
            group,
            state: State::Sound,
            waiting: Vec::new(),
        };
        thread::Builder::new()
            .name("audit-writer".to_owned())
            .spawn(move || writer.run(queue))?;
        Ok(jobs)
    }

    pub(crate) fn reopen(&self, last: u64) -> Result<Standing, LedgerError> {
        Segment::reopen(&self.folder, last, &self.keys)
    }

    /// The first segment of all, chained from a random tag.
    fn begin(&self) -> Result<Standing, LedgerError> {
        let mut prev_tag = [0; TAG];
        getrandom::fill(&mut prev_tag).map_err(|_| LedgerError::Random)?;
        self.create(SegmentHeader {
            begin: Begin::First,
            first_seq: 1,
            prev_end: 0,
            prev_tag,
            prev_span: Span::EMPTY,
        })
    }

    /// A segment behind a damaged one.
    pub(crate) fn pass(&self, last: u64) -> Result<Standing, LedgerError> {
        let mut cursor = Cursor::open(&segment_path(&self.dir, last))?;
        let head = Head {
            seq: last,
            tag: [0; TAG],
        };
        let walk = match cursor.header(&self.keys)? {
            Some(header) => Walk::new(&header),
            None => Walk {
                at: HEADER_BYTES,
                head,
            },
        };
        let found = salvage(&mut cursor, &self.keys, walk)?;
        let before = if found.seq < last { head } else { found };
        self.create(SegmentHeader {
            begin: Begin::Loss,
            first_seq: before.seq + 1,
            prev_end: 0,
            prev_tag: before.tag,
            prev_span: Span::UNKNOWN,
        })
    }

    fn create(&self, header: SegmentHeader) -> Result<Standing, LedgerError> {
        let group = Group::new(HEADER_BYTES, header.head());
        let file = prepare(&self.folder, self.settings.segment_bytes, || false)?;
        let mut segment = Segment::begin(file, &self.folder, header, &[], &self.keys)?;
        segment.write(&self.folder, HEADER_BYTES, &[])?;
        Ok((segment, group, None))
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

fn everything_gone(first_kept: u64) -> Damage {
    Damage {
        kind: DamageKind::SegmentMissing { until: u64::MAX },
        segment: segment_name(first_kept),
        byte: 0,
        seq: first_kept,
    }
}
