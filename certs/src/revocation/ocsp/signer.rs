//! Who signed an answer, and whether they may (RFC 6960 §4.2.2.2).

use std::time::Duration;

use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Sequence};
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::certificate::X509Certificate;

use super::OcspFailure;
use super::certificate::{Question, key_hash, parse};
use super::wire::{Answer, SignerId};

/// That `answer` was signed by the issuer itself, or by a responder that the issuer appointed by a
/// certificate of its own: directly issued, in date, with the extended key usage OCSPSigning, and
/// not the very certificate that is asked about.
///
/// Whether an appointed responder was revoked itself is not asked: there is nobody to ask but
/// itself. Issuers give such certificates days, not years (RFC 6960 §4.2.2.2.1).
pub(super) fn verify(
    answer: &Answer<'_>,
    question: &Question,
    now_unix: i64,
) -> Result<(), OcspFailure> {
    let issuer = parse(&question.issuer).ok_or(OcspFailure::Certificate {
        which: "the certificate's issuer",
    })?;
    let mut last = forged("nobody whom the issuer appointed has the name it gives");
    if is_named(&issuer, answer.signer) {
        match signature(answer, &issuer) {
            Ok(()) => return Ok(()),
            // Two keys may bear one name: somebody appointed may have signed all the same.
            Err(why) => last = why,
        }
    }
    let others = answer
        .certificates
        .iter()
        .filter(|der| der.as_slice() != question.issuer.as_ref());
    for der in others.take(MAX_CERTIFICATES) {
        let der = CertificateDer::from(der.as_slice());
        let Some(certificate) = parse(&der) else {
            return Err(OcspFailure::Malformed {
                what: "responder's certificate",
            });
        };
        if !is_named(&certificate, answer.signer) {
            continue;
        }
        let checked = appointed(&der, &certificate, question, now_unix)
            .and_then(|()| signature(answer, &certificate));
        match checked {
            Ok(()) => return Ok(()),
            Err(why) => last = why,
        }
    }
    Err(last)
}

fn is_named(certificate: &X509Certificate<'_>, signer: SignerId<'_>) -> bool {
    match signer {
        SignerId::Name(name) => certificate.subject().as_raw() == name,
        SignerId::KeyHash(hash) => key_hash(certificate) == hash,
    }
}

/// That the issuer has made `der` a responder's certificate. The path is the shortest there is:
/// webpki gets no intermediates, and the issuer is its only root.
fn appointed(
    der: &CertificateDer<'_>,
    certificate: &X509Certificate<'_>,
    question: &Question,
    now_unix: i64,
) -> Result<(), OcspFailure> {
    if certificate.raw_serial() == question.id.serial {
        return Err(forged("a certificate cannot vouch for itself"));
    }
    if let Ok(Some(usage)) = certificate.key_usage()
        && !usage.value.digital_signature()
        && !usage.value.non_repudiation()
    {
        return Err(forged("the responder's key may not sign"));
    }
    let refused = |why: webpki::Error| forged(&format!("the responder's certificate: {why:?}"));
    let anchor = anchor_from_trusted_cert(&question.issuer).map_err(refused)?;
    let seconds = u64::try_from(now_unix).unwrap_or_default();
    EndEntityCert::try_from(der)
        .map_err(refused)?
        .verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &[anchor],
            &[],
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            KeyUsage::required(OCSP_SIGNING),
            None,
            None,
        )
        .map_err(refused)?;
    Ok(())
}

/// That the key of `certificate` has signed `answer`, with SHA-256 or better.
fn signature(answer: &Answer<'_>, certificate: &X509Certificate<'_>) -> Result<(), OcspFailure> {
    let key = PublicKey::from_der(certificate.public_key().raw)
        .map_err(|_| forged("the signer's key cannot be read"))?;
    let bits = key.bits.as_bytes().unwrap_or_default();
    let mut known = ALL_VERIFICATION_ALGS
        .iter()
        .filter(|known| known.signature_alg_id().as_ref() == answer.algorithm)
        .peekable();
    if known.peek().is_none() {
        return Err(OcspFailure::WeakSignature);
    }
    let signed = known
        .filter(|known| known.public_key_alg_id().as_ref() == key.algorithm.value())
        .any(|known| {
            known
                .verify_signature(bits, answer.signed, answer.signature)
                .is_ok()
        });
    signed
        .then_some(())
        .ok_or_else(|| forged("the signature is wrong"))
}

fn forged(why: &str) -> OcspFailure {
    OcspFailure::Forged {
        why: why.to_owned(),
    }
}

/// SubjectPublicKeyInfo (RFC 5280 §4.1).
#[derive(Sequence)]
struct PublicKey<'a> {
    algorithm: AnyRef<'a>,
    bits: BitStringRef<'a>,
}

/// The content of id-kp-OCSPSigning, 1.3.6.1.5.5.7.3.9.
const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];

/// Most certificates of an answer that are looked at: each costs a signature check or two.
const MAX_CERTIFICATES: usize = 4;
