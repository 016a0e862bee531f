//! The key by which clients know the server again.

use std::fmt;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use zeroize::Zeroizing;

use crate::domain::SshFingerprint;

/// An Ed25519 key.
#[derive(Clone)]
pub struct HostKey(PrivateKey);

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostKey({})", self.fingerprint())
    }
}

impl HostKey {
    /// The key that `seed` gives.
    #[must_use]
    pub fn of(seed: &Zeroizing<[u8; 32]>) -> Self {
        let pair = Ed25519Keypair::from_seed(seed);
        Self(PrivateKey::from(pair))
    }

    /// Reads a file in OpenSSH's format; nothing where it holds no Ed25519 key in the clear.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let key = PrivateKey::from_openssh(text).ok()?;
        let fits = !key.is_encrypted() && key.key_data().ed25519().is_some();
        fits.then_some(Self(key))
    }

    /// The file's text; nothing where it cannot be written.
    #[must_use]
    pub fn to_openssh(&self) -> Option<Zeroizing<String>> {
        self.0.to_openssh(LineEnding::LF).ok()
    }

    /// What clients compare it by.
    #[must_use]
    pub fn fingerprint(&self) -> SshFingerprint {
        let blob = self.0.public_key().to_bytes();
        SshFingerprint::of(&blob.unwrap_or_default())
    }

    pub(super) fn key(&self) -> PrivateKey {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_shows_nothing_of_itself() {
        let key = HostKey::of(&Zeroizing::new([7; 32]));
        let text = key.to_openssh().unwrap();

        assert!(text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert_eq!(
            HostKey::read(text.as_bytes()).unwrap().fingerprint(),
            key.fingerprint()
        );
        assert_eq!(
            format!("{key:?}"),
            format!("HostKey({})", key.fingerprint())
        );
        assert!(HostKey::read(b"").is_none());
    }
}
