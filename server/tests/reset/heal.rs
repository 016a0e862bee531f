//! Healing in the background.

use std::time::Duration;

use claviger::domain::Account;
use claviger::store::rows::SecretRow;
use claviger::vault::{NewTarget, PendingView, Reach, ResetLimits};

use crate::fake::{Change, Login};
use crate::fixture::{given, wanted};
use crate::scene::{
    NEW, OLD, Scene, administered, assert_failed, limits, scene, scene_to, scene_within, target,
};

/// The line is cut while two accounts are told: root and another.
async fn two_unclear(scene: &Scene) {
    scene.add("zoe").await;
    scene.fake.changes(&[Change::CutBefore, Change::CutBefore]);
    for account in ["root", "zoe"] {
        let (vault, place) = (&scene.house.vault, wanted("db1", account));
        let change = vault.change(&place, given(NEW), Reach::Remote, &scene.owner);
        assert!(change.await.is_err());
    }
}

#[tokio::test]
async fn it_looks_again_later_and_later_and_at_once_after_a_start() {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutAfter]);
    scene.fake.logins(&[Login::Cut; 8]);
    assert_failed(&scene.change(NEW).await, "cut");
    let operator = scene.house.operator().await;
    let mut pauses = Vec::new();

    for _ in 0..3 {
        let view = scene.house.vault.pending_resets(&operator).await.unwrap();
        let now = scene.house.vault.now();
        let pause = view[0].next.since(now);
        scene.house.clock.pass(pause - Duration::from_millis(1));
        assert_eq!(scene.house.vault.heal(false).await.unwrap(), 0);
        let again = scene.house.vault.pending_resets(&operator).await.unwrap();
        assert_eq!(again, view, "too early");
        scene.house.clock.pass(Duration::from_millis(1));
        assert_eq!(scene.house.vault.heal(false).await.unwrap(), 0);
        pauses.push(pause.as_secs());
    }

    assert_eq!(pauses, [30, 60, 120]);
    let scene = scene.restarted().await;
    scene.fake.calm();
    assert_eq!(scene.house.vault.heal(true).await.unwrap(), 1);
    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn the_reconcile_account_puts_right_what_somebody_else_changed() {
    let reconcile = Some(("adm".to_owned(), "admin".to_owned()));
    let scene = scene_to(&NewTarget {
        reconcile,
        ..target()
    })
    .await;
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear");
    scene.fake.set("somebody else's");

    scene.house.clock.pass(Duration::from_secs(120));
    assert_eq!(scene.house.vault.heal(false).await.unwrap(), 1);

    scene.assert_settled(NEW).await;
    assert_eq!(scene.fake.by(), [None, Some("admin".to_owned())]);
}

#[tokio::test]
async fn one_that_cannot_be_looked_at_keeps_no_other_one_waiting() {
    let scene = scene().await;
    let vault = &scene.house.vault;
    two_unclear(&scene).await;
    let rows = &scene.house.rows;
    let pending = rows.places().every_pending();
    let pending = rows
        .all::<claviger::store::rows::PendingRow>(&pending)
        .await
        .unwrap();
    let [resource, account] = [0, 1].map(|at| pending[0].key.number_at(at).unwrap());
    let key = rows.places().account(
        claviger::domain::ResourceId(resource),
        claviger::domain::AccountId(account),
    );
    let account = rows.get::<Account>(key).await.unwrap().unwrap().record;
    let key = rows.places().secret(account.id, account.secret);
    let secret = rows.get::<SecretRow>(key).await.unwrap().unwrap();
    let mut changes = rows.changes();
    changes.remove(&secret);
    changes.commit().await.unwrap();

    scene.house.clock.pass(Duration::from_secs(120));
    assert_eq!(vault.heal(false).await.unwrap(), 1);

    assert_eq!(scene.pending().await, 1);
}

#[tokio::test]
async fn an_account_that_goes_takes_what_is_pending_along() {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear");

    let removed = scene
        .house
        .vault
        .remove_account("db1", "root", &scene.owner);
    removed.await.unwrap();

    assert_eq!(scene.pending().await, 0);
    assert_eq!(scene.house.vault.heal(true).await.unwrap(), 0);
    assert_eq!(scene.fake.password(), OLD);
}

#[tokio::test]
async fn what_was_not_asked_has_not_been_asked_in_vain() {
    let slowly = ResetLimits {
        at_once: 1,
        ..limits()
    };
    let scene = scene_within(&target(), slowly).await;
    let vault = &scene.house.vault;
    two_unclear(&scene).await;
    let operator = scene.house.operator().await;
    let before = vault.pending_resets(&operator).await.unwrap();
    scene.house.clock.pass(Duration::from_secs(30));
    let asked = scene.fake.asked();
    scene.fake.logins(&[Login::Unreachable]);

    for _ in 0..3 {
        assert_eq!(vault.heal(true).await.unwrap(), 0);
    }

    assert_eq!(scene.fake.asked(), asked + 1);
    let after = vault.pending_resets(&operator).await.unwrap();
    let tries = |views: &[PendingView]| views.iter().map(|view| view.tries).sum::<u32>();
    assert_eq!((tries(&before), tries(&after)), (2, 3));
    assert!(after.iter().any(|view| before.contains(view)));
    scene.house.clock.pass(Duration::from_secs(120));
    assert_eq!(vault.heal(false).await.unwrap(), 2);
}

#[tokio::test]
async fn a_target_that_is_told_again_has_as_much_time_as_the_first_time() {
    let reconcile = Some(("adm".to_owned(), "admin".to_owned()));
    let scene = scene_to(&NewTarget {
        reconcile,
        ..target()
    })
    .await;
    let vault = &scene.house.vault;
    scene.fake.changes(&[Change::CutBefore, Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear");
    scene.fake.set("somebody else's");
    scene.house.clock.pass(Duration::from_secs(120));
    assert_eq!(vault.heal(true).await.unwrap(), 0);
    assert_eq!(scene.fake.told(), [NEW, NEW]);

    // It lets in with the stored one again, and takes its time with what it was told.
    scene.fake.set(OLD);
    scene.house.clock.pass(Duration::from_secs(30));
    assert_eq!(vault.heal(true).await.unwrap(), 0);
    assert_eq!(scene.pending().await, 1);

    scene.fake.set(NEW);
    assert_eq!(vault.heal(true).await.unwrap(), 1);
    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn a_target_that_was_told_again_long_ago_keeps_what_it_has() {
    let scene = scene_to(&NewTarget {
        reconcile: Some(("adm".to_owned(), "admin".to_owned())),
        ..target()
    })
    .await;
    let vault = &scene.house.vault;
    scene.fake.changes(&[Change::CutBefore, Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear");
    scene.fake.set("somebody else's");
    scene.house.clock.pass(Duration::from_secs(120));
    assert_eq!(vault.heal(true).await.unwrap(), 0);

    scene.fake.set(OLD);
    scene.house.clock.pass(Duration::from_secs(61));
    assert_eq!(vault.heal(true).await.unwrap(), 1);

    scene.assert_settled(OLD).await;
}

#[tokio::test]
async fn what_was_pending_before_is_not_put_right_by_an_account_that_came_later() {
    let scene = scene().await;
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    // Whoever named the account after another has shown nothing of it yet.
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear");
    scene.fake.set("the true root's");
    let healed = administered();
    let set = vault.set_reset_target("db1".into(), &healed, &operator);
    set.await.unwrap();
    scene.house.clock.pass(Duration::from_secs(120));

    assert_eq!(vault.heal(true).await.unwrap(), 0);

    assert_eq!(scene.fake.password(), "the true root's");
    assert_eq!(scene.fake.told(), [NEW]);
    let pending = vault.pending_resets(&operator).await.unwrap();
    assert!(
        pending[0].why.contains("whose account it is"),
        "{pending:?}"
    );
}

#[tokio::test]
async fn what_was_changed_from_here_before_is_put_right_by_an_account_that_came_later() {
    let scene = scene().await;
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    scene.change("f1rst-s3cret").await.unwrap();
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear");
    scene.fake.set("somebody else's");
    let healed = NewTarget {
        reconcile: administered().admin,
        ..target()
    };
    let set = vault.set_reset_target("db1".into(), &healed, &operator);
    set.await.unwrap();
    scene.house.clock.pass(Duration::from_secs(120));

    assert_eq!(vault.heal(true).await.unwrap(), 1);

    scene.assert_settled(NEW).await;
}
