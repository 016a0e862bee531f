//! PKCS#12 (RFC 7292): what `openssl pkcs12 -export` and Java's keytool write, and what our
//! client reads from `KeyStorePath`.

use p12_keystore::{
    Certificate, KeyStore, KeyStoreEntry, Pkcs12Archive, PrivateKeyChain, error::Error,
};
use rustls_pki_types::CertificateDer;
use x509_parser::asn1_rs::{Any, FromDer, Sequence};
use zeroize::Zeroizing;

use super::within_limit;
use crate::{CertError, Identity, PrivateKey};

/// Reads the private key of a PKCS#12 file, its certificate and that one's issuers in the file.
/// OpenSSL 3's algorithms, the legacy ones (RC2, 3DES, SHA-1) and Java's are understood.
///
/// # Errors
/// [`CertError::WrongPassword`]; [`CertError::NoMac`] when the file carries no integrity check;
/// [`CertError::NoKey`], [`CertError::SeveralKeys`], [`CertError::NoCertificate`] and
/// [`CertError::KeyMismatch`] when it does not hold one identity; [`CertError::Pkcs12`] and
/// [`CertError::Encryption`] when it cannot be read.
pub fn load_pkcs12(bytes: &[u8], password: &str) -> Result<Identity, CertError> {
    within_limit(bytes)?;
    if !has_mac(bytes)? {
        return Err(CertError::NoMac);
    }
    let archive = Pkcs12Archive::from_pkcs12(bytes, password).map_err(refused)?;
    let mut keys = archive.keys.iter();
    let key = match (keys.next(), keys.next()) {
        (Some(bag), None) => &bag.key,
        (Some(_), Some(_)) => return Err(CertError::SeveralKeys),
        (None, _) => return Err(CertError::NoKey),
    };
    let key = PrivateKey::from_pkcs8(Zeroizing::new(key.as_der().to_vec()))?;
    let certificates = archive
        .certs
        .iter()
        .map(|bag| CertificateDer::from(bag.cert.as_der().to_vec()))
        .collect();
    Identity::assemble(certificates, key)
}

/// Writes `identity` as a PKCS#12 file: AES-256 by PBKDF2 with HMAC-SHA-256, and a MAC, as
/// OpenSSL 3 and Java read it. `name` is the friendly name.
///
/// # Errors
/// [`CertError::Pkcs12`] when `name` cannot be encoded.
pub fn write_pkcs12(
    identity: &Identity,
    password: &str,
    name: &str,
) -> Result<Zeroizing<Vec<u8>>, CertError> {
    let key = p12_keystore::PrivateKey::from_der(identity.key().expose_pkcs8()).map_err(refused)?;
    let certificates: Vec<Certificate> = identity
        .chain()
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<_, _>>()
        .map_err(refused)?;
    let chain = PrivateKeyChain::new(name, key, certificates);
    let mut store = KeyStore::new();
    store.add_entry(name, KeyStoreEntry::PrivateKeyChain(chain));
    store
        .writer(password)
        .encryption_iterations(ITERATIONS)
        .mac_iterations(ITERATIONS)
        .write()
        .map(Zeroizing::new)
        .map_err(refused)
}

/// `PFX ::= SEQUENCE { version, authSafe, macData OPTIONAL }`: the reader we use takes a file
/// without the last part, and a file without it is anybody's.
fn has_mac(bytes: &[u8]) -> Result<bool, CertError> {
    let malformed = |reason: String| CertError::Pkcs12 { reason };
    let (rest, pfx) = Sequence::from_der(bytes)
        .map_err(|error: x509_parser::asn1_rs::Err<_>| malformed(error.to_string()))?;
    if !rest.is_empty() {
        return Err(CertError::TrailingBytes {
            what: "PKCS#12 file",
            count: rest.len(),
        });
    }
    let mut inside: &[u8] = &pfx.content;
    let mut parts = 0;
    while !inside.is_empty() {
        let (rest, _) = Any::from_der(inside).map_err(|error| malformed(error.to_string()))?;
        inside = rest;
        parts += 1;
    }
    Ok(parts == 3)
}

fn refused(error: Error) -> CertError {
    match error {
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => CertError::WrongPassword,
        Error::UnsupportedEncryptionScheme => CertError::Encryption {
            algorithm: "an algorithm outside RFC 7292 and PBES2".to_owned(),
        },
        other => CertError::Pkcs12 {
            reason: other.to_string(),
        },
    }
}

/// Ten times OpenSSL's default, still below a tenth of a second.
const ITERATIONS: u32 = 20_000;
