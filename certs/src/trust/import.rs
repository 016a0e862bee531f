//! What an operator's `cert import FILE` makes of a certificate: a pin or a CA root.
//!
//! A self-signed application certificate made by `openssl req -new -x509` says `CA:TRUE`. Taken
//! for a CA, it would let that application sign itself any name. So a CA is made only of what
//! cannot be meant otherwise, or when the operator says so.

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use thiserror::Error;

use super::anchors::anchor;
use crate::{CertError, CertificateInfo, KeyKind, Strength};

/// What the operator asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportWish {
    /// `cert import FILE`: decide by the certificate.
    Auto,
    /// `cert import --ca FILE`: it is a CA.
    Ca,
}

/// What becomes of an imported certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportAs {
    /// It is accepted itself, byte for byte, and nothing that it signed.
    Pin,
    /// What it signs for clients is accepted.
    Root,
}

/// A certificate that may be imported, and what to tell the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// What becomes of it.
    pub as_what: ImportAs,
    /// What it says.
    pub info: CertificateInfo,
    /// In words: what was done, and how to do the other.
    pub explanation: String,
    /// What the operator should know beside that.
    pub warnings: Vec<Warning>,
}

/// Something odd about an imported certificate that does not stop it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// It expires within 30 days.
    ExpiresSoon {
        /// Whole days left.
        days: i64,
    },
    /// It is not valid yet.
    NotYetValid {
        /// When it will be (Unix seconds).
        not_before: i64,
    },
    /// It is of X.509 version 1 or 2, and pinned.
    Version1,
    /// A CA without extensions: it cannot limit what it signs.
    OldShape,
    /// A CA that may sign other CAs without limit is nothing odd, but one that did not sign
    /// itself is: its own issuer cannot revoke it here.
    Intermediate,
}

impl Warning {
    /// The warning in words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::ExpiresSoon { days } => format!("it expires in {days} days"),
            Self::NotYetValid { not_before } => {
                format!(
                    "it is not valid before {}: until then it is refused",
                    day(*not_before)
                )
            }
            Self::Version1 => {
                "it is of X.509 version 1: this pin works, and under an imported CA it is refused"
                    .into()
            }
            Self::OldShape => {
                "it has no basicConstraints extension, as CAs have had since 1999".into()
            }
            Self::Intermediate => {
                "it is an intermediate CA: its own issuer's revocation lists do not reach it here"
                    .into()
            }
        }
    }
}

/// Why a certificate is not imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] CertError),
    /// It has expired.
    #[error("the certificate {subject} expired on {}: it would never be accepted", day(*.not_after))]
    Expired {
        /// Its subject.
        subject: String,
        /// When it expired (Unix seconds).
        not_after: i64,
    },
    /// Its key can be broken.
    #[error(
        "the key of {subject} is {key}, which can be broken: make one with at least 2048 bits (RSA) or use P-256"
    )]
    WeakKey {
        /// Its subject.
        subject: String,
        /// Its key.
        key: KeyKind,
    },
    /// Its key is of a kind whose signatures cannot be verified here.
    #[error(
        "the key of {subject} is {key}, which is not supported: use RSA (2048 to 8192 bits), P-256, P-384, P-521 or Ed25519"
    )]
    UnsupportedKey {
        /// Its subject.
        subject: String,
        /// Its key.
        key: KeyKind,
    },
    /// It was to be a CA root, and cannot be one.
    #[error("{subject} cannot be used as a CA")]
    UnusableCa {
        /// Its subject.
        subject: String,
        /// What is wrong with it.
        #[source]
        source: CertError,
    },
    /// `--ca` was given, and the certificate says that it is no CA.
    #[error(
        "{subject} says that it is no CA ({reason}): import it without --ca to accept the certificate itself"
    )]
    NotCa {
        /// Its subject.
        subject: String,
        /// Which extension says so.
        reason: &'static str,
    },
}

/// Decides what importing `certificate` at `now` (Unix seconds) means.
///
/// # Errors
/// [`ImportError`], in words for the operator.
pub fn classify(
    certificate: &CertificateDer<'_>,
    wish: ImportWish,
    now: i64,
) -> Result<Import, ImportError> {
    let info = CertificateInfo::parse(certificate)?;
    sound(&info, now)?;
    let as_what = match wish {
        ImportWish::Ca => {
            may_be_ca(&info)?;
            ImportAs::Root
        }
        ImportWish::Auto if is_ca_beyond_doubt(&info) => ImportAs::Root,
        ImportWish::Auto => ImportAs::Pin,
    };
    if as_what == ImportAs::Root {
        // One root that cannot be used would stop every later change of what is trusted.
        anchor(certificate).map_err(|source| ImportError::UnusableCa {
            subject: info.subject.clone(),
            source,
        })?;
    }
    Ok(Import {
        as_what,
        explanation: explanation(&info, as_what),
        warnings: warnings(&info, as_what, now),
        info,
    })
}

fn sound(info: &CertificateInfo, now: i64) -> Result<(), ImportError> {
    let subject = info.subject.clone();
    let key = info.key.clone();
    if info.not_after < now {
        return Err(ImportError::Expired {
            subject,
            not_after: info.not_after,
        });
    }
    match key.strength() {
        Strength::Enough => Ok(()),
        Strength::Weak => Err(ImportError::WeakKey { subject, key }),
        Strength::Unsupported => Err(ImportError::UnsupportedKey { subject, key }),
    }
}

/// Only what asserts keyCertSign, is a CA by basicConstraints, and is not made for showing to
/// a server or client: some tools put keyCertSign into every self-signed certificate.
fn is_ca_beyond_doubt(info: &CertificateInfo) -> bool {
    info.may_sign_certificates == Some(true) && info.is_ca == Some(true) && info.purposes.is_empty()
}

fn may_be_ca(info: &CertificateInfo) -> Result<(), ImportError> {
    let reason = if info.is_ca == Some(false) {
        "basicConstraints CA:FALSE"
    } else if info.may_sign_certificates == Some(false) {
        "keyUsage without keyCertSign"
    } else {
        return Ok(());
    };
    Err(ImportError::NotCa {
        subject: info.subject.clone(),
        reason,
    })
}

fn explanation(info: &CertificateInfo, as_what: ImportAs) -> String {
    let subject = &info.subject;
    match as_what {
        ImportAs::Root => format!(
            "imported {subject} as a CA: every client certificate that it issues is trusted from now on. \
             If it is one application's own certificate, remove it and pin it under its user instead"
        ),
        ImportAs::Pin if info.is_ca == Some(true) => format!(
            "pinned {subject}: exactly this certificate is trusted, and nothing that it signed. \
             If it is a CA whose certificates should be trusted, import it again with --ca"
        ),
        ImportAs::Pin => format!(
            "pinned {subject}: exactly this certificate is trusted. \
             To trust every certificate of its issuer instead, import the issuer's with --ca"
        ),
    }
}

fn warnings(info: &CertificateInfo, as_what: ImportAs, now: i64) -> Vec<Warning> {
    let soon = Warning::ExpiresSoon {
        days: info.days_left(now),
    };
    let early = Warning::NotYetValid {
        not_before: info.not_before,
    };
    let is_root = as_what == ImportAs::Root;
    [
        (info.days_left(now) < 30, soon),
        (info.not_before > now, early),
        (!is_root && info.version < 3, Warning::Version1),
        (is_root && info.is_ca.is_none(), Warning::OldShape),
        (is_root && !info.self_issued, Warning::Intermediate),
    ]
    .into_iter()
    .filter_map(|(holds, warning)| holds.then_some(warning))
    .collect()
}

fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| format!("{seconds} s after 1970"),
        |time| time.strftime("%Y-%m-%d").to_string(),
    )
}
