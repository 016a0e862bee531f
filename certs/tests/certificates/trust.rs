//! The table of shapes, and every way in which a certificate may be wrong.

use certs::{
    Anchors, CertificateDer, Fingerprint, Identity, Refusal, Trust, TrustPolicy, load_certificates,
};

use crate::workshop::{anchors, certificate, days_later, file, now, today, trusting};

fn issued(root: &str) -> Trust {
    Trust::IssuedBy {
        root: Fingerprint::of(&certificate(root)),
    }
}

/// What a store with `pins` and `roots` says of the certificate `name`, shown alone.
fn says(pins: &[&str], roots: &[&str], name: &str) -> Result<Trust, Refusal> {
    let verified = trusting(pins, roots).verify(&[certificate(name)], today());
    verified.map(|verified| verified.trust())
}

#[test]
fn a_pinned_certificate_of_any_shape_is_accepted() {
    for name in [
        "seed",
        "own-rsa2048",
        "own-san",
        "own-rsa4096",
        "own-p256",
        "own-p384",
        "own-p521",
        "own-ed25519",
        "own-sha1",
        "own-v1",
        "own-plain",
        "own-plain-san",
        "own-keytool",
        "own-and-sign",
        "client-v1",
        "client-server-only",
        "client-is-ca",
    ] {
        assert_eq!(says(&[name], &[], name), Ok(Trust::Pinned), "{name}");
    }
}

#[test]
fn the_same_shapes_as_roots_of_their_own_are_not_accepted_as_clients() {
    for (name, why) in [
        ("seed", Refusal::CaAsLeaf),
        ("own-san", Refusal::CaAsLeaf),
        ("own-p256", Refusal::CaAsLeaf),
        ("own-v1", Refusal::Version1),
    ] {
        assert_eq!(says(&[], &[name], name), Err(why), "{name}");
    }
}

#[test]
fn weak_and_unsupported_keys_are_refused_even_when_pinned() {
    for name in ["own-rsa1024", "own-k256", "own-ed448"] {
        let answer = says(&[name], &[], name);

        match name {
            "own-rsa1024" => assert!(matches!(answer, Err(Refusal::WeakKey { .. })), "{answer:?}"),
            _ => assert!(
                matches!(answer, Err(Refusal::UnsupportedKey { .. })),
                "{answer:?}"
            ),
        }
    }
}

#[test]
fn a_pin_holds_within_its_dates_only() {
    let trust = trusting(&["seed"], &[]);
    let seed = [certificate("seed")];
    let made = now() - 3600;

    assert_eq!(
        trust.verify(&seed, days_later(-1)).unwrap_err(),
        Refusal::NotYetValid { not_before: made }
    );
    assert!(trust.verify(&seed, days_later(1094)).is_ok());
    assert_eq!(
        trust.verify(&seed, days_later(1096)).unwrap_err(),
        Refusal::Expired {
            not_after: made + 1095 * 86_400
        }
    );
}

#[test]
fn a_pin_with_bytes_after_it_is_refused() {
    let longer = CertificateDer::from([certificate("seed").as_ref(), b"\0"].concat());

    let answer = trusting(&["seed"], &["ca"]).verify(&[longer], today());

    assert_eq!(answer.unwrap_err(), Refusal::TrailingBytes);
}

#[test]
fn a_pinned_certificate_is_not_impersonated_by_one_of_the_same_name() {
    // Same CN, same key usage, even the same key: only the very bytes count.
    for (name, why) in [
        ("own-p256", Refusal::CaAsLeaf),
        ("own-san", Refusal::CaAsLeaf),
        ("own-plain", Refusal::UnknownIssuer),
        ("client", Refusal::UnknownIssuer),
    ] {
        assert_eq!(says(&["own-rsa2048"], &[], name), Err(why), "{name}");
    }
}

#[test]
fn an_applications_key_cannot_make_other_users() {
    // The hole that importing a CA:TRUE application certificate as a CA would open.
    assert_eq!(
        says(&["own-rsa2048"], &[], "forged"),
        Err(Refusal::UnknownIssuer)
    );
    assert_eq!(
        says(&["own-rsa2048"], &["ca"], "forged"),
        Err(Refusal::UnknownIssuer)
    );
    assert_eq!(
        says(&[], &["own-rsa2048"], "forged"),
        Ok(issued("own-rsa2048"))
    );
}

#[test]
fn a_client_of_a_trusted_root_is_accepted() {
    for (name, root) in [
        ("client", "ca"),
        ("client-no-eku", "ca"),
        ("client-other", "other"),
        ("client", "ca-seed"),
    ] {
        assert_eq!(says(&[], &[root], name), Ok(issued(root)), "{name}");
    }
}

#[test]
fn the_same_name_from_another_root_is_told_apart() {
    let ours = trusting(&[], &["ca", "other"])
        .verify(&[certificate("client")], today())
        .unwrap();
    let theirs = trusting(&[], &["ca", "other"])
        .verify(&[certificate("client-other")], today())
        .unwrap();

    assert_eq!(ours.name(), theirs.name());
    assert_eq!(ours.trust(), issued("ca"));
    assert_eq!(theirs.trust(), issued("other"));
    assert_ne!(ours.fingerprint(), theirs.fingerprint());
}

#[test]
fn a_root_of_the_same_name_with_another_key_is_not_the_root() {
    assert_eq!(
        says(&[], &["ca"], "client-evil"),
        Err(Refusal::BadSignature)
    );
}

#[test]
fn what_a_root_issued_for_something_else_is_refused() {
    for (name, why) in [
        ("client-server-only", Refusal::WrongPurpose),
        ("client-is-ca", Refusal::CaAsLeaf),
        ("client-no-signing", Refusal::WrongKeyUsage),
        ("client-critical", Refusal::CriticalExtension),
        ("client-sha1", Refusal::WeakSignature),
        ("client-v1", Refusal::Version1),
        ("ca", Refusal::CaAsLeaf),
    ] {
        let answer = says(&[], &["ca"], name);

        // A CA's own certificate fails already because it may not sign handshakes.
        let root_itself = name == "ca" && answer == Err(Refusal::WrongKeyUsage);
        assert!(
            root_itself || answer == Err(why.clone()),
            "{name}: {answer:?}"
        );
    }
}

#[test]
fn a_weak_key_under_a_good_root_is_refused() {
    let answer = says(&[], &["ca"], "client-rsa1024");

    assert!(matches!(answer, Err(Refusal::WeakKey { .. })), "{answer:?}");
}

#[test]
fn a_good_key_under_a_weak_root_is_refused() {
    let answer = says(&[], &["ca-rsa1024"], "client-weak-ca");

    assert_eq!(answer, Err(Refusal::BadSignature));
}

#[test]
fn an_issued_certificate_holds_within_its_dates_only() {
    let trust = trusting(&[], &["ca"]);
    let client = [certificate("client")];

    assert!(matches!(
        trust.verify(&client, days_later(-1)),
        Err(Refusal::NotYetValid { .. })
    ));
    assert!(trust.verify(&client, days_later(364)).is_ok());
    assert!(matches!(
        trust.verify(&client, days_later(366)),
        Err(Refusal::Expired { .. })
    ));
}

#[test]
fn a_remembered_certificate_expires_too() {
    let trust = trusting(&[], &["ca"]);
    let client = [certificate("client")];
    trust.verify(&client, today()).unwrap();

    let later = trust.verify(&client, days_later(366));

    assert!(matches!(later, Err(Refusal::Expired { .. })), "{later:?}");
}

#[test]
fn an_expired_root_vouches_for_nobody() {
    // A client that outlives its root.
    let authority = certs::CertificateAuthority::create("Short", now() - 3650 * 86_400).unwrap();
    let name = certs::CommonName::parse("billing").unwrap();
    let term = certs::Term {
        now: now(),
        days: 30,
    };
    let client: Identity = authority.issue_client(&name, None, term).unwrap();
    let trust = certs::TrustStore::new(Anchors {
        roots: vec![authority.certificate().clone()],
        ..Anchors::default()
    })
    .unwrap();

    assert!(trust.verify(client.chain(), days_later(1)).is_ok());
    let late = trust.verify(client.chain(), days_later(3));

    assert!(matches!(late, Err(Refusal::Expired { .. })), "{late:?}");
}

#[test]
fn name_constraints_are_enforced() {
    assert_eq!(
        says(&[], &["constrained"], "client-inside"),
        Ok(issued("constrained"))
    );
    assert_eq!(
        says(&[], &["constrained"], "client-outside"),
        Err(Refusal::NameConstraints)
    );
}

#[test]
fn an_intermediate_must_be_shown_and_be_a_ca() {
    let trust = trusting(&[], &["ca"]);
    let shown = |name| {
        trusting(&[], &["ca"]).verify(&[certificate("client-sub"), certificate(name)], today())
    };

    let whole = trust
        .verify(&load_certificates(file("chain.pem")).unwrap(), today())
        .unwrap();
    assert_eq!(
        whole.path(),
        [
            certificate("client-sub"),
            certificate("sub"),
            certificate("ca")
        ]
    );
    assert_eq!(whole.issuer(), Some(&certificate("sub")));
    assert!(shown("sub").is_ok());
    assert_eq!(
        says(&[], &["ca"], "client-sub"),
        Err(Refusal::UnknownIssuer)
    );
    assert_eq!(shown("sub-no-sign").unwrap_err(), Refusal::IssuerNotCa);
    assert_eq!(shown("sub-plain").unwrap_err(), Refusal::IssuerNotCa);
}

#[test]
fn more_certificates_than_a_chain_has_are_not_looked_at() {
    let mut shown = vec![certificate("client")];
    shown.extend(std::iter::repeat_n(certificate("sub"), 9));

    let answer = trusting(&[], &["ca"]).verify(&shown, today());

    assert_eq!(answer.unwrap_err(), Refusal::TooMany { limit: 8 });
}

#[test]
fn nothing_is_trusted_by_an_empty_store() {
    let trust = trusting(&[], &[]);

    assert_eq!(
        trust.verify(&[], today()).unwrap_err(),
        Refusal::NoCertificate
    );
    assert_eq!(
        trust.verify(&[certificate("client")], today()).unwrap_err(),
        Refusal::UnknownIssuer
    );
    let noise = CertificateDer::from(b"noise".as_slice());
    assert_eq!(
        trust.verify(&[noise], today()).unwrap_err(),
        Refusal::Malformed
    );
}

#[test]
fn a_removed_certificate_stops_working_at_once() {
    for (pins, roots, name, why) in [
        (&["seed"][..], &[][..], "seed", Refusal::CaAsLeaf),
        (&[], &["ca"], "client", Refusal::UnknownIssuer),
    ] {
        let trust = trusting(pins, roots);
        let verified = trust.verify(&[certificate(name)], today()).unwrap();
        assert!(trust.recheck(&verified, today()).is_ok());

        let generation = trust.replace(anchors(&[], &["other"])).unwrap();

        assert_eq!(generation, 2);
        assert_eq!(
            trust.recheck(&verified, today()).unwrap_err(),
            why,
            "{name}"
        );
        assert!(trust.verify(&[certificate(name)], today()).is_err());
    }
}

#[test]
fn an_unrelated_change_keeps_a_certificate_working() {
    let trust = trusting(&[], &["ca"]);
    let chain = load_certificates(file("chain.pem")).unwrap();
    let verified = trust.verify(&chain, today()).unwrap();

    trust.replace(anchors(&["seed"], &["ca"])).unwrap();
    let again = trust.recheck(&verified, today()).unwrap();

    assert_eq!(again.generation(), 2);
    assert_eq!(again.fingerprint(), verified.fingerprint());
}

#[test]
fn a_recheck_looks_at_the_clock() {
    let trust = trusting(&["seed"], &["ca"]);
    for name in ["seed", "client"] {
        let verified = trust.verify(&[certificate(name)], today()).unwrap();

        let late = trust.recheck(&verified, days_later(2000));

        assert!(matches!(late, Err(Refusal::Expired { .. })), "{name}");
    }
}

#[test]
fn a_change_that_cannot_be_read_changes_nothing() {
    let trust = trusting(&["seed"], &[]);
    let bad = Anchors {
        pins: vec![CertificateDer::from(b"noise".as_slice())],
        ..Anchors::default()
    };

    assert!(trust.replace(bad).is_err());

    assert_eq!(trust.generation(), 1);
    assert!(trust.verify(&[certificate("seed")], today()).is_ok());
}

#[test]
fn the_memory_of_verified_certificates_is_bounded_and_may_be_off() {
    for remembered in [0, 1, 2] {
        let trust = certs::TrustStore::new(Anchors {
            policy: TrustPolicy {
                remembered,
                ..TrustPolicy::default()
            },
            ..anchors(&[], &["ca"])
        })
        .unwrap();

        for name in ["client", "client-two", "client-no-eku", "client"] {
            assert!(
                trust.verify(&[certificate(name)], today()).is_ok(),
                "{name}"
            );
        }
    }
}

#[test]
fn a_verified_certificate_says_who_and_where_to_ask() {
    let verified = trusting(&[], &["ca"])
        .verify(&[certificate("client")], today())
        .unwrap();

    assert_eq!(verified.name().unwrap().common_name.as_str(), "billing");
    assert_eq!(verified.ocsp_responders(), ["http://ocsp.example/"]);
    assert_eq!(verified.path(), [certificate("client"), certificate("ca")]);
}

#[test]
fn a_pin_whose_issuer_is_a_trusted_root_can_be_asked_about() {
    let asked = |roots: &[&str]| {
        let verified = trusting(&["client"], roots)
            .verify(&[certificate("client")], today())
            .unwrap();
        (verified.trust(), verified.issuer().cloned())
    };

    assert_eq!(
        asked(&["other", "ca"]),
        (Trust::Pinned, Some(certificate("ca")))
    );
    // No root, one of another name, and one that has but the name.
    for roots in [&[][..], &["other"], &["evil"]] {
        assert_eq!(asked(roots), (Trust::Pinned, None));
    }
}

#[test]
fn a_trusted_certificate_without_a_plain_name_names_nobody() {
    let verified = trusting(&["two-cns"], &[])
        .verify(&[certificate("two-cns")], today())
        .unwrap();

    assert!(verified.name().is_err());
}
