//! Who a client says it is.

use std::fs;
use std::path::PathBuf;

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
}
