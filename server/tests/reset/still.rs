//! What a pending password is for stays as it is.

use claviger::vault::{AccountEdit, NewTarget, ResetLimits, VaultError};

use crate::fake::Change;
use crate::scene::{NEW, OLD, administered, assert_failed, limits, scene, scene_within, target};

#[tokio::test]
async fn while_a_password_is_pending_its_target_and_its_name_stay() {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear");
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    let elsewhere = NewTarget {
        port: Some(2222),
        ..target()
    };
    let renaming = AccountEdit {
        name: Some("admin".to_owned()),
        ..AccountEdit::default()
    };
    let noting = AccountEdit {
        notes: Some("behind the door".to_owned()),
        ..AccountEdit::default()
    };

    let moved = vault.set_reset_target("db1".into(), &elsewhere, &operator);
    let moved = moved.await;
    let removed = vault.remove_reset_target("db1".into(), &operator).await;
    let renamed = vault.edit_account("db1", "root", &renaming, &scene.owner);
    let renamed = renamed.await;
    let noted = vault.edit_account("db1", "root", &noting, &scene.owner);
    noted.await.unwrap();
    let helped = administered();
    let healed = vault.set_reset_target("db1".into(), &helped, &operator);
    healed.await.unwrap();

    assert!(matches!(moved, Err(VaultError::Invalid(_))), "{moved:?}");
    assert!(
        matches!(removed, Err(VaultError::Invalid(_))),
        "{removed:?}"
    );
    assert!(
        matches!(renamed, Err(VaultError::Invalid(_))),
        "{renamed:?}"
    );
    scene.house.clock.pass(std::time::Duration::from_secs(120));
    assert_eq!(vault.heal(false).await.unwrap(), 1);
    let moved = vault.set_reset_target("db1".into(), &elsewhere, &operator);
    moved.await.unwrap();
    let renamed = vault.edit_account("db1", "root", &renaming, &scene.owner);
    renamed.await.unwrap();
}

#[tokio::test]
async fn a_target_that_is_moved_at_the_last_moment_is_told_nothing() {
    let patient = ResetLimits {
        timeout: std::time::Duration::from_secs(30),
        ..limits()
    };
    let scene = scene_within(&administered(), patient).await;
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    let elsewhere = NewTarget {
        port: Some(2222),
        ..administered()
    };
    let gate = scene.fake.login_gate.lock().await;

    let moving = async {
        while scene.fake.asked() == 0 {
            tokio::task::yield_now().await;
        }
        let moved = vault.set_reset_target("db1".into(), &elsewhere, &operator);
        moved.await.unwrap();
        drop(gate);
    };
    let (answer, ()) = tokio::join!(scene.change(NEW), moving);

    assert_failed(&answer, "changed just now");
    assert!(scene.fake.told().is_empty());
    scene.assert_settled(OLD).await;
}

#[tokio::test]
async fn an_administrative_password_that_is_new_meanwhile_puts_right_what_is_pending() {
    let scene = scene_within(&administered(), limits()).await;
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear");
    scene.fake.set("somebody else's");
    let vault = &scene.house.vault;
    let place = crate::fixture::wanted("adm", "admin");
    let new = crate::fixture::given("adm1n-2");
    let local = claviger::vault::Reach::Local;
    vault
        .change(&place, new, local, &scene.owner)
        .await
        .unwrap();
    scene.fake.admin("adm1n-2");

    scene.house.clock.pass(std::time::Duration::from_secs(120));
    assert_eq!(vault.heal(false).await.unwrap(), 1);

    scene.assert_settled(NEW).await;
}
