//! The key above all keys.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::derive::derive;
use crate::crypto::passphrase::stretch;
use crate::crypto::{CryptoError, Passphrase, PassphraseCost, SealKey};

/// The master key: wraps the keyring, is kept elsewhere. Wiped on drop, never printed.
pub struct MasterKey {
    key: SealKey,
    origin: Origin,
}

impl MasterKey {
    /// Takes key material.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self {
            key: SealKey::new(bytes),
            origin: Origin::Key,
        }
    }

    /// A fresh key from the operating system's random numbers.
    ///
    /// # Errors
    /// [`CryptoError::Random`] when the operating system has none.
    pub fn random() -> Result<Self, CryptoError> {
        Ok(Self {
            key: SealKey::random()?,
            origin: Origin::Key,
        })
    }

    /// Reads 32 bytes, or their text in hexadecimal or base 64 (and a line end). `place` says in
    /// an error where they came from.
    ///
    /// # Errors
    /// [`CryptoError::NotAKey`] when it is none of these, one byte over and over, or 32 printable
    /// signs: a password, which wants a passphrase's treatment.
    pub fn parse(bytes: &[u8], place: &str) -> Result<Self, CryptoError> {
        let refused = || CryptoError::NotAKey(place.to_owned());
        let key = match <[u8; 32]>::try_from(bytes) {
            Ok(raw) if !bytes.iter().all(u8::is_ascii_graphic) => Zeroizing::new(raw),
            _ => from_text(bytes).ok_or_else(refused)?,
        };
        // A file of zeros, or an environment that expanded to nothing, is no key.
        if key.windows(2).all(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(refused());
        }
        Ok(Self::new(key))
    }

    /// The key of a passphrase with a fresh salt, to wrap a keyring anew. Takes tenths of a
    /// second.
    ///
    /// # Errors
    /// [`CryptoError::Short`] and [`CryptoError::Cost`] when it would be too easy to guess.
    pub fn stretch_new(passphrase: &Passphrase, cost: PassphraseCost) -> Result<Self, CryptoError> {
        passphrase.check_new()?;
        let mut salt = vec![0; SALT];
        getrandom::fill(&mut salt).map_err(|_| CryptoError::Random)?;
        Self::stretch(
            passphrase,
            Origin::Argon2id {
                salt: to_hex(&salt),
                cost,
            },
        )
    }

    /// The key of a passphrase with the salt and cost that a keyring says.
    pub(super) fn stretch(passphrase: &Passphrase, origin: Origin) -> Result<Self, CryptoError> {
        let Origin::Argon2id { salt, cost } = &origin else {
            return Err(CryptoError::NotAKey("a passphrase".to_owned()));
        };
        let salt = hex_bytes(salt.as_bytes())
            .filter(|salt| salt.len() == SALT)
            .ok_or(CryptoError::Cost("the salt is 16 bytes"))?;
        let key = SealKey::new(stretch(passphrase, &salt, *cost)?);
        Ok(Self { key, origin })
    }

    /// How it comes about; stands in the keyring.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn key(&self) -> &SealKey {
        &self.key
    }

    /// `HKDF-SHA-256(key, "claviger master check v1")`: tells a wrong key from a damaged keyring,
    /// and binds the keyring to one key, which XChaCha20-Poly1305 alone does not.
    pub(super) fn check(&self) -> String {
        to_hex(derive(self.key.expose(), "claviger master check v1").as_slice())
    }

    /// The key as 64 hexadecimal digits and a line end, for its file.
    pub(super) fn expose_hex(&self) -> Zeroizing<String> {
        let mut hex = Zeroizing::new(String::with_capacity(65));
        for byte in self.key.expose() {
            hex.push(digit(byte >> 4));
            hex.push(digit(byte & 15));
        }
        hex.push('\n');
        hex
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// How a master key comes about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Origin {
    /// It is kept as it is.
    Key,
    /// From a passphrase.
    Argon2id {
        /// Salt, hexadecimal.
        salt: String,
        /// What it costs to try one.
        cost: PassphraseCost,
    },
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
}

fn from_text(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let text = text.trim_ascii_end();
    let bytes = match hex_bytes(text) {
        Some(bytes) => bytes,
        None => Zeroizing::new(STANDARD.decode(text).ok()?),
    };
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

fn hex_bytes(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    for [high, low] in pairs {
        let high = char::from(*high).to_digit(16)?;
        let low = char::from(*low).to_digit(16)?;
        bytes.push(u8::try_from(high << 4 | low).ok()?);
    }
    Some(bytes)
}

const SALT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_base_64_and_raw_bytes_are_the_same_key() {
        let raw: [u8; 32] = std::array::from_fn(|i| i as u8);
        let hex = to_hex(&raw);

        for text in [
            hex.clone(),
            format!("{hex}\n"),
            hex.to_uppercase(),
            STANDARD.encode(raw),
        ] {
            assert_eq!(
                MasterKey::parse(text.as_bytes(), "x").unwrap().key.expose(),
                &raw
            );
        }
        assert_eq!(MasterKey::parse(&raw, "x").unwrap().key.expose(), &raw);
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        let odd = "ab".repeat(31);
        for text in [
            "",
            "\n",
            "hunter2",
            "a-password-of-exactly-32-letters",
            &odd,
            &"zz".repeat(32),
            &"00".repeat(32),
            &"ab".repeat(33),
        ] {
            let refused = MasterKey::parse(text.as_bytes(), "the file").unwrap_err();

            assert_eq!(
                refused.to_string(),
                "the file holds no master key: 32 bytes are wanted, raw, hexadecimal or base 64"
            );
        }
        assert!(matches!(
            MasterKey::parse(&[0; 32], "x"),
            Err(CryptoError::NotAKey(_))
        ));
    }

    #[test]
    fn a_short_passphrase_wraps_nothing_anew() {
        let short = Passphrase::new("elevenbytes").unwrap();

        let refused = MasterKey::stretch_new(&short, PassphraseCost::default());

        assert!(matches!(refused, Err(CryptoError::Short(12))));
    }
}
