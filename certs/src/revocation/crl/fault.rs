//! What can be wrong with a CRL file, said so that an operator can mend it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file, or a CRL in it, that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlProblem {
    /// The file, or the directory itself.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: CrlFault,
    /// How many CRLs of an earlier loading stay in use in its place.
    pub kept: usize,
}

impl CrlProblem {
    pub(super) fn new(path: &Path, why: CrlFault) -> Self {
        Self {
            path: path.to_owned(),
            why,
            kept: 0,
        }
    }
}

impl fmt::Display for CrlProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A file's name may hold anything but NUL and `/`: debug form keeps it on one line.
        write!(f, "{:?}: {}", self.path, self.why)?;
        if self.kept > 0 {
            write!(f, "; its earlier content stays in use")?;
        }
        Ok(())
    }
}

/// Why a CRL cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CrlFault {
    /// The file or directory could not be read.
    #[error("cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    /// The file is larger than the limit.
    #[error("is larger than {limit} bytes")]
    TooLarge {
        /// The most bytes a file may have.
        limit: u64,
    },
    /// The directory holds more files than the limit; those at the end of the alphabet are not read.
    #[error("holds more than {limit} files; the others are not read")]
    TooManyFiles {
        /// The most files that are read.
        limit: usize,
    },
    /// The file holds more CRLs than the limit; those after it are not read.
    #[error("holds more than {limit} CRLs; the others are not read")]
    TooManyCrls {
        /// The most CRLs a file may hold.
        limit: usize,
    },
    /// The PEM armour is broken.
    #[error("is broken PEM: {0}")]
    Pem(String),
    /// The file is well-formed PEM of something else.
    #[error("holds no CRL (no `X509 CRL` block)")]
    NoCrl,
    /// The bytes are no DER-encoded CRL.
    #[error("is no CRL, neither PEM nor DER")]
    NotDer,
    /// Bytes follow the CRL.
    #[error("has bytes after the CRL; several CRLs in one file must be PEM")]
    Trailing,
    /// A version 1 CRL, as `openssl ca -gencrl` makes when no `crlnumber` is configured.
    #[error("is a version 1 CRL, without number: {HOW_TO_NUMBER}")]
    VersionOne,
    /// A version 2 CRL without extensions, as the same command makes when it must tell a reason.
    #[error("has no extensions, not even a number: {HOW_TO_NUMBER}")]
    NoExtensions,
    /// It does not say when the next one is due.
    #[error("does not say when the next CRL is due: make it again with `-crldays`")]
    NoNextUpdate,
    /// It only lists what changed since another one.
    #[error("is a delta CRL: a full one is needed")]
    Delta,
    /// It speaks for certificates of other issuers.
    #[error("is an indirect CRL, which is not supported: one CRL for each issuer is needed")]
    Indirect,
    /// It is signed with an algorithm that is no longer accepted.
    #[error(
        "is signed with an algorithm that is not accepted, such as SHA-1: set \
         `default_md = sha256` in openssl.cnf and make the CRL again"
    )]
    WeakSignature,
    /// The verifier refuses it for another reason.
    #[error("is refused: {0}")]
    Refused(String),
}

const HOW_TO_NUMBER: &str = "set `crlnumber = $dir/crlnumber` in the CA section of openssl.cnf, put \
     `01` into that file, and make the CRL again with `openssl ca -gencrl`";
