//! What is written together.

use crate::store::Key;

/// How a row must be for a batch to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There is none.
    Absent,
    /// It has this version.
    Version(u64),
    /// It may be anything.
    Any,
}

/// What happens to a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// It stays as it is: the batch only depends on it.
    Keep,
    /// It is written, with this version.
    Put {
        /// Its new version.
        version: u64,
        /// Its new sealed bytes.
        sealed: Vec<u8>,
    },
    /// It goes.
    Delete,
}

/// One row of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which row.
    pub key: Key,
    /// How it must be.
    pub expected: Expected,
    /// What happens to it.
    pub kind: StepKind,
}

/// Steps that are all taken, or none of them. No key may stand in it twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Batch {
    /// Adds a step.
    pub fn push(&mut self, key: Key, expected: Expected, kind: StepKind) {
        self.steps.push(Step {
            key,
            expected,
            kind,
        });
    }
}
