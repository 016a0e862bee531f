//! What a target does with a change, and what the vault makes of it.

use std::time::Duration;

use claviger::domain::{Operation, Outcome, RefusalReason};
use claviger::vault::{Claim, Held, NewPassword, NewTarget, Reach, VaultError};

use crate::fake::{Change, Login};
use crate::fixture::{given, wanted};
use crate::scene::{NEW, OLD, assert_failed, scene, scene_to, target};

#[tokio::test]
async fn a_change_that_the_target_makes_is_in_force_with_a_record_of_every_step() {
    let scene = scene().await;

    scene.change(NEW).await.unwrap();

    let told = scene.house.newest(3);
    let steps = [Operation::Reset, Operation::Reset, Operation::Change];
    assert_eq!(told, steps.map(|step| (step, Outcome::Allowed)));
    scene.assert_settled(NEW).await;
    let operator = scene.house.operator().await;
    let history = scene.house.vault.history("db1", "root", &operator).await;
    assert_eq!(history.unwrap().len(), 2);
}

#[tokio::test]
async fn a_generated_password_reaches_the_target_and_the_caller() {
    let scene = scene().await;
    let place = wanted("db1", "root");

    let change =
        scene
            .house
            .vault
            .change(&place, NewPassword::Generate, Reach::Remote, &scene.owner);
    let password = change.await.unwrap().unwrap();

    scene.assert_settled(password.expose()).await;
}

#[tokio::test]
async fn a_target_that_is_not_reached_changes_nothing() {
    let scene = scene().await;
    scene.fake.changes(&[Change::NotReached]);

    let answer = scene.change(NEW).await;

    assert_failed(&answer, "the target cannot be reached");
    assert_eq!(scene.outcomes(1), [Outcome::Failed]);
    scene.assert_settled(OLD).await;
}

#[tokio::test]
async fn a_target_that_refuses_changes_nothing_and_its_words_are_told() {
    let scene = scene().await;
    scene.fake.changes(&[Change::Refused]);

    let answer = scene.change(NEW).await;

    assert_failed(&answer, "the target refuses: too short");
    scene.assert_settled(OLD).await;
}

#[tokio::test]
async fn a_line_that_is_cut_after_the_change_is_found_out_at_once() {
    for last in [Change::CutAfter, Change::Hangs] {
        let scene = scene().await;
        scene.fake.changes(&[last]);

        scene.change(NEW).await.unwrap();

        scene.assert_settled(NEW).await;
    }
}

#[tokio::test]
async fn a_line_that_is_cut_before_the_change_keeps_both_until_it_cannot_happen_any_more() {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutBefore]);

    let answer = scene.change(NEW).await;

    assert_failed(&answer, "not clear which password");
    assert_eq!(
        (scene.stored().await.as_str(), scene.pending().await),
        (OLD, 1)
    );
    scene.house.clock.pass(Duration::from_secs(120));
    assert_eq!(scene.house.vault.heal(false).await.unwrap(), 1);
    scene.assert_settled(OLD).await;
}

#[tokio::test]
async fn a_change_that_happens_late_is_still_found() {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear which password");

    scene.fake.set(NEW);
    scene.house.clock.pass(Duration::from_secs(31));
    assert_eq!(scene.house.vault.heal(false).await.unwrap(), 1);

    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn a_target_that_lies_is_not_believed_and_what_it_says_it_took_is_kept() {
    let scene = scene().await;
    scene.fake.changes(&[Change::Lied]);

    let answer = scene.change(NEW).await;

    assert_failed(&answer, "the target did not change it");
    for _ in 0..3 {
        scene.house.clock.pass(Duration::from_hours(2));
        assert_eq!(scene.house.vault.heal(false).await.unwrap(), 0);
        assert_eq!(
            (scene.stored().await.as_str(), scene.pending().await),
            (OLD, 1)
        );
    }
    // A replica may be late: nobody gives it up by asking for another one.
    let again = scene.change("th1rd-s3cret").await;
    assert_failed(&again, "not settled yet");
    assert_eq!(scene.pending().await, 1);

    let operator = scene.house.operator().await;
    let place = wanted("db1", "root");
    let vault = &scene.house.vault;
    let word = Claim {
        held: Held::Stored,
        anyway: true,
    };
    let settled = vault.settle_reset(&place, word, &operator);
    settled.await.unwrap();
    scene.change("th1rd-s3cret").await.unwrap();
    scene.assert_settled("th1rd-s3cret").await;
}

#[tokio::test]
async fn a_change_that_was_taken_and_shows_late_is_found_whenever_it_does() {
    let scene = scene().await;
    scene.fake.changes(&[Change::Lied]);
    assert_failed(&scene.change(NEW).await, "did not change it");
    scene.house.clock.pass(Duration::from_hours(2));
    scene.house.vault.heal(false).await.unwrap();

    scene.fake.set(NEW);
    scene.house.clock.pass(Duration::from_hours(2));
    assert_eq!(scene.house.vault.heal(false).await.unwrap(), 1);

    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn a_late_change_is_found_after_a_local_one_too() {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear");
    let place = wanted("db1", "root");
    let vault = &scene.house.vault;
    let local = vault.change(&place, given("0ther-s3cret"), Reach::Local, &scene.owner);
    local.await.unwrap();
    scene.house.clock.pass(Duration::from_secs(30));
    assert_eq!(vault.heal(false).await.unwrap(), 0);
    assert_eq!(scene.pending().await, 1);

    scene.fake.set(NEW);
    scene.house.clock.pass(Duration::from_secs(120));
    assert_eq!(vault.heal(false).await.unwrap(), 1);

    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn an_account_that_no_longer_gets_in_is_put_right_by_the_reconcile_account() {
    let reconcile = Some(("adm".to_owned(), "admin".to_owned()));
    let scene = scene_to(&NewTarget {
        reconcile,
        ..target()
    })
    .await;
    scene.change("f1rst-s3cret").await.unwrap();
    scene.fake.set("somebody else's");

    scene.change(NEW).await.unwrap();

    scene.assert_settled(NEW).await;
    assert_eq!(scene.fake.by(), [None, None, Some("admin".to_owned())]);
}

#[tokio::test]
async fn an_account_that_no_longer_gets_in_keeps_its_password_where_nobody_puts_it_right() {
    let scene = scene().await;
    scene.fake.set("somebody else's");

    let answer = scene.change(NEW).await;

    assert_failed(&answer, "cannot log in to the target");
    assert_eq!(
        (scene.stored().await.as_str(), scene.pending().await),
        (OLD, 0)
    );
}

#[tokio::test]
async fn a_target_that_truncates_is_put_right_by_the_administrative_account() {
    let admin = Some(("adm".to_owned(), "admin".to_owned()));
    let scene = scene_to(&NewTarget { admin, ..target() }).await;
    scene.fake.changes(&[Change::Truncated]);

    scene.change(NEW).await.unwrap();

    scene.assert_settled(NEW).await;
    assert_eq!(
        scene.fake.by(),
        [Some("admin".to_owned()), Some("admin".to_owned())]
    );
}

#[tokio::test]
async fn a_target_that_truncates_without_an_administrator_keeps_both_passwords_pending() {
    let scene = scene().await;
    scene.fake.changes(&[Change::Truncated]);

    let answer = scene.change(NEW).await;

    assert_failed(&answer, "accepts no password that is known here");
    assert_eq!(
        (scene.stored().await.as_str(), scene.pending().await),
        (OLD, 1)
    );
}

#[tokio::test]
async fn a_target_that_cannot_be_asked_afterwards_is_pending_until_it_can() {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutAfter]);
    scene.fake.logins(&[Login::Cut]);

    let answer = scene.change(NEW).await;

    assert_failed(&answer, "the line to the target was cut");
    assert_eq!(
        (scene.stored().await.as_str(), scene.pending().await),
        (OLD, 1)
    );
    let operator = scene.house.operator().await;
    let shown = scene.house.vault.pending_resets(&operator).await.unwrap();
    assert_eq!((shown[0].resource.as_str(), shown[0].tries), ("db1", 1));
    scene.house.clock.pass(Duration::from_secs(31));
    assert_eq!(scene.house.vault.heal(false).await.unwrap(), 1);
    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn a_login_is_no_proof_where_anybody_is_let_in() {
    let scene = scene().await;
    scene.fake.open();
    scene.fake.changes(&[Change::CutBefore]);

    let answer = scene.change(NEW).await;

    assert_failed(&answer, "lets anybody in");
    assert_eq!(scene.pending().await, 1);
}

#[tokio::test]
async fn what_a_target_cannot_take_is_refused_before_anything_is_told() {
    let scene = scene().await;

    let answer = scene.change("two\nlines").await;

    assert_failed(&answer, "the password holds a line end");
    let refused = Outcome::Refused(RefusalReason::Invalid);
    assert_eq!(scene.house.newest(1), [(Operation::Change, refused)]);
    scene.assert_settled(OLD).await;
    assert!(scene.fake.told().is_empty());
}

#[tokio::test]
async fn a_local_change_meanwhile_does_not_hide_what_the_target_has() {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear");
    let place = wanted("db1", "root");
    let vault = &scene.house.vault;
    let local = vault.change(&place, given("0ther-s3cret"), Reach::Local, &scene.owner);
    local.await.unwrap();

    scene.house.clock.pass(Duration::from_secs(120));
    vault.heal(false).await.unwrap();

    scene.assert_settled(OLD).await;
}

#[tokio::test]
async fn the_next_reset_settles_what_the_last_one_left() {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutAfter]);
    scene.fake.logins(&[Login::Cut]);
    assert_failed(&scene.change(NEW).await, "cut");

    scene.change("th1rd-s3cret").await.unwrap();

    scene.assert_settled("th1rd-s3cret").await;
    let operator = scene.house.operator().await;
    let history = scene.house.vault.history("db1", "root", &operator).await;
    assert_eq!(history.unwrap().len(), 3);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_told_to_the_target() {
    let scene = scene().await;
    scene.house.ledger.close().await.unwrap();

    let answer = scene.change(NEW).await;

    assert!(
        matches!(answer, Err(VaultError::Unavailable(_))),
        "{answer:?}"
    );
    assert!(scene.fake.told().is_empty());
}
