//! What can go wrong with locks.

use thiserror::Error;

/// Why something could not be sealed, opened or unlocked.
#[derive(Debug, Error)]
pub enum CryptoError {
    /// The sealed bytes are not what was sealed under this key for this place.
    #[error("the seal is broken: changed, moved, rolled back or under another key")]
    Broken,
    /// The operating system gave no random numbers.
    #[error("the operating system gave no random numbers")]
    Random,
}
