//! How MySQL and MariaDB have somebody prove a password.

use data_encoding::HEXUPPER;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// `SHA1(password) XOR SHA1(salt || SHA1(SHA1(password)))`: `mysql_native_password`.
pub(super) fn native(password: &[u8], salt: &[u8]) -> Vec<u8> {
    let once = Zeroizing::new(<[u8; 20]>::from(Sha1::digest(password)));
    let twice = Sha1::digest(*once);
    let mixed = Sha1::new()
        .chain_update(salt)
        .chain_update(twice)
        .finalize();
    once.iter().zip(mixed).map(|(a, b)| a ^ b).collect()
}

/// `*` and the hexadecimal digits of `SHA1(SHA1(password))`: as `mysql_native_password` keeps it.
pub(super) fn kept(password: &[u8]) -> String {
    let once = Zeroizing::new(<[u8; 20]>::from(Sha1::digest(password)));
    format!("*{}", HEXUPPER.encode(&Sha1::digest(*once)))
}

/// `SHA256(password) XOR SHA256(SHA256(SHA256(password)) || salt)`: `caching_sha2_password`.
pub(super) fn caching_sha2(password: &[u8], salt: &[u8]) -> Vec<u8> {
    let once = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(password)));
    let twice = Sha256::digest(*once);
    let mixed = Sha256::new()
        .chain_update(twice)
        .chain_update(salt)
        .finalize();
    once.iter().zip(mixed).map(|(a, b)| a ^ b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_are_those_of_another_program() {
        // The documentation of MySQL's PASSWORD().
        assert_eq!(kept(b"mypass"), "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4");
        // Computed with Python's hashlib by the formulas above.
        let salt = [
            70, 114, 92, 94, 1, 38, 11, 116, 63, 114, 23, 101, 126, 103, 26, 95, 81, 17, 24, 21,
        ];
        assert_eq!(
            native(b"foobar", &salt),
            [
                57, 148, 77, 23, 164, 215, 18, 197, 241, 10, 140, 105, 27, 78, 227, 36, 245, 129,
                15, 135,
            ]
        );
        assert_eq!(
            caching_sha2(b"foobar", &salt),
            [
                45, 226, 220, 237, 116, 135, 108, 122, 163, 173, 144, 214, 109, 188, 254, 205, 167,
                24, 224, 61, 215, 49, 182, 58, 163, 87, 140, 142, 66, 85, 40, 63,
            ]
        );
    }
}
