//! The small CA, judged by our own verifier and by openssl.

use std::{fs, process::Command};

use certs::{
    Anchors, CertError, CertificateAuthority, CommonName, Identity, KeyKind, PeerName, Refusal,
    Term, TrustStore, certificate_pem, self_signed,
};

use crate::workshop::{file, now, today};

fn authority() -> CertificateAuthority {
    CertificateAuthority::create("Test CA", now()).unwrap()
}

fn term() -> Term {
    Term {
        now: now(),
        days: 90,
    }
}

fn name(text: &str) -> CommonName {
    CommonName::parse(text).unwrap()
}

fn trusting(authority: &CertificateAuthority) -> TrustStore {
    TrustStore::new(Anchors {
        roots: vec![authority.certificate().clone()],
        ..Anchors::default()
    })
    .unwrap()
}

/// What `openssl verify -purpose PURPOSE` says of it.
fn openssl_accepts(authority: &CertificateAuthority, identity: &Identity, purpose: &str) -> bool {
    let place = tempfile::tempdir().unwrap();
    let (ca, own) = (place.path().join("ca.pem"), place.path().join("own.pem"));
    fs::write(&ca, authority.certificate_pem()).unwrap();
    fs::write(&own, certificate_pem(identity.certificate())).unwrap();
    let at = (now() + 60).to_string();
    let out = Command::new("openssl")
        .args([
            "verify",
            "-x509_strict",
            "-purpose",
            purpose,
            "-attime",
            &at,
            "-CAfile",
        ])
        .args([ca, own])
        .output()
        .unwrap();
    out.status.success()
}

#[test]
fn a_client_certificate_is_for_clients_only() {
    let authority = authority();

    let client = authority
        .issue_client(&name("billing"), Some("Example"), term())
        .unwrap();

    let info = client.info().unwrap();
    assert_eq!(info.subject, "O=Example,CN=billing");
    assert_eq!(info.is_ca, Some(false));
    assert_eq!(info.purposes, ["clientAuth"]);
    assert_eq!(info.key, KeyKind::P256);
    assert_eq!(info.not_after, now() + 90 * 86_400);
    assert!(trusting(&authority).verify(client.chain(), today()).is_ok());
    assert!(openssl_accepts(&authority, &client, "sslclient"));
    assert!(!openssl_accepts(&authority, &client, "sslserver"));
}

#[test]
fn a_server_certificate_is_for_servers_only() {
    let authority = authority();
    let hosts = ["vault.example", "localhost", "127.0.0.1", "::1"].map(str::to_owned);

    let server = authority.issue_server(&hosts, term()).unwrap();

    let info = server.info().unwrap();
    assert_eq!(
        info.alternative_names,
        [
            "DNS:vault.example",
            "DNS:localhost",
            "IP:127.0.0.1",
            "IP:::1"
        ]
    );
    assert_eq!(info.is_ca, Some(false));
    assert_eq!(info.purposes, ["serverAuth"]);
    assert!(openssl_accepts(&authority, &server, "sslserver"));
    assert!(!openssl_accepts(&authority, &server, "sslclient"));
    let answer = trusting(&authority).verify(server.chain(), today());
    assert_eq!(answer.unwrap_err(), Refusal::WrongPurpose);
}

#[test]
fn no_two_serial_numbers_are_alike() {
    let authority = authority();
    let serial = || {
        authority
            .issue_client(&name("a"), None, term())
            .unwrap()
            .info()
            .unwrap()
            .serial
    };

    let first = serial();

    assert_eq!(first.len(), 32);
    assert_ne!(first, serial());
}

#[test]
fn an_authority_is_taken_up_again_from_its_files() {
    let first = authority();
    let pem = first.certificate_pem();

    let second =
        CertificateAuthority::load(pem.as_bytes(), first.expose_key_pem().as_bytes(), None)
            .unwrap();
    let client = second.issue_client(&name("billing"), None, term()).unwrap();

    assert!(trusting(&first).verify(client.chain(), today()).is_ok());
    assert!(openssl_accepts(&first, &client, "sslclient"));
}

#[test]
fn an_authority_that_openssl_made_is_taken_up() {
    let authority = CertificateAuthority::load(file("ca.crt"), file("ca.key"), None).unwrap();

    let client = authority
        .issue_client(&name("Grüße"), None, term())
        .unwrap();

    assert!(trusting(&authority).verify(client.chain(), today()).is_ok());
    assert!(openssl_accepts(&authority, &client, "sslclient"));
}

#[test]
fn what_is_no_authority_is_not_taken_up() {
    let leaf = CertificateAuthority::load(file("client.crt"), file("p256.key"), None);
    let stranger = CertificateAuthority::load(file("ca.crt"), file("p256.key"), None);

    assert!(matches!(leaf, Err(CertError::Issue { .. })), "{leaf:?}");
    assert!(
        matches!(stranger, Err(CertError::KeyMismatch)),
        "{stranger:?}"
    );
}

#[test]
fn an_authority_cannot_make_another() {
    let authority = authority();

    assert_eq!(
        authority
            .issue_client(&name("a"), None, term())
            .unwrap()
            .info()
            .unwrap()
            .is_ca,
        Some(false)
    );
    let info = certs::CertificateInfo::parse(authority.certificate()).unwrap();
    assert_eq!(
        (info.is_ca, info.may_sign_certificates),
        (Some(true), Some(true))
    );
}

#[test]
fn impossible_requests_are_refused() {
    let authority = authority();
    let server = |hosts: &[&str]| {
        let hosts: Vec<_> = hosts.iter().map(|&host| host.to_owned()).collect();
        authority.issue_server(&hosts, term())
    };

    assert!(matches!(server(&[]), Err(CertError::Issue { .. })));
    assert!(matches!(
        server(&["no such host"]),
        Err(CertError::Issue { .. })
    ));
    assert!(matches!(
        server(&["a", "bad_\n"]),
        Err(CertError::Issue { .. })
    ));
    for days in [0, 36_501] {
        let answer = authority.issue_client(&name("a"), None, Term { now: now(), days });
        assert!(matches!(answer, Err(CertError::Issue { .. })));
    }
    let answer = authority.issue_client(&name("a"), Some(" blank"), term());
    assert!(matches!(answer, Err(CertError::Name(_))));
    assert!(matches!(
        CertificateAuthority::create("", now()),
        Err(CertError::Name(_))
    ));
}

#[test]
fn a_self_signed_certificate_serves_as_a_pin() {
    let identity = self_signed(&name("billing"), &["billing.example".to_owned()], term()).unwrap();
    let trust = TrustStore::new(Anchors {
        pins: identity.chain().to_vec(),
        ..Anchors::default()
    })
    .unwrap();

    let verified = trust.verify(identity.chain(), today()).unwrap();

    assert_eq!(
        verified.name(),
        PeerName::parse(identity.certificate()).as_ref()
    );
}

#[test]
fn an_authority_never_shows_its_key() {
    let authority = authority();
    let shown = format!("{authority:?}");

    assert!(!shown.contains("PRIVATE"));
    assert!(shown.starts_with("CertificateAuthority { certificate: CertificateDer("));
}
