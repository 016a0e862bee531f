//! How a store is set up, and how it does.

use std::time::Duration;

use crate::store::StoreError;

/// How a store is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Memory for the engine's cache, in bytes. Default: 16 MiB.
    pub cache: usize,
    /// How large redb's journal is, in bytes. Default: 4 MiB.
    pub journal: usize,
    /// Most batches that wait for the disk; who comes after waits for a place. Default: 1024.
    pub queue: usize,
    /// The longest that batches wait for others to share a flush, where there are others, and never
    /// longer than two flushes take. Default: 1 ms.
    pub company: Duration,
    /// How long a batch waits for a place. Default: 10 s.
    pub wait: Duration,
    /// How long the disk may take to write it. Default: 60 s.
    pub answer: Duration,
    /// How long closing may take. Default: 30 s.
    pub close: Duration,
    /// How long a snapshot may stop the writing, with an engine that stops it. Default: 60 s.
    pub pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache: 16 << 20,
            journal: 4 << 20,
            queue: 1024,
            company: Duration::from_millis(1),
            wait: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            close: Duration::from_secs(30),
            pause: Duration::from_secs(60),
        }
    }
}

/// How a store does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Batches that wait for the disk.
    pub waiting: usize,
    /// Batches written since it was opened.
    pub batches: u64,
    /// Writes to the disk that they shared.
    pub flushes: u64,
    /// Why the last write was none.
    pub trouble: Option<Trouble>,
}

/// Why a store cannot write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The disk is full.
    Full,
    /// The directory or file cannot be written.
    ReadOnly,
    /// The engine reports something else; the log says what.
    Failing,
    /// The write that goes on takes longer than others may wait for a place.
    Stuck,
    /// The writing thread is gone; only a restart helps.
    Stopped,
}

impl Trouble {
    pub(super) fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::ReadOnly => Self::ReadOnly,
            StoreError::Conflict
            | StoreError::Busy
            | StoreError::Overloaded
            | StoreError::Stuck
            | StoreError::Paused
            | StoreError::TooLarge { .. }
            | StoreError::Twice
            | StoreError::Exposed { .. }
            | StoreError::OtherEngine(_)
            | StoreError::JournalGone(_)
            | StoreError::Sealed(_)
            | StoreError::Form
            | StoreError::Closed
            | StoreError::Engine(_) => Self::Failing,
        }
    }
}
