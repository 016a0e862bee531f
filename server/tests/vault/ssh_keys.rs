use std::time::Duration;

use claviger::domain::{FreeText, Lock, RefusalReason, Role, Scope, SshKey};
use claviger::vault::{Caller, Credential, SshCredential, UserEdit, VaultError};

use crate::fixture::{House, house, house_in, new_user};

const USER: &str = "app@10.0.0.1";
const GONE: &str = "this user may not come in with this key any more";

/// An Ed25519 key of 32 bytes `mark`.
fn key(mark: u8) -> SshKey {
    let field = |bytes: &[u8]| {
        [
            &u32::try_from(bytes.len()).unwrap().to_be_bytes()[..],
            bytes,
        ]
        .concat()
    };
    let blob = [field(b"ssh-ed25519"), field(&[mark; 32])].concat();
    SshKey::of(blob, FreeText::default()).unwrap()
}

async fn with_key(mark: u8) -> House {
    let house = house().await;
    add_user(&house, "app", "10.0.0.1").await;
    let operator = house.operator().await;
    house
        .vault
        .add_ssh_keys(USER, vec![key(mark)], &operator)
        .await
        .unwrap();
    house
}

async fn add_user(house: &House, name: &str, host: &str) {
    let operator = house.operator().await;
    let new = new_user(name, host, 1);
    house.vault.add_user(&new, &operator).await.unwrap();
}

async fn show(house: &House, login: &str, mark: u8, peer: &str) -> Result<Caller, VaultError> {
    let shown = Credential::SshKey(SshCredential {
        login: login.to_owned(),
        blob: key(mark).blob().to_vec(),
    });
    house.vault.identify(&shown, &house.origin(peer)).await
}

#[tokio::test]
async fn a_key_proves_its_user_by_name_from_its_host() {
    let house = with_key(1).await;

    assert_eq!(
        show(&house, "app", 1, "10.0.0.1").await.unwrap().login(),
        USER
    );
    for (login, mark) in [("app", 2), ("App", 1), ("other", 1), ("", 1), ("x/app", 1)] {
        let refused = show(&house, login, mark, "10.0.0.1").await;
        house.assert_turned_away(refused, RefusalReason::UnknownUser, GONE);
    }
    let far = show(&house, "app", 1, "10.0.0.2").await;
    let words = "this user may not come from this address";
    house.assert_turned_away(far, RefusalReason::WrongHost, words);
}

#[tokio::test]
async fn of_two_users_of_one_name_the_host_says_which() {
    let house = with_key(1).await;
    add_user(&house, "app", "10.0.0.2").await;
    let operator = house.operator().await;
    house
        .vault
        .add_ssh_keys("app@10.0.0.2", vec![key(1)], &operator)
        .await
        .unwrap();

    let one = show(&house, "app", 1, "10.0.0.1").await.unwrap();
    let two = show(&house, "app", 1, "10.0.0.2").await.unwrap();

    assert_eq!((one.login(), two.login()), (USER, "app@10.0.0.2"));
}

#[tokio::test]
async fn whoever_is_locked_or_loses_its_key_does_not_hold_any_more() {
    let house = with_key(1).await;
    let operator = house.operator().await;
    let before = show(&house, "app", 1, "10.0.0.1").await.unwrap();
    assert!(house.vault.holds(&before));

    house
        .vault
        .edit_user(USER, &UserEdit::Lock(Lock::Locked), &operator)
        .await
        .unwrap();
    assert!(!house.vault.holds(&before));
    let locked = show(&house, "app", 1, "10.0.0.1").await;
    house.assert_turned_away(locked, RefusalReason::Locked, GONE);

    house
        .vault
        .edit_user(USER, &UserEdit::Lock(Lock::Open), &operator)
        .await
        .unwrap();
    let again = show(&house, "app", 1, "10.0.0.1").await.unwrap();
    house
        .vault
        .remove_ssh_key(USER, key(1).fingerprint(), &operator)
        .await
        .unwrap();
    assert!(!house.vault.holds(&again));
    let removed = show(&house, "app", 1, "10.0.0.1").await;
    house.assert_turned_away(removed, RefusalReason::UnknownUser, GONE);
}

#[tokio::test]
async fn a_removed_users_keys_are_gone_and_a_namesake_does_not_inherit_them() {
    let house = with_key(1).await;
    let operator = house.operator().await;

    house.vault.remove_user(USER, &operator).await.unwrap();
    add_user(&house, "app", "10.0.0.1").await;

    assert!(show(&house, "app", 1, "10.0.0.1").await.is_err());
    assert_eq!(house.vault.ssh_keys(USER, &operator).await.unwrap(), []);
}

#[tokio::test]
async fn a_user_has_a_key_once_and_as_many_as_the_setting_says() {
    let house = with_key(1).await;
    let operator = house.operator().await;
    house
        .vault
        .set_setting("ssh-keys-per-user", "2", &operator)
        .await
        .unwrap();
    house.clock.pass(Duration::from_secs(1));

    let twice = house
        .vault
        .add_ssh_keys(USER, vec![key(1)], &operator)
        .await;
    let second = house
        .vault
        .add_ssh_keys(USER, vec![key(2)], &operator)
        .await;
    let third = house
        .vault
        .add_ssh_keys(USER, vec![key(3)], &operator)
        .await;

    let twice = twice.unwrap_err().to_string();
    assert_eq!(twice, "the same SSH key of this user exists already");
    assert!(second.is_ok());
    assert!(matches!(third, Err(VaultError::Invalid(_))));
    let keys = house.vault.ssh_keys(USER, &operator).await.unwrap();
    let keys: Vec<_> = keys.into_iter().map(|one| one.key).collect();
    assert_eq!(keys, [key(1), key(2)]);
}

#[tokio::test]
async fn keys_that_are_registered_at_the_same_time_are_counted_together() {
    let house = with_key(1).await;
    let operator = house.operator().await;
    let two = house
        .vault
        .set_setting("ssh-keys-per-user", "2", &operator)
        .await;
    two.unwrap();

    let adding = (2..10).map(|mark| house.vault.add_ssh_keys(USER, vec![key(mark)], &operator));
    let added = futures_util::future::join_all(adding).await;

    assert_eq!(added.iter().filter(|one| one.is_ok()).count(), 1);
    for refused in added.into_iter().filter_map(Result::err) {
        let told = matches!(refused, VaultError::Conflict | VaultError::Invalid(_));
        assert!(told, "{refused}");
    }
    let keys = house.vault.ssh_keys(USER, &operator).await.unwrap();
    assert_eq!(keys.len(), 2);
}

#[tokio::test]
async fn keys_are_registered_all_of_them_or_none() {
    let house = with_key(1).await;
    let operator = house.operator().await;

    let add = |marks: &[u8]| {
        let keys = marks.iter().map(|mark| key(*mark)).collect();
        house.vault.add_ssh_keys(USER, keys, &operator)
    };
    let known = add(&[2, 1]).await;
    let twice = add(&[2, 3, 2]).await;
    let many: Vec<u8> = (2..12).collect();
    let many = add(&many).await;
    let none = add(&[]).await;

    for exists in [known, twice] {
        assert!(matches!(exists, Err(VaultError::Exists(_))));
    }
    for invalid in [many, none] {
        assert!(matches!(invalid, Err(VaultError::Invalid(_))));
    }
    assert!(show(&house, "app", 2, "10.0.0.1").await.is_err());
    assert_eq!(add(&[2, 3]).await.unwrap().len(), 2);
    assert!(show(&house, "app", 3, "10.0.0.1").await.is_ok());
}

#[tokio::test]
async fn only_administrators_register_list_and_remove_keys() {
    let house = with_key(1).await;
    let user = house
        .user("boss", 9, Role::PasswordAdministrator, Scope::All)
        .await;

    let added = house.vault.add_ssh_keys(USER, vec![key(2)], &user).await;
    let listed = house.vault.ssh_keys(USER, &user).await;
    let removed = house
        .vault
        .remove_ssh_key(USER, key(1).fingerprint(), &user)
        .await;

    assert!(matches!(added, Err(VaultError::NotAllowed)));
    assert!(matches!(listed, Err(VaultError::NotAllowed)));
    assert!(matches!(removed, Err(VaultError::NotAllowed)));
    assert!(show(&house, "app", 1, "10.0.0.1").await.is_ok());
}

#[tokio::test]
async fn a_secondary_lets_keys_in_and_registers_none() {
    let house = with_key(1).await;
    let House {
        dir,
        vault,
        ledger,
        rows,
        ..
    } = house;
    ledger.close().await.unwrap();
    drop((vault, ledger, rows));
    let house = house_in(dir, true).await;
    let operator = house.operator().await;

    assert!(show(&house, "app", 1, "10.0.0.1").await.is_ok());
    let added = house
        .vault
        .add_ssh_keys(USER, vec![key(2)], &operator)
        .await;
    assert!(matches!(added, Err(VaultError::ReadOnly)));
}
