//! What an operator may set.

use std::time::Duration;

/// How a ledger works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSettings {
    /// Bytes of one segment file, filled ahead of use; 16 MiB by default, at least 8 KiB and at
    /// most 256 MiB whatever is set.
    pub segment_bytes: u64,
    /// How many records may wait for the disk; 1024 by default. More callers wait for a place.
    pub queue: usize,
    /// How long an append may take, waiting for a place included; 10 s by default.
    pub max_wait: Duration,
    /// The longest that records wait for others to share a flush, where there are others, and never
    /// longer than two flushes take; 1 ms by default.
    pub company: Duration,
    /// How often a disk that was full or failed is tried again without traffic; 1 s by default.
    pub retry: Duration,
    /// Bytes of a record's text fields, each; 2048 by default, at most 4096 whatever is set. What
    /// is longer ends with `…`.
    pub text_bytes: usize,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            queue: 1024,
            max_wait: Duration::from_secs(10),
            company: Duration::from_millis(1),
            retry: Duration::from_secs(1),
            text_bytes: 2048,
        }
    }
}

impl LedgerSettings {
    /// The same, with what cannot work moved to what can.
    pub(crate) fn bounded(mut self) -> Self {
        self.segment_bytes = self.segment_bytes.clamp(8 << 10, 256 << 20);
        self.queue = self.queue.clamp(1, 1 << 16);
        self.text_bytes = self.text_bytes.clamp(8, 4096);
        self.retry = self.retry.max(Duration::from_millis(10));
        self
    }
}
