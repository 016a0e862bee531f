//! A row, and how engines keep it.

use std::ops::Bound;

use crate::store::{Key, StoreError};

/// A sealed row with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it is.
    pub key: Key,
    /// How often it has been written, beginning with 1.
    pub version: u64,
    /// `key id || nonce || ciphertext || tag`.
    pub sealed: Vec<u8>,
}

impl Row {
    /// `version(8, big-endian) || sealed`, as every engine keeps it.
    pub(super) fn pack(version: u64, sealed: &[u8]) -> Vec<u8> {
        let mut value = Vec::with_capacity(8 + sealed.len());
        value.extend_from_slice(&version.to_be_bytes());
        value.extend_from_slice(sealed);
        value
    }

    /// The row from what [`Row::pack`] made.
    pub(super) fn unpack(key: Key, value: &[u8]) -> Result<Self, StoreError> {
        let (version, sealed) = value.split_first_chunk().ok_or(StoreError::Form)?;
        Ok(Self {
            key,
            version: u64::from_be_bytes(*version),
            sealed: sealed.to_vec(),
        })
    }
}

impl Key {
    /// Where the keys begin that start with this one and come after `after`.
    pub(super) fn first_after<'a>(&'a self, after: Option<&'a Self>) -> Bound<&'a [u8]> {
        match after {
            Some(after) if after >= self => Bound::Excluded(after.as_bytes()),
            _ => Bound::Included(self.as_bytes()),
        }
    }
}

/// An iterator that ends after its first error: an engine's own may repeat it for ever.
pub(super) struct UntilError<I>(pub(super) Option<I>);

impl<T, E, I: Iterator<Item = Result<T, E>>> Iterator for UntilError<I> {
    type Item = Result<T, E>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.0.as_mut()?.next();
        if !matches!(next, Some(Ok(_))) {
            self.0 = None;
        }
        next
    }
}
