//! Revocation lists as openssl makes them.

use certs::{
    Anchors, CertError, Refusal, Stale, TrustPolicy, TrustStore, Uncovered, load_revocation_lists,
};

use crate::workshop::{anchors, certificate, days_later, file, today};

fn with_lists(pins: &[&str], roots: &[&str], lists: &[&str], policy: TrustPolicy) -> TrustStore {
    let lists = lists
        .iter()
        .flat_map(|name| load_revocation_lists(file(name)).unwrap());
    TrustStore::new(Anchors {
        revocation_lists: lists.collect(),
        policy,
        ..anchors(pins, roots)
    })
    .unwrap()
}

fn refusal(trust: &TrustStore, name: &str, days: i64) -> Option<Refusal> {
    trust.verify(&[certificate(name)], days_later(days)).err()
}

#[test]
fn a_listed_certificate_is_refused_and_its_neighbour_is_not() {
    let trust = with_lists(&[], &["ca"], &["ca.crl"], TrustPolicy::default());

    assert_eq!(refusal(&trust, "client-two", 0), Some(Refusal::Revoked));
    assert_eq!(refusal(&trust, "client", 0), None);
}

#[test]
fn a_list_that_arrives_later_bites_on_open_connections() {
    let trust = with_lists(&[], &["ca"], &[], TrustPolicy::default());
    let verified = trust.verify(&[certificate("client-two")], today()).unwrap();

    let lists = load_revocation_lists(file("ca.crl")).unwrap();
    trust
        .replace(Anchors {
            revocation_lists: lists,
            ..anchors(&[], &["ca"])
        })
        .unwrap();

    assert_eq!(
        trust.recheck(&verified, today()).unwrap_err(),
        Refusal::Revoked
    );
}

#[test]
fn a_list_by_a_namesake_is_not_believed() {
    let trust = with_lists(&[], &["ca"], &["evil.crl"], TrustPolicy::default());

    assert_eq!(
        refusal(&trust, "client", 0),
        Some(Refusal::BadRevocationList)
    );
}

#[test]
fn a_stale_list_refuses_unless_told_otherwise() {
    let strict = with_lists(&[], &["ca"], &["ca.crl"], TrustPolicy::default());
    let lenient = TrustPolicy {
        stale: Stale::Accept,
        ..TrustPolicy::default()
    };
    let lenient = with_lists(&[], &["ca"], &["ca.crl"], lenient);

    assert_eq!(refusal(&strict, "client", 0), None);
    let late = refusal(&strict, "client", 31);
    assert!(
        matches!(late, Some(Refusal::StaleRevocationList { .. })),
        "{late:?}"
    );
    assert_eq!(refusal(&lenient, "client", 31), None);
    assert_eq!(refusal(&lenient, "client-two", 31), Some(Refusal::Revoked));
}

#[test]
fn a_remembered_certificate_is_verified_again_when_its_list_grows_stale() {
    let trust = with_lists(&[], &["ca"], &["ca.crl"], TrustPolicy::default());
    let verified = trust.verify(&[certificate("client")], today()).unwrap();

    assert!(trust.recheck(&verified, days_later(29)).is_ok());
    let late = trust.recheck(&verified, days_later(31));

    assert!(
        matches!(late, Err(Refusal::StaleRevocationList { .. })),
        "{late:?}"
    );
}

#[test]
fn a_root_without_a_list_is_accepted_unless_told_otherwise() {
    let strict = TrustPolicy {
        uncovered: Uncovered::Refuse,
        ..TrustPolicy::default()
    };
    let lenient = with_lists(&[], &["ca", "other"], &["ca.crl"], TrustPolicy::default());
    let strict = with_lists(&[], &["ca", "other"], &["ca.crl"], strict);

    assert_eq!(refusal(&lenient, "client-other", 0), None);
    assert_eq!(
        refusal(&strict, "client-other", 0),
        Some(Refusal::RevocationUnknown)
    );
    assert_eq!(refusal(&strict, "client", 0), None);
}

#[test]
fn where_every_certificate_needs_a_list_having_none_refuses_all() {
    let strict = TrustPolicy {
        uncovered: Uncovered::Refuse,
        ..TrustPolicy::default()
    };
    let trust = with_lists(&[], &["ca"], &[], strict);

    assert_eq!(
        refusal(&trust, "client", 0),
        Some(Refusal::RevocationUnknown)
    );
}

#[test]
fn a_listed_pin_is_refused() {
    let trust = with_lists(&["seed"], &[], &["seed.crl"], TrustPolicy::default());

    assert_eq!(refusal(&trust, "seed", 0), Some(Refusal::Revoked));
}

#[test]
fn a_version_1_list_is_refused_with_what_to_do() {
    let answer = load_revocation_lists(file("v1.crl"));

    assert!(matches!(answer, Err(CertError::CrlVersion)), "{answer:?}");
}

#[test]
fn what_is_no_list_is_refused() {
    for bytes in [
        b"".as_slice(),
        b"hello",
        file("seed.crt"),
        file("own-p256.cer"),
    ] {
        let answer = load_revocation_lists(bytes);

        assert!(matches!(answer, Err(CertError::Crl { .. })), "{answer:?}");
    }
}
