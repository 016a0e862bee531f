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
use crate::ledger::prune::{finish_pruning, keep_marker};
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

/// Where the chain stands.
pub(crate) struct Standing {
    /// The segment that will be written.
    segment: Segment,
    /// The chain's end in it.
    group: Group,
    /// What was cut off.
    cut: Option<Cut>,
    /// What was passed.
    passed: Option<Damage>,
}

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
        stand: impl FnOnce(&Self) -> Result<Standing, LedgerError>,
    ) -> Result<Ledger, LedgerError> {
        let Standing {
            segment,
            group,
            cut,
            passed,
        } = stand(&self)?;
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
            passed,
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

    /// Where the chain stands if nothing is wrong with its end.
    pub(crate) fn stand(&self) -> Result<Standing, LedgerError> {
        let kept = finish_pruning(&self.folder, &self.keys)?;
        match (segments(&self.dir)?.last(), kept) {
            (Some(last), _) => self.reopen(*last),
            (None, Some(first_kept)) => Err(everything_gone(first_kept).into()),
            (None, None) => self.begin(),
        }
    }

    fn reopen(&self, last: u64) -> Result<Standing, LedgerError> {
        let (segment, group, cut) = Segment::reopen(&self.folder, last, &self.keys)?;
        Ok(Standing {
            segment,
            group,
            cut,
            passed: None,
        })
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

    /// A segment behind `damage`, and behind what is `known` from elsewhere.
    pub(crate) fn pass(
        &self,
        damage: Damage,
        known: Option<Head>,
    ) -> Result<Standing, LedgerError> {
        let kept = keep_marker(&self.folder, &self.keys)?.unwrap_or_default();
        let found = match segments(&self.dir)?.last() {
            Some(last) => self.salvaged(*last)?,
            None => unproven(kept),
        };
        let before = known.filter(|known| known.seq > found.seq).unwrap_or(found);
        let standing = self.create(SegmentHeader {
            begin: Begin::Loss,
            first_seq: before.seq + 1,
            prev_end: 0,
            prev_tag: before.tag,
            prev_span: Span::UNKNOWN,
        })?;
        Ok(Standing {
            passed: Some(damage),
            ..standing
        })
    }

    /// The last record that can be found in the segment `last`; its first, where there is none.
    fn salvaged(&self, last: u64) -> Result<Head, LedgerError> {
        let mut cursor = Cursor::open(&segment_path(&self.dir, last))?;
        let head = unproven(last);
        let walk = match cursor.header(&self.keys)? {
            Some(header) => Walk::new(&header),
            None => Walk {
                at: HEADER_BYTES,
                head,
            },
        };
        let found = salvage(&mut cursor, &self.keys, walk)?;
        Ok(if found.seq < last { head } else { found })
    }

    fn create(&self, header: SegmentHeader) -> Result<Standing, LedgerError> {
        let group = Group::new(HEADER_BYTES, header.head());
        let file = prepare(&self.folder, self.settings.segment_bytes, || false)?;
        let mut segment = Segment::begin(file, &self.folder, header, &[], &self.keys)?;
        segment.write(&self.folder, HEADER_BYTES, &[])?;
        Ok(Standing {
            segment,
            group,
            cut: None,
            passed: None,
        })
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

/// A record of which nothing is known but its number.
fn unproven(seq: u64) -> Head {
    Head { seq, tag: [0; TAG] }
}

fn everything_gone(first_kept: u64) -> Damage {
    Damage {
        kind: DamageKind::SegmentMissing { until: u64::MAX },
        segment: segment_name(first_kept),
        byte: 0,
        seq: first_kept,
    }
}
