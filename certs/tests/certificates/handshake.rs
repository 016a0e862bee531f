//! Real handshakes of both versions, in memory.

use std::sync::Arc;

use certs::{
    ClientOptions, Clients, Hints, Refusal, Resumption, ServerOptions, ServerTrust, client_config,
    provider,
};
use rustls::{CertificateError, Error, HandshakeKind, NamedGroup, version::TLS13};

use crate::{
    house::{Clock, House, PINS, VERSIONS, shake},
    workshop::{anchors, certificate, days_later, identity, key, today, trusting},
};

#[test]
fn a_pin_of_any_shape_shakes_hands_in_both_versions() {
    let house = House::new();
    for &(name, of) in PINS {
        let server = house.server(&trusting(&[name], &[]), ServerOptions::default());
        for version in VERSIONS {
            let both = shake(&server, &house.client_as(version, &identity(name, of)));

            assert!(both.is_done(), "{name} {version:?}: {:?}", both.server_end);
            assert_eq!(both.peer(), [certificate(name)]);
        }
    }
}

#[test]
fn a_pinned_certificate_without_its_key_is_worth_nothing() {
    let house = House::new();
    for &(name, of) in PINS {
        let server = house.server(&trusting(&[name], &[]), ServerOptions::default());
        let thief = if of == "p256" { "ca" } else { "p256" };
        for version in VERSIONS {
            let client = house.client(version, Some((&[certificate(name)], &key(thief))));

            let both = shake(&server, &client);

            assert!(
                matches!(
                    both.server_end,
                    Err(Error::InvalidCertificate(_) | Error::PeerMisbehaved(_))
                ),
                "{name}: {:?}",
                both.server_end
            );
        }
    }
}

#[test]
fn a_stolen_pin_signed_by_a_key_of_its_own_kind_is_a_bad_signature() {
    let house = House::new();
    let server = house.server(&trusting(&["own-p256"], &[]), ServerOptions::default());
    for version in VERSIONS {
        let client = house.client(version, Some((&[certificate("own-p256")], &key("ca"))));

        let both = shake(&server, &client);

        assert_eq!(
            both.server_end,
            Err(Error::InvalidCertificate(CertificateError::BadSignature))
        );
    }
}

#[test]
fn a_client_of_a_root_shakes_hands_with_and_without_intermediate() {
    let house = House::new();
    let server = house.server(&trusting(&[], &["ca"]), ServerOptions::default());
    let chain = [certificate("client-sub"), certificate("sub")];
    for version in VERSIONS {
        let direct = shake(
            &server,
            &house.client_as(version, &identity("client", "p256")),
        );
        let through = shake(
            &server,
            &house.client(version, Some((&chain, &key("p256")))),
        );

        assert!(direct.is_done(), "{:?}", direct.server_end);
        assert!(through.is_done(), "{:?}", through.server_end);
    }
}

#[test]
fn a_refusal_ends_the_handshake_and_says_why_to_the_server_only() {
    let house = House::new();
    let server = house.server(
        &trusting(&["own-rsa2048"], &["ca"]),
        ServerOptions::default(),
    );
    for (name, why) in [
        ("forged", Refusal::UnknownIssuer),
        ("own-p256", Refusal::CaAsLeaf),
        ("client-other", Refusal::UnknownIssuer),
        ("client-server-only", Refusal::WrongPurpose),
        ("client-is-ca", Refusal::CaAsLeaf),
        ("client-sha1", Refusal::WeakSignature),
    ] {
        for version in VERSIONS {
            let both = shake(&server, &house.client_as(version, &identity(name, "p256")));

            assert_eq!(both.refusal(), Some(&why), "{name}");
            assert_eq!(
                both.client_end,
                Err(Error::AlertReceived(
                    rustls::AlertDescription::CertificateUnknown
                )),
                "{name}"
            );
        }
    }
}

#[test]
fn an_expired_certificate_is_refused_by_the_servers_clock() {
    let house = House::new();
    let server = house.server_at(
        &trusting(&["own-p256"], &[]),
        ServerOptions::default(),
        days_later(1100),
    );

    let both = shake(
        &server,
        &house.client_as(&TLS13, &identity("own-p256", "p256")),
    );

    assert!(
        matches!(both.refusal(), Some(Refusal::Expired { .. })),
        "{:?}",
        both.server_end
    );
}

#[test]
fn nobody_comes_in_without_a_certificate() {
    let house = House::new();
    let server = house.server(&trusting(&["seed"], &["ca"]), ServerOptions::default());
    for version in VERSIONS {
        let both = shake(&server, &house.client(version, None));

        assert_eq!(both.refusal(), Some(&Refusal::NoCertificate));
    }
}

#[test]
fn where_it_is_optional_none_is_fine_but_a_bad_one_is_not() {
    let house = House::new();
    let options = ServerOptions {
        clients: Clients::Optional,
        ..ServerOptions::default()
    };
    let server = house.server(&trusting(&["own-p256"], &[]), options);
    for version in VERSIONS {
        let none = shake(&server, &house.client(version, None));
        let good = shake(
            &server,
            &house.client_as(version, &identity("own-p256", "p256")),
        );
        let bad = shake(
            &server,
            &house.client_as(version, &identity("client", "p256")),
        );

        assert!(none.is_done() && none.peer().is_empty());
        assert!(good.is_done() && good.peer() == [certificate("own-p256")]);
        assert_eq!(bad.refusal(), Some(&Refusal::UnknownIssuer));
    }
}

#[test]
fn where_it_is_judged_later_a_stranger_comes_in_with_its_own_key_alone() {
    let house = House::new();
    let options = ServerOptions {
        clients: Clients::DangerUnjudged,
        ..ServerOptions::default()
    };
    let trust = trusting(&["own-p256"], &[]);
    let server = house.server(&trust, options);
    for version in VERSIONS {
        let none = shake(&server, &house.client(version, None));
        let stranger = shake(
            &server,
            &house.client_as(version, &identity("client", "p256")),
        );
        let stolen = house.client(version, Some((&[certificate("own-p256")], &key("ca"))));
        let stolen = shake(&server, &stolen);

        assert!(none.is_done() && none.peer().is_empty());
        assert!(stranger.is_done() && stranger.peer() == [certificate("client")]);
        assert_eq!(
            stolen.server_end,
            Err(Error::InvalidCertificate(CertificateError::BadSignature))
        );
    }
}

#[test]
fn where_clients_are_anonymous_they_are_not_asked() {
    let house = House::new();
    let options = ServerOptions {
        clients: Clients::Anonymous,
        ..ServerOptions::default()
    };

    let both = shake(
        &house.server(&trusting(&[], &[]), options),
        &house.client_as(&TLS13, &identity("client", "p256")),
    );

    assert!(both.is_done() && both.peer().is_empty());
}

#[test]
fn an_import_counts_from_the_next_handshake_on() {
    let house = House::new();
    let trust = trusting(&[], &[]);
    let server = house.server(&trust, ServerOptions::default());
    let client = house.client_as(&TLS13, &identity("own-p256", "p256"));
    assert_eq!(shake(&server, &client).refusal(), Some(&Refusal::CaAsLeaf));

    trust.replace(anchors(&["own-p256"], &[])).unwrap();

    assert!(shake(&server, &client).is_done());
}

#[test]
fn a_resumed_session_is_refused_by_the_check_on_its_first_request() {
    let house = House::new();
    for resumption in [Resumption::Remembered { sessions: 8 }, Resumption::Tickets] {
        for version in VERSIONS {
            let trust = trusting(&["own-p256"], &[]);
            let server = house.server(
                &trust,
                ServerOptions {
                    resumption,
                    ..ServerOptions::default()
                },
            );
            let client = house.client_as(version, &identity("own-p256", "p256"));
            assert!(shake(&server, &client).is_done());

            trust.replace(anchors(&[], &["ca"])).unwrap();
            let resumed = shake(&server, &client);

            // TLS lets it in without asking the verifier …
            assert!(resumed.is_done());
            assert_eq!(
                resumed.server.handshake_kind(),
                Some(HandshakeKind::Resumed)
            );
            // … so whoever serves it asks again.
            let answer = trust.verify(resumed.peer(), today());
            assert_eq!(
                answer.unwrap_err(),
                Refusal::CaAsLeaf,
                "{resumption:?} {version:?}"
            );
        }
    }
}

#[test]
fn a_session_of_a_trusted_client_is_resumed() {
    let house = House::new();
    for resumption in [Resumption::Remembered { sessions: 8 }, Resumption::Tickets] {
        for version in VERSIONS {
            let trust = trusting(&[], &["ca"]);
            let server = house.server(
                &trust,
                ServerOptions {
                    resumption,
                    ..ServerOptions::default()
                },
            );
            let client = house.client_as(version, &identity("client", "p256"));
            shake(&server, &client);

            let resumed = shake(&server, &client);

            assert_eq!(
                resumed.server.handshake_kind(),
                Some(HandshakeKind::Resumed)
            );
            assert!(trust.verify(resumed.peer(), today()).is_ok());
        }
    }
}

#[test]
fn resumption_can_be_turned_off() {
    let house = House::new();
    let options = ServerOptions {
        resumption: Resumption::Off,
        ..ServerOptions::default()
    };
    let server = house.server(&trusting(&["own-p256"], &[]), options);
    for version in VERSIONS {
        let client = house.client_as(version, &identity("own-p256", "p256"));
        shake(&server, &client);

        let second = shake(&server, &client);

        assert!(second.is_done());
        assert_ne!(second.server.handshake_kind(), Some(HandshakeKind::Resumed));
    }
}

#[test]
fn the_post_quantum_hybrid_is_the_first_choice() {
    let groups: Vec<_> = provider()
        .kx_groups
        .iter()
        .map(|group| group.name())
        .collect();
    let house = House::new();
    let server = house.server(&trusting(&["own-p256"], &[]), ServerOptions::default());

    let both = shake(
        &server,
        &house.client_as(&TLS13, &identity("own-p256", "p256")),
    );

    assert_eq!(
        groups,
        [
            NamedGroup::X25519MLKEM768,
            NamedGroup::X25519,
            NamedGroup::secp256r1,
            NamedGroup::secp384r1
        ]
    );
    let agreed = both.server.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(agreed, NamedGroup::X25519MLKEM768);
    assert_eq!(both.server.handshake_kind(), Some(HandshakeKind::Full));
}

#[test]
fn nobody_is_told_whom_we_trust_unless_it_is_wished() {
    use rustls::server::danger::ClientCertVerifier;

    let hints = |hints| {
        let verifier =
            certs::ClientVerifier::new(trusting(&["seed"], &["ca"]), Clients::Required, hints);
        verifier.root_hint_subjects().len()
    };

    assert_eq!(hints(Hints::None), 0);
    assert_eq!(hints(Hints::Issuers), 2);
}

#[test]
fn both_of_our_ends_speak_http_1_1_to_each_other() {
    let house = House::new();
    let server = house.server(&trusting(&["own-p256"], &[]), ServerOptions::default());
    let trust = ServerTrust {
        roots: vec![house.authority.certificate().clone()],
        pins: vec![],
    };
    let mut client = client_config(
        &trust,
        Some(&identity("own-p256", "p256")),
        ClientOptions::default(),
    )
    .unwrap();
    client.time_provider = Arc::new(Clock(today()));

    let both = shake(&server, &Arc::new(client));

    assert!(
        both.is_done(),
        "{:?} {:?}",
        both.server_end,
        both.client_end
    );
    assert_eq!(both.server.alpn_protocol(), Some(b"http/1.1".as_slice()));
    assert_eq!(
        both.client.protocol_version(),
        Some(rustls::ProtocolVersion::TLSv1_3)
    );
}
