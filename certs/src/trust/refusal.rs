//! Why a peer's certificate is not accepted.

use std::sync::Arc;

use rustls::{CertificateError, OtherError};
use thiserror::Error;

use crate::KeyKind;

/// Why a peer's certificate is not accepted. [`code`](Self::code) names it in the audit trail;
/// the peer itself learns only that its certificate was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No certificate was shown.
    #[error("no certificate was shown")]
    NoCertificate,
    /// The certificate, or one beside it, cannot be read.
    #[error("the certificate is malformed")]
    Malformed,
    /// Bytes follow the certificate.
    #[error("bytes follow the certificate")]
    TrailingBytes,
    /// More certificates were shown than any honest chain has.
    #[error("more than {limit} certificates were shown")]
    TooMany {
        /// The most that are looked at.
        limit: usize,
    },
    /// It is not valid yet, or one of its issuers is not.
    #[error("the certificate is not valid before {not_before} (Unix time)")]
    NotYetValid {
        /// When it will be valid (Unix seconds).
        not_before: i64,
    },
    /// It has expired, or one of its issuers has.
    #[error("the certificate expired at {not_after} (Unix time)")]
    Expired {
        /// When it expired (Unix seconds).
        not_after: i64,
    },
    /// Its key can be broken.
    #[error("the certificate's key is too weak: {key}")]
    WeakKey {
        /// The key.
        key: KeyKind,
    },
    /// Its key is of a kind whose signatures cannot be verified here.
    #[error("the certificate's key is not supported: {key}")]
    UnsupportedKey {
        /// The key.
        key: KeyKind,
    },
    /// It is not pinned, and no trusted root issued it.
    #[error("the certificate is neither pinned nor issued by a trusted root")]
    UnknownIssuer,
    /// It is a CA's certificate and not pinned itself.
    #[error("the certificate says CA:TRUE and is not itself pinned: import it to pin it")]
    CaAsLeaf,
    /// It was issued by a certificate that is no CA's.
    #[error("the certificate's issuer is not a CA")]
    IssuerNotCa,
    /// It is of X.509 version 1 or 2 and not pinned.
    #[error("the certificate is of X.509 version 1: pin it, or issue it with version 3 extensions")]
    Version1,
    /// Its extended key usage does not allow showing it as a client.
    #[error("the certificate is not for client authentication (extendedKeyUsage)")]
    WrongPurpose,
    /// Its key usage does not allow signing a handshake.
    #[error("the certificate is not for digital signatures (keyUsage)")]
    WrongKeyUsage,
    /// It or one of its issuers is signed with SHA-1, MD5, a weak key or an unknown algorithm.
    #[error("the certificate is signed with an algorithm or key that is not accepted")]
    WeakSignature,
    /// The signature on it is false.
    #[error("the signature on the certificate is false")]
    BadSignature,
    /// An issuer's name constraints forbid it.
    #[error("the certificate's names are outside its issuer's name constraints")]
    NameConstraints,
    /// There are more issuers between it and the root than allowed.
    #[error("the certificate's chain is longer than its issuers allow")]
    PathTooLong,
    /// It has a critical extension that is not understood.
    #[error("the certificate has a critical extension that is not understood")]
    CriticalExtension,
    /// A revocation list names it, or one of its issuers.
    #[error("the certificate is revoked")]
    Revoked,
    /// No revocation list covers it, and the policy wants one.
    #[error("no revocation list covers the certificate")]
    RevocationUnknown,
    /// The revocation list that covers it is out of date.
    #[error("the revocation list of the certificate's issuer expired at {next_update} (Unix time)")]
    StaleRevocationList {
        /// When the next one was due (Unix seconds).
        next_update: i64,
    },
    /// The revocation list that covers it is not its issuer's, or malformed.
    #[error("the revocation list of the certificate's issuer is not genuine")]
    BadRevocationList,
    /// Verifying it would cost more than any honest chain does.
    #[error("the certificate's chain is too costly to verify")]
    TooCostly,
}

impl Refusal {
    /// A stable name for audit rows and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoCertificate => "no_certificate",
            Self::Malformed => "malformed",
            Self::TrailingBytes => "trailing_bytes",
            Self::TooMany { .. } => "too_many_certificates",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Expired { .. } => "expired",
            Self::WeakKey { .. } => "weak_key",
            Self::UnsupportedKey { .. } => "unsupported_key",
            Self::UnknownIssuer => "unknown_issuer",
            Self::CaAsLeaf => "ca_as_leaf",
            Self::IssuerNotCa => "issuer_not_ca",
            Self::Version1 => "x509_version_1",
            Self::WrongPurpose => "wrong_purpose",
            Self::WrongKeyUsage => "wrong_key_usage",
            Self::WeakSignature => "weak_signature",
            Self::BadSignature => "bad_signature",
            Self::NameConstraints => "name_constraints",
            Self::PathTooLong => "path_too_long",
            Self::CriticalExtension => "critical_extension",
            Self::Revoked => "revoked",
            Self::RevocationUnknown => "revocation_unknown",
            Self::StaleRevocationList { .. } => "stale_revocation_list",
            Self::BadRevocationList => "bad_revocation_list",
            Self::TooCostly => "too_costly",
        }
    }

    /// The refusal inside the error with which a handshake ended, if that is why it ended.
    #[must_use]
    pub fn in_handshake(error: &rustls::Error) -> Option<&Self> {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
                inner.downcast_ref()
            }
            rustls::Error::NoCertificatesPresented => Some(&Self::NoCertificate),
            _ => None,
        }
    }
}

impl From<Refusal> for rustls::Error {
    fn from(refusal: Refusal) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
    }
}

impl From<webpki::Error> for Refusal {
    fn from(error: webpki::Error) -> Self {
        use webpki::Error as E;
        match error {
            E::CertExpired { not_after, .. } => Self::Expired {
                not_after: seconds(not_after),
            },
            E::CertNotValidYet { not_before, .. } => Self::NotYetValid {
                not_before: seconds(not_before),
            },
            E::CrlExpired { next_update, .. } => Self::StaleRevocationList {
                next_update: seconds(next_update),
            },
            E::UnknownIssuer => Self::UnknownIssuer,
            E::CaUsedAsEndEntity => Self::CaAsLeaf,
            E::EndEntityUsedAsCa => Self::IssuerNotCa,
            E::UnsupportedCertVersion => Self::Version1,
            E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension => Self::WrongPurpose,
            E::UnsupportedSignatureAlgorithmContext(_)
            | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
            | E::SignatureAlgorithmMismatch => Self::WeakSignature,
            E::InvalidSignatureForPublicKey => Self::BadSignature,
            E::NameConstraintViolation | E::MalformedNameConstraint => Self::NameConstraints,
            E::PathLenConstraintViolated | E::MaximumPathDepthExceeded => Self::PathTooLong,
            E::UnsupportedCriticalExtension => Self::CriticalExtension,
            E::CertRevoked => Self::Revoked,
            E::UnknownRevocationStatus => Self::RevocationUnknown,
            E::IssuerNotCrlSigner
            | E::InvalidCrlSignatureForPublicKey
            | E::UnsupportedCrlSignatureAlgorithmContext(_)
            | E::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => Self::BadRevocationList,
            E::MaximumNameConstraintComparisonsExceeded
            | E::MaximumPathBuildCallsExceeded
            | E::MaximumSignatureChecksExceeded => Self::TooCostly,
            E::TrailingData(_) => Self::TrailingBytes,
            // Foreign and open-ended: whatever else there is concerns the structure.
            _ => Self::Malformed,
        }
    }
}

fn seconds(time: rustls_pki_types::UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
