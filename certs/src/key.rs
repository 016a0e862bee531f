//! A private key in memory: one form, wiped on drop, never printed.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::AsDer,
    rsa,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
        ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    },
};
use rustls::{crypto::aws_lc_rs::sign::any_supported_type, sign::SigningKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::{prelude::FromDer, x509::SubjectPublicKeyInfo};
use zeroize::Zeroizing;

use crate::{CertError, info, load};

/// A private key that can sign: RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519.
#[derive(Clone)]
pub struct PrivateKey(Zeroizing<Vec<u8>>);

impl PrivateKey {
    /// Takes a key in PKCS#8.
    ///
    /// # Errors
    /// [`CertError::Key`] when it is malformed or of a kind that cannot sign here.
    pub fn from_pkcs8(der: Zeroizing<Vec<u8>>) -> Result<Self, CertError> {
        let key = Self(der);
        key.signer().map(|_| key)
    }

    /// Takes an RSA key in PKCS#1 (RFC 8017 A.1.2).
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, CertError> {
        let pair = rsa::KeyPair::from_der(der).map_err(refused)?;
        let pkcs8 = pair.as_der().map_err(refused)?;
        Self::from_pkcs8(Zeroizing::new(pkcs8.as_ref().to_vec()))
    }

    /// Takes an elliptic-curve key in SEC1 (RFC 5915).
    pub(crate) fn from_sec1(der: &[u8]) -> Result<Self, CertError> {
        let curves = [
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            &ECDSA_P384_SHA384_ASN1_SIGNING,
            &ECDSA_P521_SHA512_ASN1_SIGNING,
        ];
        let pair = curves
            .into_iter()
            .find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, der).ok())
            .ok_or_else(|| refused("no elliptic-curve key on P-256, P-384 or P-521"))?;
        let pkcs8 = pair.to_pkcs8v1().map_err(refused)?;
        Self::from_pkcs8(Zeroizing::new(pkcs8.as_ref().to_vec()))
    }

    /// The key in PKCS#8, for whoever writes it to a file.
    #[must_use]
    pub fn expose_pkcs8(&self) -> &[u8] {
        &self.0
    }

    /// The key as an unencrypted PEM file.
    #[must_use]
    pub fn expose_pem(&self) -> Zeroizing<String> {
        load::to_pem("PRIVATE KEY", &self.0)
    }

    /// Whether `certificate` carries this key's public half.
    #[must_use]
    pub fn belongs_to(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok(parsed) = info::parse_whole(certificate) else {
            return false;
        };
        let Ok(signer) = self.signer() else {
            return false;
        };
        let own = signer.public_key();
        let own = own
            .as_ref()
            .and_then(|der| SubjectPublicKeyInfo::from_der(der).ok());
        own.is_some_and(|(_, own)| {
            let theirs = parsed.public_key();
            own.algorithm.algorithm == theirs.algorithm.algorithm
                && own.subject_public_key.data == theirs.subject_public_key.data
        })
    }

    pub(crate) fn signer(&self) -> Result<Arc<dyn SigningKey>, CertError> {
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.0.as_slice()));
        any_supported_type(&der).map_err(refused)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

fn refused(reason: impl fmt::Display) -> CertError {
    CertError::Key {
        reason: reason.to_string(),
    }
}
