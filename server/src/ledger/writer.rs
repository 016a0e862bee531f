//! The thread that writes: takes what is queued, chains it, writes and flushes it at once, answers.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};

use crate::domain::Pace;
use crate::ledger::folder::{Folder, Identity, segments};
use crate::ledger::format::{Begin, Frame, HEADER_BYTES, MAX_GROUP, SegmentHeader, Span, TAG};
use crate::ledger::group::Group;
use crate::ledger::health::Signals;
use crate::ledger::reserve::Reserve;
use crate::ledger::segment::Segment;
use crate::ledger::{Head, LedgerKeys, Resumed, Trouble};

/// What the thread is asked for.
#[derive(Debug)]
pub(crate) enum Job {
    Append(Append),
    /// Something may have changed: try again what is in trouble.
    Retry,
    /// Go on in a new segment although records were lost, among them the end that is given.
    Resume(Option<Head>, oneshot::Sender<Result<Resumed, Trouble>>),
    /// Write what is queued, then end.
    Close(oneshot::Sender<()>),
}

/// A sealed record that waits for its number.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) at: i64,
    pub(crate) sealed: Vec<u8>,
    pub(crate) answer: oneshot::Sender<Result<u64, Trouble>>,
}

/// The chain's durable end, and whether it will ever move again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tip {
    pub(crate) head: Head,
    pub(crate) closed: bool,
}

/// What the thread shows to the others.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) signals: Signals,
    pub(crate) head: watch::Sender<Tip>,
    /// The first records' numbers of all segments.
    pub(crate) segments: Mutex<Vec<u64>>,
    /// Which file is written.
    pub(crate) present: Mutex<Identity>,
}

impl Board {
    /// Whether the file that is written still stands where it was.
    pub(crate) fn check(&self) -> Result<(), Trouble> {
        self.present
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .check()
    }

    pub(crate) fn segments(&self) -> Vec<u64> {
        self.segments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) board: Arc<Board>,
    pub(crate) keys: LedgerKeys,
    pub(crate) reserve: Reserve,
    pub(crate) folder: Arc<Folder>,
    pub(crate) segment: Segment,
    pub(crate) group: Group,
    pub(crate) state: State,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) pace: Pace,
}

/// Whether the present segment can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It can.
    Sound,
    /// A write failed: what stands behind the last record is unknown.
    Unknown,
    /// It was not at its path after a write that reached up to `until`.
    Gone { until: u64 },
}

/// Who waits for which record.
#[derive(Debug)]
pub(crate) struct Waiting {
    seq: u64,
    at: i64,
    answer: oneshot::Sender<Result<u64, Trouble>>,
}

impl Writer {
    /// Works until it is asked to close, or nobody can ask any more.
    pub(crate) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut closing = Vec::new();
        while jobs.blocking_recv_many(&mut batch, BATCH) > 0 {
            let present = batch.len();
            self.wait_for_company(&mut batch, &mut jobs);
            let carried = batch.len();
            let mut refused = None;
            for job in batch.drain(..) {
                match job {
                    Job::Append(append) => self.take(append, &mut refused),
                    Job::Retry => self.retry(),
                    Job::Resume(lost, answer) => {
                        self.flush();
                        // Whoever does not wait for the answer any more can ask for the head.
                        let _ = answer.send(self.resume(lost));
                    }
                    Job::Close(answer) => {
                        jobs.close();
                        closing.push(answer);
                    }
                }
            }
            let began = Instant::now();
            self.flush();
            self.pace
                .learn(present, carried, jobs.len(), began.elapsed());
        }
        self.board.head.send_modify(|tip| tip.closed = true);
        // The lock on the directory goes before whoever closes is told.
        drop(self);
        for answer in closing {
            let _ = answer.send(());
        }
    }

    fn wait_for_company(&mut self, batch: &mut Vec<Job>, jobs: &mut mpsc::Receiver<Job>) {
        let until = Instant::now() + self.pace.patience(batch.len());
        while batch.len() < self.pace.crowd() && Instant::now() < until {
            thread::sleep(LOOK);
            while batch.len() < BATCH
                && let Ok(job) = jobs.try_recv()
            {
                batch.push(job);
            }
        }
    }

    /// Chains one record, or refuses it. What could not be mended for one record of a batch is not
    /// tried again for the next.
    fn take(&mut self, append: Append, refused: &mut Option<Trouble>) {
        let whole = Frame::BYTES + append.sealed.len() + TAG;
        if self.group.pending().len() + whole > MAX_GROUP {
            self.flush();
        }
        if self.state == State::Sound && !self.has_room(whole) {
            self.flush();
        }
        match self.make_ready(whole, *refused) {
            Ok(()) => {
                let seq = self.group.add(&self.keys, &append.sealed);
                self.waiting.push(Waiting {
                    seq,
                    at: append.at,
                    answer: append.answer,
                });
            }
            Err(why) => {
                *refused = Some(why);
                self.board.signals.red(why);
                // Whoever does not wait any more has been told that it took too long.
                let _ = append.answer.send(Err(why));
            }
        }
    }

    fn has_room(&self, whole: usize) -> bool {
        let end = self.group.end() + self.group.pending().len() as u64;
        end + whole as u64 <= self.segment.size()
    }

    /// A sound segment with room for `whole` bytes.
    fn make_ready(&mut self, whole: usize, refused: Option<Trouble>) -> Result<(), Trouble> {
        if self.state == State::Sound && self.has_room(whole) {
            return Ok(());
        }
        if let Some(why) = refused {
            return Err(why);
        }
        self.mend()?;
        if self.has_room(whole) {
            return Ok(());
        }
        self.roll()
    }

    /// Writes what is pending, and answers whoever waits for it.
    fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        self.board.signals.begin();
        let at = self.group.end();
        let until = at + self.group.pending().len() as u64;
        let written = self.segment.write(&self.folder, at, self.group.pending());
        let kept = written.and_then(|()| self.segment.check());
        match (written, kept) {
            (Ok(()), Ok(())) => self.acknowledge(),
            (Ok(()), Err(why)) => self.refuse(State::Gone { until }, why),
            (Err(why), _) => self.refuse(State::Unknown, why),
        }
    }

    fn acknowledge(&mut self) {
        self.group.commit();
        for waiting in &self.waiting {
            self.segment.span.include(waiting.at);
        }
        self.board.signals.written();
        let head = self.group.head();
        self.board.head.send_modify(|tip| tip.head = head);
        for waiting in self.waiting.drain(..) {
            let _ = waiting.answer.send(Ok(waiting.seq));
        }
    }

    fn refuse(&mut self, state: State, why: Trouble) {
        self.group.discard();
        self.state = state;
        self.board.signals.red(why);
        for waiting in self.waiting.drain(..) {
            let _ = waiting.answer.send(Err(why));
        }
    }

    /// Looks whether what was in trouble is over.
    fn retry(&mut self) {
        self.flush();
        if !self.board.signals.is_red() {
            return;
        }
        if let Err(why) = self.mend().and_then(|()| self.segment.check()) {
            return self.board.signals.red(why);
        }
        if self.reserve.is_ready() || self.has_room(Frame::BYTES + TYPICAL + TAG) {
            self.board.signals.written();
        }
    }

    /// Makes the present segment sound again, if that can be done without a gap.
    fn mend(&mut self) -> Result<(), Trouble> {
        match self.state {
            State::Sound => Ok(()),
            State::Gone { until } => {
                self.segment.check()?;
                // Nobody was told that these records stand.
                let stale = usize::try_from(until - self.group.end()).unwrap_or_default();
                if let Err(why) =
                    self.segment
                        .write(&self.folder, self.group.end(), &vec![0; stale])
                {
                    self.state = State::Unknown;
                    return Err(why);
                }
                self.state = State::Sound;
                Ok(())
            }
            State::Unknown => {
                self.segment.check()?;
                self.give_up_place()
            }
        }
    }

    /// The present segment is full: goes on in the next.
    fn roll(&mut self) -> Result<(), Trouble> {
        self.segment.check()?;
        let head = self.group.head();
        if head.seq + 1 == self.segment.header.first_seq {
            let same = self.segment.header.clone();
            return self.replace(same, &[], Span::EMPTY);
        }
        let header = self.header(Begin::Full, head, self.group.end());
        self.replace(header, &[], Span::EMPTY)?;
        self.group = Group::new(HEADER_BYTES, head);
        Ok(())
    }

    /// A write failed: the durable records on the page that it shared go to a new segment.
    fn give_up_place(&mut self) -> Result<(), Trouble> {
        let (records, start, before) = self.group.shared();
        let records = records.to_vec();
        let header = if before.seq + 1 == self.segment.header.first_seq {
            self.segment.header.clone()
        } else {
            self.header(Begin::Failure, before, start)
        };
        self.replace(header, &records, self.segment.span)?;
        self.group.move_to(HEADER_BYTES);
        self.state = State::Sound;
        Ok(())
    }

    /// Goes on although the present segment is lost, if it is, or the end `lost`, which somebody
    /// knows of and the trail does not hold.
    fn resume(&mut self, lost: Option<Head>) -> Result<Resumed, Trouble> {
        let end = self.group.head();
        let head = lost.map_or(end, |lost| behind(end, lost));
        let sound = self.mend().and_then(|()| self.segment.check()).is_ok();
        if sound && head == end {
            return Ok(Resumed {
                head,
                renewed: false,
            });
        }
        let header = self.header(Begin::Loss, head, self.group.end());
        self.folder.reopen().map_err(|_| Trouble::Gone)?;
        self.folder.set_aside(header.first_seq)?;
        // A file that was prepared in a directory that is gone fails once, and is made anew.
        self.replace(header.clone(), &[], Span::EMPTY)
            .or_else(|_| self.replace(header, &[], Span::EMPTY))?;
        self.group = Group::new(HEADER_BYTES, head);
        self.state = State::Sound;
        self.list_what_is_left()?;
        self.board.signals.written();
        self.board.head.send_modify(|tip| tip.head = head);
        Ok(Resumed {
            head,
            renewed: true,
        })
    }

    fn list_what_is_left(&self) -> Result<(), Trouble> {
        let left = segments(self.folder.path())?;
        *self
            .board
            .segments
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = left;
        Ok(())
    }

    fn header(&self, begin: Begin, before: Head, prev_end: u64) -> SegmentHeader {
        SegmentHeader {
            begin,
            first_seq: before.seq + 1,
            prev_end,
            prev_tag: before.tag,
            prev_span: self.segment.span,
        }
    }

    fn replace(
        &mut self,
        header: SegmentHeader,
        records: &[u8],
        span: Span,
    ) -> Result<(), Trouble> {
        let first_seq = header.first_seq;
        let file = self.reserve.take()?;
        let begun = Segment::begin(file, &self.folder, header, records, &self.keys);
        self.reserve.want();
        self.segment = begun?;
        self.segment.span = span;
        let identity = self.segment.identity().clone();
        *self
            .board
            .present
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = identity;
        let mut segments = self
            .board
            .segments
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if segments.last() != Some(&first_seq) {
            segments.push(first_seq);
        }
        Ok(())
    }
}

/// What the next record follows, so that a number is missing wherever the end `lost` is: behind
/// it, or behind one number more than the chain has come to without it.
fn behind(end: Head, lost: Head) -> Head {
    if lost.seq > end.seq {
        return lost;
    }
    Head {
        seq: end.seq + 1,
        tag: [0; TAG],
    }
}

/// How often whoever waits for company looks for it.
const LOOK: Duration = Duration::from_micros(50);

/// How many records are taken from the queue at once.
const BATCH: usize = 1024;

/// Bytes of a sealed record as most are.
const TYPICAL: usize = 512;
