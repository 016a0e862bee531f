use std::time::Duration;

use claviger::domain::{
    CertBinding, Fingerprint, Lock, Operation, Outcome, RefusalReason, Timestamp,
};
use claviger::vault::{CertificateCredential, CertificateTrust, NewUser, UserEdit, VaultError};

use crate::fixture::{House, credential, house, new_user};

async fn refused(
    house: &House,
    shown: &CertificateCredential,
    peer: &str,
    why: RefusalReason,
) -> String {
    let refusal = house.enter(shown, peer).await.unwrap_err();
    assert_eq!(
        house.newest(1),
        [(Operation::Identify, Outcome::Refused(why))]
    );
    match refusal {
        VaultError::Unidentified(words) => words,
        other => panic!("{other:?}"),
    }
}

async fn with_user(new: NewUser) -> House {
    let house = house().await;
    house
        .vault
        .add_user(&new, &house.operator().await)
        .await
        .unwrap();
    house
}

#[tokio::test]
async fn the_same_name_in_another_certificate_is_nobody() {
    let house = with_user(new_user("billing", "10.0.0.1", 1)).await;

    let entered = house
        .enter(&credential("billing", 1), "10.0.0.1")
        .await
        .unwrap();

    assert_eq!(entered.login(), "billing@10.0.0.1");
    refused(
        &house,
        &credential("billing", 2),
        "10.0.0.1",
        RefusalReason::UnknownUser,
    )
    .await;
}

#[tokio::test]
async fn a_certificate_of_another_trusted_root_with_the_same_name_is_nobody() {
    let root = Fingerprint([9; 32]);
    let bound = vec![CertBinding::IssuedBy(root)];
    let house = with_user(NewUser {
        certificates: bound,
        ..new_user("billing", "10.0.0.1", 1)
    })
    .await;
    let issued_by = |root| CertificateCredential {
        trust: CertificateTrust::IssuedBy(root),
        ..credential("billing", 77)
    };

    assert!(house.enter(&issued_by(root), "10.0.0.1").await.is_ok());
    let other = issued_by(Fingerprint([8; 32]));
    refused(&house, &other, "10.0.0.1", RefusalReason::UnknownUser).await;
    refused(
        &house,
        &credential("billing", 77),
        "10.0.0.1",
        RefusalReason::UnknownUser,
    )
    .await;
}

#[tokio::test]
async fn a_name_that_only_looks_alike_is_nobody() {
    let house = with_user(new_user("billing", "10.0.0.1", 1)).await;

    for name in [
        "Billing",
        "billing ",
        "billing.",
        "bi\u{200b}lling",
        "bıllıng",
        "bіlling",
        "b*",
        "",
    ] {
        let shown = credential(name, 1);
        refused(&house, &shown, "10.0.0.1", RefusalReason::UnknownUser).await;
    }
    let nameless = CertificateCredential {
        common_name: Err("it has no CN".to_owned()),
        ..credential("", 1)
    };
    refused(&house, &nameless, "10.0.0.1", RefusalReason::UnknownUser).await;
}

#[tokio::test]
async fn a_user_comes_from_its_own_host_only() {
    let house = with_user(new_user("a", "app1.example", 1)).await;
    house
        .names
        .set("app1.example", &["192.0.2.7", "2001:db8::7"]);
    let shown = credential("a", 1);

    assert!(house.enter(&shown, "192.0.2.7").await.is_ok());
    assert!(house.enter(&shown, "::ffff:192.0.2.7").await.is_ok());
    assert!(house.enter(&shown, "2001:db8::7").await.is_ok());
    let words = refused(&house, &shown, "192.0.2.8", RefusalReason::WrongHost).await;
    assert!(words.contains("address"), "{words}");
}

#[tokio::test]
async fn a_host_without_an_address_is_refused_with_words_and_believed_for_a_while_only() {
    let house = with_user(new_user("a", "app1.example", 1)).await;
    let shown = credential("a", 1);

    let words = refused(&house, &shown, "192.0.2.7", RefusalReason::UnresolvableHost).await;
    assert!(words.contains("has no address"), "{words}");

    house.names.set("app1.example", &["192.0.2.7"]);
    let caller = house.enter(&shown, "192.0.2.7").await.unwrap();
    assert!(house.vault.holds(&caller));
    house.clock.pass(Duration::from_secs(31));
    assert!(!house.vault.holds(&caller), "an address is looked up again");
    house.names.set("app1.example", &["192.0.2.99"]);
    refused(&house, &shown, "192.0.2.7", RefusalReason::WrongHost).await;
}

#[tokio::test]
async fn a_user_of_any_host_may_come_from_everywhere() {
    let house = with_user(NewUser {
        any_host: true,
        ..new_user("a", "nowhere.example", 1)
    })
    .await;

    assert!(
        house
            .enter(&credential("a", 1), "203.0.113.5")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn one_certificate_for_two_users_is_the_one_whose_host_it_comes_from() {
    let house = with_user(new_user("a", "10.0.0.1", 1)).await;
    house
        .vault
        .add_user(&new_user("a", "10.0.0.2", 1), &house.operator().await)
        .await
        .unwrap();

    for host in ["10.0.0.1", "10.0.0.2"] {
        let caller = house.enter(&credential("a", 1), host).await.unwrap();
        assert_eq!(caller.login(), format!("a@{host}"));
    }
    refused(
        &house,
        &credential("a", 1),
        "10.0.0.3",
        RefusalReason::WrongHost,
    )
    .await;
}

#[tokio::test]
async fn a_lock_ends_what_was_open_and_an_unlock_lets_in_again() {
    let house = with_user(new_user("a", "10.0.0.1", 1)).await;
    let operator = house.operator().await;
    let caller = house.enter(&credential("a", 1), "10.0.0.1").await.unwrap();

    house
        .vault
        .edit_user("a@10.0.0.1", &UserEdit::Lock(Lock::Locked), &operator)
        .await
        .unwrap();

    assert!(!house.vault.holds(&caller));
    let locked = refused(
        &house,
        &credential("a", 1),
        "10.0.0.1",
        RefusalReason::Locked,
    )
    .await;
    let unknown = refused(
        &house,
        &credential("zzz", 1),
        "10.0.0.1",
        RefusalReason::UnknownUser,
    )
    .await;
    assert_eq!(locked, unknown, "whether a locked user exists is not told");
    house
        .vault
        .edit_user("a@10.0.0.1", &UserEdit::Lock(Lock::Open), &operator)
        .await
        .unwrap();
    assert!(house.enter(&credential("a", 1), "10.0.0.1").await.is_ok());
}

#[tokio::test]
async fn an_unbound_certificate_a_removed_and_an_expired_user_are_nobody_at_once() {
    let house = with_user(new_user("a", "10.0.0.1", 1)).await;
    let operator = house.operator().await;
    let caller = house.enter(&credential("a", 1), "10.0.0.1").await.unwrap();
    let unbind = UserEdit::Unbind(Fingerprint([1; 32]));
    house
        .vault
        .edit_user("a@10.0.0.1", &unbind, &operator)
        .await
        .unwrap();
    assert!(!house.vault.holds(&caller));
    refused(
        &house,
        &credential("a", 1),
        "10.0.0.1",
        RefusalReason::UnknownUser,
    )
    .await;

    let bind = UserEdit::Bind(CertBinding::Exactly(Fingerprint([1; 32])));
    house
        .vault
        .edit_user("a@10.0.0.1", &bind, &operator)
        .await
        .unwrap();
    let caller = house.enter(&credential("a", 1), "10.0.0.1").await.unwrap();
    house
        .vault
        .remove_user("a@10.0.0.1", &operator)
        .await
        .unwrap();
    assert!(!house.vault.holds(&caller));
    refused(
        &house,
        &credential("a", 1),
        "10.0.0.1",
        RefusalReason::UnknownUser,
    )
    .await;

    let expires = Some(Timestamp(1_800_000_060_000));
    let mortal = NewUser {
        expires,
        ..new_user("b", "10.0.0.1", 2)
    };
    house.vault.add_user(&mortal, &operator).await.unwrap();
    let caller = house.enter(&credential("b", 2), "10.0.0.1").await.unwrap();
    house.clock.pass(Duration::from_secs(60));
    assert!(!house.vault.holds(&caller));
    refused(
        &house,
        &credential("b", 2),
        "10.0.0.1",
        RefusalReason::Locked,
    )
    .await;
}

#[tokio::test]
async fn a_certificate_that_has_run_out_is_nobody() {
    let house = with_user(new_user("a", "10.0.0.1", 1)).await;
    let until = CertificateCredential {
        valid_until: Timestamp(1_800_000_000_000),
        ..credential("a", 1)
    };

    refused(&house, &until, "10.0.0.1", RefusalReason::Untrusted).await;
}

#[tokio::test]
async fn in_an_organisation_of_its_own_the_certificate_must_name_it() {
    let house = house().await;
    let operator = house.operator().await;
    house
        .vault
        .add_organisation("Acme", &operator)
        .await
        .unwrap();
    let acme = house.vault.within(&operator, "Acme").await.unwrap();
    house
        .vault
        .add_user(&new_user("a", "10.0.0.1", 1), &acme)
        .await
        .unwrap();
    let of = |organisation: Option<&str>| CertificateCredential {
        organisation: organisation.map(str::to_owned),
        ..credential("a", 1)
    };

    assert!(house.enter(&of(Some("Acme")), "10.0.0.1").await.is_ok());
    refused(&house, &of(None), "10.0.0.1", RefusalReason::UnknownUser).await;
    refused(
        &house,
        &of(Some("acme")),
        "10.0.0.1",
        RefusalReason::UnknownUser,
    )
    .await;
    refused(
        &house,
        &of(Some("default")),
        "10.0.0.1",
        RefusalReason::UnknownUser,
    )
    .await;
}
