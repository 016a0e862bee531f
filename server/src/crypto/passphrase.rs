//! Master keys from passphrases.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::CryptoError;

/// A passphrase in the clear: wiped on drop, never printed.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Fewest bytes of a passphrase that a keyring is wrapped with anew.
    pub const SHORTEST: usize = 12;

    /// Takes what was typed, or the text of a file: line ends at its end do not count.
    ///
    /// # Errors
    /// [`CryptoError::Short`] when nothing is left.
    pub fn new(text: &str) -> Result<Self, CryptoError> {
        let trimmed = text.trim_end_matches(['\r', '\n']);
        if trimmed.is_empty() {
            return Err(CryptoError::Short(Self::SHORTEST));
        }
        Ok(Self(Zeroizing::new(trimmed.to_owned())))
    }

    /// That it is long enough to wrap a keyring anew.
    pub(super) fn check_new(&self) -> Result<(), CryptoError> {
        if self.0.len() < Self::SHORTEST {
            return Err(CryptoError::Short(Self::SHORTEST));
        }
        Ok(())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What a passphrase costs to try. The default is RFC 9106's second recommendation: 64 MiB, three
/// passes, four lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassphraseCost {
    /// Memory in KiB, 19 456 (19 MiB) to 1 048 576 (1 GiB).
    pub memory_kib: u32,
    /// Passes over the memory, 1 to 64; two at least below 64 MiB.
    pub passes: u32,
    /// Lanes, 1 to 16.
    pub lanes: u32,
}

impl Default for PassphraseCost {
    fn default() -> Self {
        Self {
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 4,
        }
    }
}

impl PassphraseCost {
    /// That it is neither too cheap to guess nor so dear that it stops the server: the numbers
    /// come from a file that is not authenticated yet.
    fn check(self) -> Result<(), CryptoError> {
        if !(19 * 1024..=1024 * 1024).contains(&self.memory_kib) {
            return Err(CryptoError::Cost("memory is 19 MiB to 1 GiB"));
        }
        let fewest = if self.memory_kib < 64 * 1024 { 2 } else { 1 };
        if !(fewest..=64).contains(&self.passes) {
            return Err(CryptoError::Cost("passes are 1 to 64, 2 below 64 MiB"));
        }
        if !(1..=16).contains(&self.lanes) {
            return Err(CryptoError::Cost("lanes are 1 to 16"));
        }
        Ok(())
    }
}

/// `Argon2id(passphrase, salt)`, 32 bytes (RFC 9106). Takes the memory that `cost` says, and
/// tenths of a second.
///
/// # Errors
/// [`CryptoError::Cost`] when the cost is out of bounds.
pub(super) fn stretch(
    passphrase: &Passphrase,
    salt: &[u8],
    cost: PassphraseCost,
) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    stretch_bytes(passphrase.0.as_bytes(), salt, cost)
}

/// The same for any secret.
///
/// # Errors
/// [`CryptoError::Cost`] when the cost is out of bounds.
pub(super) fn stretch_bytes(
    secret: &[u8],
    salt: &[u8],
    cost: PassphraseCost,
) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    cost.check()?;
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32))
        .map_err(|_| CryptoError::Cost("not for Argon2id"))?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(secret, salt, key.as_mut_slice())
        .map_err(|_| CryptoError::Cost("the salt is 8 bytes at least"))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAPEST: PassphraseCost = PassphraseCost {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };

    /// As `argon2 saltsaltsalt -id -k 19456 -t 2 -p 1 -l 32 -r` says for this passphrase.
    #[test]
    fn the_reference_program_s_key_is_met() {
        let key = stretch(&passphrase("correct horse"), b"saltsaltsalt", CHEAPEST).unwrap();

        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, VECTOR);
    }

    #[test]
    fn costs_out_of_bounds_are_refused() {
        for (memory_kib, passes, lanes) in [
            (19 * 1024 - 1, 3, 1),
            (1024 * 1024 + 1, 1, 1),
            (64 * 1024 - 1, 1, 1),
            (64 * 1024, 0, 1),
            (64 * 1024, 65, 1),
            (64 * 1024, 1, 0),
            (64 * 1024, 1, 17),
        ] {
            let cost = PassphraseCost {
                memory_kib,
                passes,
                lanes,
            };

            let refused = stretch(&passphrase("correct horse"), b"saltsaltsalt", cost);

            assert!(matches!(refused, Err(CryptoError::Cost(_))), "{cost:?}");
        }
    }

    #[test]
    fn an_empty_passphrase_is_refused() {
        for text in ["", "\n", "\r\n"] {
            let refused = Passphrase::new(text);

            assert!(matches!(refused, Err(CryptoError::Short(12))), "{text:?}");
        }
    }

    #[test]
    fn a_line_end_does_not_count() {
        assert_eq!(*passphrase("correct horse\n").0, "correct horse");
        assert_eq!(*passphrase(" correct horse ").0, " correct horse ");
    }

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text).unwrap()
    }

    const VECTOR: &str = "b03ab8489c9d1f0c569cb4e55eaab96733437e65eb25495a793a21c50685ae2a";
}
