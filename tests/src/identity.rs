//! Who a client says it is.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate and its key, as files.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The common name in it.
    pub name: String,
    /// PEM file of the certificate, with its chain if it has one.
    pub cert: PathBuf,
    /// PEM file of the private key, not encrypted.
    pub key: PathBuf,
    /// PKCS#12 file with both.
    pub p12: Option<PathBuf>,
    /// What opens the PKCS#12 file.
    pub p12_password: String,
}

impl Identity {
    /// The certificate and its chain.
    ///
    /// # Panics
    /// When the file cannot be read.
    #[must_use]
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        let pem = fs::read(&self.cert).expect("the certificate file is there");
        CertificateDer::pem_slice_iter(&pem)
            .map(|cert| cert.expect("the PEM is sound"))
            .collect()
    }

    /// The private key.
    ///
    /// # Panics
    /// When the file cannot be read.
    #[must_use]
    pub fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_file(&self.key).expect("the key file is there")
    }

    /// The same with its files copied into `dir`, to outlive the workbench they were made on.
    ///
    /// # Panics
    /// When a file cannot be copied.
    #[must_use]
    pub fn kept_in(self, dir: &Path) -> Self {
        let place = |path: &Path| {
            let to = dir.join(path.file_name().expect("a file has a name"));
            fs::copy(path, &to).expect("the file can be copied");
            to
        };
        Self {
            cert: place(&self.cert),
            key: place(&self.key),
            p12: self.p12.as_deref().map(place),
            ..self
        }
    }
}
