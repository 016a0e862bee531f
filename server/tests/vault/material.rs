//! Files, SSH keys and API keys that accounts keep: guarded like passwords.

use claviger::domain::{
    Level, Material, Operation, Outcome, Password, RefusalReason, Role, Scope, SecretBytes,
    SecretKind,
};
use claviger::vault::{Caller, NewAccount, NewPassword, Reach, VaultError};
use zeroize::Zeroizing;

use crate::fixture::{House, given, house, wanted};

const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----";

fn text(text: &str) -> Password {
    Password::parse(Zeroizing::new(text.to_owned())).unwrap()
}

fn file(content: &[u8]) -> Material {
    let bytes = SecretBytes::new(Zeroizing::new(content.to_vec()));
    Material::file("tls.p12", bytes).unwrap()
}

fn ssh_key() -> Material {
    Material::ssh_key(text(KEY)).unwrap()
}

async fn add(house: &House, name: &str, keeps: Material, owner: &Caller) -> Result<(), VaultError> {
    let new = NewAccount {
        resource: "db1".into(),
        account: name,
        ..NewAccount::default()
    };
    let added = house.vault.add_account_with(&new, keeps, owner).await;
    added.map(drop)
}

/// An owner with `db1`, on which `tls` keeps a file, `deploy` an SSH key, `api` an API key.
async fn kept() -> (House, Caller) {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("db1", "app", "s3cret", &owner).await;
    add(&house, "tls", file(b"\0\xff\r\n"), &owner)
        .await
        .unwrap();
    add(&house, "deploy", ssh_key(), &owner).await.unwrap();
    let pair = Material::api_key("AKIA1", text("hunter2")).unwrap();
    add(&house, "api", pair, &owner).await.unwrap();
    (house, owner)
}

async fn material(house: &House, account: &str, caller: &Caller) -> Result<Material, VaultError> {
    house.vault.material(&wanted("db1", account), caller).await
}

fn assert_invalid<T: std::fmt::Debug>(refused: Result<T, VaultError>, words: &str) {
    match refused {
        Err(VaultError::Invalid(told)) => assert!(told.contains(words), "{told}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_an_account_keeps_comes_back_byte_for_byte_and_is_recorded() {
    let (house, owner) = kept().await;

    let tls = material(&house, "tls", &owner).await.unwrap();
    assert_eq!(tls.expose(), b"\0\xff\r\n");
    assert_eq!(
        (tls.kind(), tls.name()),
        (SecretKind::File, Some("tls.p12"))
    );
    let deploy = material(&house, "deploy", &owner).await.unwrap();
    assert_eq!(deploy.expose(), KEY.as_bytes());
    let api = material(&house, "api", &owner).await.unwrap();
    assert_eq!((api.name(), api.expose()), (Some("AKIA1"), &b"hunter2"[..]));

    let read = [(Operation::Retrieve, Outcome::Allowed); 3];
    assert_eq!(house.newest(3), read);
    let view = house.vault.account("db1", "tls", &owner).await.unwrap();
    assert_eq!(view.account.kind, SecretKind::File);
    assert!(view.accessed.is_some());
    assert_invalid(material(&house, "app", &owner).await, "a password");
}

#[tokio::test]
async fn text_is_retrieved_as_a_password_is_and_a_file_is_not() {
    let (house, owner) = kept().await;

    for _ in 0..2 {
        let deploy = house.retrieve("db1", "deploy", &owner).await.unwrap();
        assert_eq!(deploy, KEY);
        let api = house.retrieve("db1", "api", &owner).await.unwrap();
        assert_eq!(api, "hunter2");
        assert_invalid(house.retrieve("db1", "tls", &owner).await, "a file");
        let refused = Outcome::Refused(RefusalReason::Invalid);
        assert_eq!(house.newest(1), [(Operation::Retrieve, refused)]);
    }
}

#[tokio::test]
async fn a_file_is_hidden_from_whoever_has_no_share_and_kept_from_a_viewer() {
    let (house, _) = kept().await;
    let user = house.plain_user("user", 2).await;
    let missing = material(&house, "none", &user).await;
    assert!(matches!(missing, Err(VaultError::Refused)));
    let hidden = material(&house, "tls", &user).await;
    assert!(matches!(hidden, Err(VaultError::Refused)));

    house.share("db1", None, "user@10.0.0.1", Level::View).await;

    assert!(material(&house, "tls", &user).await.is_ok());
    let wanted = wanted("db1", "tls");
    let change = house.vault.change_material(&wanted, file(b"x"), &user);
    assert!(matches!(change.await, Err(VaultError::NotAllowed)));
    let add = add(&house, "other", ssh_key(), &user).await;
    assert!(matches!(add, Err(VaultError::NotAllowed)));
}

#[tokio::test]
async fn another_version_comes_into_force_with_its_history() {
    let (house, owner) = kept().await;
    let operator = house.operator().await;
    let set = house.vault.set_setting("history", "2", &operator);
    set.await.unwrap();
    for content in [&b"two"[..], b"three"] {
        let wanted = wanted("db1", "tls");
        let change = house.vault.change_material(&wanted, file(content), &owner);
        change.await.unwrap();
    }

    let tls = material(&house, "tls", &owner).await.unwrap();
    let history = house.vault.history("db1", "tls", &owner).await.unwrap();

    assert_eq!(tls.expose(), b"three");
    let versions = history.iter().map(|(change, by)| {
        (
            change.version.0,
            by.as_deref().unwrap_or_default(),
            change.generated,
        )
    });
    assert_eq!(
        versions.collect::<Vec<_>>(),
        [(3, "owner@10.0.0.1", false), (2, "owner@10.0.0.1", false)]
    );
}

#[tokio::test]
async fn an_account_keeps_its_kind() {
    let (house, owner) = kept().await;
    let change = async |account, new| {
        let wanted = wanted("db1", account);
        house.vault.change_material(&wanted, new, &owner).await
    };
    assert_invalid(change("app", file(b"x")).await, "a password");
    assert_invalid(change("tls", ssh_key()).await, "a file");
    assert_invalid(change("deploy", file(b"x")).await, "an SSH private key");

    for new in [given("other"), NewPassword::Generate] {
        let wanted = wanted("db1", "deploy");
        let change = house.vault.change(&wanted, new, Reach::Local, &owner);
        assert_invalid(change.await, "an SSH private key");
    }

    let deploy = material(&house, "deploy", &owner).await.unwrap();
    assert_eq!(deploy.expose(), KEY.as_bytes());
}

#[tokio::test]
async fn a_file_has_a_limit_and_an_account_one_name() {
    let (house, owner) = kept().await;
    let operator = house.operator().await;
    let set = house.vault.set_setting("file-kib", "1", &operator);
    set.await.unwrap();

    let full = add(&house, "full", file(&[7; 1024]), &owner).await;
    full.unwrap();
    let over = add(&house, "over", file(&[7; 1025]), &owner).await;
    assert_invalid(over, "1 KiB");
    let twice = add(&house, "TLS", file(b"x"), &owner).await;
    assert!(matches!(
        twice,
        Err(VaultError::Exists("an account with this name"))
    ));
    let wanted = wanted("db1", "tls");
    let change = house
        .vault
        .change_material(&wanted, file(&[7; 1025]), &owner);
    assert_invalid(change.await, "1 KiB");
}

#[tokio::test]
async fn a_removed_account_leaves_no_file_and_an_export_has_none() {
    let (house, owner) = kept().await;
    let operator = house.operator().await;
    let (entries, _) = house.vault.export(None, 10, &operator).await.unwrap();
    let accounts: Vec<_> = entries.iter().map(|entry| entry.account.as_str()).collect();
    assert_eq!(accounts, ["app"]);

    let removed = house.vault.remove_account("db1", "tls", &owner).await;
    removed.unwrap();

    let gone = material(&house, "tls", &owner).await;
    assert!(matches!(gone, Err(VaultError::Refused)));
}

#[tokio::test]
async fn a_reason_that_is_demanded_is_demanded_of_files_too() {
    let (house, owner) = kept().await;
    let operator = house.operator().await;
    let set = house
        .vault
        .set_setting("reason-required", "true", &operator);
    set.await.unwrap();

    let without = material(&house, "tls", &owner).await;
    let wanted = wanted("db1", "tls").because("renewal", "");
    let with = house.vault.material(&wanted, &owner).await;

    assert!(matches!(without, Err(VaultError::ReasonRequired)));
    assert!(with.is_ok());
}
