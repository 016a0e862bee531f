//! The code on paper that opens the keyring when the master key is lost.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::crypto::derive::derive;
use crate::crypto::{CryptoError, SealKey};

/// A recovery code, `XXXXX-XXXXX-…`, eight groups of five: 168 random bits and a checksum that
/// sees up to four wrong signs. Wiped on drop, never printed by accident.
pub struct RecoveryCode(Zeroizing<[u8; BYTES]>);

impl RecoveryCode {
    /// A fresh code from the operating system's random numbers.
    ///
    /// # Errors
    /// [`CryptoError::Random`] when the operating system has none.
    pub fn random() -> Result<Self, CryptoError> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| CryptoError::Random)?;
        Ok(Self(bytes))
    }

    /// Reads what a person typed: case, blanks and hyphens do not matter, `O` is 0, `I` and `L`
    /// are 1.
    ///
    /// # Errors
    /// [`CryptoError::Typo`] when it is no code, or one with a typing error.
    pub fn parse(typed: &str) -> Result<Self, CryptoError> {
        let mut signs = Zeroizing::new(Vec::with_capacity(SIGNS));
        for character in typed.chars() {
            if character.is_whitespace() || character == '-' {
                continue;
            }
            if signs.len() == SIGNS {
                return Err(CryptoError::Typo);
            }
            signs.push(value(character).ok_or(CryptoError::Typo)?);
        }
        let (data, _) = signs.split_at_checked(DATA).ok_or(CryptoError::Typo)?;
        if signs.len() != SIGNS || checksum(&signs) != CONSTANT {
            return Err(CryptoError::Typo);
        }
        from_signs(data).map(Self)
    }

    /// The code as it is shown once, to be written down.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let signs = self.signs();
        let mut text = Zeroizing::new(String::with_capacity(SIGNS + SIGNS / GROUP));
        for (index, sign) in signs.iter().enumerate() {
            if index != 0 && index % GROUP == 0 {
                text.push('-');
            }
            text.push(
                ALPHABET
                    .get(usize::from(*sign))
                    .map_or('0', |c| char::from(*c)),
            );
        }
        text
    }

    /// The key that this code stands for: `HKDF-SHA-256(code, "claviger recovery v1")`.
    pub(super) fn key(&self) -> SealKey {
        SealKey::new(derive(self.0.as_slice(), "claviger recovery v1"))
    }

    fn signs(&self) -> Zeroizing<Vec<u8>> {
        let mut signs = Zeroizing::new(Vec::with_capacity(SIGNS));
        let (mut pool, mut bits) = (0_u32, 0_u32);
        for byte in self.0.iter() {
            pool = (pool << 8 | u32::from(*byte)) & 0xffff;
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                signs.push((pool >> bits & 31) as u8);
            }
        }
        signs.push((pool << (5 - bits) & 31) as u8);
        pool.zeroize();
        let data = signs.len();
        signs.resize(SIGNS, 0);
        let check = checksum(&signs) ^ CONSTANT;
        for (index, sign) in signs.iter_mut().skip(data).enumerate() {
            *sign = (check >> (5 * (5 - index)) & 31) as u8;
        }
        signs
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

fn from_signs(signs: &[u8]) -> Result<Zeroizing<[u8; BYTES]>, CryptoError> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    let mut free = bytes.iter_mut();
    let (mut pool, mut bits) = (0_u32, 0_u32);
    for sign in signs {
        pool = (pool << 5 | u32::from(*sign)) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *free.next().ok_or(CryptoError::Typo)? = (pool >> bits & 0xff) as u8;
        }
    }
    if pool & ((1 << bits) - 1) != 0 {
        return Err(CryptoError::Typo);
    }
    Ok(bytes)
}

fn value(character: char) -> Option<u8> {
    let sign = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let index = ALPHABET
        .iter()
        .position(|known| char::from(*known) == sign)?;
    u8::try_from(index).ok()
}

/// The BCH code of Bech32 (BIP-173) with Bech32m's constant (BIP-350): it sees every error of up
/// to four signs, so every swap of two as well.
fn checksum(signs: &[u8]) -> u32 {
    signs.iter().fold(1, |sum, sign| {
        let top = sum >> 25;
        let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(*sign);
        GENERATOR
            .iter()
            .enumerate()
            .filter(|(bit, _)| top >> bit & 1 == 1)
            .fold(next, |sum, (_, generator)| sum ^ generator)
    })
}

/// Crockford's base 32: without I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GENERATOR: [u32; 5] = [
    0x3b6a_57b2,
    0x2650_8e6d,
    0x1ea1_19fa,
    0x3d42_33dd,
    0x2a14_62b3,
];
const CONSTANT: u32 = 0x2bc8_30a3;
const BYTES: usize = 21;
const GROUP: usize = 5;
/// Signs that carry the 168 bits.
const DATA: usize = 34;
const SIGNS: usize = DATA + 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_eight_groups_of_five() {
        let code = RecoveryCode(Zeroizing::new([0; BYTES]));

        assert_eq!(code.expose().len(), 47);
        assert!(code.expose().split('-').all(|group| group.len() == 5));
        assert_eq!(format!("{code:?}"), "RecoveryCode(..)");
    }

    #[test]
    fn bech32m_s_checksum_is_met() {
        // BIP-350's shortest valid text, "A1LQFN3A": its human part "a" expanded, then its data.
        let signs = [3, 0, 1, 31, 0, 9, 19, 17, 29];

        assert_eq!(checksum(&signs), CONSTANT);
    }

    #[test]
    fn what_a_hand_writes_is_read() {
        let code = RecoveryCode(Zeroizing::new(std::array::from_fn(|i| i as u8)));
        let sloppy = code
            .expose()
            .to_lowercase()
            .replace('0', "o")
            .replace('1', "L")
            .replace('-', " ");

        assert_eq!(*RecoveryCode::parse(&sloppy).unwrap().0, *code.0);
    }

    #[test]
    fn a_code_of_another_length_is_refused() {
        let code = RecoveryCode::random().unwrap().expose();

        for typed in [
            "",
            "A",
            &code[1..],
            &format!("{}0", *code),
            &format!("{0}-{0}", *code),
        ] {
            assert!(
                matches!(RecoveryCode::parse(typed), Err(CryptoError::Typo)),
                "{typed}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_code_comes_back(bytes: [u8; BYTES]) {
            let code = RecoveryCode(Zeroizing::new(bytes));

            let read = RecoveryCode::parse(&code.expose()).unwrap();

            prop_assert_eq!(*read.0, bytes);
        }

        #[test]
        fn up_to_four_wrong_signs_are_seen(
            bytes: [u8; BYTES],
            wrong in proptest::collection::btree_map(0..SIGNS, 1_u8..32, 1..=4),
        ) {
            let mut signs = RecoveryCode(Zeroizing::new(bytes)).signs();
            wrong.iter().for_each(|(at, by)| signs[*at] ^= by);
            let typed: String = signs.iter().map(|s| char::from(ALPHABET[usize::from(*s)])).collect();

            prop_assert!(matches!(RecoveryCode::parse(&typed), Err(CryptoError::Typo)));
        }

        #[test]
        fn two_swapped_signs_are_seen(bytes: [u8; BYTES], at in 0..SIGNS - 1) {
            let mut signs = RecoveryCode(Zeroizing::new(bytes)).signs();
            prop_assume!(signs[at] != signs[at + 1]);
            signs.swap(at, at + 1);
            let typed: String = signs.iter().map(|s| char::from(ALPHABET[usize::from(*s)])).collect();

            prop_assert!(matches!(RecoveryCode::parse(&typed), Err(CryptoError::Typo)));
        }
    }
}
