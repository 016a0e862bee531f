//! Sealing with one key.

use std::fmt;

use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::crypto::CryptoError;

/// A key that seals: wiped on drop, never printed.
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// Bytes that a seal adds: a nonce and a tag.
    pub const OVERHEAD: usize = NONCE + TAG;

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
        self.seal_after(&[], aad, plain)
    }

    /// As [`SealKey::seal`], with `head` in the clear before the nonce.
    pub(super) fn seal_after(
        &self,
        head: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| CryptoError::Random)?;
        self.seal_with(&nonce, head, aad, plain)
    }

    fn seal_with(
        &self,
        nonce: &[u8; NONCE],
        head: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        // Room for everything at once: growing would leave a copy of the plain bytes behind.
        let mut sealed = Vec::with_capacity(head.len() + Self::OVERHEAD + plain.len());
        sealed.extend_from_slice(head);
        sealed.extend_from_slice(nonce);
        sealed.extend_from_slice(plain);
        let (_, body) = sealed
            .split_at_mut_checked(head.len() + NONCE)
            .ok_or(CryptoError::Broken)?;
        let tag = self
            .cipher()
            .encrypt_inout_detached(<&XNonce>::from(nonce), aad, body.into())
            .map_err(|_| CryptoError::Broken)?;
        sealed.extend_from_slice(&tag);
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
        self.cipher()
            .decrypt(<&XNonce>::from(nonce), Payload { msg: body, aad })
            .map(Zeroizing::new)
            .map_err(|_| CryptoError::Broken)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(<&Key>::from(&*self.0))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

const NONCE: usize = 24;
const TAG: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// draft-irtf-cfrg-xchacha-03 A.3.1.
    #[test]
    fn the_draft_s_vector_is_met() {
        let key = SealKey::new(Zeroizing::new(std::array::from_fn(|i| 0x80 + i as u8)));
        let nonce: [u8; NONCE] = std::array::from_fn(|i| 0x40 + i as u8);
        let aad = [
            0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
        ];
        let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one \
            tip for the future, sunscreen would be it.";

        let sealed = key.seal_with(&nonce, &[], &aad, plain).unwrap();

        assert_eq!(sealed[..NONCE], nonce);
        assert_eq!(hex(&sealed[NONCE..]), VECTOR);
        assert_eq!(*key.open(&aad, &sealed).unwrap(), plain);
    }

    #[test]
    fn the_same_bytes_never_look_the_same_twice() {
        let key = SealKey::random().unwrap();

        assert_ne!(
            key.seal(b"here", b"hello").unwrap(),
            key.seal(b"here", b"hello").unwrap()
        );
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    const VECTOR: &str = concat!(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb",
        "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452",
        "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9",
        "21f9664c97637da9768812f615c68b13b52e",
        "c0875924c1c7987947deafd8780acf49",
    );
}
