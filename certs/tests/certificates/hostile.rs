//! Noise and damaged files: an error, never a panic.

use certs::{
    CertificateDer, CertificateInfo, ImportWish, PeerName, classify, load_certificates,
    load_pkcs12, load_private_key, load_revocation_lists,
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::workshop::{file, now, today, trusting};

/// Everything that reads bytes from outside, but for keystores.
fn read_all(bytes: &[u8]) {
    let _ = load_certificates(bytes);
    let _ = load_revocation_lists(bytes);
    let _ = load_private_key(bytes, None);
    let certificate = CertificateDer::from(bytes);
    let _ = CertificateInfo::parse(&certificate);
    let _ = PeerName::parse(&certificate);
    let _ = classify(&certificate, ImportWish::Auto, now());
    let _ = trusting(&[], &["ca"]).verify(&[certificate], today());
}

/// The DER of a PEM file's first section.
fn der(name: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(file(name));
    rustls_pki_types::pem::PemObject::from_pem_slice(text.as_bytes())
        .map(|der: CertificateDer<'_>| der.to_vec())
        .unwrap()
}

fn damaged(good: &[u8], damage: &[(Index, u8)]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for (at, value) in damage {
        bytes[at.index(good.len())] = *value;
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn noise_is_an_error(bytes in vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
        prop_assert!(load_pkcs12(&bytes, "keystore").is_err());
    }

    #[test]
    fn a_damaged_certificate_is_read_or_refused(damage in vec(any::<(Index, u8)>(), 1..6)) {
        for name in ["seed.crt", "client.crt", "own-v1.crt", "multi-valued.crt"] {
            read_all(&damaged(&der(name), &damage));
            read_all(&damaged(file(name), &damage));
        }
    }

    #[test]
    fn a_damaged_key_or_list_is_read_or_refused(damage in vec(any::<(Index, u8)>(), 1..6)) {
        for name in ["p256-pkcs8.der", "p256-sec1.der", "rsa-pkcs1.der", "rsa-pkcs8.key", "ca.crl"] {
            read_all(&damaged(file(name), &damage));
        }
        let _ = load_private_key(&damaged(file("rsa-traditional-des3.key"), &damage), Some("passtrix"));
    }
}
