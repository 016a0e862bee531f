//! Group commit: one thread writes, and batches that wait for it share a flush.

mod settle;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc as thread_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::domain::Pace;
use crate::store::group::settle::{Answer, Counts, lock, settle};
use crate::store::{Batch, Key, Row, Settings, Stamps, Status, Step, StoreError, Trouble};

/// What an engine does for the writing thread.
pub(super) trait Engine: Send + 'static {
    /// Most rows that one write may change.
    const MOST_STEPS: usize;

    /// The row at `key` as the last write left it.
    fn row(&self, key: &Key) -> Result<Option<Row>, StoreError>;

    /// Takes all of `steps` in their order, or none; returns after they would survive a power cut.
    /// Where others wait, it is `hurried`: what only makes the next opening quicker may be left to
    /// [`Self::rest`].
    fn write(&mut self, steps: &[&Step], hurried: bool) -> Result<(), StoreError>;

    /// Makes up for what hurried writes left, now that nobody waits.
    fn rest(&mut self) {}

    /// Closes and opens the engine's files after an error, so that reads go on. Whether the last
    /// write is in them is open.
    fn reopen(&mut self);
}

/// The queue before the writing thread, and the thread.
pub(super) struct Group<E> {
    queue: Option<mpsc::Sender<Job<E>>>,
    thread: Option<JoinHandle<()>>,
    ended: Mutex<thread_channel::Receiver<()>>,
    counts: Arc<Counts>,
    settings: Settings,
}

enum Job<E> {
    Commit(Commit),
    Call(Box<dyn FnOnce(&mut E) + Send>),
}

struct Commit {
    batch: Batch,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

impl<E: Engine> Group<E> {
    /// Starts the writing thread.
    ///
    /// # Errors
    /// [`StoreError::Engine`] when the operating system gives no thread.
    pub(super) fn start(engine: E, settings: &Settings) -> Result<Self, StoreError> {
        let (queue, jobs) = mpsc::channel(settings.queue.max(1));
        let (ending, ended) = thread_channel::channel();
        let counts = Arc::<Counts>::default();
        let writing = Writing {
            engine,
            jobs,
            next: None,
            counts: Arc::clone(&counts),
            pace: Pace::new(settings.company),
            hurried: false,
        };
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                writing.run();
                // Told after the engine is closed; dropping tells it, too, when a panic ends us.
                drop(ending);
            })
            .map_err(|error| StoreError::Engine(error.into()))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            ended: Mutex::new(ended),
            counts,
            settings: settings.clone(),
        })
    }

    /// Writes `batch` together with those that wait beside it.
    pub(super) async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        check(&batch, E::MOST_STEPS)?;
        let (answer, answered) = oneshot::channel();
        self.send(Job::Commit(Commit { batch, answer })).await?;
        timeout(self.settings.answer, answered)
            .await
            .map_err(|_| StoreError::Stuck)?
            .map_err(|_| StoreError::Closed)?
    }

    /// Calls `call` on the writing thread, between two writes.
    pub(super) async fn call(
        &self,
        call: impl FnOnce(&mut E) + Send + 'static,
    ) -> Result<(), StoreError> {
        self.send(Job::Call(Box::new(call))).await
    }

    pub(super) fn status(&self) -> Status {
        let queue = self.queue.as_ref();
        Status {
            waiting: queue.map_or(0, |queue| queue.max_capacity() - queue.capacity()),
            batches: self.counts.batches.load(Ordering::Relaxed),
            flushes: self.counts.flushes.load(Ordering::Relaxed),
            trouble: self.trouble(),
        }
    }

    /// Which rows the writes have touched.
    pub(super) fn stamps(&self) -> &Stamps {
        &self.counts.stamps
    }

    fn trouble(&self) -> Option<Trouble> {
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            return Some(Trouble::Stopped);
        }
        let began = *lock(&self.counts.began);
        if began.is_some_and(|began| began.elapsed() >= self.settings.wait) {
            return Some(Trouble::Stuck);
        }
        *lock(&self.counts.trouble)
    }

    async fn send(&self, job: Job<E>) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        timeout(self.settings.wait, queue.send(job))
            .await
            .map_err(|_| StoreError::Overloaded)?
            .map_err(|_| StoreError::Closed)
    }
}

impl<E> Drop for Group<E> {
    /// Waits until what is queued is written and the engine is closed, but not for ever.
    fn drop(&mut self) {
        self.queue = None;
        let ended = lock(&self.ended);
        let waited = ended.recv_timeout(self.settings.close);
        if waited == Err(thread_channel::RecvTimeoutError::Timeout) {
            tracing::error!(after = ?self.settings.close, "the store does not close, left behind");
            return;
        }
        if self
            .thread
            .take()
            .map(JoinHandle::join)
            .is_some_and(|end| end.is_err())
        {
            tracing::error!("the store's thread ended by a panic");
        }
    }
}

impl<E> fmt::Debug for Group<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Group(..)")
    }
}

/// That no row stands in `batch` twice, and that it is no larger than the engine can take.
fn check(batch: &Batch, most: usize) -> Result<(), StoreError> {
    if batch.steps.len() > most {
        return Err(StoreError::TooLarge { most });
    }
    let mut keys: Vec<&Key> = batch.steps.iter().map(|step| &step.key).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(StoreError::Twice);
    }
    Ok(())
}

/// What the writing thread holds.
struct Writing<E> {
    engine: E,
    jobs: mpsc::Receiver<Job<E>>,
    /// A job that did not go with the last write.
    next: Option<Job<E>>,
    counts: Arc<Counts>,
    pace: Pace,
    /// Whether a write since the last rest was hurried.
    hurried: bool,
}

impl<E: Engine> Writing<E> {
    fn run(mut self) {
        while let Some(job) = self.next.take().or_else(|| self.receive()) {
            match job {
                Job::Call(call) => {
                    call(&mut self.engine);
                    // The call may have opened the file again.
                    self.counts.stamps.touch_all();
                }
                Job::Commit(first) => self.write(first),
            }
        }
    }

    /// The next job. Where none comes for a while, the engine has time for itself first.
    fn receive(&mut self) -> Option<Job<E>> {
        for _ in 0..(IDLE_LOOKS * u32::from(self.hurried)) {
            match self.jobs.try_recv() {
                Err(TryRecvError::Empty) => thread::sleep(IDLE_LOOK),
                tried => return tried.ok(),
            }
        }
        if std::mem::take(&mut self.hurried) {
            self.engine.rest();
        }
        self.jobs.blocking_recv()
    }

    fn write(&mut self, first: Commit) {
        let mut steps = first.batch.steps.len();
        let mut commits = vec![first];
        self.gather(&mut commits, &mut steps);
        let present = commits.len();
        let until = Instant::now() + self.pace.patience(present);
        while commits.len() < self.pace.crowd() && self.next.is_none() && Instant::now() < until {
            thread::sleep(LOOK);
            self.gather(&mut commits, &mut steps);
        }
        let (carried, began) = (commits.len(), Instant::now());
        let hurried = carried > 1 || self.next.is_some() || !self.jobs.is_empty();
        self.hurried |= hurried;
        let answers = settle(&mut self.engine, commits, hurried, &self.counts);
        let flush = began.elapsed();
        self.pace.learn(present, carried, self.jobs.len(), flush);
        answers.into_iter().for_each(Answer::send);
    }

    /// Adds the commits that wait, as far as one write takes them.
    fn gather(&mut self, commits: &mut Vec<Commit>, steps: &mut usize) {
        while self.next.is_none()
            && let Ok(job) = self.jobs.try_recv()
        {
            match job {
                Job::Commit(commit) if *steps + commit.batch.steps.len() <= E::MOST_STEPS => {
                    *steps += commit.batch.steps.len();
                    commits.push(commit);
                }
                other => self.next = Some(other),
            }
        }
    }
}

/// How often, and how many times, a queue is found empty before the engine may rest.
const IDLE_LOOK: Duration = Duration::from_millis(2);
const IDLE_LOOKS: u32 = 5;

/// How often whoever waits for company looks for it.
const LOOK: Duration = Duration::from_micros(50);
