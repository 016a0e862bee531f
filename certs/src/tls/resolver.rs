//! The server's own certificate, reloaded from its files without a restart.

use std::{fmt, path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use zeroize::Zeroizing;

use crate::{CertError, CertificateInfo, Identity};

/// Where the server's own certificate and key are kept.
pub struct IdentityFiles {
    /// The certificate, followed by its issuers (PEM or DER).
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// The password of the private key, when it is encrypted.
    pub password: Option<Zeroizing<String>>,
}

impl fmt::Debug for IdentityFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityFiles")
            .field("certificate", &self.certificate)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What the server shows of itself: a cheap handle that all doors share.
#[derive(Clone)]
pub struct ServerIdentity(Arc<Shared>);

struct Shared {
    files: Option<IdentityFiles>,
    current: ArcSwap<Shown>,
}

struct Shown {
    certified: Arc<CertifiedKey>,
    info: CertificateInfo,
}

impl ServerIdentity {
    /// Shows `identity` until it is [replaced](Self::replace).
    ///
    /// # Errors
    /// [`CertError::Certificate`] when its certificate cannot be read.
    pub fn new(identity: &Identity) -> Result<Self, CertError> {
        Self::with_files(None, &shown(identity)?)
    }

    /// Shows what `files` hold; [`reload`](Self::reload) reads them again.
    ///
    /// # Errors
    /// [`CertError`] when they cannot be read or do not belong together.
    pub fn from_files(files: IdentityFiles) -> Result<Self, CertError> {
        let first = shown(&read(&files)?)?;
        Self::with_files(Some(files), &first)
    }

    fn with_files(files: Option<IdentityFiles>, first: &Arc<Shown>) -> Result<Self, CertError> {
        Ok(Self(Arc::new(Shared {
            files,
            current: ArcSwap::new(Arc::clone(first)),
        })))
    }

    /// Reads the files again and shows what they hold to everybody who connects from now on.
    ///
    /// # Errors
    /// [`CertError`] when they cannot be read or do not belong together; the old identity is
    /// shown further.
    pub fn reload(&self) -> Result<CertificateInfo, CertError> {
        match &self.0.files {
            Some(files) => self.replace(&read(files)?),
            None => Ok(self.info()),
        }
    }

    /// Shows `identity` from now on.
    ///
    /// # Errors
    /// [`CertError::Certificate`] when its certificate cannot be read; the old one stays.
    pub fn replace(&self, identity: &Identity) -> Result<CertificateInfo, CertError> {
        let next = shown(identity)?;
        let info = next.info.clone();
        self.0.current.store(next);
        Ok(info)
    }

    /// What the certificate shown now says.
    #[must_use]
    pub fn info(&self) -> CertificateInfo {
        self.0.current.load().info.clone()
    }
}

impl ResolvesServerCert for ServerIdentity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.current.load().certified))
    }
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity")
            .field("subject", &self.0.current.load().info.subject)
            .finish_non_exhaustive()
    }
}

fn read(files: &IdentityFiles) -> Result<Identity, CertError> {
    let password = files.password.as_ref().map(|password| password.as_str());
    Identity::from_files(&files.certificate, &files.key, password)
}

fn shown(identity: &Identity) -> Result<Arc<Shown>, CertError> {
    Ok(Arc::new(Shown {
        certified: identity.certified_key()?,
        info: identity.info()?,
    }))
}
