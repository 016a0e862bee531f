use claviger::domain::{Level, Operation, Outcome, RefusalReason, Role, Scope};
use claviger::vault::{VaultError, Wanted};

use crate::fixture::{house, wanted};

#[tokio::test]
async fn an_owner_retrieves_and_the_record_stands_before() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("db1", "app", "s3cret", &owner).await;

    assert_eq!(
        house.retrieve("db1", "app", &owner).await.unwrap(),
        "s3cret"
    );

    assert_eq!(house.newest(1), [(Operation::Retrieve, Outcome::Allowed)]);
}

#[tokio::test]
async fn missing_and_not_shared_are_refused_alike_and_told_apart_in_the_trail() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let stranger = house.plain_user("stranger", 2).await;
    house.create("db1", "app", "s3cret", &owner).await;
    let cases = [
        ("nothing", "app", RefusalReason::NoSuchResource),
        ("DB1", "app", RefusalReason::NoSuchResource),
        ("db1", "nobody", RefusalReason::NoSuchAccount),
        ("db1", "APP", RefusalReason::NoSuchAccount),
        ("db1", "app", RefusalReason::NotShared),
        ("", "", RefusalReason::NoSuchResource),
        ("db1\0", "app", RefusalReason::NoSuchResource),
    ];

    let mut texts = Vec::new();
    for (resource, account, why) in cases {
        let refusal = house
            .retrieve(resource, account, &stranger)
            .await
            .unwrap_err();
        assert!(
            matches!(refusal, VaultError::Refused),
            "{resource}/{account}"
        );
        texts.push(refusal.to_string());
        assert_eq!(
            house.newest(1),
            [(Operation::Retrieve, Outcome::Refused(why))]
        );
    }

    texts.dedup();
    assert_eq!(texts.len(), 1);
}

#[tokio::test]
async fn a_share_of_one_account_opens_that_account_and_no_other() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    house.create("db1", "app", "s3cret", &owner).await;
    let new = claviger::vault::NewAccount {
        resource: "db1".into(),
        account: "dba",
        ..Default::default()
    };
    house
        .vault
        .add_account(&new, crate::fixture::given("other1"), &owner)
        .await
        .unwrap();

    house
        .share("db1", Some("app"), "user@10.0.0.1", Level::View)
        .await;

    assert_eq!(house.retrieve("db1", "app", &user).await.unwrap(), "s3cret");
    assert!(matches!(
        house.retrieve("db1", "dba", &user).await,
        Err(VaultError::Refused)
    ));
}

#[tokio::test]
async fn a_share_that_is_taken_back_opens_nothing_any_more() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    house.create("db1", "app", "s3cret", &owner).await;
    house
        .share("db1", None, "user@10.0.0.1", Level::Modify)
        .await;
    assert!(house.retrieve("db1", "app", &user).await.is_ok());

    house
        .vault
        .unshare(("db1", None), "user@10.0.0.1", &owner)
        .await
        .unwrap();

    assert!(matches!(
        house.retrieve("db1", "app", &user).await,
        Err(VaultError::Refused)
    ));
}

#[tokio::test]
async fn a_super_administrator_reaches_what_nobody_shared_and_an_owned_scope_does_not() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let all = house
        .user("all", 2, Role::PasswordAdministrator, Scope::All)
        .await;
    let owned = house
        .user("owned", 3, Role::Administrator, Scope::Owned)
        .await;
    house.create("db1", "app", "s3cret", &owner).await;

    assert_eq!(house.retrieve("db1", "app", &all).await.unwrap(), "s3cret");
    assert!(matches!(
        house.retrieve("db1", "app", &owned).await,
        Err(VaultError::Refused)
    ));
}

#[tokio::test]
async fn a_demanded_reason_and_ticket_are_asked_for_from_near_to_far() {
    let house = house().await;
    let operator = house.operator().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("db1", "app", "s3cret", &owner).await;
    house
        .vault
        .set_setting("reason-required", "true", &operator)
        .await
        .unwrap();
    let ask = |reason, ticket| Wanted {
        reason,
        ticket,
        ..wanted("db1", "app")
    };

    let bare = house.vault.retrieve(&ask("", ""), &owner).await;
    assert!(matches!(bare, Err(VaultError::ReasonRequired)));
    let blank = house.vault.retrieve(&ask(" \t", ""), &owner).await;
    assert!(matches!(blank, Err(VaultError::ReasonRequired)));
    assert!(
        house
            .vault
            .retrieve(&ask("upgrade", ""), &owner)
            .await
            .is_ok()
    );

    house
        .vault
        .set_setting("ticket-required", "true", &operator)
        .await
        .unwrap();
    let ticketless = house.vault.retrieve(&ask("upgrade", ""), &owner).await;
    assert!(matches!(ticketless, Err(VaultError::TicketRequired)));
    assert!(
        house
            .vault
            .retrieve(&ask("upgrade", "CHG-1"), &owner)
            .await
            .is_ok()
    );

    let lenient = claviger::vault::AccountEdit {
        reason_demanded: Some(Some(false)),
        ticket_demanded: Some(Some(false)),
        ..Default::default()
    };
    house
        .vault
        .edit_account("db1", "app", &lenient, &owner)
        .await
        .unwrap();
    assert!(house.vault.retrieve(&ask("", ""), &owner).await.is_ok());
}

#[tokio::test]
async fn another_organisation_sees_nothing() {
    let house = house().await;
    let operator = house.operator().await;
    house
        .vault
        .add_organisation("Acme", &operator)
        .await
        .unwrap();
    let acme = house.vault.within(&operator, "Acme").await.unwrap();
    let owner = house
        .user("owner", 1, Role::Administrator, Scope::All)
        .await;
    house.create("db1", "app", "s3cret", &owner).await;

    let missing = house.vault.retrieve(&wanted("db1", "app"), &acme).await;
    assert!(matches!(missing, Err(VaultError::Refused)));
    assert!(
        house
            .vault
            .resources(None, 10, &acme)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(house.vault.users(None, 10, &acme).await.unwrap().is_empty());

    // The same name may stand in both.
    house.create("db1", "app", "theirs", &acme).await;
    assert_eq!(
        house.retrieve("db1", "app", &owner).await.unwrap(),
        "s3cret"
    );
    assert_eq!(house.retrieve("db1", "app", &acme).await.unwrap(), "theirs");
}
