//! Time and chance come in from here, so that tests never wait.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Gives numbers that nobody can foresee.
pub trait Chance: Send + Sync + fmt::Debug {
    /// A number below `limit`, each as likely as the others; 0 when `limit` is 0.
    ///
    /// # Errors
    /// [`NoChance`] when there are no random numbers.
    fn below(&self, limit: usize) -> Result<usize, NoChance>;
}

/// The operating system gave no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random numbers")]
pub struct NoChance;

/// The operating system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn below(&self, limit: usize) -> Result<usize, NoChance> {
        let limit = limit as u64;
        if limit == 0 {
            return Ok(0);
        }
        // Numbers above the last whole multiple of `limit` would favour the small ones.
        let fair = u64::MAX - u64::MAX % limit;
        loop {
            let drawn = getrandom::u64().map_err(|_| NoChance)?;
            if drawn < fair {
                return usize::try_from(drawn % limit).map_err(|_| NoChance);
            }
        }
    }
}
