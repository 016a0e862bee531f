//! The form of what a person signs in with.

use zeroize::Zeroizing;

use crate::crypto::{CryptoError, LoginHash, PassphraseCost};
use crate::domain::Password;
use crate::store::rows::Record;

/// What is kept of a person's password.
#[derive(Debug)]
pub struct LoginRow(LoginHash);

/// What it costs to try a password: memory in MiB, passes over it, lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginCost {
    /// 19 to 1024.
    pub memory_mib: u16,
    /// 2 to 64.
    pub passes: u16,
    /// 1 to 16.
    pub lanes: u16,
}

impl LoginCost {
    fn in_full(self) -> PassphraseCost {
        PassphraseCost {
            memory_kib: u32::from(self.memory_mib) * 1024,
            passes: u32::from(self.passes),
            lanes: u32::from(self.lanes),
        }
    }
}

impl LoginRow {
    /// What is kept of `password`. Blocks for tenths of a second.
    ///
    /// # Errors
    /// [`CryptoError`] when the cost is out of bounds or there are no random numbers.
    pub fn of(password: &Password, cost: LoginCost) -> Result<Self, CryptoError> {
        LoginHash::of(password, cost.in_full()).map(Self)
    }

    /// What no password fits, and costs as much to try.
    #[must_use]
    pub fn decoy(cost: LoginCost) -> Self {
        Self(LoginHash::decoy(cost.in_full()))
    }

    /// Whether it was made of `password`. Blocks as long as [`Self::of`].
    ///
    /// # Errors
    /// [`CryptoError`] when the cost is out of bounds.
    pub fn fits(&self, password: &Password) -> Result<bool, CryptoError> {
        self.0.fits(password)
    }
}

impl Record for LoginRow {
    /// `form(1)=1 || KiB(4) || passes(4) || lanes(4) || salt(16) || tag(32)`.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let hash = &self.0;
        let mut bytes = Zeroizing::new(Vec::with_capacity(61));
        bytes.push(1);
        bytes.extend_from_slice(&hash.cost.memory_kib.to_be_bytes());
        bytes.extend_from_slice(&hash.cost.passes.to_be_bytes());
        bytes.extend_from_slice(&hash.cost.lanes.to_be_bytes());
        bytes.extend_from_slice(&hash.salt);
        bytes.extend_from_slice(hash.tag.as_slice());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[1], bytes) = bytes.split_first_chunk::<1>()? else {
            return None;
        };
        let (memory, bytes) = bytes.split_first_chunk::<4>()?;
        let (passes, bytes) = bytes.split_first_chunk::<4>()?;
        let (lanes, bytes) = bytes.split_first_chunk::<4>()?;
        let (salt, tag) = bytes.split_first_chunk::<16>()?;
        Some(Self(LoginHash {
            salt: *salt,
            cost: PassphraseCost {
                memory_kib: u32::from_be_bytes(*memory),
                passes: u32::from_be_bytes(*passes),
                lanes: u32::from_be_bytes(*lanes),
            },
            tag: Zeroizing::new(tag.try_into().ok()?),
        }))
    }
}
