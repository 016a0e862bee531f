//! PKCS#12, as the manual makes it and as we do.

use std::{fs, process::Command};

use certs::{CertError, load_pkcs12, write_pkcs12};

use crate::workshop::{certificate, file, identity};

#[test]
fn what_openssl_exports_is_read_old_and_new() {
    for name in ["seed.p12", "seed-legacy.p12"] {
        let identity = load_pkcs12(file(name), "keystore").unwrap();

        assert_eq!(identity.chain(), [certificate("seed")], "{name}");
    }
}

#[test]
fn a_chain_comes_out_in_order() {
    let identity = load_pkcs12(file("chain.p12"), "keystore").unwrap();

    assert_eq!(
        identity.chain(),
        [
            certificate("client-sub"),
            certificate("sub"),
            certificate("ca")
        ]
    );
}

#[test]
fn a_wrong_password_is_called_wrong() {
    for name in ["seed.p12", "seed-legacy.p12"] {
        for wrong in ["", "passtrix", "Keystore"] {
            let answer = load_pkcs12(file(name), wrong);

            assert!(
                matches!(answer, Err(CertError::WrongPassword)),
                "{name}: {answer:?}"
            );
        }
    }
}

#[test]
fn a_file_without_mac_is_refused() {
    let answer = load_pkcs12(file("seed-nomac.p12"), "keystore");

    assert!(matches!(answer, Err(CertError::NoMac)), "{answer:?}");
}

#[test]
fn a_file_without_key_is_refused() {
    let answer = load_pkcs12(file("nokey.p12"), "keystore");

    assert!(matches!(answer, Err(CertError::NoKey)), "{answer:?}");
}

#[test]
fn an_altered_file_is_refused_at_every_byte() {
    let good = file("seed.p12");
    for at in (0..good.len()).step_by(41) {
        let mut bad = good.to_vec();
        bad[at] ^= 1;

        // What stands outside the MAC (the MAC's own name, for one) may not change the answer.
        if let Ok(identity) = load_pkcs12(&bad, "keystore") {
            assert_eq!(identity.chain(), [certificate("seed")], "byte {at}");
        }
    }
}

#[test]
fn bytes_after_the_file_are_refused() {
    let longer = [file("seed.p12"), b"\0"].concat();

    let answer = load_pkcs12(&longer, "keystore");

    assert!(
        matches!(answer, Err(CertError::TrailingBytes { count: 1, .. })),
        "{answer:?}"
    );
}

#[test]
fn other_files_are_no_keystore() {
    for bytes in [
        b"".as_slice(),
        b"hello",
        file("own-p256.cer"),
        file("seed.crt"),
    ] {
        assert!(load_pkcs12(bytes, "keystore").is_err());
    }
}

#[test]
fn what_we_write_we_read() {
    let identity = identity("own-p256", "p256");

    let written = write_pkcs12(&identity, "päß", "billing").unwrap();
    let read = load_pkcs12(&written, "päß").unwrap();

    assert_eq!(read.chain(), identity.chain());
    assert_eq!(read.key().expose_pem(), identity.key().expose_pem());
}

#[test]
fn what_we_write_openssl_reads() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("ours.p12");
    let written = write_pkcs12(&identity("own-p256", "p256"), "keystore", "billing").unwrap();
    fs::write(&path, &*written).unwrap();

    let out = Command::new("openssl")
        .args(["pkcs12", "-nodes", "-passin", "pass:keystore", "-in"])
        .arg(&path)
        .output()
        .unwrap();

    let text = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(text.contains("-----BEGIN PRIVATE KEY-----"));
    assert!(text.contains("-----BEGIN CERTIFICATE-----"));
}
