//! OCSP against `openssl ocsp` as responder.

mod revocation_support;

use certs::{
    Decision, HttpProxy, NonceUse, OcspChecker, OcspFailure, OcspMode, OcspSettings, OcspStatus,
    RevocationReason,
};

use revocation_support::{Authority, Reply, Server, now};

fn checker() -> OcspChecker {
    OcspChecker::new(OcspSettings::default())
}

#[tokio::test]
async fn openssls_responder_tells_good_revoked_and_unknown_apart() {
    let authority = Authority::new();
    let responder = authority.responder("ca");
    let (url, issuer) = (responder.url(), authority.certificate());
    let checker = checker();

    let good = checker
        .check(&authority.leaf("1001", &[&url]), &issuer, now())
        .await;
    let revoked = checker
        .check(&authority.leaf("1002", &[&url]), &issuer, now())
        .await;
    let unknown = checker
        .check(&authority.leaf("1003", &[&url]), &issuer, now())
        .await;

    let OcspStatus::Good { until } = good else {
        panic!("{good:?}");
    };
    assert!((now() + 3500..=now() + 3600).contains(&until));
    assert_eq!(
        revoked,
        OcspStatus::Revoked {
            since: 1_735_689_600,
            reason: RevocationReason::KeyCompromise
        }
    );
    assert_eq!(unknown, OcspStatus::Unknown(OcspFailure::NotKnown));
    assert_eq!(unknown.decision(OcspMode::Hard), Decision::Refuse);
    assert_eq!(unknown.decision(OcspMode::Soft), Decision::AllowUnchecked);
}

#[tokio::test]
async fn a_responder_that_the_issuer_appointed_is_believed() {
    let authority = Authority::new();
    authority.issue(
        "signer",
        "77",
        "extendedKeyUsage=OCSPSigning\nkeyUsage=digitalSignature\n",
    );
    let responder = authority.responder("signer");
    let leaf = authority.leaf("1001", &[&responder.url()]);

    let status = checker()
        .check(&leaf, &authority.certificate(), now())
        .await;

    assert!(matches!(status, OcspStatus::Good { .. }), "{status:?}");
}

#[tokio::test]
async fn a_certificate_without_the_appointment_vouches_for_nobody() {
    let authority = Authority::new();
    for (serial, extensions) in [
        ("78", "basicConstraints=CA:FALSE\n"),
        ("79", "extendedKeyUsage=clientAuth,serverAuth\n"),
        ("7a", "extendedKeyUsage=anyExtendedKeyUsage\n"),
        (
            "7b",
            "extendedKeyUsage=OCSPSigning\nbasicConstraints=critical,CA:TRUE\n",
        ),
        (
            "7c",
            "extendedKeyUsage=OCSPSigning\nkeyUsage=keyAgreement\n",
        ),
    ] {
        authority.issue(serial, serial, extensions);
        let responder = authority.responder(serial);
        let leaf = authority.leaf("1001", &[&responder.url()]);

        let status = checker()
            .check(&leaf, &authority.certificate(), now())
            .await;

        assert!(
            matches!(status, OcspStatus::Unknown(OcspFailure::Forged { .. })),
            "{extensions}: {status:?}"
        );
        assert_eq!(status.decision(OcspMode::Hard), Decision::Refuse);
    }
}

#[tokio::test]
async fn rsa_and_ed25519_authorities_are_believed() {
    for newkey in [
        &["rsa:2048"][..],
        &["ed25519"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ] {
        let authority = Authority::with_key(newkey);
        let responder = authority.responder("ca");
        let leaf = authority.leaf("1001", &[&responder.url()]);

        let status = checker()
            .check(&leaf, &authority.certificate(), now())
            .await;

        assert!(
            matches!(status, OcspStatus::Good { .. }),
            "{newkey:?}: {status:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_counts_until_the_next_is_due_and_no_longer() {
    let authority = Authority::new();
    let responder = authority.responder("ca");
    let leaf = authority.leaf("1001", &[&responder.url()]);
    let (checker, issuer) = (checker(), authority.certificate());
    let first = checker.check(&leaf, &issuer, now()).await;
    let OcspStatus::Good { until } = first else {
        panic!("{first:?}");
    };

    drop(responder);

    assert_eq!(checker.check(&leaf, &issuer, until - 1).await, first);
    let after = checker.check(&leaf, &issuer, until).await;
    assert!(
        matches!(after, OcspStatus::Unknown(OcspFailure::Unreachable { .. })),
        "{after:?}"
    );
}

#[tokio::test]
async fn a_revoked_certificate_stays_revoked_when_its_responder_falls_silent() {
    let authority = Authority::new();
    let responder = authority.responder("ca");
    let leaf = authority.leaf("1002", &[&responder.url()]);
    let (checker, issuer) = (checker(), authority.certificate());
    let revoked = checker.check(&leaf, &issuer, now()).await;

    drop(responder);

    assert_eq!(
        checker.check(&leaf, &issuer, now() + 1_000_000).await,
        revoked
    );
    assert_eq!(revoked.decision(OcspMode::Soft), Decision::Refuse);
}

#[tokio::test]
async fn a_certificate_without_responder_is_left_to_the_crls() {
    let authority = Authority::new();
    let leaf = authority.leaf("1001", &[]);

    let status = checker()
        .check(&leaf, &authority.certificate(), now())
        .await;

    assert_eq!(status, OcspStatus::NoResponder);
}

#[tokio::test]
async fn nobody_is_asked_when_switched_off() {
    let server = Server::start(|_| Reply::Silence).await;
    let authority = Authority::new();
    let leaf = authority.leaf("1001", &[&server.url()]);
    let checker = OcspChecker::new(OcspSettings {
        mode: OcspMode::Off,
        ..OcspSettings::default()
    });

    let status = checker.check(&leaf, &authority.certificate(), now()).await;

    assert_eq!(status, OcspStatus::Off);
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn the_second_responder_is_asked_when_the_first_is_dead() {
    let authority = Authority::new();
    let responder = authority.responder("ca");
    let leaf = authority.leaf("1001", &["http://127.0.0.1:1", &responder.url()]);

    let status = checker()
        .check(&leaf, &authority.certificate(), now())
        .await;

    assert!(matches!(status, OcspStatus::Good { .. }), "{status:?}");
}

#[tokio::test]
async fn a_proxy_gets_the_whole_address() {
    let authority = std::sync::Arc::new(Authority::new());
    let signing = std::sync::Arc::clone(&authority);
    let proxy =
        Server::start(move |request| Reply::ocsp(&signing.answer(request, "ca", &["-ndays", "1"])))
            .await;
    let leaf = authority.leaf("1001", &["http://ocsp.invalid:8888/way?x=y"]);
    let address: HttpProxy = format!("http://127.0.0.1:{}", proxy.port())
        .parse()
        .unwrap();
    let checker = OcspChecker::new(OcspSettings {
        proxy: Some(address.with_login("user", "word")),
        ..OcspSettings::default()
    });

    let status = checker.check(&leaf, &authority.certificate(), now()).await;

    assert!(matches!(status, OcspStatus::Good { .. }), "{status:?}");
    let heads = proxy.heads();
    let lines: Vec<&str> = heads[0].lines().collect();
    assert_eq!(lines[0], "POST http://ocsp.invalid:8888/way?x=y HTTP/1.1");
    assert!(lines.contains(&"host: ocsp.invalid:8888"));
    assert!(lines.contains(&"proxy-authorization: Basic dXNlcjp3b3Jk"));
}

#[tokio::test]
async fn a_request_without_nonce_is_answered_too() {
    let authority = Authority::new();
    let responder = authority.responder("ca");
    let leaf = authority.leaf("1001", &[&responder.url()]);
    for nonce in [NonceUse::Never, NonceUse::Send, NonceUse::Require] {
        let checker = OcspChecker::new(OcspSettings {
            nonce,
            ..OcspSettings::default()
        });

        let status = checker.check(&leaf, &authority.certificate(), now()).await;

        assert!(
            matches!(status, OcspStatus::Good { .. }),
            "{nonce:?}: {status:?}"
        );
    }
}

#[tokio::test]
async fn only_the_allowed_hosts_are_asked() {
    let server = Server::start(|_| Reply::Silence).await;
    let authority = Authority::new();
    let leaf = authority.leaf("1001", &[&server.url()]);
    let checker = OcspChecker::new(OcspSettings {
        allowed_hosts: Some(vec!["ocsp.example".to_owned()]),
        ..OcspSettings::default()
    });

    let status = checker.check(&leaf, &authority.certificate(), now()).await;

    let host = "127.0.0.1".to_owned();
    assert_eq!(
        status,
        OcspStatus::Unknown(OcspFailure::HostNotAllowed { host })
    );
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_responder_that_is_not_plain_http_is_refused_by_name() {
    let authority = Authority::new();
    let leaf = authority.leaf("1001", &["https://ocsp.example/"]);

    let status = checker()
        .check(&leaf, &authority.certificate(), now())
        .await;

    let url = "https://ocsp.example/".to_owned();
    assert_eq!(status, OcspStatus::Unknown(OcspFailure::Url { url }));
}

#[tokio::test]
async fn a_stranger_is_not_taken_for_the_issuer() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let server = Server::start(|_| Reply::Silence).await;
    let leaf = authority.leaf("1001", &[&server.url()]);
    let other = stranger.leaf("1", &[]);

    let status = checker().check(&leaf, &other, now()).await;

    assert_eq!(status, OcspStatus::Unknown(OcspFailure::NotIssuer));
    assert_eq!(server.count(), 0);
}
