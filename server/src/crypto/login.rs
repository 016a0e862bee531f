//! What is kept of the password that somebody signs in with.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::passphrase::stretch_bytes;
use crate::crypto::{CryptoError, PassphraseCost};
use crate::domain::Password;

/// `Argon2id(password, salt)` (RFC 9106) with what it cost; never printed.
pub struct LoginHash {
    /// Sixteen random bytes.
    pub salt: [u8; 16],
    /// What it costs to try a password.
    pub cost: PassphraseCost,
    /// What came out.
    pub tag: Zeroizing<[u8; 32]>,
}

impl LoginHash {
    /// The hash of a password under a fresh salt. Takes the memory that `cost` says, and tenths of
    /// a second.
    ///
    /// # Errors
    /// [`CryptoError::Cost`] when the cost is out of bounds, [`CryptoError::Random`] when the
    /// operating system has no random numbers.
    pub fn of(password: &Password, cost: PassphraseCost) -> Result<Self, CryptoError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| CryptoError::Random)?;
        let tag = stretch_bytes(password.expose().as_bytes(), &salt, cost)?;
        Ok(Self { salt, cost, tag })
    }

    /// A hash that no password has, which costs as much to try: for names that nobody has.
    #[must_use]
    pub fn decoy(cost: PassphraseCost) -> Self {
        Self {
            salt: [0; 16],
            cost,
            tag: Zeroizing::new([0; 32]),
        }
    }

    /// Whether it is the hash of `password`, compared in constant time. Takes as long as
    /// [`Self::of`].
    ///
    /// # Errors
    /// [`CryptoError::Cost`] when the cost is out of bounds.
    pub fn fits(&self, password: &Password) -> Result<bool, CryptoError> {
        let tag = stretch_bytes(password.expose().as_bytes(), &self.salt, self.cost)?;
        Ok(tag.as_slice().ct_eq(self.tag.as_slice()).into())
    }
}

impl fmt::Debug for LoginHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginHash(..)")
    }
}
