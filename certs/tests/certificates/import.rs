//! What importing a certificate means.

use certs::{ImportAs, ImportError, ImportWish, Warning, classify};

use crate::workshop::{certificate, now};

fn imported(name: &str, wish: ImportWish) -> ImportAs {
    classify(&certificate(name), wish, now())
        .unwrap_or_else(|e| panic!("{name}: {e}"))
        .as_what
}

#[test]
fn an_applications_own_certificate_becomes_a_pin_although_it_says_ca_true() {
    for name in [
        "seed",
        "own-rsa2048",
        "own-san",
        "own-ed25519",
        "own-sha1",
        "own-v1",
        "own-plain",
        "own-keytool",
        "own-and-sign",
        "client",
        "ca-seed",
    ] {
        assert_eq!(imported(name, ImportWish::Auto), ImportAs::Pin, "{name}");
    }
}

#[test]
fn what_asserts_that_it_signs_certificates_becomes_a_root() {
    for name in ["ca", "other", "constrained", "sub"] {
        assert_eq!(imported(name, ImportWish::Auto), ImportAs::Root, "{name}");
    }
}

#[test]
fn the_operator_may_say_that_it_is_a_ca() {
    for name in [
        "ca",
        "ca-seed",
        "seed",
        "own-v1",
        "own-keytool",
        "own-and-sign",
    ] {
        assert_eq!(imported(name, ImportWish::Ca), ImportAs::Root, "{name}");
    }
}

#[test]
fn what_denies_being_a_ca_is_not_made_one() {
    for name in ["own-plain", "client", "sub-no-sign"] {
        let answer = classify(&certificate(name), ImportWish::Ca, now());

        assert!(
            matches!(answer, Err(ImportError::NotCa { .. })),
            "{name}: {answer:?}"
        );
    }
}

#[test]
fn a_root_that_could_never_be_used_is_refused() {
    // Version 2: our reader takes it, the verifier of chains does not.
    let mut der = certificate("ca").to_vec();
    let version = [0xa0, 0x03, 0x02, 0x01, 0x02];
    let found = der.windows(5).position(|window| window == version).unwrap();
    der[found + 4] = 1;
    for wish in [ImportWish::Auto, ImportWish::Ca] {
        let answer = classify(&der.clone().into(), wish, now());

        assert!(
            matches!(answer, Err(ImportError::UnusableCa { .. })),
            "{answer:?}"
        );
    }
}

#[test]
fn the_operator_is_told_what_was_done_and_how_to_do_the_other() {
    let pin = classify(&certificate("seed"), ImportWish::Auto, now())
        .unwrap()
        .explanation;
    let root = classify(&certificate("ca"), ImportWish::Auto, now())
        .unwrap()
        .explanation;

    assert_eq!(
        pin,
        "pinned CN=billing,O=Example: exactly this certificate is trusted, and nothing that it signed. \
         If it is a CA whose certificates should be trusted, import it again with --ca"
    );
    assert_eq!(
        root,
        "imported CN=Example CA,O=Example as a CA: every client certificate that it issues is trusted \
         from now on. If it is one application's own certificate, remove it and pin it under its user instead"
    );
}

#[test]
fn weak_and_unsupported_keys_are_refused_with_what_to_do() {
    for (name, words) in [
        (
            "own-rsa1024",
            "the key of CN=billing is RSA-1024, which can be broken: make one with at least 2048 bits (RSA) or use P-256",
        ),
        (
            "own-ed448",
            "the key of CN=billing is algorithm 1.3.101.113, which is not supported: use RSA (2048 to 8192 bits), P-256, P-384, P-521 or Ed25519",
        ),
        (
            "own-k256",
            "the key of CN=billing is algorithm 1.3.132.0.10, which is not supported: use RSA (2048 to 8192 bits), P-256, P-384, P-521 or Ed25519",
        ),
    ] {
        for wish in [ImportWish::Auto, ImportWish::Ca] {
            let error = classify(&certificate(name), wish, now()).unwrap_err();

            assert_eq!(error.to_string(), words);
        }
    }
}

#[test]
fn an_expired_certificate_is_refused_and_one_about_to_is_warned_of() {
    let at = |days: i64| {
        classify(
            &certificate("seed"),
            ImportWish::Auto,
            now() + days * 86_400,
        )
    };

    assert_eq!(at(0).unwrap().warnings, []);
    assert_eq!(
        at(1080).unwrap().warnings,
        [Warning::ExpiresSoon { days: 14 }]
    );
    assert!(matches!(at(1096), Err(ImportError::Expired { .. })));
}

#[test]
fn a_certificate_of_the_future_is_warned_of() {
    let early = classify(&certificate("seed"), ImportWish::Auto, now() - 86_400).unwrap();

    assert_eq!(
        early.warnings,
        [Warning::NotYetValid {
            not_before: now() - 3600
        }]
    );
}

#[test]
fn a_pin_of_version_1_is_warned_of_since_a_ca_would_not_do() {
    let pinned = classify(&certificate("own-v1"), ImportWish::Auto, now()).unwrap();

    assert_eq!(pinned.as_what, ImportAs::Pin);
    assert_eq!(pinned.warnings, [Warning::Version1]);
}

#[test]
fn odd_roots_are_warned_of() {
    let odd = |name| {
        classify(&certificate(name), ImportWish::Ca, now())
            .unwrap()
            .warnings
    };

    assert_eq!(odd("own-v1"), [Warning::OldShape]);
    assert_eq!(odd("sub"), [Warning::Intermediate]);
    assert_eq!(odd("ca"), []);
}
