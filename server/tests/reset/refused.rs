//! Who may not say where passwords are changed, and where they are not.

use claviger::domain::{Connector, Directory, Pin, Role, Scope, Wire};
use claviger::vault::{NewTarget, Reach, VaultError};

use crate::fixture::{House, given, house, house_in, wanted};
use crate::scene::{NEW, OLD, assert_failed, scene, target};

#[tokio::test]
async fn only_an_administrator_says_where_passwords_are_changed() {
    let scene = scene().await;
    let vault = &scene.house.vault;

    let set = vault
        .set_reset_target("db1".into(), &target(), &scene.owner)
        .await;
    let shown = vault.reset_target("db1".into(), &scene.owner).await;
    let tried = vault
        .test_reset_target("db1".into(), "", None, &scene.owner)
        .await;
    let removed = vault.remove_reset_target("db1".into(), &scene.owner).await;

    assert!(matches!(set, Err(VaultError::NotAllowed)), "{set:?}");
    assert!(matches!(shown, Err(VaultError::NotAllowed)), "{shown:?}");
    assert!(matches!(tried, Err(VaultError::NotAllowed)), "{tried:?}");
    assert!(
        matches!(removed, Err(VaultError::NotAllowed)),
        "{removed:?}"
    );
}

#[tokio::test]
async fn an_administrator_who_does_not_govern_the_house_sets_no_target() {
    let scene = scene().await;
    let (house, vault) = (&scene.house, &scene.house.vault);
    let narrow = house
        .user("narrow", 7, Role::Administrator, Scope::Owned)
        .await;
    let wide = house.user("wide", 8, Role::Administrator, Scope::All).await;
    let program = NewTarget {
        connector: Connector::Command {
            argv: vec!["/bin/true".to_owned()],
        },
        ..target()
    };
    house.create("db7", "app", OLD, &narrow).await;

    for (new, caller) in [(&target(), &narrow), (&program, &narrow), (&program, &wide)] {
        let set = vault.set_reset_target("db7".into(), new, caller).await;
        assert!(matches!(set, Err(VaultError::NotAllowed)), "{set:?}");
    }
    let set = vault.set_reset_target("db7".into(), &target(), &wide).await;
    assert!(set.is_ok(), "{set:?}");
}

#[tokio::test]
async fn without_a_target_nothing_changes() {
    let scene = scene().await;
    let operator = scene.house.operator().await;
    scene
        .house
        .vault
        .remove_reset_target("db1".into(), &operator)
        .await
        .unwrap();

    assert_failed(
        &scene.change(NEW).await,
        "no connector is set up for this resource",
    );

    scene.assert_settled(OLD).await;
}

#[tokio::test]
async fn this_machine_link_local_and_metadata_addresses_are_not_gone_to_unless_allowed() {
    let scene = scene().await;
    let operator = scene.house.operator().await;
    scene.house.names.set("rebound.example", &["127.0.0.2"]);
    scene
        .house
        .names
        .set("mixed.example", &["127.0.0.1", "169.254.169.254"]);
    for (host, words) in [
        ("127.0.0.2", "127.0.0.2 is this machine"),
        ("::1", "::1 is this machine"),
        ("::ffff:127.0.0.2", "127.0.0.2 is this machine"),
        ("169.254.169.254", "is a link-local or metadata address"),
        ("0.0.0.0", "is no machine's address"),
        ("rebound.example", "127.0.0.2 is this machine"),
        ("mixed.example", "is a link-local or metadata address"),
        ("nowhere.example", "the name has no address"),
    ] {
        let new = NewTarget {
            host: host.to_owned(),
            ..target()
        };
        let vault = &scene.house.vault;
        vault
            .set_reset_target("db1".into(), &new, &operator)
            .await
            .unwrap();

        assert_failed(&scene.change(NEW).await, words);
    }
    scene.assert_settled(OLD).await;
    assert!(scene.fake.told().is_empty());
}

#[tokio::test]
async fn a_name_that_means_something_else_a_moment_later_is_looked_up_once() {
    let scene = scene().await;
    let operator = scene.house.operator().await;
    scene.house.names.set("db1.example", &["127.0.0.1"]);
    let new = NewTarget {
        host: "db1.example".to_owned(),
        ..target()
    };
    scene
        .house
        .vault
        .set_reset_target("db1".into(), &new, &operator)
        .await
        .unwrap();
    let gate = scene.fake.gate.lock().await;

    let mut change = Box::pin(scene.change(NEW));
    while scene.pending().await == 0 {
        let moment = std::time::Duration::from_millis(1);
        assert!(tokio::time::timeout(moment, &mut change).await.is_err());
    }
    scene.house.names.set("db1.example", &["169.254.169.254"]);
    drop(gate);

    change.await.unwrap();
    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_no_target() {
    let scene = scene().await;
    let operator = scene.house.operator().await;
    let command = |argv: &[&str]| Connector::Command {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
    };
    let ldap = |dn: &str| Connector::Ldap {
        dn: dn.to_owned(),
        directory: Directory::Active,
    };
    for (connector, wire, host) in [
        (Connector::Ssh, Wire::DangerPlain, "a"),
        (Connector::Ssh, Wire::StartTls, "a"),
        (Connector::Ssh, Wire::Sealed, ""),
        (Connector::Ssh, Wire::Sealed, "a b"),
        (Connector::Ssh, Wire::Sealed, "root@a"),
        (command(&[]), Wire::Sealed, ""),
        (command(&["reset.sh"]), Wire::Sealed, ""),
        (ldap("cn={account}"), Wire::StartTls, "a"),
        (ldap("cn=account"), Wire::Sealed, "a"),
    ] {
        let new = NewTarget {
            connector,
            wire,
            host: host.to_owned(),
            ..target()
        };
        let set = scene
            .house
            .vault
            .set_reset_target("db1".into(), &new, &operator);
        let answer = set.await;
        assert!(
            matches!(answer, Err(VaultError::Invalid(_))),
            "{new:?}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_host_key_is_trusted_by_the_operators_word_only() {
    let scene = scene().await;
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    let (seen, other) = (Pin([1; 32]), Pin([2; 32]));
    scene.fake.show(seen);

    let first = vault
        .test_reset_target("db1".into(), "", None, &operator)
        .await
        .unwrap();
    let wrong = vault
        .test_reset_target("db1".into(), "", Some(other), &operator)
        .await;
    let right = vault
        .test_reset_target("db1".into(), "root", Some(seen), &operator)
        .await;

    assert_eq!(
        (first.shown, first.trusted, first.login),
        (Some(seen), false, None)
    );
    assert!(matches!(wrong, Err(VaultError::Invalid(_))), "{wrong:?}");
    let right = right.unwrap();
    assert_eq!((right.trusted, right.login), (true, Some(true)));
    let kept = vault.reset_target("db1".into(), &operator).await.unwrap();
    assert_eq!(kept.target.pin, Some(seen));
    scene.fake.show(other);
    let changed = vault
        .test_reset_target("db1".into(), "", None, &operator)
        .await
        .unwrap();
    assert_eq!((changed.trusted, changed.login), (false, None));
}

#[tokio::test]
async fn a_secondary_changes_nothing_on_targets() {
    let house = house().await;
    let owner = house.operator().await;
    house.create("db1", "root", OLD, &owner).await;
    let dir = directory(house);
    let house = house_in(dir, true).await;
    let operator = house.operator().await;
    let place = wanted("db1", "root");

    let change = house
        .vault
        .change(&place, given(NEW), Reach::Remote, &operator)
        .await;

    assert!(matches!(change, Err(VaultError::ReadOnly)), "{change:?}");
    assert_eq!(house.vault.heal(true).await.unwrap(), 0);
}

/// Drops it all, as a crash would, but for its directory.
fn directory(house: House) -> tempfile::TempDir {
    let House { dir, .. } = house;
    dir
}
