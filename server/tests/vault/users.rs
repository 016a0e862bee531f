use claviger::domain::{Allowed, CertBinding, Fingerprint, Lock, Permit, Platform, Role, Scope};
use claviger::vault::{ApplicationEdit, NewApplication, NewUser, UserEdit, VaultError};

use crate::fixture::{house, new_user};

#[tokio::test]
async fn only_administrators_administer() {
    let house = house().await;
    let manager = house
        .user("manager", 1, Role::PasswordAdministrator, Scope::All)
        .await;
    let administrator = house
        .user("admin", 2, Role::Administrator, Scope::Owned)
        .await;
    let vault = &house.vault;

    assert!(matches!(
        vault.users(None, 9, &manager).await,
        Err(VaultError::NotAllowed)
    ));
    assert!(matches!(
        vault
            .add_user(&new_user("x", "10.0.0.1", 3), &manager)
            .await,
        Err(VaultError::NotAllowed)
    ));
    assert!(matches!(
        vault.set_setting("history", "3", &manager).await,
        Err(VaultError::NotAllowed)
    ));
    let print = Fingerprint([5; 32]);
    assert!(matches!(
        vault
            .trust_certificate((print, b"der"), true, "CN=x", &manager)
            .await,
        Err(VaultError::NotAllowed)
    ));
    assert!(matches!(
        vault.rotate_key(&manager, &|_| {}).await,
        Err(VaultError::NotAllowed)
    ));
    assert!(matches!(
        vault.export(None, 9, &manager).await,
        Err(VaultError::NotAllowed)
    ));
    assert!(matches!(
        vault
            .audit(claviger::ledger::Query::default(), &manager)
            .await,
        Err(VaultError::NotAllowed)
    ));
    assert_eq!(vault.users(None, 9, &administrator).await.unwrap().len(), 2);
    let export = vault.export(None, 9, &administrator).await;
    assert!(
        matches!(export, Err(VaultError::NotAllowed)),
        "its scope is what it owns"
    );
}

#[tokio::test]
async fn nobody_makes_or_speaks_for_a_user_who_reaches_more() {
    let house = house().await;
    let narrow = house
        .user("narrow", 1, Role::Administrator, Scope::Owned)
        .await;
    let wide = house.user("wide", 2, Role::Administrator, Scope::All).await;
    let vault = &house.vault;
    let another = NewUser {
        role: Role::Administrator,
        scope: Scope::All,
        ..new_user("another", "10.0.0.1", 3)
    };
    let bind = UserEdit::Bind(CertBinding::Exactly(Fingerprint([9; 32])));
    let program = NewApplication {
        name: "app".to_owned(),
        host: "10.0.0.9".to_owned(),
        platform: Platform::Linux,
        allowed: Allowed::of(&[Permit::Retrieve]),
        inherits: "wide@10.0.0.1".to_owned(),
        certificates: Vec::new(),
    };

    let made = vault.add_user(&another, &narrow).await;
    assert!(matches!(made, Err(VaultError::NotAllowed)), "{made:?}");
    let bound = vault.edit_user("wide@10.0.0.1", &bind, &narrow).await;
    assert!(matches!(bound, Err(VaultError::NotAllowed)), "{bound:?}");
    let acting = vault.add_application(&program, &narrow).await;
    assert!(matches!(acting, Err(VaultError::NotAllowed)), "{acting:?}");
    let gone = vault.remove_user("wide@10.0.0.1", &narrow).await;
    assert!(matches!(gone, Err(VaultError::NotAllowed)), "{gone:?}");

    assert!(vault.user("wide@10.0.0.1", &narrow).await.is_ok());
    vault.add_application(&program, &wide).await.unwrap();
    let lock = ApplicationEdit {
        lock: Some(Lock::Locked),
        ..ApplicationEdit::default()
    };
    let locked = vault.edit_application("app", &lock, &narrow).await;
    assert!(matches!(locked, Err(VaultError::NotAllowed)), "{locked:?}");
    vault.add_user(&another, &wide).await.unwrap();
    vault
        .edit_user("narrow@10.0.0.1", &bind, &wide)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_login_in_another_case_is_taken() {
    let house = house().await;
    let operator = house.operator().await;
    house
        .vault
        .add_user(&new_user("Billing", "app1.example", 1), &operator)
        .await
        .unwrap();

    let again = house
        .vault
        .add_user(&new_user("billing", "APP1.example", 2), &operator)
        .await;

    assert!(matches!(
        again,
        Err(VaultError::Exists("a user with this name"))
    ));
    let other = house
        .vault
        .add_user(&new_user("billing", "app2.example", 2), &operator)
        .await;
    assert_eq!(
        other.unwrap().full_name.as_str(),
        "billing@app2.example - API User"
    );
}

#[tokio::test]
async fn an_api_user_is_no_auditor_and_needs_a_host() {
    let house = house().await;
    let operator = house.operator().await;
    let auditor = NewUser {
        role: Role::PasswordAuditor,
        ..new_user("a", "10.0.0.1", 1)
    };
    let hostless = NewUser {
        login: "alone".to_owned(),
        ..new_user("a", "10.0.0.1", 1)
    };

    for new in [auditor, hostless] {
        let refusal = house.vault.add_user(&new, &operator).await;
        assert!(
            matches!(refusal, Err(VaultError::Invalid(_))),
            "{refusal:?}"
        );
    }
}

#[tokio::test]
async fn a_certificate_binds_once_and_unbinds_once() {
    let house = house().await;
    let operator = house.operator().await;
    house
        .vault
        .add_user(&new_user("a", "10.0.0.1", 1), &operator)
        .await
        .unwrap();
    let edit = |edit: UserEdit| {
        let (house, operator) = (&house, &operator);
        async move { house.vault.edit_user("a@10.0.0.1", &edit, operator).await }
    };
    let bind = UserEdit::Bind(CertBinding::Exactly(Fingerprint([2; 32])));

    edit(bind.clone()).await.unwrap();
    assert!(matches!(edit(bind).await, Err(VaultError::Exists(_))));
    edit(UserEdit::Unbind(Fingerprint([2; 32]))).await.unwrap();
    let again = edit(UserEdit::Unbind(Fingerprint([2; 32]))).await;
    assert!(matches!(again, Err(VaultError::NotFound(_))));
}

#[tokio::test]
async fn a_user_who_owns_resources_stays() {
    let house = house().await;
    let operator = house.operator().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("db1", "app", "s3cret", &owner).await;
    house.plain_user("heir", 2).await;

    let refusal = house.vault.remove_user("owner@10.0.0.1", &operator).await;
    assert!(matches!(refusal, Err(VaultError::Invalid(_))));

    let heir = claviger::vault::ResourceEdit {
        owner: Some("heir@10.0.0.1".to_owned()),
        ..Default::default()
    };
    house
        .vault
        .edit_resource("db1", &heir, &operator)
        .await
        .unwrap();
    house
        .vault
        .remove_user("owner@10.0.0.1", &operator)
        .await
        .unwrap();
    assert_eq!(
        house
            .vault
            .owned_by("heir@10.0.0.1", 9, &operator)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_removed_users_shares_are_gone_for_whoever_comes_after() {
    let house = house().await;
    let operator = house.operator().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.plain_user("user", 2).await;
    house.create("db1", "app", "s3cret", &owner).await;
    house
        .share(
            "db1",
            Some("app"),
            "user@10.0.0.1",
            claviger::domain::Level::Manage,
        )
        .await;

    house
        .vault
        .remove_user("user@10.0.0.1", &operator)
        .await
        .unwrap();
    let successor = house.plain_user("user", 2).await;

    assert!(house.vault.shares("db1", &owner).await.unwrap().is_empty());
    assert!(matches!(
        house.retrieve("db1", "app", &successor).await,
        Err(VaultError::Refused)
    ));
}

#[tokio::test]
async fn trust_is_told_before_anybody_is_let_in_by_it_and_doubted_after() {
    let house = house().await;
    let operator = house.operator().await;
    let caller = house.plain_user("a", 1).await;
    let print = Fingerprint([5; 32]);

    house
        .vault
        .trust_certificate((print, b"der"), false, "CN=x", &operator)
        .await
        .unwrap();
    let told = house.heard.0.lock().unwrap().clone();
    assert_eq!(
        told.iter()
            .map(|one| (one.root, &one.der[..]))
            .collect::<Vec<_>>(),
        [(false, &b"der"[..])]
    );
    assert!(!house.vault.holds(&caller), "everybody is identified again");
    let again = house
        .vault
        .trust_certificate((print, b"der"), false, "CN=x", &operator)
        .await;
    assert!(matches!(again, Err(VaultError::Exists(_))));

    house
        .vault
        .trust_certificate((print, b"der"), true, "CN=x", &operator)
        .await
        .unwrap();
    assert!(house.heard.0.lock().unwrap()[0].root);
    house
        .vault
        .distrust_certificate(print, &operator)
        .await
        .unwrap();
    assert!(house.heard.0.lock().unwrap().is_empty());
    let gone = house.vault.distrust_certificate(print, &operator).await;
    assert!(matches!(gone, Err(VaultError::NotFound(_))));
}
