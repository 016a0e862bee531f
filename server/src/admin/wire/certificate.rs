//! Certificates: those that prove a user, those that are trusted, those that are issued.

use serde::{Deserialize, Serialize};

use super::SecretText;

/// What proves a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCertificate {
    /// SHA-256 of the certificate, or of the CA.
    pub fingerprint: String,
    /// Whether any certificate from that CA with the user's name proves it, too.
    pub issuer: bool,
}

/// How a certificate is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrustKind {
    /// This very certificate and no other.
    Pin,
    /// A root: what it has signed is trusted.
    Ca,
}

/// A certificate of the truststore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedCertificate {
    /// SHA-256 of its DER.
    pub fingerprint: String,
    /// Pinned, or a CA root.
    pub kind: TrustKind,
    /// Whom it names.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// From when it is valid.
    pub not_before: String,
    /// Until when it is valid.
    pub not_after: String,
}

/// A certificate that has just been trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedCertificate {
    /// The certificate.
    pub certificate: TrustedCertificate,
    /// What was done, and how to do the other, in words.
    pub explanation: String,
    /// What is odd about it.
    pub warnings: Vec<String>,
}

/// A certificate to be trusted, or to prove a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCertificate {
    /// The certificate (PEM).
    pub pem: String,
    /// Whether it is a CA; if absent, it is one when it asserts keyCertSign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<bool>,
}

/// A client certificate that the built-in CA shall issue, with a new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewIssue {
    /// The user name: the certificate's CN.
    pub name: String,
    /// How many days the certificate shall be valid.
    pub days: u32,
}

/// A certificate from the built-in CA, with its key, which is kept nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The certificate (PEM).
    pub certificate: String,
    /// Its private key (PEM, not encrypted).
    pub key: SecretText,
    /// Its SHA-256.
    pub fingerprint: String,
    /// The CA's certificate (PEM).
    pub ca: String,
    /// Until when it is valid.
    pub not_after: String,
}

/// A certificate that proves a user from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundCertificate {
    /// The certificate.
    pub certificate: UserCertificate,
    /// Why the user may not be able to come in with it yet.
    pub warnings: Vec<String>,
}
