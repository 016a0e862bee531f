//! Group commit: one thread writes, and batches that wait for it share a flush.

mod settle;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self as thread_channel, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
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
    fn write(&mut self, steps: &[&Step]) -> Result<(), StoreError>;

    /// Closes and opens the engine's files after an error, so that reads go on. Whether the last
    /// write is in them is open.
    fn reopen(&mut self);
}

/// The queue before the writing thread, and the thread.
pub(super) struct Group<E> {
    queue: Option<thread_channel::Sender<Waiting<E>>>,
    places: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
    ended: Mutex<thread_channel::Receiver<()>>,
    counts: Arc<Counts>,
    settings: Settings,
}

/// A job with its place in the queue.
type Waiting<E> = (Job<E>, OwnedSemaphorePermit);

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
        let (queue, jobs) = thread_channel::channel();
        let size = settings.queue.clamp(1, Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(size));
        let (ending, ended) = thread_channel::channel();
        let counts = Arc::<Counts>::default();
        let writing = Writing {
            engine,
            jobs,
            places: Arc::clone(&places),
            size,
            next: None,
            counts: Arc::clone(&counts),
            pace: Pace::new(settings.company),
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
            places,
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
        let size = self.settings.queue.clamp(1, Semaphore::MAX_PERMITS);
        Status {
            waiting: size.saturating_sub(self.places.available_permits()),
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
        let place = Arc::clone(&self.places).acquire_owned();
        let place = timeout(self.settings.wait, place)
            .await
            .map_err(|_| StoreError::Overloaded)?
            .map_err(|_| StoreError::Closed)?;
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.send((job, place)).map_err(|_| StoreError::Closed)
    }
}

impl<E> Drop for Group<E> {
    /// Waits until what is queued is written and the engine is closed, but not for ever.
    fn drop(&mut self) {
        self.queue = None;
        let ended = lock(&self.ended);
        let waited = ended.recv_timeout(self.settings.close);
        if waited == Err(RecvTimeoutError::Timeout) {
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
    jobs: thread_channel::Receiver<Waiting<E>>,
    places: Arc<Semaphore>,
    /// How many places there are.
    size: usize,
    /// A job that did not go with the last write.
    next: Option<Job<E>>,
    counts: Arc<Counts>,
    pace: Pace,
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

    fn receive(&mut self) -> Option<Job<E>> {
        self.jobs.recv().ok().map(|(job, _)| job)
    }

    fn write(&mut self, first: Commit) {
        let mut steps = first.batch.steps.len();
        let mut commits = vec![first];
        while self.gather(&mut commits, &mut steps, Duration::ZERO) {}
        let present = commits.len();
        let until = Instant::now() + self.pace.patience(present);
        while commits.len() < self.pace.crowd() {
            let left = until.saturating_duration_since(Instant::now());
            if !self.gather(&mut commits, &mut steps, left) {
                break;
            }
        }
        let (carried, began) = (commits.len(), Instant::now());
        let answers = settle(&mut self.engine, commits, &self.counts);
        let flush = began.elapsed();
        self.pace.learn(present, carried, self.waiting(), flush);
        answers.into_iter().for_each(Answer::send);
    }

    /// Adds a commit that comes within `patience`, if one write takes it, too; whether there was one.
    fn gather(&mut self, commits: &mut Vec<Commit>, steps: &mut usize, patience: Duration) -> bool {
        if self.next.is_some() {
            return false;
        }
        match self.jobs.recv_timeout(patience) {
            Ok((Job::Commit(commit), _)) if *steps + commit.batch.steps.len() <= E::MOST_STEPS => {
                *steps += commit.batch.steps.len();
                commits.push(commit);
                true
            }
            other => {
                self.next = other.ok().map(|(job, _)| job);
                false
            }
        }
    }

    /// How many jobs are in the queue, or about to be.
    fn waiting(&self) -> usize {
        self.size.saturating_sub(self.places.available_permits())
    }
}
