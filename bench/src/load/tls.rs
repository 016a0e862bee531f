//! Certificates made for the run, and the TLS settings of callers and peers.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::trouble::Trouble;

/// How a caller shakes hands. Always TLS 1.3 with P-256 certificates on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// In full, over X25519.
    Full,
    /// In full, over the post-quantum hybrid X25519MLKEM768.
    Hybrid,
    /// By a ticket of an earlier connection of the same caller, where the peer gave one.
    Resumed,
}

/// What a caller shows and whom it trusts, as PEM files.
#[derive(Clone, Debug)]
pub struct Passport {
    /// The CA of the peer's certificate.
    pub ca: PathBuf,
    /// The caller's certificate.
    pub cert: PathBuf,
    /// The caller's key.
    pub key: PathBuf,
}

impl Passport {
    /// The TLS settings of one caller; sessions are its own.
    ///
    /// # Errors
    /// When a file is missing or not what it should be.
    pub fn client(&self, handshake: Handshake) -> Result<ClientConfig, Trouble> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.ca)?)?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider(handshake)))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_client_auth_cert(
                read_chain(&self.cert)?,
                PrivateKeyDer::from_pem_file(&self.key)?,
            )?;
        config.resumption = match handshake {
            Handshake::Full | Handshake::Hybrid => Resumption::disabled(),
            Handshake::Resumed => Resumption::in_memory_sessions(4),
        };
        Ok(config)
    }
}

/// The one provider, offering the key exchange that is to be measured.
fn provider(handshake: Handshake) -> CryptoProvider {
    let kx_groups = match handshake {
        Handshake::Full | Handshake::Resumed => vec![aws_lc_rs::kx_group::X25519],
        Handshake::Hybrid => vec![aws_lc_rs::kx_group::X25519MLKEM768],
    };
    CryptoProvider {
        kx_groups,
        ..aws_lc_rs::default_provider()
    }
}

/// The certificates in a PEM file.
///
/// # Errors
/// When it cannot be read.
pub fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Trouble> {
    let pem = fs::read(path)?;
    Ok(CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>()?)
}
