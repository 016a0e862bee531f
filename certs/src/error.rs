//! Why a certificate, key or keystore could not be read, made or put to use.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::NameError;

/// What went wrong with a file, a key, or the making of a certificate.
///
/// What a peer did wrong is a [`Refusal`](crate::Refusal).
#[derive(Debug, Error)]
pub enum CertError {
    /// A file could not be read.
    #[error("cannot read {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The input is longer than any honest one.
    #[error("the file has {size} bytes; at most {limit} are read")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most bytes that are read.
        limit: usize,
    },
    /// There is no certificate in the input.
    #[error("the file holds no certificate, neither PEM nor DER{}", .hint.map_or(String::new(), |hint| format!(" ({hint})")))]
    NoCertificate {
        /// What the file seems to be.
        hint: Option<&'static str>,
    },
    /// A certificate cannot be read.
    #[error("certificate {position} of the file is malformed: {reason}")]
    Certificate {
        /// Which one, counted from 1.
        position: usize,
        /// What the parser met.
        reason: String,
    },
    /// Bytes follow the end of a DER structure.
    #[error("{count} bytes follow the end of the {what}")]
    TrailingBytes {
        /// What ended too early.
        what: &'static str,
        /// How many bytes.
        count: usize,
    },
    /// There is no revocation list in the input, or it cannot be read.
    #[error("the revocation list is malformed: {reason}")]
    Crl {
        /// What the parser met.
        reason: String,
    },
    /// The revocation list lacks what RFC 5280 §5.2.3 demands.
    #[error(
        "the revocation list is of version 1 or has no CRL number: make it with `openssl ca -gencrl` \
         and `crlnumber` and `crl_extensions` set in openssl.cnf"
    )]
    CrlVersion,
    /// There is no private key in the input.
    #[error("the file holds no private key")]
    NoKey,
    /// There is more than one private key in the input, and none can be preferred.
    #[error("the file holds more than one private key")]
    SeveralKeys,
    /// The private key cannot be read.
    #[error("the private key is malformed or of a kind that is not supported: {reason}")]
    Key {
        /// What is wrong with it.
        reason: String,
    },
    /// The key or keystore is encrypted and no password was given.
    #[error("the file is encrypted: a password is needed")]
    PasswordNeeded,
    /// The password does not open the key or keystore (or the file was altered).
    #[error("wrong password, or the file is damaged")]
    WrongPassword,
    /// The key or keystore is encrypted in a way that is not supported.
    #[error("the file is encrypted with {algorithm}, which is not supported")]
    Encryption {
        /// The algorithm's name or object identifier.
        algorithm: String,
    },
    /// The keystore carries no integrity check, so that anybody may have altered it.
    #[error(
        "the PKCS#12 file has no MAC: anybody may have altered it; export it again without -nomac"
    )]
    NoMac,
    /// The keystore cannot be read.
    #[error("the PKCS#12 file is malformed: {reason}")]
    Pkcs12 {
        /// What the parser met.
        reason: String,
    },
    /// The private key is not the certificate's.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// A name cannot stand in a certificate.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A certificate cannot be made.
    #[error("cannot make the certificate: {reason}")]
    Issue {
        /// Why not.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
}
