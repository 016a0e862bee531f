//! `claviger init`: keys, CA, server certificate, settings.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use certs::{CertificateAuthority, CertificateInfo, Fingerprint, Identity, Term};
use zeroize::Zeroizing;

use crate::app::folder::make_private;
use crate::app::house::{House, blocking, master_source};
use crate::app::{AppError, DataFolder};
use crate::config::Config;
use crate::crypto::{KeyRing, RecoveryCode};
use crate::domain;
use crate::vault::{Clock, SystemClock};

/// What was made.
#[derive(Debug)]
pub struct InitReport {
    /// Opens the keys when the master key is lost: shown once, kept nowhere.
    pub recovery_code: RecoveryCode,
    /// The SHA-256 of the built-in CA's certificate.
    pub authority: String,
    /// The names and addresses in the server's certificate.
    pub hosts: Vec<String>,
}

/// Makes a data directory for a server that is called `hosts`, beside localhost. One that a crash
/// left half-made is finished.
///
/// # Errors
/// [`AppError::Exists`] when it is there already; [`AppError::File`]; [`AppError::Keys`].
pub async fn init(folder: &DataFolder, hosts: &[String]) -> Result<InitReport, AppError> {
    if folder.is_whole() {
        return Err(AppError::Exists(folder.path().to_owned()));
    }
    folder.make()?;
    let config = settings(folder)?;
    let (keys, recovery_code) = keys(folder, &config).await?;
    let house = House::open(folder, &config, keys).await?;
    let report = furnish(folder, &config, &house, hosts).await;
    house.close("init").await?;
    let (authority, hosts) = report?;
    Ok(InitReport {
        recovery_code,
        authority,
        hosts,
    })
}

/// Reads `claviger.toml`, or writes one with every setting explained.
fn settings(folder: &DataFolder) -> Result<Config, AppError> {
    let path = folder.path().join(Config::FILE);
    if !path.exists() {
        write_private(&path, Config::default().to_commented_toml().as_bytes())?;
    }
    Ok(Config::load(folder.path())?)
}

async fn keys(folder: &DataFolder, config: &Config) -> Result<(KeyRing, RecoveryCode), AppError> {
    let source = master_source(folder, config)?;
    let (data, half_made) = (folder.path().to_owned(), folder.has_keys());
    let made = blocking(move || {
        let master = source.establish()?;
        if half_made {
            let ring = KeyRing::unlock(&data, &source)?;
            // The first code was never shown.
            let code = ring.renew(&master)?;
            return Ok((ring, code));
        }
        KeyRing::create(&data, &master, SystemClock.now())
    });
    made.await?.map_err(AppError::Keys)
}

/// The built-in CA, trusted, and the server's certificate by it.
async fn furnish(
    folder: &DataFolder,
    config: &Config,
    house: &House,
    names: &[String],
) -> Result<(String, Vec<String>), AppError> {
    let failed = AppError::certificate;
    let now = SystemClock.now().unix_seconds();
    let authority = CertificateAuthority::create(AUTHORITY, now).map_err(failed("the CA"))?;
    let mut hosts: Vec<String> = names.to_vec();
    for always in ["localhost", "127.0.0.1", "::1"] {
        if !hosts.iter().any(|host| host == always) {
            hosts.push(always.to_owned());
        }
    }
    let term = Term {
        now,
        days: SERVER_DAYS,
    };
    let identity = authority
        .issue_server(&hosts, term)
        .map_err(failed("the server certificate"))?;
    write_identity(folder, config, &identity)?;
    make_private(&config.tls.crl_dir.within(folder.path()))?;
    let fingerprint = Fingerprint::of(authority.certificate());
    let pem = Zeroizing::new(
        [
            authority.certificate_pem().as_bytes(),
            authority.expose_key_pem().as_bytes(),
        ]
        .concat(),
    );
    house.vault.keep_certificate_authority(pem).await?;
    let operator = house.operator().await?;
    let info = CertificateInfo::parse(authority.certificate()).map_err(failed("the CA"))?;
    let print = domain::Fingerprint(*fingerprint.as_bytes());
    let trusted = (print, authority.certificate().as_ref());
    house
        .vault
        .trust_certificate(trusted, true, &info.subject, &operator)
        .await?;
    // Last: a directory with this file is whole.
    write_public(&folder.authority(), authority.certificate_pem().as_bytes())?;
    Ok((fingerprint.to_string(), hosts))
}

fn write_identity(
    folder: &DataFolder,
    config: &Config,
    identity: &Identity,
) -> Result<(), AppError> {
    let certificate = config.tls.certificate.within(folder.path());
    let key = config.tls.key.within(folder.path());
    for path in [&certificate, &key] {
        if let Some(parent) = path.parent() {
            make_private(parent)?;
        }
    }
    write_private(&key, identity.key().expose_pem().as_bytes())?;
    write_public(
        &certificate,
        certs::certificate_pem(identity.certificate()).as_bytes(),
    )
}

pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), AppError> {
    write(path, bytes, 0o600)
}

fn write_public(path: &Path, bytes: &[u8]) -> Result<(), AppError> {
    write(path, bytes, 0o644)
}

/// Writes a whole file or none: a half-made directory is finished by the next `init`.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), AppError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.new"));
    let failed = || AppError::file(path);
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&beside);
    let mut file = opened.map_err(failed())?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed())?;
    fs::rename(&beside, path).map_err(failed())
}

const AUTHORITY: &str = "Claviger built-in CA";
/// What clients still accept from a private CA (CA/Browser Forum Baseline Requirements 6.3.2).
const SERVER_DAYS: u32 = 825;
