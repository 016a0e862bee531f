//! The keyring as it lies on disk: every key wrapped, the whole authenticated.
//!
//! A random *root key* wraps the keys of the ring; the master key and the recovery code each wrap
//! the root key. So data keys can be added without either at hand.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::derive::derive;
use crate::crypto::master::{Origin, to_hex};
use crate::crypto::{CryptoError, MacKey, MasterKey, RecoveryCode, SealKey, private_file};
use crate::domain::Timestamp;

/// The keyring file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// Which form it has.
    format: u32,
    /// How the master key comes about.
    pub(super) master: Origin,
    /// A value by which the master key is known, hexadecimal.
    check: String,
    /// The root key under the master key.
    root: String,
    /// The root key under the recovery code.
    recovery: String,
    /// The keys under the root key.
    pub(super) keys: Vec<Wrapped>,
    /// `HMAC-SHA-256` over all of the above, hexadecimal.
    seal: String,
}

/// A key of the ring, wrapped.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wrapped {
    /// What it is for.
    pub(super) purpose: Purpose,
    /// Its number among those of its purpose, from 1.
    pub(super) number: u32,
    /// When it was made, in milliseconds since 1970.
    pub(super) created: i64,
    /// `XChaCha20-Poly1305(root key, aad = purpose || number || format)`, base 64.
    wrapped: String,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Purpose {
    /// Seals rows.
    Data,
    /// Hides names.
    Index,
    /// Seals and chains the ledger.
    Ledger,
    /// All else is derived from it.
    Other,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Index => "index",
            Self::Ledger => "ledger",
            Self::Other => "other",
        }
    }
}

impl Document {
    /// A document without keys.
    pub(super) fn new(
        root: &SealKey,
        master: &MasterKey,
        code: &RecoveryCode,
    ) -> Result<Self, CryptoError> {
        let mut document = Self {
            format: FORMAT,
            master: master.origin().clone(),
            check: String::new(),
            root: String::new(),
            recovery: wrap(&code.key(), "recovery", 0, root)?,
            keys: Vec::new(),
            seal: String::new(),
        };
        document.set_master(root, master)?;
        Ok(document)
    }

    /// Reads the file at `path`. Nothing in it may be trusted before it is opened.
    pub(super) fn read(path: &Path) -> Result<Self, CryptoError> {
        let bytes = private_file::read(path, LONGEST).map_err(|error| match error {
            CryptoError::File { source, path } if source.kind() == std::io::ErrorKind::NotFound => {
                CryptoError::NoRing(path)
            }
            other => other,
        })?;
        Self::parse(path, &bytes)
    }

    /// What `bytes` say, which were read from the file at `path`.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, CryptoError> {
        let head: Head = parse(path, bytes)?;
        if head.format != FORMAT {
            let (path, format) = (path.to_path_buf(), head.format);
            return Err(CryptoError::Format { path, format });
        }
        parse(path, bytes)
    }

    /// The root key, opened by the master key; the whole document is authentic then.
    pub(super) fn open(&self, path: &Path, master: &MasterKey) -> Result<SealKey, CryptoError> {
        let known = self.check == master.check();
        let root = match unwrap(master.key(), "root", 0, &self.root) {
            Ok(root) => root,
            Err(_) if known => return Err(tampered(path, "root")),
            Err(_) => return Err(CryptoError::WrongMaster(path.to_path_buf())),
        };
        self.verify(path, &root)?;
        Ok(root)
    }

    /// The root key, opened by the recovery code; the whole document is authentic then.
    pub(super) fn open_by_code(
        &self,
        path: &Path,
        code: &RecoveryCode,
    ) -> Result<SealKey, CryptoError> {
        let root = unwrap(&code.key(), "recovery", 0, &self.recovery)
            .map_err(|_| CryptoError::WrongCode(path.to_path_buf()))?;
        self.verify(path, &root)?;
        Ok(root)
    }

    /// Wraps the root key under another master key.
    pub(super) fn set_master(
        &mut self,
        root: &SealKey,
        master: &MasterKey,
    ) -> Result<(), CryptoError> {
        self.root = wrap(master.key(), "root", 0, root)?;
        self.master = master.origin().clone();
        self.check = master.check();
        Ok(())
    }

    /// Adds a key, wrapped.
    pub(super) fn add(
        &mut self,
        root: &SealKey,
        (purpose, number): (Purpose, u32),
        now: Timestamp,
        key: &SealKey,
    ) -> Result<(), CryptoError> {
        self.keys.push(Wrapped {
            purpose,
            number,
            created: now.0,
            wrapped: wrap(root, purpose.word(), number, key)?,
        });
        Ok(())
    }

    /// Opens one of the keys.
    pub(super) fn key(
        &self,
        path: &Path,
        root: &SealKey,
        wrapped: &Wrapped,
    ) -> Result<SealKey, CryptoError> {
        unwrap(
            root,
            wrapped.purpose.word(),
            wrapped.number,
            &wrapped.wrapped,
        )
        .map_err(|_| tampered(path, "keys"))
    }

    /// Authenticates the document and gives the bytes to write.
    pub(super) fn finish(&mut self, root: &SealKey) -> Vec<u8> {
        self.seal = self.tag(root);
        self.to_bytes()
    }

    /// The bytes of the file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Whether `other` is the same document.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.seal == other.seal
    }

    fn verify(&self, path: &Path, root: &SealKey) -> Result<(), CryptoError> {
        // The seal is no secret, and who compares it holds the root key.
        if self.seal != self.tag(root) {
            return Err(tampered(path, "seal"));
        }
        Ok(())
    }

    fn tag(&self, root: &SealKey) -> String {
        let unsealed = Self {
            seal: String::new(),
            ..self.clone()
        };
        let bytes = serde_json::to_vec(&unsealed).unwrap_or_default();
        let key = MacKey::new(derive(root.expose(), "claviger keyring seal v1"));
        to_hex(&key.tag(&[&bytes]))
    }
}

/// What every format begins with.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

fn parse<'a, T: Deserialize<'a>>(path: &Path, bytes: &'a [u8]) -> Result<T, CryptoError> {
    serde_json::from_slice(bytes).map_err(|_| tampered(path, "not its form"))
}

fn wrap(under: &SealKey, purpose: &str, number: u32, key: &SealKey) -> Result<String, CryptoError> {
    let sealed = under.seal(&place(purpose, number), key.expose())?;
    Ok(STANDARD.encode(sealed))
}

fn unwrap(
    under: &SealKey,
    purpose: &str,
    number: u32,
    wrapped: &str,
) -> Result<SealKey, CryptoError> {
    let sealed = STANDARD.decode(wrapped).map_err(|_| CryptoError::Broken)?;
    let plain = under.open(&place(purpose, number), &sealed)?;
    let bytes: [u8; 32] = plain
        .as_slice()
        .try_into()
        .map_err(|_| CryptoError::Broken)?;
    Ok(SealKey::new(Zeroizing::new(bytes)))
}

/// What a wrapped key is bound to: `"claviger keyring" || 0 || purpose || 0 || number || format`.
fn place(purpose: &str, number: u32) -> Vec<u8> {
    let mut place = b"claviger keyring\0".to_vec();
    place.extend_from_slice(purpose.as_bytes());
    place.push(0);
    place.extend_from_slice(&number.to_be_bytes());
    place.extend_from_slice(&FORMAT.to_be_bytes());
    place
}

pub(super) fn tampered(path: &Path, what: &'static str) -> CryptoError {
    CryptoError::Tampered {
        path: path.to_path_buf(),
        what,
    }
}

const FORMAT: u32 = 1;
/// Ten thousand data keys fit.
const LONGEST: usize = 4 << 20;
