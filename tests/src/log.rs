//! What a server writes to its standard error.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::PATIENCE;

/// Everything that was written, and whoever waits for more.
#[derive(Debug, Default)]
pub(crate) struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

impl Log {
    /// Reads until the end.
    pub(crate) fn keep(&self, stderr: impl Read) {
        let mut reader = BufReader::new(stderr);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|count| count > 0)
        {
            let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
            text.push_str(&String::from_utf8_lossy(&line));
            self.grown.notify_all();
            line.clear();
        }
    }

    /// What was written so far.
    pub(crate) fn text(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.clone()
    }

    /// Waits until `words` were written `times` times.
    #[track_caller]
    pub(crate) fn wait_for(&self, words: &str, times: usize) {
        let missing = |text: &mut String| text.matches(words).count() < times;
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let (text, waited) = self
            .grown
            .wait_timeout_while(text, PATIENCE, missing)
            .unwrap_or_else(PoisonError::into_inner);
        let said = text.clone();
        drop(text);
        assert!(!waited.timed_out(), "never wrote {words:?}:\n{said}");
    }
}
