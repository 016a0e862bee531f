//! Whose passwords an administrative account changes, and for whom.

use std::time::Duration;

use claviger::domain::{Connector, Operation, Outcome, RefusalReason};
use claviger::vault::{AccountEdit, NewTarget, Reach};

use crate::fake::{Change, Login};
use crate::fixture::{given, wanted};
use crate::scene::{NEW, OLD, Scene, administered, assert_failed, limits, scene_to, target};

const STRANGE: &str = "the stored password does not open the target";

async fn by_the_operator(scene: &Scene, password: &str) -> Result<(), claviger::vault::VaultError> {
    let (vault, operator) = (&scene.house.vault, scene.house.operator().await);
    let place = wanted("db1", "root");
    let change = vault.change(&place, given(password), Reach::Remote, &operator);
    change.await.map(drop)
}

async fn assert_refused(scene: &Scene) {
    let told = scene.fake.told().len();
    let answer = scene.change(NEW).await;
    assert_failed(&answer, STRANGE);
    let refused = Outcome::Refused(RefusalReason::Target);
    assert_eq!(scene.house.newest(1), [(Operation::Change, refused)]);
    assert_eq!((scene.fake.told().len(), scene.pending().await), (told, 0));
}

#[tokio::test]
async fn an_account_that_is_named_after_anothers_is_not_changed_by_the_administrative_one() {
    let scene = scene_to(&administered()).await;
    scene.fake.set("the true root's");

    assert_refused(&scene).await;

    assert_eq!(scene.fake.password(), "the true root's");
    by_the_operator(&scene, NEW).await.unwrap();
    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn nor_is_it_by_the_reconcile_account() {
    let reconcile = administered().admin;
    let scene = scene_to(&NewTarget {
        reconcile,
        ..target()
    })
    .await;
    scene.fake.set("the true root's");

    assert_refused(&scene).await;
}

#[tokio::test]
async fn whoever_stores_the_password_that_it_has_may_have_it_changed() {
    let scene = scene_to(&administered()).await;

    scene.change(NEW).await.unwrap();

    scene.assert_settled(NEW).await;
    assert_eq!(scene.fake.by(), [Some("admin".to_owned())]);
}

#[tokio::test]
async fn what_was_changed_from_here_before_is_put_right_under_that_name_only() {
    let scene = scene_to(&administered()).await;
    scene.change("f1rst-s3cret").await.unwrap();
    scene.fake.set("somebody else's");

    scene.change("sec0nd-s3cret").await.unwrap();

    scene.fake.set("the true admin's");
    let edit = AccountEdit {
        name: Some("admin".to_owned()),
        ..AccountEdit::default()
    };
    let vault = &scene.house.vault;
    let renamed = vault.edit_account("db1", "root", &edit, &scene.owner);
    renamed.await.unwrap();
    let place = wanted("db1", "admin");
    let answer = vault.change(&place, given(NEW), Reach::Remote, &scene.owner);
    assert_failed(&answer.await.map(drop), STRANGE);
    assert_eq!(scene.fake.password(), "the true admin's");
}

#[tokio::test]
async fn a_rotation_has_no_more_authority_than_whoever_set_it() {
    let scene = scene_to(&administered()).await;
    let vault = &scene.house.vault;
    let day = Duration::from_hours(24);
    let set = vault.set_rotation(("db1", None), (day, None), &scene.owner);
    set.await.unwrap();
    scene.fake.set("the true root's");
    scene.house.clock.pass(day);

    let run = vault.run_due().await.unwrap();

    assert!(run.failed[0].why.contains(STRANGE), "{run:?}");
    assert!(scene.fake.told().is_empty());
}

#[tokio::test]
async fn where_no_login_says_yes_or_no_nothing_is_sealed_and_nothing_told() {
    let scene = scene_to(&administered()).await;
    scene.fake.logins(&[Login::Cut, Login::Cut]);

    assert_failed(&scene.change(NEW).await, "cannot be told");
    let operator = by_the_operator(&scene, NEW).await;

    assert_failed(&operator, "cannot be told");
    assert_eq!(scene.pending().await, 0);
    scene.assert_settled(OLD).await;
    assert!(scene.fake.told().is_empty());
}

#[tokio::test]
async fn what_the_target_said_it_took_is_known_after_a_crash() {
    let scene = scene_to(&administered()).await;
    scene.fake.changes(&[Change::Lied]);
    let vault = &scene.house.vault;
    let place = wanted("db1", "root");
    let change = vault.change(&place, given(NEW), Reach::Remote, &scene.owner);
    let mut change = Box::pin(change);
    while scene.fake.told().is_empty() {
        let _going_on = futures_util::poll!(&mut change);
        tokio::task::yield_now().await;
    }
    // It is told, says yes, and whoever asked is gone while the new password is tried.
    let gate = scene.fake.login_gate.lock().await;
    let asked = scene.fake.asked();
    while scene.fake.asked() == asked {
        let _going_on = futures_util::poll!(&mut change);
        tokio::task::yield_now().await;
    }
    drop((change, gate));
    let scene = scene.restarted().await;

    scene.house.clock.pass(Duration::from_hours(2));
    assert_eq!(scene.house.vault.heal(true).await.unwrap(), 0);

    assert_eq!(
        (scene.stored().await.as_str(), scene.pending().await),
        (OLD, 1)
    );
}

#[tokio::test]
async fn a_run_over_a_resource_vouches_for_nobody_whoever_starts_it() {
    let scene = scene_to(&administered()).await;
    scene.fake.set("the true root's");
    let (vault, operator) = (&scene.house.vault, scene.house.operator().await);

    let run = vault.rotate_now(("db1", None), &|_| {}, &operator);
    let done = run.await.unwrap();

    assert_eq!(done.changed, 0);
    assert!(done.failed[0].why.contains(STRANGE), "{done:?}");
    assert_eq!(scene.fake.password(), "the true root's");
    assert_eq!(scene.pending().await, 0);
}

#[tokio::test]
async fn a_target_that_lets_anybody_in_is_told_nothing() {
    for new in [target(), administered()] {
        let database = "postgres".to_owned();
        let scene = scene_to(&NewTarget {
            connector: Connector::Postgres { database },
            ..new
        })
        .await;
        scene.fake.open();

        let answer = scene.change(NEW).await;

        assert_failed(&answer, "lets anybody in");
        assert_eq!((scene.fake.told().len(), scene.pending().await), (0, 0));
    }
}

#[tokio::test]
async fn a_stored_password_is_tried_so_often_in_a_while_and_no_more() {
    let scene = scene_to(&administered()).await;
    scene.fake.set("the true root's");
    let most = usize::try_from(limits().attempts).unwrap();
    for _ in 0..most {
        assert_failed(&scene.change(NEW).await, STRANGE);
    }
    assert_eq!(scene.fake.asked(), most);

    // However it is guessed, and whoever asks for it by whatever way.
    let (place, vault) = (wanted("db1", "root"), &scene.house.vault);
    let guessed = given("the true root's");
    let stored = vault.change(&place, guessed, Reach::Local, &scene.owner);
    stored.await.unwrap();
    let answer = scene.change(NEW).await;
    let refused = Outcome::Refused(RefusalReason::Target);
    let told = scene.house.newest(1);
    let operator = by_the_operator(&scene, NEW).await;
    let run = vault.rotate_now(("db1", None), &|_| {}, &scene.owner);
    let run = run.await.unwrap();

    assert_failed(&answer, "refused this login too often");
    assert_eq!(told, [(Operation::Change, refused)]);
    assert_failed(&operator, "refused this login too often");
    assert_eq!(run.changed, 0);
    assert_eq!(scene.fake.asked(), most);
    assert!(scene.fake.told().is_empty());

    scene.house.clock.pass(limits().attempts_span);
    scene.change(NEW).await.unwrap();
    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn a_login_that_succeeds_ends_the_count_of_those_that_did_not() {
    let scene = scene_to(&administered()).await;
    for _ in 0..3 {
        scene.fake.set("the true root's");
        for _ in 1..limits().attempts {
            assert_failed(&scene.change(NEW).await, STRANGE);
        }
        scene.fake.set(OLD);
        let answer = scene.change("two\nlines").await;
        assert_failed(&answer, "line end");
    }
}

#[tokio::test]
async fn an_administrator_who_is_refused_too_often_is_not_locked_out_by_many_accounts() {
    let scene = scene_to(&administered()).await;
    scene.fake.admin("an0ther");
    for _ in 0..limits().attempts {
        assert_failed(&scene.change(NEW).await, "cannot log in");
    }
    let asked = scene.fake.by().len();
    let vault = &scene.house.vault;
    scene.add("zoe").await;

    let place = wanted("db1", "zoe");
    let change = vault.change(&place, given(NEW), Reach::Remote, &scene.owner);

    assert_failed(&change.await.map(drop), "refused this login too often");
    assert_eq!(scene.fake.by().len(), asked);
}
