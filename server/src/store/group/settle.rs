//! Which of the waiting batches are written, and what each is told.

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::store::group::{Commit, Engine};
use crate::store::{Expected, Key, Stamps, Step, StepKind, StoreError, Trouble};

/// What a group has done, for its status.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) batches: AtomicU64,
    pub(super) flushes: AtomicU64,
    pub(super) trouble: Mutex<Option<Trouble>>,
    pub(super) stamps: Stamps,
    /// Since when the write lasts that goes on.
    pub(super) began: Mutex<Option<Instant>>,
}

impl Counts {
    fn begin(&self) {
        *lock(&self.began) = Some(Instant::now());
    }

    /// What became of a group; whether a flush was needed for that.
    fn end(&self, verdicts: &[bool], written: &Result<(), StoreError>, flushed: bool) {
        *lock(&self.began) = None;
        self.flushes.fetch_add(flushed.into(), Ordering::Relaxed);
        match written {
            Err(error) => *lock(&self.trouble) = Some(Trouble::of(error)),
            Ok(()) => {
                let stand = verdicts.iter().filter(|holds| **holds).count();
                self.batches.fetch_add(stand as u64, Ordering::Relaxed);
                if flushed {
                    *lock(&self.trouble) = None;
                }
            }
        }
    }
}

/// What a caller is about to be told.
pub(super) struct Answer {
    to: oneshot::Sender<Result<(), StoreError>>,
    answer: Result<(), StoreError>,
}

impl Answer {
    pub(super) fn send(self) {
        // Nobody listens when the caller went away; the batch stands all the same.
        let _ = self.to.send(self.answer);
    }
}

/// Writes those of `commits` whose expectations hold, in one go; what each is to be told.
pub(super) fn settle<E: Engine>(
    engine: &mut E,
    commits: Vec<Commit>,
    counts: &Counts,
) -> Vec<Answer> {
    counts.begin();
    let verdicts = judge(engine, &commits).or_else(|error| {
        report(&error);
        engine.reopen();
        counts.stamps.touch_all();
        judge(engine, &commits)
    });
    let (verdicts, written, known) = match verdicts {
        Ok(verdicts) => {
            let steps = accepted(&commits, &verdicts);
            let (written, known) = write(engine, &steps);
            match &written {
                Ok(()) => counts.stamps.touch(steps.iter().map(|step| &step.key)),
                Err(_) => counts.stamps.touch_all(),
            }
            if written.is_ok() || !known {
                counts.stamps.took(steps.iter().copied());
            }
            counts.end(&verdicts, &written, !steps.is_empty());
            (verdicts, written, known)
        }
        Err(error) => {
            let written = Err(error);
            counts.end(&[], &written, false);
            (vec![true; commits.len()], written, true)
        }
    };
    let told = commits.into_iter().zip(verdicts);
    told.map(|(commit, holds)| Answer {
        to: commit.answer,
        answer: match &written {
            Err(_) if !known => Err(StoreError::Stuck),
            // So are those that conflict: what they conflict with may not have been written.
            Err(error) => Err(error.again()),
            Ok(()) if holds => Ok(()),
            Ok(()) => Err(StoreError::Conflict),
        },
    })
    .collect()
}

/// Whether each batch may be written, those before it counted in.
fn judge<E: Engine>(engine: &E, commits: &[Commit]) -> Result<Vec<bool>, StoreError> {
    let mut ahead = HashMap::new();
    let mut verdicts = Vec::with_capacity(commits.len());
    for commit in commits {
        let mut holds = true;
        for step in &commit.batch.steps {
            holds = holds && expect(engine, &ahead, step)?;
        }
        if holds {
            ahead.extend(commit.batch.steps.iter().filter_map(outcome));
        }
        verdicts.push(holds);
    }
    Ok(verdicts)
}

/// The rows that change.
fn accepted<'a>(commits: &'a [Commit], verdicts: &[bool]) -> Vec<&'a Step> {
    commits
        .iter()
        .zip(verdicts)
        .filter(|(_, holds)| **holds)
        .flat_map(|(commit, _)| &commit.batch.steps)
        .filter(|step| step.kind != StepKind::Keep)
        .collect()
}

fn expect<E: Engine>(
    engine: &E,
    ahead: &HashMap<&Key, Option<u64>>,
    step: &Step,
) -> Result<bool, StoreError> {
    let wanted = match step.expected {
        Expected::Any => return Ok(true),
        Expected::Absent => None,
        Expected::Version(version) => Some(version),
    };
    let found = match ahead.get(&step.key) {
        Some(version) => *version,
        None => engine.row(&step.key)?.map(|row| row.version),
    };
    Ok(found == wanted)
}

/// The version that `step` leaves behind, if it changes the row.
fn outcome(step: &Step) -> Option<(&Key, Option<u64>)> {
    match &step.kind {
        StepKind::Keep => None,
        StepKind::Put { version, .. } => Some((&step.key, Some(*version))),
        StepKind::Delete => Some((&step.key, None)),
    }
}

/// Writes them; and whether it is known, after an error, that they do not stand.
fn write<E: Engine>(engine: &mut E, steps: &[&Step]) -> (Result<(), StoreError>, bool) {
    if steps.is_empty() {
        return (Ok(()), true);
    }
    let written = engine.write(steps);
    let Err(error) = &written else {
        return (written, true);
    };
    report(error);
    engine.reopen();
    // An error in the last flush leaves open whether the write stands. If it does, saying that
    // nothing was written would be wrong: it is made durable by writing nothing after it.
    match landed(engine, steps) {
        Some(false) => (written, true),
        None => (written, false),
        Some(true) => (engine.write(&[]), false),
    }
}

fn report(error: &StoreError) {
    let cause = error.source();
    tracing::error!(%error, ?cause, "the store cannot write");
}

/// Whether every row is as `steps` left it; nothing when that cannot be read.
fn landed<E: Engine>(engine: &E, steps: &[&Step]) -> Option<bool> {
    let last: HashMap<&Key, &StepKind> = steps.iter().map(|s| (&s.key, &s.kind)).collect();
    for (key, kind) in last {
        let row = engine.row(key).ok()?;
        let stands = match kind {
            StepKind::Put { version, sealed } => {
                row.is_some_and(|row| row.version == *version && row.sealed == *sealed)
            }
            StepKind::Delete => row.is_none(),
            StepKind::Keep => true,
        };
        if !stands {
            return Some(false);
        }
    }
    Some(true)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
