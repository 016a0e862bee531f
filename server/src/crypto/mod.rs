//! LOCKS: how secrets are sealed and names are hidden. May use `domain`.

mod error;
mod mac;
mod seal;

pub use error::CryptoError;
pub use mac::MacKey;
pub use seal::SealKey;
