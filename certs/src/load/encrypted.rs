//! Encrypted PKCS#8 (RFC 5958) by PBES2 (RFC 8018): AES and 3DES, PBKDF2 and scrypt.

use pkcs8::{
    EncryptedPrivateKeyInfoRef,
    der::Decode,
    pkcs5::{EncryptionScheme, pbes2::Kdf},
};
use x509_parser::{asn1_rs::Sequence, oid_registry::Oid, prelude::FromDer};
use zeroize::Zeroizing;

use crate::CertError;

/// Whether this is an EncryptedPrivateKeyInfo: unlike a key in clear, it does not begin with a
/// version.
pub(super) fn is_encrypted(der: &[u8]) -> bool {
    scheme(der).is_some()
}

/// The object identifier of the encryption.
fn scheme(der: &[u8]) -> Option<String> {
    let (_, info) = Sequence::from_der(der).ok()?;
    let (_, algorithm) = Sequence::from_der(&info.content).ok()?;
    let (_, oid) = Oid::from_der(&algorithm.content).ok()?;
    Some(oid.to_id_string())
}

/// The PKCS#8 inside.
pub(super) fn decrypt(der: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, CertError> {
    let unsupported = || CertError::Encryption {
        algorithm: format!(
            "scheme {} (make it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc`)",
            scheme(der).unwrap_or_default()
        ),
    };
    let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| unsupported())?;
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(unsupported());
    };
    if !is_bounded(&parameters.kdf) {
        return Err(CertError::Encryption {
            algorithm: "a key derivation beyond all measure".to_owned(),
        });
    }
    parameters
        .decrypt(password, info.encrypted_data.as_bytes())
        .map(Zeroizing::new)
        .map_err(|error| match error {
            pkcs8::pkcs5::Error::UnsupportedAlgorithm { oid } => CertError::Encryption {
                algorithm: oid.to_string(),
            },
            _ => CertError::WrongPassword,
        })
}

/// A hostile file must not buy hours of work or all memory with a few bytes.
fn is_bounded(kdf: &Kdf) -> bool {
    match kdf {
        Kdf::Pbkdf2(parameters) => parameters.iteration_count <= MOST_ITERATIONS,
        Kdf::Scrypt(parameters) => {
            parameters.parallelization <= 16
                && parameters
                    .cost_parameter
                    .checked_mul(128 * u64::from(parameters.block_size))
                    .is_some_and(|memory| memory <= MOST_MEMORY)
        }
        _ => false,
    }
}

const MOST_ITERATIONS: u32 = 10_000_000;
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
