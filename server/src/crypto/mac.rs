//! Keyed hashes.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A key for HMAC-SHA-256 (RFC 2104, FIPS 180-4): wiped on drop, never printed.
pub struct MacKey(Zeroizing<[u8; 32]>);

impl MacKey {
    /// Takes key material.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// `HMAC-SHA-256(key, len(p1) || p1 || len(p2) || p2 || …)`, lengths as 8 bytes big-endian, so
    /// that no two lists of parts run together.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes keys of every length (RFC 2104 §2)"
        )]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Whether `tag` is the one for `parts`, in constant time.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8; 32]) -> bool {
        self.tag(parts).ct_eq(tag).into()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Python's `hmac` says for the formula above; without parts it is plain HMAC of nothing.
    #[test]
    fn the_formula_is_met() {
        let cases: [(&[&[u8]], &str); 3] = [
            (
                &[],
                "5177e637aaac0b50e5dca8bb05b0b571444bd59b9b0d834d50681af21fc14b1e",
            ),
            (
                &[b"Hi There"],
                "0bc448fbd942bda00fa596aed1a2014da91bb53394aafc0fd1b510d9ce5de26a",
            ),
            (
                &[b"Hi", b" There"],
                "71401ee698ad099886332fc843af2dfa84cd793dd5d87d93d2e8d2dd5eea80ea",
            ),
        ];
        for (parts, tag) in cases {
            let found: String = key()
                .tag(parts)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();

            assert_eq!(found, tag, "{parts:?}");
        }
    }

    /// RFC 4231 §4.2 and §4.3, through the crate that [`MacKey`] is made of.
    #[test]
    fn the_rfc_s_vectors_are_met() {
        let cases: [(&[u8], &[u8], &str); 2] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ];
        for (key, text, tag) in cases {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
            mac.update(text);
            let found = mac.finalize().into_bytes();
            let found: String = found.iter().map(|b| format!("{b:02x}")).collect();

            assert_eq!(found, tag);
        }
    }

    #[test]
    fn another_tag_is_not_verified() {
        let tag = key().tag(&[b"a"]);

        assert!(key().verify(&[b"a"], &tag));
        for bit in 0..256 {
            let mut wrong = tag;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!key().verify(&[b"a"], &wrong), "{bit}");
        }
    }

    fn key() -> MacKey {
        MacKey::new(Zeroizing::new([0x0b; 32]))
    }
}
