//! OCSP against responders that lie, stall, replay or talk nonsense.

#![expect(clippy::panic, reason = "a fixture that fails must fail the test")]

mod revocation_support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use certs::{Decision, NonceUse, OcspChecker, OcspFailure, OcspMode, OcspSettings, OcspStatus};

use revocation_support::{Authority, Reply, Server, now, within};

const LIMIT: Duration = Duration::from_secs(5);

fn impatient() -> OcspSettings {
    OcspSettings {
        timeout: Duration::from_millis(300),
        ..OcspSettings::default()
    }
}

/// Asks a server that answers like this about certificate 1001.
async fn ask(
    authority: &Authority,
    settings: OcspSettings,
    answer: impl Fn(&[u8]) -> Reply + Send + Sync + 'static,
) -> OcspStatus {
    let server = Server::start(answer).await;
    let leaf = authority.leaf("1001", &[&server.url()]);
    let checker = OcspChecker::new(settings);
    let status = within(LIMIT, checker.check(&leaf, &authority.certificate(), now())).await;
    assert_eq!(server.count(), 1);
    status
}

fn failure(status: OcspStatus) -> OcspFailure {
    assert_eq!(status.decision(OcspMode::Hard), Decision::Refuse);
    match status {
        OcspStatus::Unknown(why) => why,
        other => panic!("believed: {other:?}"),
    }
}

#[tokio::test]
async fn an_answer_signed_by_a_stranger_is_forged() {
    let authority = Arc::new(Authority::new());
    let stranger = Authority::new();
    stranger.issue("signer", "77", "extendedKeyUsage=OCSPSigning\n");
    // The stranger has the issuer's very name; only the key differs.
    for name in ["ca", "signer"] {
        let signer = stranger.path().join(name).to_str().unwrap().to_owned();
        for more in [&["-ndays", "1"][..], &["-ndays", "1", "-resp_key_id"]] {
            let (signing, signer) = (Arc::clone(&authority), signer.clone());

            let status = ask(&authority, OcspSettings::default(), move |request| {
                Reply::ocsp(&signing.answer(request, &signer, more))
            })
            .await;

            let why = failure(status);
            assert!(
                matches!(why, OcspFailure::Forged { .. }),
                "{name} {more:?}: {why:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_with_a_broken_signature_is_forged() {
    let authority = Arc::new(Authority::new());
    let signing = Arc::clone(&authority);

    let status = ask(&authority, OcspSettings::default(), move |request| {
        Reply::ocsp(&signing.answer(request, "ca", &["-ndays", "1", "-badsig"]))
    })
    .await;

    assert!(matches!(failure(status), OcspFailure::Forged { .. }));
}

#[tokio::test]
async fn an_answer_signed_with_sha1_or_md5_is_refused() {
    let authority = Arc::new(Authority::with_key(&["rsa:2048"]));
    for digest in ["sha1", "md5"] {
        let signing = Arc::clone(&authority);

        let status = ask(&authority, OcspSettings::default(), move |request| {
            Reply::ocsp(&signing.answer(request, "ca", &["-ndays", "1", "-rmd", digest]))
        })
        .await;

        assert_eq!(failure(status), OcspFailure::WeakSignature);
    }
}

#[tokio::test]
async fn a_certificate_does_not_vouch_for_itself() {
    let authority = Arc::new(Authority::new());
    let signing = Arc::clone(&authority);
    let server = Server::start(move |request| {
        Reply::ocsp(&signing.answer(request, "self", &["-ndays", "1"]))
    })
    .await;
    let extensions = format!(
        "extendedKeyUsage=clientAuth,OCSPSigning\nauthorityInfoAccess=OCSP;URI:{}\n",
        server.url()
    );
    let path = authority.issue("self", "1001", &extensions);
    let leaf = rustls_pki_types::pem::PemObject::from_pem_file(path).unwrap();
    let checker = OcspChecker::new(OcspSettings::default());

    let status = checker.check(&leaf, &authority.certificate(), now()).await;

    let why = "a certificate cannot vouch for itself".to_owned();
    assert_eq!(failure(status), OcspFailure::Forged { why });
}

#[tokio::test]
async fn an_appointment_ends_with_the_responders_certificate() {
    let authority = Arc::new(Authority::new());
    authority.issue("signer", "77", "extendedKeyUsage=OCSPSigning\n");
    let signing = Arc::clone(&authority);
    let server = Server::start(move |request| {
        Reply::ocsp(&signing.answer(request, "signer", &["-ndays", "60"]))
    })
    .await;
    let (leaf, issuer) = (
        authority.leaf("1001", &[&server.url()]),
        authority.certificate(),
    );
    let at = async |days: i64| {
        let checker = OcspChecker::new(OcspSettings::default());
        checker.check(&leaf, &issuer, now() + days * 86_400).await
    };

    let (before, after) = (at(19).await, at(21).await);

    assert!(matches!(before, OcspStatus::Good { .. }), "{before:?}");
    let OcspFailure::Forged { why } = failure(after) else {
        panic!("the answer is not forged");
    };
    assert!(why.contains("CertExpired"), "{why}");
}

#[tokio::test]
async fn an_old_answer_is_stale_and_a_future_one_early() {
    let authority = Arc::new(Authority::new());
    let signing = Arc::clone(&authority);
    let server =
        Server::start(move |request| Reply::ocsp(&signing.answer(request, "ca", &["-nmin", "60"])))
            .await;
    let (leaf, issuer) = (
        authority.leaf("1001", &[&server.url()]),
        authority.certificate(),
    );
    let at = async |moment: i64| {
        let checker = OcspChecker::new(OcspSettings::default());
        checker.check(&leaf, &issuer, moment).await
    };

    let within_skew = [at(now() + 3600 + 200).await, at(now() - 200).await];
    let (stale, early) = (at(now() + 3600 + 400).await, at(now() - 400).await);

    for status in within_skew {
        assert!(matches!(status, OcspStatus::Good { .. }), "{status:?}");
    }
    assert!(matches!(failure(stale), OcspFailure::Stale { .. }));
    assert!(matches!(failure(early), OcspFailure::Early { .. }));
}

#[tokio::test]
async fn an_answer_without_next_update_counts_for_the_configured_age() {
    let authority = Arc::new(Authority::new());
    let signing = Arc::clone(&authority);
    let server =
        Server::start(move |request| Reply::ocsp(&signing.answer(request, "ca", &[]))).await;
    let (leaf, issuer) = (
        authority.leaf("1001", &[&server.url()]),
        authority.certificate(),
    );
    let checker = OcspChecker::new(OcspSettings {
        max_age: Duration::from_secs(600),
        ..OcspSettings::default()
    });

    let status = checker.check(&leaf, &issuer, now()).await;

    let OcspStatus::Good { until } = status else {
        panic!("{status:?}");
    };
    assert!((now() + 590..=now() + 600).contains(&until));
}

#[tokio::test]
async fn the_answer_for_another_certificate_is_not_taken() {
    let authority = Arc::new(Authority::new());
    // Recorded while somebody asked about the valid certificate 1001 …
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let (signing, keeping) = (Arc::clone(&authority), Arc::clone(&recorded));
    let status = ask(&authority, no_nonce(), move |request| {
        let answer = signing.answer(request, "ca", &["-ndays", "1"]);
        keeping.lock().unwrap().clone_from(&answer);
        Reply::ocsp(&answer)
    })
    .await;
    assert!(matches!(status, OcspStatus::Good { .. }));

    // … and played to whoever asks about the revoked one.
    let server = Server::start(move |_| Reply::ocsp(&recorded.lock().unwrap())).await;
    let leaf = authority.leaf("1002", &[&server.url()]);
    let checker = OcspChecker::new(no_nonce());
    let status = checker.check(&leaf, &authority.certificate(), now()).await;

    assert_eq!(failure(status), OcspFailure::OtherCertificate);
}

fn no_nonce() -> OcspSettings {
    OcspSettings {
        nonce: NonceUse::Never,
        ..OcspSettings::default()
    }
}

#[tokio::test]
async fn the_answer_to_another_request_has_the_wrong_nonce() {
    let authority = Arc::new(Authority::new());
    let (signing, first) = (Arc::clone(&authority), Mutex::new(None));
    let server = Server::start(move |request| {
        let mut first = first.lock().unwrap();
        let answer = first.get_or_insert_with(|| signing.answer(request, "ca", &["-ndays", "1"]));
        Reply::ocsp(answer)
    })
    .await;
    let (leaf, issuer) = (
        authority.leaf("1001", &[&server.url()]),
        authority.certificate(),
    );
    let checker = OcspChecker::new(OcspSettings::default());
    assert!(matches!(
        checker.check(&leaf, &issuer, now()).await,
        OcspStatus::Good { .. }
    ));

    checker.forget();

    assert_eq!(
        failure(checker.check(&leaf, &issuer, now()).await),
        OcspFailure::Nonce
    );
}

#[tokio::test]
async fn a_missing_nonce_is_refused_only_when_required() {
    let authority = Arc::new(Authority::new());
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let (signing, keeping) = (Arc::clone(&authority), Arc::clone(&recorded));
    ask(&authority, no_nonce(), move |request| {
        let answer = signing.answer(request, "ca", &["-ndays", "1"]);
        keeping.lock().unwrap().clone_from(&answer);
        Reply::ocsp(&answer)
    })
    .await;
    for (nonce, is_good) in [(NonceUse::Send, true), (NonceUse::Require, false)] {
        let settings = OcspSettings {
            nonce,
            ..OcspSettings::default()
        };
        let replay = Arc::clone(&recorded);

        let status = ask(&authority, settings, move |_| {
            Reply::ocsp(&replay.lock().unwrap())
        })
        .await;

        assert_eq!(
            matches!(status, OcspStatus::Good { .. }),
            is_good,
            "{status:?}"
        );
        assert_eq!(status == OcspStatus::Unknown(OcspFailure::Nonce), !is_good);
    }
}

#[tokio::test]
async fn an_older_answer_does_not_undo_a_revocation() {
    let authority = Arc::new(Authority::new());
    let (signing, first) = (Arc::clone(&authority), Mutex::new(None));
    let server = Server::start(move |request| {
        // Good is recorded first; then the certificate is revoked; then the record is played.
        let mut first = first.lock().unwrap();
        match first.take() {
            None => {
                *first = Some(signing.answer(request, "ca", &["-ndays", "9"]));
                signing
                    .write_index("R\t491231235959Z\t250101000000Z\t1001\tunknown\t/CN=revoked\n");
                Reply::ocsp(&signing.answer(request, "ca", &["-nmin", "1"]))
            }
            Some(record) => Reply::ocsp(&record),
        }
    })
    .await;
    let (leaf, issuer) = (
        authority.leaf("1001", &[&server.url()]),
        authority.certificate(),
    );
    let checker = OcspChecker::new(no_nonce());
    let revoked = checker.check(&leaf, &issuer, now()).await;

    let replayed = checker.check(&leaf, &issuer, now() + 3600).await;

    assert!(matches!(revoked, OcspStatus::Revoked { .. }), "{revoked:?}");
    assert_eq!(replayed, revoked);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_responder_that_never_answers_costs_the_time_out_once() {
    let authority = Authority::new();
    let server = Server::start(|_| Reply::Silence).await;
    let (first, second) = (
        authority.leaf("1001", &[&server.url()]),
        authority.leaf("1002", &[&server.url()]),
    );
    let (checker, issuer) = (OcspChecker::new(impatient()), authority.certificate());
    let start = Instant::now();

    let late = within(LIMIT, checker.check(&first, &issuer, now())).await;

    assert_eq!(failure(late), OcspFailure::TimedOut);
    assert!(start.elapsed() >= Duration::from_millis(300));
    // Neither that certificate nor another one of that responder waits again so soon …
    let moment = now();
    assert_eq!(
        failure(checker.check(&first, &issuer, moment).await),
        OcspFailure::TimedOut
    );
    let resting = failure(checker.check(&second, &issuer, moment).await);
    assert_eq!(resting, OcspFailure::Resting { url: server.url() });
    assert_eq!(server.count(), 1);
    // … but after a while the responder is asked again.
    let again = within(LIMIT, checker.check(&first, &issuer, moment + 31)).await;
    assert_eq!(failure(again), OcspFailure::TimedOut);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_responder_that_trickles_is_cut_off() {
    let authority = Authority::new();
    for reply in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: ",
    ] {
        let start = Instant::now();

        let status = ask(&authority, impatient(), move |_| {
            Reply::Slowly([reply.as_bytes(), &[b'0'; 1000]].concat())
        })
        .await;

        assert_eq!(failure(status), OcspFailure::TimedOut);
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn an_answer_above_the_limit_is_not_read() {
    let authority = Authority::new();
    let settings = OcspSettings {
        max_answer_bytes: 1000,
        ..OcspSettings::default()
    };
    let chunked = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n".to_vec(),
        vec![0x30; 1001],
        b"\r\n0\r\n\r\n".to_vec(),
    ]
    .concat();

    let whole = ask(&authority, settings.clone(), |_| Reply::ocsp(&[0x30; 1001])).await;
    let pieces = ask(&authority, settings.clone(), move |_| {
        Reply::Bytes(chunked.clone())
    })
    .await;
    let just = ask(&authority, settings, |_| Reply::ocsp(&[0x30; 1000])).await;

    assert_eq!(failure(whole), OcspFailure::TooLarge { limit: 1000 });
    assert_eq!(failure(pieces), OcspFailure::TooLarge { limit: 1000 });
    assert_eq!(failure(just), OcspFailure::Malformed { what: "envelope" });
}

#[tokio::test]
async fn a_refused_connection_is_an_answer_at_once() {
    let authority = Authority::new();
    let leaf = authority.leaf("1001", &["http://127.0.0.1:1/"]);
    let checker = OcspChecker::new(OcspSettings::default());

    let status = checker.check(&leaf, &authority.certificate(), now()).await;

    let why = failure(status);
    let OcspFailure::Unreachable { host, .. } = why else {
        panic!("{why:?}");
    };
    assert_eq!(host, "127.0.0.1:1");
}

#[tokio::test]
async fn other_http_answers_are_none() {
    let authority = Authority::new();
    for (status, code) in [("500 Oops", 500), ("404 No", 404), ("302 Found", 302)] {
        let status = ask(&authority, OcspSettings::default(), move |_| {
            Reply::http(&format!("{status}\r\nLocation: http://127.0.0.1:1/"), b"")
        })
        .await;

        assert_eq!(failure(status), OcspFailure::HttpStatus { status: code });
    }
}

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    let authority = Authority::new();
    let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 1 << 20]].concat();
    for bytes in [b"SSH-2.0-OpenSSH\r\n".to_vec(), Vec::new(), endless] {
        let status = ask(&authority, OcspSettings::default(), move |_| {
            Reply::Bytes(bytes.clone())
        })
        .await;

        let why = failure(status);
        assert!(matches!(why, OcspFailure::Http { .. }), "{why:?}");
    }
}

#[tokio::test]
async fn garbage_and_complaints_are_no_answers() {
    let authority = Authority::new();
    let malformed = |what| OcspFailure::Malformed { what };
    for (body, why) in [
        (&b""[..], malformed("envelope")),
        (b"<html>hello</html>", malformed("envelope")),
        (b"\x30\x80\x0a\x01\x00\x00\x00", malformed("envelope")),
        (b"\x30\x03\x0a\x01\x00", malformed("body")),
        (b"\x30\x03\x0a\x01\x04", malformed("envelope")),
        (
            b"\x30\x03\x0a\x01\x03",
            OcspFailure::Declined {
                status: "it asks to try later",
            },
        ),
        (
            b"\x30\x03\x0a\x01\x06",
            OcspFailure::Declined {
                status: "it does not answer for this certificate (unauthorized)",
            },
        ),
    ] {
        let status = ask(&authority, OcspSettings::default(), move |_| {
            Reply::ocsp(body)
        })
        .await;

        assert_eq!(failure(status), why);
    }
}

#[tokio::test]
async fn a_hanging_first_responder_leaves_time_for_the_second() {
    let authority = Arc::new(Authority::new());
    let signing = Arc::clone(&authority);
    let silent = Server::start(|_| Reply::Silence).await;
    let second =
        Server::start(move |request| Reply::ocsp(&signing.answer(request, "ca", &["-ndays", "1"])))
            .await;
    let leaf = authority.leaf("1001", &[&silent.url(), &second.url()]);
    let checker = OcspChecker::new(OcspSettings {
        timeout: Duration::from_secs(2),
        ..OcspSettings::default()
    });

    let status = within(LIMIT, checker.check(&leaf, &authority.certificate(), now())).await;

    assert!(matches!(status, OcspStatus::Good { .. }), "{status:?}");
}

#[tokio::test]
async fn callers_at_the_same_time_share_one_query() {
    let authority = Arc::new(Authority::new());
    let signing = Arc::clone(&authority);
    let server =
        Server::start(move |request| Reply::ocsp(&signing.answer(request, "ca", &["-ndays", "1"])))
            .await;
    let (leaf, issuer) = (
        authority.leaf("1001", &[&server.url()]),
        authority.certificate(),
    );
    let checker = Arc::new(OcspChecker::new(OcspSettings::default()));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (checker, leaf, issuer) = (Arc::clone(&checker), leaf.clone(), issuer.clone());
        callers.spawn(async move { checker.check(&leaf, &issuer, now()).await });
    }

    let answers = within(LIMIT, callers.join_all()).await;

    assert_eq!(answers.len(), 50);
    assert!(
        answers
            .iter()
            .all(|status| matches!(status, OcspStatus::Good { .. }))
    );
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_take_the_others_with_it() {
    let authority = Arc::new(Authority::new());
    let (signing, first) = (Arc::clone(&authority), Mutex::new(true));
    let server = Server::start(move |request| {
        let is_first = std::mem::replace(&mut *first.lock().unwrap(), false);
        if is_first {
            return Reply::Silence;
        }
        Reply::ocsp(&signing.answer(request, "ca", &["-ndays", "1"]))
    })
    .await;
    let (leaf, issuer) = (
        authority.leaf("1001", &[&server.url()]),
        authority.certificate(),
    );
    let checker = Arc::new(OcspChecker::new(OcspSettings::default()));
    let call = || {
        let (checker, leaf, issuer) = (Arc::clone(&checker), leaf.clone(), issuer.clone());
        async move { checker.check(&leaf, &issuer, now()).await }
    };
    let leaver = tokio::spawn(call());
    while server.count() == 0 {
        tokio::task::yield_now().await;
    }
    let stayer = tokio::spawn(call());

    leaver.abort();

    let status = within(LIMIT, stayer).await.unwrap();
    assert!(matches!(status, OcspStatus::Good { .. }), "{status:?}");
}
