//! OpenSSH's sshd.

use claviger::domain::Connector;
use claviger::vault::{NewAccount, NewPassword, NewTarget};

use crate::daemon::program;
use crate::fixture::given;
use crate::machine::{User, key_of_root, sshd};
use crate::scene::{METACHARACTERS, UNICODE, admin, assert_failed, scene, target};

#[tokio::test]
async fn an_account_changes_its_own_password_by_passwd() {
    let Some(sshd) = sshd("an_account_changes_its_own_password_by_passwd") else {
        return;
    };
    let user = User::with("0ld-S3cret-of-it");
    let scene = scene(&user.0, "0ld-S3cret-of-it").await;
    let tested = scene.reach(&target(Connector::Ssh, sshd.port)).await;
    assert_eq!(tested.login, Some(true), "{tested:?}");

    for password in [METACHARACTERS, UNICODE, &"L0ng-".repeat(40)] {
        scene.changes(&user.0, password).await;
    }
    let refused = scene.change(&user.0, "x").await;

    assert_failed(&refused, "the target refuses");
    assert!(scene.opens(&user.0).await);
    assert_eq!(scene.pending().await, 0);
}

#[tokio::test]
async fn an_administrator_changes_passwords_by_chpasswd_through_sudo() {
    let name = "an_administrator_changes_passwords_by_chpasswd_through_sudo";
    let (Some(sshd), Some(_)) = (sshd(name), program(name, &["/usr/bin/sudo"])) else {
        return;
    };
    let (user, boss) = (User::with("0ld-s3cret"), User::with("adm1n-s3cret"));
    for line in [
        format!("{} ALL=(root) NOPASSWD: /usr/sbin/chpasswd\n", boss.0),
        format!("{} ALL=(root) /usr/sbin/chpasswd\n", boss.0),
    ] {
        std::fs::write(boss.rule(), line).unwrap();
        let scene = scene(&user.0, "0ld-s3cret").await;
        user.set("0ld-s3cret");
        scene
            .house
            .create("boss", &boss.0, "adm1n-s3cret", &scene.owner)
            .await;
        let new = NewTarget {
            admin: admin("boss", &boss.0),
            ..target(Connector::Ssh, sshd.port)
        };
        scene.reach(&new).await;

        for password in [METACHARACTERS, UNICODE, &"x".repeat(200), "x"] {
            scene.changes(&user.0, password).await;
        }
        scene.store(&user.0, "forgotten").await;
        scene.changes(&user.0, "known-again").await;
    }
}

#[tokio::test]
async fn an_administrator_may_log_in_with_a_key() {
    let Some(sshd) = sshd("an_administrator_may_log_in_with_a_key") else {
        return;
    };
    let user = User::with("0ld-s3cret");
    let scene = scene(&user.0, "0ld-s3cret").await;
    let key = key_of_root(&sshd);
    scene
        .house
        .create("boss", "other", "s3cret", &scene.owner)
        .await;
    let text = std::fs::read_to_string(&key).unwrap();
    let material = claviger::domain::Material::ssh_key(match given(&text) {
        NewPassword::Given(text) => text,
        NewPassword::Generate => panic!("no key"),
    });
    let new = NewAccount {
        resource: "boss".into(),
        account: "root",
        ..NewAccount::default()
    };
    let vault = &scene.house.vault;
    let made = vault.add_account_with(&new, material.unwrap(), &scene.owner);
    made.await.unwrap();
    let new = NewTarget {
        admin: admin("boss", "root"),
        ..target(Connector::Ssh, sshd.port)
    };
    scene.reach(&new).await;

    scene.changes(&user.0, "n3w-s3cret").await;
}

#[tokio::test]
async fn a_host_key_that_has_changed_is_a_refusal_and_gets_no_password() {
    let Some(first) = sshd("a_host_key_that_has_changed_is_a_refusal_and_gets_no_password") else {
        return;
    };
    let user = User::with("0ld-s3cret");
    let scene = scene(&user.0, "0ld-s3cret").await;
    let trusted = scene.reach(&target(Connector::Ssh, first.port)).await;
    let second = sshd("").unwrap();
    let elsewhere = NewTarget {
        pin: trusted.shown,
        ..target(Connector::Ssh, second.port)
    };
    let vault = &scene.house.vault;
    let set = vault.set_reset_target("it".into(), &elsewhere, &scene.operator);
    set.await.unwrap();

    let answer = scene.change(&user.0, "n3w-s3cret").await;

    assert_failed(&answer, "host key or certificate has changed");
    assert_eq!(scene.stored(&user.0).await, "0ld-s3cret");
    assert_eq!(scene.pending().await, 0);
    let log = std::fs::read_to_string(second.home.path().join("log")).unwrap();
    assert!(!log.contains("Failed password"), "{log}");
}

#[tokio::test]
async fn a_host_key_that_nobody_trusted_is_a_refusal() {
    let Some(sshd) = sshd("a_host_key_that_nobody_trusted_is_a_refusal") else {
        return;
    };
    let user = User::with("0ld-s3cret");
    let scene = scene(&user.0, "0ld-s3cret").await;
    let vault = &scene.house.vault;
    let new = target(Connector::Ssh, sshd.port);
    let set = vault.set_reset_target("it".into(), &new, &scene.operator);
    set.await.unwrap();

    let answer = scene.change(&user.0, "n3w-s3cret").await;

    assert_failed(&answer, "is not trusted yet: it shows SHA256:");
}

#[tokio::test]
async fn a_wrong_stored_password_changes_nothing() {
    let Some(sshd) = sshd("a_wrong_stored_password_changes_nothing") else {
        return;
    };
    let user = User::with("0ld-s3cret");
    let scene = scene(&user.0, "wrong").await;
    let tested = scene.reach(&target(Connector::Ssh, sshd.port)).await;
    assert_eq!(tested.login, Some(false));

    let answer = scene.change(&user.0, "n3w-s3cret").await;

    assert_failed(&answer, "cannot log in to the target");
    assert_eq!(scene.stored(&user.0).await, "wrong");
    assert_failed(
        &scene.change(&user.0, "two\nlines").await,
        "control character",
    );
}
