//! Private keys in every form that OpenSSL writes.

use x509_parser::asn1_rs::{Any, FromDer, Tag};
use zeroize::Zeroizing;

use super::{
    encrypted, looks_like_der,
    pem::{self, Section},
    traditional, within_limit,
};
use crate::{CertError, PrivateKey};

/// Reads the one private key of a PEM or DER file: PKCS#8, PKCS#1 or SEC1, in clear, as
/// *encrypted* PKCS#8 (PBES2) or in OpenSSL's traditional encrypted PEM (`Proc-Type:
/// 4,ENCRYPTED`). Certificates and parameters beside it are skipped.
///
/// # Errors
/// [`CertError::PasswordNeeded`], [`CertError::WrongPassword`] and [`CertError::Encryption`]
/// for encrypted keys; [`CertError::NoKey`], [`CertError::SeveralKeys`]; [`CertError::Key`] when
/// it is malformed or of a kind that cannot sign here (RSA-1024, DSA, Ed448 …).
pub fn load_private_key(bytes: &[u8], password: Option<&str>) -> Result<PrivateKey, CertError> {
    within_limit(bytes)?;
    if !pem::is_pem(bytes) {
        return from_der(bytes, password);
    }
    let mut sections = pem::parse(bytes, |label| label.ends_with("PRIVATE KEY"))
        .map_err(|error| match error {
            CertError::Certificate { reason, .. } => CertError::Key { reason },
            other => other,
        })?
        .into_iter();
    match (sections.next(), sections.next()) {
        (Some(section), None) => from_section(&section, password),
        (Some(_), Some(_)) => Err(CertError::SeveralKeys),
        (None, _) => Err(CertError::NoKey),
    }
}

fn from_section(section: &Section<'_>, password: Option<&str>) -> Result<PrivateKey, CertError> {
    let encrypted = section
        .header("Proc-Type")
        .is_some_and(|value| value.ends_with("ENCRYPTED"));
    if !encrypted {
        return from_label(section.label, &section.der, password);
    }
    let cipher = section.header("DEK-Info").ok_or_else(|| CertError::Key {
        reason: "its DEK-Info header is missing".to_owned(),
    })?;
    let der = traditional::decrypt(cipher, &section.der, needed(password)?)?;
    // What a wrong password makes of the text sometimes ends in a valid padding.
    from_label(section.label, &der, password).map_err(|_| wrong_or_odd(&der))
}

fn from_label(label: &str, der: &[u8], password: Option<&str>) -> Result<PrivateKey, CertError> {
    match label {
        "PRIVATE KEY" => PrivateKey::from_pkcs8(Zeroizing::new(der.to_vec())),
        "RSA PRIVATE KEY" => PrivateKey::from_pkcs1(der),
        "EC PRIVATE KEY" => PrivateKey::from_sec1(der),
        "ENCRYPTED PRIVATE KEY" => from_encrypted(der, needed(password)?),
        other => Err(CertError::Key {
            reason: format!("a {other} is not supported"),
        }),
    }
}

/// DER does not say what it is: each form is tried.
fn from_der(der: &[u8], password: Option<&str>) -> Result<PrivateKey, CertError> {
    if !looks_like_der(der) {
        return Err(CertError::NoKey);
    }
    if encrypted::is_encrypted(der) {
        return from_encrypted(der, needed(password)?);
    }
    PrivateKey::from_pkcs8(Zeroizing::new(der.to_vec()))
        .or_else(|error| PrivateKey::from_pkcs1(der).map_err(|_| error))
        .or_else(|error| PrivateKey::from_sec1(der).map_err(|_| error))
}

fn from_encrypted(der: &[u8], password: &str) -> Result<PrivateKey, CertError> {
    let clear = encrypted::decrypt(der, password)?;
    PrivateKey::from_pkcs8(clear.clone()).map_err(|_| wrong_or_odd(&clear))
}

/// Why decrypted bytes are no key: noise comes from a wrong password, a structure does not.
fn wrong_or_odd(clear: &[u8]) -> CertError {
    match Any::from_der(clear) {
        Ok((rest, any)) if rest.is_empty() && any.tag() == Tag::Sequence => CertError::Key {
            reason: "it was decrypted, but is of a kind or size that cannot sign here".to_owned(),
        },
        _ => CertError::WrongPassword,
    }
}

fn needed(password: Option<&str>) -> Result<&str, CertError> {
    password.ok_or(CertError::PasswordNeeded)
}
