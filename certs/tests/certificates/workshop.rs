//! The files that openssl made, in memory, and the time at which they are looked at.

use std::{collections::HashMap, fs, process::Command, sync::LazyLock, time::Duration};

use certs::{
    Anchors, CertificateDer, CertificateInfo, Identity, PrivateKey, TrustStore, UnixTime,
    load_certificates, load_private_key,
};

static FILES: LazyLock<HashMap<String, Vec<u8>>> = LazyLock::new(make);

/// Runs `make.sh` in a directory of its own and keeps what it wrote.
fn make() -> HashMap<String, Vec<u8>> {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("make.sh"), include_str!("make.sh")).unwrap();
    let run = Command::new("sh")
        .arg("make.sh")
        .current_dir(place.path())
        .output()
        .unwrap_or_else(|error| panic!("these tests need sh and openssl: {error}"));
    assert!(
        run.status.success(),
        "openssl: {}",
        String::from_utf8_lossy(&run.stderr)
    );
    let files = fs::read_dir(place.path()).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    });
    files.collect()
}

/// A file by its name.
pub(crate) fn file(name: &str) -> &'static [u8] {
    FILES
        .get(name)
        .unwrap_or_else(|| panic!("make.sh makes no {name}"))
}

/// The certificate `NAME.crt`.
pub(crate) fn certificate(name: &str) -> CertificateDer<'static> {
    load_certificates(file(&format!("{name}.crt")))
        .unwrap()
        .remove(0)
}

/// The key `NAME.key`, in clear.
pub(crate) fn key(name: &str) -> PrivateKey {
    load_private_key(file(&format!("{name}.key")), None).unwrap()
}

/// `NAME.crt` with `KEY.key`.
pub(crate) fn identity(name: &str, of: &str) -> Identity {
    Identity::new(vec![certificate(name)], key(of)).unwrap()
}

/// Trusts the named certificates.
pub(crate) fn trusting(pins: &[&str], roots: &[&str]) -> TrustStore {
    TrustStore::new(anchors(pins, roots)).unwrap()
}

pub(crate) fn anchors(pins: &[&str], roots: &[&str]) -> Anchors {
    Anchors {
        pins: pins.iter().map(|name| certificate(name)).collect(),
        roots: roots.iter().map(|name| certificate(name)).collect(),
        ..Anchors::default()
    }
}

/// An hour after the certificates were made (Unix seconds).
pub(crate) fn now() -> i64 {
    CertificateInfo::parse(&certificate("seed"))
        .unwrap()
        .not_before
        + 3600
}

/// `now`, and so many days later.
pub(crate) fn days_later(days: i64) -> UnixTime {
    let seconds = u64::try_from(now() + days * 86_400).unwrap();
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

pub(crate) fn today() -> UnixTime {
    days_later(0)
}
