use claviger::domain::{Level, Operation, Outcome, RefusalReason, Role, Scope};
use claviger::vault::{AccountEdit, NewAccount, NewPassword, ResourceEdit, VaultError};

use crate::fixture::{given, house};

#[tokio::test]
async fn lists_show_what_may_be_seen_and_no_more() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    for name in ["db1", "db2", "db3"] {
        house.create(name, "app", "s3cret", &owner).await;
    }
    let dba = NewAccount {
        resource: "db2".into(),
        account: "dba",
        ..Default::default()
    };
    house
        .vault
        .add_account(&dba, NewPassword::Generate, &owner)
        .await
        .unwrap();
    house.share("db1", None, "user@10.0.0.1", Level::View).await;
    house
        .share("db2", Some("dba"), "user@10.0.0.1", Level::View)
        .await;

    let seen = house.vault.resources(None, 10, &user).await.unwrap();
    let names: Vec<_> = seen
        .iter()
        .map(|view| view.resource.name.as_str())
        .collect();
    assert_eq!(names, ["db1", "db2"]);
    let accounts = house.vault.accounts("db2", None, 10, &user).await.unwrap();
    let names: Vec<_> = accounts
        .iter()
        .map(|view| view.account.name.as_str())
        .collect();
    assert_eq!(names, ["dba"]);
    let hidden = house.vault.accounts("db3", None, 10, &user).await;
    assert!(matches!(hidden, Err(VaultError::Refused)));
}

#[tokio::test]
async fn a_list_goes_on_after_where_it_stopped() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    for n in 0..7 {
        house
            .create(&format!("db{n}"), "app", "s3cret", &owner)
            .await;
    }

    let mut names = Vec::new();
    let mut after = None;
    loop {
        let page = house.vault.resources(after, 3, &owner).await.unwrap();
        names.extend(page.iter().map(|view| view.resource.name.to_string()));
        after = page.last().map(|view| view.resource.id);
        if page.len() < 3 {
            break;
        }
    }

    assert_eq!(names, ["db0", "db1", "db2", "db3", "db4", "db5", "db6"]);
}

#[tokio::test]
async fn a_renamed_account_and_resource_are_found_by_their_new_names_only() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("db1", "app", "s3cret", &owner).await;
    house.create("taken", "app", "s3cret", &owner).await;
    let edit = ResourceEdit {
        name: Some("db9".to_owned()),
        ..Default::default()
    };
    house
        .vault
        .edit_resource("db1", &edit, &owner)
        .await
        .unwrap();
    let edit = AccountEdit {
        name: Some("svc".to_owned()),
        ..Default::default()
    };
    house
        .vault
        .edit_account("db9", "app", &edit, &owner)
        .await
        .unwrap();

    assert_eq!(
        house.retrieve("db9", "svc", &owner).await.unwrap(),
        "s3cret"
    );
    assert!(house.retrieve("db1", "app", &owner).await.is_err());
    assert!(house.retrieve("db9", "app", &owner).await.is_err());
    let onto = ResourceEdit {
        name: Some("TAKEN".to_owned()),
        ..Default::default()
    };
    let refusal = house.vault.edit_resource("db9", &onto, &owner).await;
    assert!(
        matches!(refusal, Err(VaultError::ResourceExists)),
        "{refusal:?}"
    );
    // Its own name in another case is its own.
    let louder = ResourceEdit {
        name: Some("DB9".to_owned()),
        ..Default::default()
    };
    house
        .vault
        .edit_resource("db9", &louder, &owner)
        .await
        .unwrap();
    assert!(house.retrieve("DB9", "svc", &owner).await.is_ok());
}

#[tokio::test]
async fn a_manage_share_edits_and_makes_nobody_the_owner() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let manager = house
        .user("manager", 2, Role::Administrator, Scope::Owned)
        .await;
    let above = house
        .user("above", 3, Role::Administrator, Scope::All)
        .await;
    house.create("db1", "app", "s3cret", &owner).await;
    house
        .share("db1", None, "manager@10.0.0.1", Level::Manage)
        .await;
    let give = |to: &str| ResourceEdit {
        owner: Some(format!("{to}@10.0.0.1")),
        notes: Some(format!("for {to}")),
        ..Default::default()
    };
    let owned_by = async || house.vault.resource("db1", &above).await.unwrap().owner;
    let edit = async |to: &str, by| house.vault.edit_resource("db1", &give(to), by).await;

    let taken = edit("manager", &manager).await;
    assert!(matches!(taken, Err(VaultError::NotAllowed)), "{taken:?}");
    let why = Outcome::Refused(RefusalReason::NotAllowed);
    assert_eq!(house.newest(1), [(Operation::EditResource, why)]);
    edit("owner", &manager).await.unwrap();
    assert_eq!(owned_by().await.as_deref(), Some("owner@10.0.0.1"));
    edit("manager", &owner).await.unwrap();
    assert_eq!(owned_by().await.as_deref(), Some("manager@10.0.0.1"));
    let back = edit("owner", &owner).await;
    assert!(matches!(back, Err(VaultError::Refused)), "{back:?}");
    edit("above", &above).await.unwrap();
    assert_eq!(owned_by().await.as_deref(), Some("above@10.0.0.1"));
}

#[tokio::test]
async fn what_is_removed_leaves_nothing_behind() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    let before = house.rows.store().snapshot().await.unwrap().count();
    house.create("db1", "app", "s3cret", &owner).await;
    let dba = NewAccount {
        resource: "db1".into(),
        account: "dba",
        ..Default::default()
    };
    house
        .vault
        .add_account(&dba, given("other"), &owner)
        .await
        .unwrap();
    house
        .share("db1", Some("dba"), "user@10.0.0.1", Level::View)
        .await;
    house.share("db1", None, "user@10.0.0.1", Level::View).await;

    house
        .vault
        .remove_account("db1", "dba", &owner)
        .await
        .unwrap();
    assert!(house.retrieve("db1", "dba", &user).await.is_err());
    assert!(house.retrieve("db1", "app", &user).await.is_ok());
    house.vault.remove_resource("db1", &owner).await.unwrap();

    assert!(house.retrieve("db1", "app", &owner).await.is_err());
    let after = house.rows.store().snapshot().await.unwrap().count();
    // Two id counters were made meanwhile.
    assert_eq!(after, before + 2);
}

#[tokio::test]
async fn a_view_share_does_not_manage() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    house.create("db1", "app", "s3cret", &owner).await;
    house
        .share("db1", None, "user@10.0.0.1", Level::Modify)
        .await;
    let vault = &house.vault;
    let edit = AccountEdit::default();

    let refusals = [
        vault.remove_resource("db1", &user).await.unwrap_err(),
        vault.remove_account("db1", "app", &user).await.unwrap_err(),
        vault
            .edit_account("db1", "app", &edit, &user)
            .await
            .unwrap_err(),
        vault
            .edit_resource("db1", &ResourceEdit::default(), &user)
            .await
            .unwrap_err(),
        vault
            .share(("db1", None), "user@10.0.0.1", Level::Manage, &user)
            .await
            .unwrap_err(),
        vault
            .unshare(("db1", None), "user@10.0.0.1", &user)
            .await
            .unwrap_err(),
    ];

    assert!(
        refusals.iter().all(|e| matches!(e, VaultError::NotAllowed)),
        "{refusals:?}"
    );
}
