//! A CA, a server certificate and a client certificate for the peers: P-256, made for the run.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};

use crate::load::Passport;
use crate::trouble::Trouble;

/// The files.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The server's certificate.
    pub cert: PathBuf,
    /// The server's key.
    pub key: PathBuf,
    /// The client's side, and the CA of both.
    pub passport: Passport,
}

/// The common name of the client certificate.
pub const CLIENT_NAME: &str = "bench";

impl Certificates {
    /// Makes them all in `dir`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn make(dir: &Path) -> Result<Self, Trouble> {
        fs::create_dir_all(dir)?;
        let ca = authority()?;
        let ca_path = dir.join("ca.pem");
        fs::write(&ca_path, ca.pem())?;
        let server = leaf(
            "server",
            &["localhost", "127.0.0.1"],
            ExtendedKeyUsagePurpose::ServerAuth,
        )?;
        let (cert, key) = signed(dir, "server", server, &ca)?;
        let client = leaf(CLIENT_NAME, &[], ExtendedKeyUsagePurpose::ClientAuth)?;
        let (client_cert, client_key) = signed(dir, CLIENT_NAME, client, &ca)?;
        let passport = Passport {
            ca: ca_path,
            cert: client_cert,
            key: client_key,
        };
        Ok(Self {
            cert,
            key,
            passport,
        })
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, Trouble> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "bench CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(CertifiedIssuer::self_signed(
        params,
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
    )?)
}

fn leaf(
    name: &str,
    hosts: &[&str],
    usage: ExtendedKeyUsagePurpose,
) -> Result<CertificateParams, Trouble> {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn signed(
    dir: &Path,
    name: &str,
    params: CertificateParams,
    ca: &CertifiedIssuer<'static, KeyPair>,
) -> Result<(PathBuf, PathBuf), Trouble> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let cert = params.signed_by(&key, ca)?;
    let (cert_path, key_path) = (
        dir.join(format!("{name}.crt")),
        dir.join(format!("{name}.key")),
    );
    fs::write(&cert_path, cert.pem())?;
    fs::write(&key_path, key.serialize_pem())?;
    Ok((cert_path, key_path))
}
