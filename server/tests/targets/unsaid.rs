//! OpenSSH's sshd where its answer to a password is no answer about the password.

use std::process::Command;

use claviger::domain::Connector;

use crate::daemon::{Daemon, run};
use crate::machine::{User, sshd_with};
use crate::scene::{Scene, assert_failed, scene, target};

const OLD: &str = "0ld-s3cret";

/// The sshd's `settings` come before all others.
async fn stand(name: &str, settings: &str, stored: &str) -> Option<(Daemon, User, Scene)> {
    let sshd = sshd_with(name, settings)?;
    let user = User::with(OLD);
    let scene = scene(&user.0, stored).await;
    Some((sshd, user, scene))
}

/// Neither testing nor changing says anything about the password, and nothing is told.
async fn says_neither(scene: &Scene, sshd: &Daemon, account: &str, why: &str) {
    let why = format!("the target says neither yes nor no: {why}");
    let tested = scene.reach(&target(Connector::Ssh, sshd.port)).await;
    assert_eq!((tested.login, tested.trouble), (None, Some(why.clone())));

    assert_failed(&scene.change(account, "n3w-s3cret").await, &why);

    assert_eq!(scene.stored(account).await, OLD);
    assert_eq!(scene.pending().await, 0);
}

#[tokio::test]
async fn a_right_password_that_is_not_enough_is_neither_a_yes_nor_a_no() {
    let name = "a_right_password_that_is_not_enough_is_neither_a_yes_nor_a_no";
    let settings = "AuthenticationMethods password,publickey\n";
    let Some((sshd, user, scene)) = stand(name, settings, OLD).await else {
        return;
    };

    let why = "it took what it was shown, and wants publickey too";
    says_neither(&scene, &sshd, &user.0, why).await;

    // A wrong one is wrong all the same.
    scene.store(&user.0, "wrong").await;
    assert!(!scene.opens(&user.0).await);
}

#[tokio::test]
async fn where_no_password_is_taken_none_is_wrong() {
    let name = "where_no_password_is_taken_none_is_wrong";
    let settings = "PasswordAuthentication no\nKbdInteractiveAuthentication no\n";
    let Some((sshd, user, scene)) = stand(name, settings, OLD).await else {
        return;
    };

    let why = "it wants publickey, and takes no password";
    says_neither(&scene, &sshd, &user.0, why).await;
}

#[tokio::test]
async fn a_dialog_is_answered_as_far_as_it_asks_for_the_password() {
    let name = "a_dialog_is_answered_as_far_as_it_asks_for_the_password";
    let settings = "PasswordAuthentication no\nKbdInteractiveAuthentication yes\n";
    let Some((sshd, user, scene)) = stand(name, settings, OLD).await else {
        return;
    };
    let tested = scene.reach(&target(Connector::Ssh, sshd.port)).await;
    assert_eq!((tested.login, tested.trouble), (Some(true), None));
    scene.store(&user.0, "wrong").await;
    assert!(!scene.opens(&user.0).await);
    scene.store(&user.0, OLD).await;

    // From now on it wants a new one, too.
    run(Command::new("chage").args(["-d", "0", &user.0]));

    says_neither(&scene, &sshd, &user.0, "it asks \"Current password:\"").await;
}

#[tokio::test]
async fn a_machine_that_lets_root_in_by_no_password_does_not_say_that_it_is_wrong() {
    let name = "a_machine_that_lets_root_in_by_no_password_does_not_say_that_it_is_wrong";
    let Some(sshd) = sshd_with(name, "PermitRootLogin prohibit-password\n") else {
        return;
    };
    let scene = scene("root", OLD).await;

    let why = "the password is wrong, or root may not log in by one (PermitRootLogin)";
    says_neither(&scene, &sshd, "root", why).await;
}
