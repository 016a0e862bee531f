//! From files to certificates, revocation lists and keys. Bytes in, types out; the only disk
//! access is [`file`].

mod encrypted;
mod key;
mod pem;
mod pkcs12;
mod traditional;

pub use key::load_private_key as private_key;
pub(crate) use pem::to_pem;
pub use pkcs12::{load_pkcs12, write_pkcs12};

use std::{fs::File, io::Read, path::Path};

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use webpki::OwnedCertRevocationList;
use x509_parser::{prelude::FromDer, revocation_list::CertificateRevocationList};
use zeroize::Zeroizing;

use crate::{CertError, info};

/// Reads certificates: a PEM bundle (text around the sections is skipped), or one in DER, as
/// `.pem`, `.crt` and `.cer` files hold them. The order is kept.
///
/// # Errors
/// [`CertError::NoCertificate`] when there is none, [`CertError::Certificate`] or
/// [`CertError::TrailingBytes`] when one is malformed, [`CertError::TooLarge`] above 16 MiB.
pub fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertError> {
    within_limit(bytes)?;
    let found = if pem::is_pem(bytes) {
        pem::sections(bytes, &["CERTIFICATE", "X509 CERTIFICATE"])?
    } else {
        vec![Zeroizing::new(bytes.to_vec())]
    };
    if found.is_empty() {
        return Err(CertError::NoCertificate {
            hint: pem::hint(bytes),
        });
    }
    found
        .into_iter()
        .enumerate()
        .map(|(at, der)| certificate(&der, at + 1))
        .collect()
}

fn certificate(der: &[u8], position: usize) -> Result<CertificateDer<'static>, CertError> {
    let certificate = CertificateDer::from(der.to_vec());
    match info::parse_whole(&certificate) {
        Ok(_) => Ok(certificate),
        Err(CertError::Certificate { .. }) if !looks_like_der(der) => {
            Err(CertError::NoCertificate { hint: None })
        }
        Err(CertError::Certificate { reason, .. }) => {
            Err(CertError::Certificate { position, reason })
        }
        Err(other) => Err(other),
    }
}

/// Reads revocation lists: PEM or one in DER.
///
/// # Errors
/// [`CertError::Crl`] when one is malformed or none is there, [`CertError::CrlVersion`] when
/// one is of version 1 or has no number: these are what `openssl ca -gencrl` makes without
/// configuration, and they cannot be verified by RFC 5280.
pub fn revocation_lists(
    bytes: &[u8],
) -> Result<Vec<CertificateRevocationListDer<'static>>, CertError> {
    within_limit(bytes)?;
    let found = if pem::is_pem(bytes) {
        pem::sections(bytes, &["X509 CRL"])?
    } else {
        vec![Zeroizing::new(bytes.to_vec())]
    };
    if found.is_empty() {
        return Err(CertError::Crl {
            reason: "the file holds none".to_owned(),
        });
    }
    found.iter().map(|der| revocation_list(der)).collect()
}

fn revocation_list(der: &[u8]) -> Result<CertificateRevocationListDer<'static>, CertError> {
    let malformed = |reason: String| CertError::Crl { reason };
    let (rest, parsed) =
        CertificateRevocationList::from_der(der).map_err(|error| malformed(error.to_string()))?;
    if !rest.is_empty() {
        return Err(CertError::TrailingBytes {
            what: "revocation list",
            count: rest.len(),
        });
    }
    if parsed.version().is_none_or(|version| version.0 != 1) || parsed.crl_number().is_none() {
        return Err(CertError::CrlVersion);
    }
    OwnedCertRevocationList::from_der(der).map_err(|error| malformed(format!("{error:?}")))?;
    Ok(CertificateRevocationListDer::from(der.to_vec()))
}

/// Reads a whole file of at most 16 MiB; what is read is wiped when dropped.
///
/// # Errors
/// [`CertError::File`] when it cannot be read, [`CertError::TooLarge`] when it is longer.
pub fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertError> {
    let failed = |source| CertError::File {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    // The whole capacity at once: a buffer that grows leaves unwiped copies behind.
    let capacity = usize::try_from(size)
        .unwrap_or(usize::MAX)
        .min(LARGEST_FILE);
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity + 1));
    let limit = u64::try_from(LARGEST_FILE).unwrap_or(u64::MAX);
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    within_limit(&bytes)?;
    Ok(bytes)
}

fn within_limit(bytes: &[u8]) -> Result<(), CertError> {
    if bytes.len() <= LARGEST_FILE {
        return Ok(());
    }
    Err(CertError::TooLarge {
        size: bytes.len(),
        limit: LARGEST_FILE,
    })
}

/// Whether this starts like a DER SEQUENCE.
fn looks_like_der(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30)
}

/// Revocation lists of large authorities have some MiB; nothing honest has more than this.
const LARGEST_FILE: usize = 16 * 1024 * 1024;
