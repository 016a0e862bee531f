//! Group commit: one thread writes, and batches that wait for it share a flush.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc as thread_channel};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::store::{
    Batch, Expected, Key, Row, Settings, Status, Step, StepKind, StoreError, Trouble,
};

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

#[derive(Default)]
struct Counts {
    batches: AtomicU64,
    flushes: AtomicU64,
    trouble: Mutex<Option<Trouble>>,
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
        let shared = Arc::clone(&counts);
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                run(engine, jobs, &shared);
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
        answered.await.map_err(|_| StoreError::Closed)?
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
        let trouble = self
            .counts
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let stopped = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        Status {
            waiting: queue.map_or(0, |queue| queue.max_capacity() - queue.capacity()),
            batches: self.counts.batches.load(Ordering::Relaxed),
            flushes: self.counts.flushes.load(Ordering::Relaxed),
            trouble: if stopped {
                Some(Trouble::Stopped)
            } else {
                *trouble
            },
        }
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
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
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

fn run<E: Engine>(mut engine: E, mut jobs: mpsc::Receiver<Job<E>>, counts: &Counts) {
    let mut next = None;
    while let Some(job) = next.take().or_else(|| jobs.blocking_recv()) {
        match job {
            Job::Call(call) => call(&mut engine),
            Job::Commit(first) => {
                let (commits, left) = gather(first, &mut jobs, E::MOST_STEPS);
                next = left;
                settle(&mut engine, commits, counts);
            }
        }
    }
}

/// The commits that wait behind `first`, as far as one write takes them, and the job after them.
fn gather<E>(
    first: Commit,
    jobs: &mut mpsc::Receiver<Job<E>>,
    most: usize,
) -> (Vec<Commit>, Option<Job<E>>) {
    let mut steps = first.batch.steps.len();
    let mut commits = vec![first];
    while let Ok(job) = jobs.try_recv() {
        match job {
            Job::Commit(commit) if steps + commit.batch.steps.len() <= most => {
                steps += commit.batch.steps.len();
                commits.push(commit);
            }
            other => return (commits, Some(other)),
        }
    }
    (commits, None)
}

/// Writes those of `commits` whose expectations hold, in one go, and answers each.
fn settle<E: Engine>(engine: &mut E, commits: Vec<Commit>, counts: &Counts) {
    let verdicts = judge(engine, &commits);
    let steps: Vec<&Step> = commits
        .iter()
        .zip(&verdicts)
        .filter(|(_, verdict)| verdict.is_ok())
        .flat_map(|(commit, _)| &commit.batch.steps)
        .filter(|step| step.kind != StepKind::Keep)
        .collect();
    let written = write(engine, &steps, counts);
    let accepted = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
    if written.is_ok() {
        counts.batches.fetch_add(accepted as u64, Ordering::Relaxed);
    }
    for (commit, verdict) in commits.into_iter().zip(verdicts) {
        let answer = match (&written, verdict) {
            // A conflict with a batch that could not be written is none.
            (Err(error), Ok(()) | Err(StoreError::Conflict)) => Err(error.again()),
            (_, verdict) => verdict,
        };
        // Nobody listens when the caller went away; the batch stands all the same.
        let _ = commit.answer.send(answer);
    }
}

/// Whether each batch may be written, those before it counted in.
fn judge<E: Engine>(engine: &E, commits: &[Commit]) -> Vec<Result<(), StoreError>> {
    let mut ahead = HashMap::new();
    commits
        .iter()
        .map(|commit| {
            for step in &commit.batch.steps {
                expect(engine, &ahead, step)?;
            }
            ahead.extend(commit.batch.steps.iter().filter_map(outcome));
            Ok(())
        })
        .collect()
}

fn expect<E: Engine>(
    engine: &E,
    ahead: &HashMap<&Key, Option<u64>>,
    step: &Step,
) -> Result<(), StoreError> {
    let wanted = match step.expected {
        Expected::Any => return Ok(()),
        Expected::Absent => None,
        Expected::Version(version) => Some(version),
    };
    let found = match ahead.get(&step.key) {
        Some(version) => *version,
        None => engine.row(&step.key)?.map(|row| row.version),
    };
    if found != wanted {
        return Err(StoreError::Conflict);
    }
    Ok(())
}

/// The version that `step` leaves behind, if it changes the row.
fn outcome(step: &Step) -> Option<(&Key, Option<u64>)> {
    match &step.kind {
        StepKind::Keep => None,
        StepKind::Put { version, .. } => Some((&step.key, Some(*version))),
        StepKind::Delete => Some((&step.key, None)),
    }
}

fn write<E: Engine>(engine: &mut E, steps: &[&Step], counts: &Counts) -> Result<(), StoreError> {
    if steps.is_empty() {
        return Ok(());
    }
    let mut written = engine.write(steps);
    if let Err(error) = &written {
        tracing::error!(%error, cause = ?std::error::Error::source(error), "the store cannot write");
        engine.reopen();
        // An error in the last flush leaves open whether the write stands. If it does, saying that
        // nothing was written would be wrong: it is made durable by writing nothing after it.
        if landed(engine, steps) {
            written = engine.write(&[]);
        }
    }
    let trouble = written.as_ref().err().map(Trouble::of);
    *counts
        .trouble
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = trouble;
    counts.flushes.fetch_add(1, Ordering::Relaxed);
    written
}

/// Whether every row is as `steps` left it.
fn landed<E: Engine>(engine: &E, steps: &[&Step]) -> bool {
    let last: HashMap<&Key, &StepKind> = steps.iter().map(|s| (&s.key, &s.kind)).collect();
    last.into_iter().all(|(key, kind)| {
        let row = engine.row(key);
        match kind {
            StepKind::Put { version, sealed } => {
                matches!(row, Ok(Some(row)) if row.version == *version && row.sealed == *sealed)
            }
            StepKind::Delete => matches!(row, Ok(None)),
            StepKind::Keep => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use futures_util::future::join_all;

    use super::*;
    use crate::store::Table;

    /// Rows in memory, with what a disk may do.
    #[derive(Default)]
    struct Fake {
        rows: BTreeMap<Key, Row>,
        writes: Vec<usize>,
        /// The next write fails; whether its rows are there after that.
        fails: Option<bool>,
    }

    impl Engine for Fake {
        const MOST_STEPS: usize = 10;

        fn row(&self, key: &Key) -> Result<Option<Row>, StoreError> {
            Ok(self.rows.get(key).cloned())
        }

        fn write(&mut self, steps: &[&Step]) -> Result<(), StoreError> {
            self.writes.push(steps.len());
            let fails = self.fails.take();
            if fails != Some(false) {
                steps.iter().for_each(|step| self.take(step));
            }
            fails.map_or(Ok(()), |_| Err(StoreError::Full))
        }

        fn reopen(&mut self) {}
    }

    impl Fake {
        fn take(&mut self, step: &Step) {
            let key = step.key.clone();
            match &step.kind {
                StepKind::Put { version, sealed } => {
                    let (version, sealed) = (*version, sealed.clone());
                    self.rows.insert(
                        key.clone(),
                        Row {
                            key,
                            version,
                            sealed,
                        },
                    );
                }
                StepKind::Delete => drop(self.rows.remove(&key)),
                StepKind::Keep => panic!("a kept row is not written"),
            }
        }
    }

    #[tokio::test]
    async fn waiting_batches_share_a_write() {
        let (group, hold) = held().await;

        let answers = together(&group, hold, (0..5).map(|n| put(n, Expected::Absent, 1))).await;

        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(writes(&group).await, [5]);
    }

    #[tokio::test]
    async fn a_write_takes_no_more_rows_than_the_engine_bears() {
        let (group, hold) = held().await;
        let three = |n: u64| {
            let mut batch = put(n, Expected::Absent, 1);
            batch.steps.extend(put(100 + n, Expected::Absent, 1).steps);
            batch.steps.extend(put(200 + n, Expected::Absent, 1).steps);
            batch
        };

        let answers = together(&group, hold, (0..7).map(three)).await;

        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(writes(&group).await, [9, 9, 3]);
    }

    #[tokio::test]
    async fn a_batch_counts_those_before_it_in_its_group() {
        let (group, hold) = held().await;

        let batches = [
            put(1, Expected::Absent, 1),
            put(1, Expected::Absent, 1),
            put(1, Expected::Version(1), 2),
            put(1, Expected::Version(1), 2),
            delete(1, Expected::Version(2)),
            put(1, Expected::Absent, 1),
        ];
        let answers = together(&group, hold, batches).await;

        let held: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(held, [true, false, true, false, true, true]);
        assert_eq!(writes(&group).await, [4]);
    }

    #[tokio::test]
    async fn a_batch_that_conflicts_counts_for_nobody() {
        let (group, hold) = held().await;
        let mut both = put(1, Expected::Absent, 1);
        both.steps.extend(put(2, Expected::Version(9), 1).steps);

        let answers = together(&group, hold, [both, put(1, Expected::Absent, 1)]).await;

        assert!(matches!(
            answers.as_slice(),
            [Err(StoreError::Conflict), Ok(())]
        ));
    }

    #[tokio::test]
    async fn a_write_that_fails_is_told_to_all_and_nothing_stands() {
        let (group, hold) = held().await;
        fail(&group, false).await;

        // The second conflicts with the first only, which is not written.
        let batches = [put(1, Expected::Absent, 1), put(1, Expected::Absent, 1)];
        let answers = together(&group, hold, batches).await;

        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Err(StoreError::Full)))
        );
        assert_eq!(group.status().trouble, Some(Trouble::Full));
        group.commit(put(1, Expected::Absent, 1)).await.unwrap();
        assert_eq!(group.status().trouble, None);
    }

    #[tokio::test]
    async fn a_write_that_failed_and_stands_is_made_durable() {
        let (group, hold) = held().await;
        fail(&group, true).await;

        let answers = together(&group, hold, [put(1, Expected::Absent, 1)]).await;

        assert!(matches!(answers.as_slice(), [Ok(())]));
        assert_eq!(writes(&group).await, [1, 0]);
    }

    #[tokio::test]
    async fn a_full_queue_is_waited_for_but_not_for_ever() {
        let settings = Settings {
            queue: 1,
            wait: Duration::ZERO,
            ..Settings::default()
        };
        let group = Group::start(Fake::default(), &settings).unwrap();
        let hold = hold(&group).await;
        group.call(|_| {}).await.unwrap();

        let refused = group.commit(put(1, Expected::Absent, 1)).await;

        assert!(matches!(refused, Err(StoreError::Overloaded)));
        assert_eq!(group.status().waiting, 1);
        drop(hold);
    }

    #[tokio::test]
    async fn a_thread_that_panicked_answers_and_is_told() {
        let group = Group::start(Fake::default(), &Settings::default()).unwrap();
        group.call(|_| panic!("a page is damaged")).await.unwrap();

        let refused = group.commit(put(1, Expected::Absent, 1)).await;

        assert!(matches!(refused, Err(StoreError::Closed)));
    }

    #[tokio::test]
    async fn closing_writes_what_waits() {
        let (group, hold) = held().await;
        let mut waiting = Box::pin(group.commit(put(1, Expected::Absent, 1)));
        assert!(timeout(Duration::ZERO, &mut waiting).await.is_err());
        drop(waiting);
        let (tell, told) = oneshot::channel();
        group
            .call(move |fake| assert!(tell.send(fake.rows.len()).is_ok()))
            .await
            .unwrap();

        drop(hold);
        drop(group);

        assert_eq!(told.await, Ok(1));
    }

    /// A group whose thread waits until the second half is dropped.
    async fn held() -> (Group<Fake>, thread_channel::Sender<()>) {
        let group = Group::start(Fake::default(), &Settings::default()).unwrap();
        let hold = hold(&group).await;
        (group, hold)
    }

    async fn hold(group: &Group<Fake>) -> thread_channel::Sender<()> {
        let (hold, held) = thread_channel::channel();
        let (tell, told) = oneshot::channel();
        group
            .call(move |_| {
                let _ = tell.send(());
                let _ = held.recv();
            })
            .await
            .unwrap();
        told.await.unwrap();
        hold
    }

    /// Lets the thread go once all of `batches` wait, in their order.
    async fn together(
        group: &Group<Fake>,
        hold: thread_channel::Sender<()>,
        batches: impl IntoIterator<Item = Batch>,
    ) -> Vec<Result<(), StoreError>> {
        let mut answers = join_all(batches.into_iter().map(|batch| group.commit(batch)));
        assert!(timeout(Duration::ZERO, &mut answers).await.is_err());
        drop(hold);
        answers.await
    }

    async fn fail(group: &Group<Fake>, stands: bool) {
        group
            .call(move |fake| fake.fails = Some(stands))
            .await
            .unwrap();
    }

    async fn writes(group: &Group<Fake>) -> Vec<usize> {
        let (tell, told) = oneshot::channel();
        group
            .call(move |fake| drop(tell.send(fake.writes.clone())))
            .await
            .unwrap();
        told.await.unwrap()
    }

    fn put(number: u64, expected: Expected, version: u64) -> Batch {
        let sealed = Vec::new();
        step(number, expected, StepKind::Put { version, sealed })
    }

    fn delete(number: u64, expected: Expected) -> Batch {
        step(number, expected, StepKind::Delete)
    }

    fn step(number: u64, expected: Expected, kind: StepKind) -> Batch {
        let mut batch = Batch::default();
        batch.push(Key::table(Table::Meta).number(number), expected, kind);
        batch
    }
}
