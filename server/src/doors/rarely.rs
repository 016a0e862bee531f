//! A log line that whoever is outside can cause, and therefore comes at a bounded rate.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Says yes once in a while, and counts what went unsaid in between.
#[derive(Debug)]
pub(crate) struct Rarely {
    span: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    said: Option<Instant>,
    unsaid: u64,
}

impl Rarely {
    /// Yes once in `span`.
    pub(crate) fn new(span: Duration) -> Self {
        Self {
            span,
            state: Mutex::default(),
        }
    }

    /// Whether to say it now: how often it went unsaid since the last time.
    pub(crate) fn now(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let early = state
            .said
            .is_some_and(|said| now.saturating_duration_since(said) < self.span);
        if early {
            state.unsaid += 1;
            return None;
        }
        state.said = Some(now);
        Some(std::mem::take(&mut state.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_said_once_in_a_span_with_what_went_unsaid() {
        let rarely = Rarely::new(Duration::from_secs(10));

        assert_eq!(rarely.now(), Some(0));
        assert_eq!((rarely.now(), rarely.now()), (None, None));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(rarely.now(), Some(2));
    }
}
