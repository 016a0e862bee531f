//! Keys from keys.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// `HKDF-SHA-256(ikm = key, salt = none, info = label)`, 32 bytes (RFC 5869). Labels are fixed
/// texts that end in a version; two uses never share one.
pub(super) fn derive(key: &[u8], label: &str) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    #[expect(
        clippy::expect_used,
        reason = "32 bytes are less than 255 hashes (RFC 5869 §2.3)"
    )]
    Hkdf::<Sha256>::new(None, key)
        .expand(label.as_bytes(), derived.as_mut_slice())
        .expect("one block");
    derived
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869 A.3: no salt, no info; its first block.
    #[test]
    fn the_rfc_s_vector_is_met() {
        let derived: String = derive(&[0x0b; 22], "")
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();

        assert_eq!(
            derived,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        );
    }

    #[test]
    fn labels_make_keys_that_have_nothing_in_common() {
        assert_ne!(*derive(&[7; 32], "a v1"), *derive(&[7; 32], "b v1"));
        assert_ne!(*derive(&[7; 32], "a v1"), *derive(&[8; 32], "a v1"));
    }
}
