//! What a retrieval remembers must never be older than the last change.

use claviger::domain::{Level, Operation, Outcome, RefusalReason, Role, Scope};
use claviger::vault::{AccountEdit, Caller, Reach, ResourceEdit, VaultError};

use crate::fixture::{House, given, house, wanted};

/// A resource of an owner, with an account that a user retrieves already.
async fn used(share: Option<&str>) -> (House, Caller, Caller) {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    house.create("db1", "app", "s3cret", &owner).await;
    house
        .share("db1", share, "user@10.0.0.1", Level::View)
        .await;
    for _ in 0..2 {
        let got = house.retrieve("db1", "app", &user).await;
        assert_eq!(got.unwrap(), "s3cret");
    }
    (house, owner, user)
}

async fn assert_refused(house: &House, user: &Caller, why: RefusalReason) {
    let refusal = house.retrieve("db1", "app", user).await.unwrap_err();
    assert!(matches!(refusal, VaultError::Refused), "{refusal}");
    assert_eq!(
        house.newest(1),
        [(Operation::Retrieve, Outcome::Refused(why))]
    );
}

#[tokio::test]
async fn whoever_loses_a_share_is_refused_at_once() {
    for share in [None, Some("app")] {
        let (house, owner, user) = used(share).await;

        house
            .vault
            .unshare(("db1", share), "user@10.0.0.1", &owner)
            .await
            .unwrap();

        assert_refused(&house, &user, RefusalReason::NotShared).await;
    }
}

#[tokio::test]
async fn what_one_user_has_retrieved_is_not_nearer_to_another() {
    let (house, _, _) = used(None).await;
    let stranger = house.plain_user("stranger", 3).await;

    assert_refused(&house, &stranger, RefusalReason::NotShared).await;
}

#[tokio::test]
async fn another_password_is_the_next_one_retrieved() {
    let (house, owner, user) = used(None).await;

    for password in ["s3cret-2", "s3cret-3"] {
        house
            .vault
            .change(&wanted("db1", "app"), given(password), Reach::Local, &owner)
            .await
            .unwrap();

        let got = house.retrieve("db1", "app", &user).await;
        assert_eq!(got.unwrap(), password);
    }
}

#[tokio::test]
async fn a_password_is_given_out_all_the_same_when_the_keys_were_rotated() {
    let (house, _, user) = used(None).await;
    let operator = house.operator().await;
    let old = house.rows.keys().newest();

    house.vault.rotate_key(&operator, &|_| {}).await.unwrap();

    assert_ne!(house.rows.keys().newest(), old);
    for _ in 0..2 {
        let got = house.retrieve("db1", "app", &user).await;
        assert_eq!(got.unwrap(), "s3cret");
    }
}

#[tokio::test]
async fn a_renamed_account_or_resource_is_gone_by_its_old_name() {
    let (house, owner, user) = used(None).await;
    let edit = AccountEdit {
        name: Some("dba".to_owned()),
        ..AccountEdit::default()
    };
    house
        .vault
        .edit_account("db1", "app", &edit, &owner)
        .await
        .unwrap();
    assert_refused(&house, &user, RefusalReason::NoSuchAccount).await;

    let (house, owner, user) = used(None).await;
    let edit = ResourceEdit {
        name: Some("db9".to_owned()),
        ..ResourceEdit::default()
    };
    house
        .vault
        .edit_resource("db1", &edit, &owner)
        .await
        .unwrap();
    assert_refused(&house, &user, RefusalReason::NoSuchResource).await;
}

#[tokio::test]
async fn a_removed_resource_is_gone_and_another_of_its_name_is_not_shared() {
    let (house, owner, user) = used(None).await;

    house.vault.remove_resource("db1", &owner).await.unwrap();
    assert_refused(&house, &user, RefusalReason::NoSuchResource).await;
    house.create("db1", "app", "others", &owner).await;

    assert_refused(&house, &user, RefusalReason::NotShared).await;
}

#[tokio::test]
async fn an_owner_that_was_is_refused_at_once() {
    let (house, owner, _) = used(None).await;
    house.plain_user("heir", 4).await;
    assert_eq!(
        house.retrieve("db1", "app", &owner).await.unwrap(),
        "s3cret"
    );
    let heir = ResourceEdit {
        owner: Some("heir@10.0.0.1".to_owned()),
        ..ResourceEdit::default()
    };

    let operator = house.operator().await;
    house
        .vault
        .edit_resource("db1", &heir, &operator)
        .await
        .unwrap();

    assert_refused(&house, &owner, RefusalReason::NotShared).await;
}

#[tokio::test]
async fn a_reason_that_is_demanded_is_demanded_from_now_on() {
    for of_account in [true, false] {
        let (house, owner, user) = used(None).await;
        if of_account {
            let edit = AccountEdit {
                reason_demanded: Some(Some(true)),
                ..AccountEdit::default()
            };
            let edited = house.vault.edit_account("db1", "app", &edit, &owner);
            edited.await.unwrap();
        } else {
            let operator = house.operator().await;
            let set = house
                .vault
                .set_setting("reason-required", "true", &operator);
            set.await.unwrap();
        }

        let refusal = house.retrieve("db1", "app", &user).await.unwrap_err();

        assert!(matches!(refusal, VaultError::ReasonRequired), "{refusal}");
    }
}
