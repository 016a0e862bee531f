//! Signatures of handshakes, verified by the peer's bare public key.
//!
//! The ready-made functions read the certificate again and refuse those of X.509 version 1,
//! which may be pinned. The key is the same in all of them.

use rustls::{
    CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme,
    client::danger::HandshakeSignatureValid, crypto::verify_tls13_signature_with_raw_key,
};
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use webpki::RawPublicKeyEntity;

use super::provider;
use crate::info;

/// TLS 1.2 (RFC 5246 §7.4.8): the scheme may stand for several curves.
pub(super) fn verify_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let der = public_key(certificate)?;
    let key = RawPublicKeyEntity::try_from(&der).map_err(|_| malformed())?;
    let candidates = provider()
        .signature_verification_algorithms
        .mapping
        .iter()
        .find_map(|&(scheme, algorithms)| (scheme == signed.scheme).then_some(algorithms))
        .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    candidates
        .iter()
        .any(|algorithm| {
            key.verify_signature(*algorithm, message, signed.signature())
                .is_ok()
        })
        .then(HandshakeSignatureValid::assertion)
        .ok_or_else(|| CertificateError::BadSignature.into())
}

/// TLS 1.3 (RFC 8446 §4.2.3): never PKCS#1 v1.5, never SHA-1, and the curve is the scheme's.
pub(super) fn verify_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let algorithms = provider().signature_verification_algorithms;
    verify_tls13_signature_with_raw_key(message, &public_key(certificate)?, signed, &algorithms)
}

/// The schemes that a peer may sign with.
pub(super) fn schemes() -> Vec<SignatureScheme> {
    provider()
        .signature_verification_algorithms
        .supported_schemes()
}

fn public_key(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    let parsed = info::parse_whole(certificate).map_err(|_| malformed())?;
    Ok(SubjectPublicKeyInfoDer::from(
        parsed.public_key().raw.to_vec(),
    ))
}

fn malformed() -> Error {
    CertificateError::BadEncoding.into()
}
