//! An SSH private key that comes along, and what may be told of it.

use std::sync::Arc;

use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::ssh_key::{HashAlg, Kdf, LineEnding, PrivateKey, PublicKey};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::domain::{Material, Password};
use crate::doors::a2a::Asked;
use crate::doors::a2a::body::Secret;
use crate::doors::a2a::reply::Refusal;

/// A key as it is sent.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewKey {
    #[serde(default)]
    private_key: Option<Secret>,
    #[serde(default)]
    passphrase: Option<Secret>,
}

/// What may be told of a key; nothing where it is in a form that is kept unread.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Facts {
    public_key: Option<String>,
    key_type: Option<String>,
    fingerprint: Option<String>,
    comment: Option<String>,
}

impl NewKey {
    /// Whether there is a key in it at all.
    pub(super) fn is_sent(&self) -> bool {
        self.private_key.is_some()
    }

    /// An Ed25519 key that nobody has had before, and what may be told of it.
    ///
    /// # Errors
    /// 400 where it cannot be written.
    pub(super) fn made(seed: &Zeroizing<[u8; 32]>) -> Result<(Material, Facts), Refusal> {
        let key = PrivateKey::from(Ed25519Keypair::from_seed(seed));
        let text = key.to_openssh(LineEnding::LF);
        let text = text.map_err(|_| Refusal::invalid("The key cannot be written."))?;
        Ok((material(text)?, Facts::of(key.public_key())))
    }

    /// The key as it was sent, unread.
    ///
    /// # Errors
    /// 400, in words.
    pub(super) fn unread(self) -> Result<Material, Refusal> {
        let text = self.private_key.map(Secret::into_inner);
        material(text.unwrap_or_default())
    }

    /// The key as it is kept, without its passphrase, and what may be told of it. Opening one takes
    /// as long as its sender says, within limits, and a thread of its own.
    ///
    /// # Errors
    /// 400, in words.
    pub(super) async fn opened(self, asked: &Asked<'_>) -> Result<(Material, Facts), Refusal> {
        let door = asked.door;
        let turn = Arc::clone(&door.openings).acquire_owned().await;
        let opened = spawn_blocking(move || {
            let _turn = turn;
            self.open()
        });
        let opened = opened.await.map_err(|_| door.unfinished(asked.request));
        opened?
    }

    fn open(self) -> Result<(Material, Facts), Refusal> {
        let wrong = |why: &str| Refusal::field("entity.PrivateKey", why);
        let text = self.private_key.map(Secret::into_inner);
        let text = text.filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| wrong("A private key is needed."))?;
        let passphrase = self.passphrase.map(Secret::into_inner);
        let passphrase = passphrase.filter(|words| !words.is_empty());
        if !text.contains("BEGIN OPENSSH PRIVATE KEY") {
            // Read by whoever uses it: it is kept as it is.
            if passphrase.is_some() || text.contains("ENCRYPTED") {
                return Err(wrong(OTHER_FORM));
            }
            return Ok((material(text)?, Facts::default()));
        }
        let key = PrivateKey::from_openssh(text.trim().as_bytes());
        let key = key.map_err(|_| wrong("This is no private key in OpenSSH's format."))?;
        if !key.is_encrypted() {
            return Ok((material(text)?, Facts::of(key.public_key())));
        }
        let passphrase = passphrase.ok_or_else(|| wrong("Its passphrase is needed."))?;
        // Whoever sends a key says how hard it is to open.
        if matches!(key.kdf(), Kdf::Bcrypt { rounds, .. } if *rounds > MOST_ROUNDS) {
            return Err(wrong("Its passphrase takes too long to try."));
        }
        let key = key.decrypt(passphrase.as_bytes());
        let key = key.map_err(|_| Refusal::field("entity.Passphrase", "It is not the key's."))?;
        let open = key.to_openssh(LineEnding::LF);
        let open = open.map_err(|_| wrong("It cannot be written without its passphrase."))?;
        Ok((material(open)?, Facts::of(key.public_key())))
    }
}

fn material(text: Zeroizing<String>) -> Result<Material, Refusal> {
    let text = Password::parse(text).map_err(|error| error.to_string());
    let kept = text.and_then(|text| Material::ssh_key(text).map_err(|error| error.to_string()));
    kept.map_err(|why| Refusal::field("entity.PrivateKey", why))
}

impl Facts {
    fn of(key: &PublicKey) -> Self {
        Self {
            public_key: key.to_openssh().ok(),
            key_type: Some(key.algorithm().to_string()),
            fingerprint: Some(key.fingerprint(HashAlg::Sha256).to_string()),
            comment: Some(key.comment().to_string()),
        }
    }
}

/// OpenSSH's own is 24.
const MOST_ROUNDS: u32 = 64;
const OTHER_FORM: &str = "Only a key in OpenSSH's format may have a passphrase: rewrite it with \
                          `ssh-keygen -p -f FILE`.";

#[cfg(test)]
mod tests {
    use super::*;

    fn open(private: &str, passphrase: Option<&str>) -> Result<(Material, Facts), Refusal> {
        let passphrase = passphrase.map(|text| Secret::new(text.to_owned()));
        let private_key = Some(Secret::new(private.to_owned()));
        let new = NewKey {
            private_key,
            passphrase,
        };
        new.open()
    }

    fn key() -> PrivateKey {
        PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]))
    }

    #[test]
    fn a_key_is_kept_as_it_is_and_its_public_half_told() {
        let text = key().to_openssh(LineEnding::LF).unwrap();

        let (kept, facts) = open(&text, Some("")).unwrap();

        assert_eq!(kept.expose(), text.as_bytes());
        assert_eq!(facts, Facts::of(key().public_key()));
        assert_eq!(facts.key_type.as_deref(), Some("ssh-ed25519"));
        assert!(!format!("{facts:?}").contains("PRIVATE"));
    }

    #[test]
    fn what_is_no_key_or_still_locked_is_refused_in_words() {
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA==\n-----END RSA PRIVATE KEY-----\n";
        let broken =
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAA==\n-----END OPENSSH PRIVATE KEY-----\n";
        for (text, passphrase) in [("", None), ("hunter2", None), (pem, None), (broken, None)] {
            let refused = open(text, passphrase).unwrap_err();
            assert_eq!(refused.status.as_u16(), 400, "{text}");
            assert_eq!(refused.model.len(), 1, "{text}");
        }
    }
}
