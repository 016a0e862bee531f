//! A certificate together with its private key: what one side shows to the other.

use std::{path::Path, sync::Arc};

use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use crate::{CertError, CertificateInfo, PrivateKey, info, load};

/// A certificate chain, its own certificate first, and the private key that belongs to it.
#[derive(Clone, Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKey,
}

impl Identity {
    /// Joins `chain` (own certificate first, then its issuers) and `key`.
    ///
    /// # Errors
    /// [`CertError::NoCertificate`] for an empty chain, [`CertError::KeyMismatch`] when `key`
    /// belongs to another certificate.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKey) -> Result<Self, CertError> {
        let own = chain
            .first()
            .ok_or(CertError::NoCertificate { hint: None })?;
        if key.belongs_to(own) {
            return Ok(Self { chain, key });
        }
        Err(CertError::KeyMismatch)
    }

    /// Joins `key` with its certificate among `certificates`, in whatever order they stand, and
    /// with that one's issuers as far as they are there.
    ///
    /// # Errors
    /// [`CertError::NoCertificate`] when there are none, [`CertError::KeyMismatch`] when `key`
    /// belongs to none of them.
    pub fn assemble(
        certificates: Vec<CertificateDer<'static>>,
        key: PrivateKey,
    ) -> Result<Self, CertError> {
        let chain = chain(certificates, &key)?;
        Ok(Self { chain, key })
    }

    /// Reads a certificate file and a key file (see [`load_private_key`](crate::load_private_key)).
    ///
    /// # Errors
    /// [`CertError`], among them [`CertError::File`] with the path that cannot be read.
    pub fn from_files(
        certificate: &Path,
        key: &Path,
        password: Option<&str>,
    ) -> Result<Self, CertError> {
        let chain = load::certificates(&load::file(certificate)?)?;
        let key = load::private_key(&load::file(key)?, password)?;
        Self::assemble(chain, key)
    }

    /// The chain, own certificate first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The own certificate.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "`new` admits no empty chain")]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.chain[0]
    }

    /// The private key.
    #[must_use]
    pub const fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// What the own certificate says.
    ///
    /// # Errors
    /// [`CertError::Certificate`] when it cannot be read.
    pub fn info(&self) -> Result<CertificateInfo, CertError> {
        CertificateInfo::parse(self.certificate())
    }

    pub(crate) fn certified_key(&self) -> Result<Arc<CertifiedKey>, CertError> {
        let signer = self.key.signer()?;
        Ok(Arc::new(CertifiedKey::new(self.chain.clone(), signer)))
    }
}

/// The certificate of `key`, then its issuers as far as `certificates` holds them.
fn chain(
    mut certificates: Vec<CertificateDer<'static>>,
    key: &PrivateKey,
) -> Result<Vec<CertificateDer<'static>>, CertError> {
    if certificates.is_empty() {
        return Err(CertError::NoCertificate { hint: None });
    }
    let own = certificates
        .iter()
        .position(|certificate| key.belongs_to(certificate));
    let mut chain = vec![certificates.swap_remove(own.ok_or(CertError::KeyMismatch)?)];
    while let Some(issuer) = chain.last().and_then(|last| issuer_of(last, &certificates)) {
        chain.push(certificates.swap_remove(issuer));
    }
    Ok(chain)
}

fn issuer_of(certificate: &CertificateDer<'_>, among: &[CertificateDer<'_>]) -> Option<usize> {
    let parsed = info::parse_whole(certificate).ok()?;
    let issuer = parsed.issuer().as_raw();
    among.iter().position(|candidate| {
        info::parse_whole(candidate).is_ok_and(|candidate| candidate.subject().as_raw() == issuer)
    })
}
