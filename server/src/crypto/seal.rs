//! Sealing with one key.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::crypto::CryptoError;

/// A key that seals: wiped on drop, never printed.
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// Bytes that a seal adds: a nonce and a tag.
    pub const OVERHEAD: usize = NONCE + 16;

    /// Takes key material.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// A fresh key from the operating system's random numbers.
    ///
    /// # Errors
    /// [`CryptoError::Random`] when the operating system has none.
    pub fn random() -> Result<Self, CryptoError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| CryptoError::Random)?;
        Ok(Self(bytes))
    }

    /// The key material, for wrapping it under another key.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals `plain` for the place that `aad` names: `nonce(24) || XChaCha20-Poly1305(plain)`
    /// (draft-irtf-cfrg-xchacha-03 §2), the nonce random.
    ///
    /// # Errors
    /// [`CryptoError::Random`] when the operating system has no random numbers.
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| CryptoError::Random)?;
        let cipher = XChaCha20Poly1305::new(
            self.0
                .as_slice()
                .try_into()
                .map_err(|_| CryptoError::Broken)?,
        );
        let nonce_ref: &XNonce = (&nonce).into();
        let body = cipher
            .encrypt(nonce_ref, Payload { msg: plain, aad })
            .map_err(|_| CryptoError::Broken)?;
        let mut sealed = Vec::with_capacity(NONCE + body.len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what was sealed under this key for the place that `aad` names.
    ///
    /// # Errors
    /// [`CryptoError::Broken`] when it was changed, belongs to another place, or to another key.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let (nonce, body) = sealed
            .split_first_chunk::<NONCE>()
            .ok_or(CryptoError::Broken)?;
        let cipher = XChaCha20Poly1305::new(
            self.0
                .as_slice()
                .try_into()
                .map_err(|_| CryptoError::Broken)?,
        );
        let nonce_ref: &XNonce = nonce.into();
        cipher
            .decrypt(nonce_ref, Payload { msg: body, aad })
            .map(Zeroizing::new)
            .map_err(|_| CryptoError::Broken)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

const NONCE: usize = 24;
