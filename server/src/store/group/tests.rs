//! The group over an engine whose writes fail when they are told to.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;

use super::*;
use crate::store::{Expected, StepKind, Table};

/// Rows in memory, with what a disk may do.
#[derive(Default)]
struct Fake {
    rows: BTreeMap<Key, Row>,
    writes: Vec<usize>,
    /// The next write fails; whether its rows are there after that.
    fails: Option<bool>,
    /// Every write fails from now on, and its rows are there.
    broken: bool,
    /// The next write lasts until this ends.
    hangs: Option<thread_channel::Receiver<()>>,
}

impl Engine for Fake {
    const MOST_STEPS: usize = 10;

    fn row(&self, key: &Key) -> Result<Option<Row>, StoreError> {
        Ok(self.rows.get(key).cloned())
    }

    fn write(&mut self, steps: &[&Step]) -> Result<(), StoreError> {
        self.writes.push(steps.len());
        if let Some(hangs) = self.hangs.take() {
            let _ = hangs.recv();
        }
        let fails = if self.broken {
            Some(true)
        } else {
            self.fails.take()
        };
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
async fn a_write_that_stands_and_cannot_be_made_durable_is_not_called_refused() {
    let (group, hold) = held().await;
    group.call(|engine| engine.broken = true).await.unwrap();

    let answers = together(&group, hold, [put(1, Expected::Absent, 1)]).await;

    assert!(matches!(answers.as_slice(), [Err(StoreError::Stuck)]));
    assert_eq!(group.status().trouble, Some(Trouble::Full));
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

#[tokio::test]
async fn a_disk_that_hangs_is_told_and_waited_for_no_longer() {
    let settings = Settings {
        wait: Duration::ZERO,
        answer: Duration::from_millis(20),
        ..Settings::default()
    };
    let group = Group::start(Fake::default(), &settings).unwrap();
    let (let_go, hangs) = thread_channel::channel();
    group
        .call(move |fake| fake.hangs = Some(hangs))
        .await
        .unwrap();

    let answer = group.commit(put(1, Expected::Absent, 1)).await;

    assert!(matches!(answer, Err(StoreError::Stuck)));
    assert_eq!(group.status().trouble, Some(Trouble::Stuck));
    drop(let_go);
}
