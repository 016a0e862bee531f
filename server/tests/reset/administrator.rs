//! Whose refusals an administrative account's logins are.

use std::time::Duration;

use claviger::domain::Level;
use claviger::vault::{NewAccount, NewTarget, Reach, ResetLimits};

use crate::fake::Change;
use crate::fixture::{given, wanted};
use crate::scene::{NEW, OLD, administered, assert_failed, limits, scene_to, scene_within, target};

#[tokio::test]
async fn an_account_named_after_the_administrator_stops_nobody_else() {
    let scene = scene_to(&administered()).await;
    let vault = &scene.house.vault;
    let ann = scene.house.plain_user("ann", 2).await;
    scene
        .house
        .share("db1", None, "ann@10.0.0.1", Level::Manage)
        .await;
    let new = NewAccount {
        resource: "db1".into(),
        account: "admin",
        ..NewAccount::default()
    };
    vault
        .add_account(&new, given("any-s3cret"), &ann)
        .await
        .unwrap();
    scene.fake.set("the true admin's");
    let place = wanted("db1", "admin");
    for _ in 0..=limits().attempts {
        let change = vault.change(&place, given(NEW), Reach::Remote, &ann);
        assert!(change.await.is_err());
    }
    let change = vault.change(&place, given(NEW), Reach::Remote, &ann);
    assert_failed(&change.await.map(drop), "refused this login too often");

    scene.fake.set(OLD);
    scene.change(NEW).await.unwrap();

    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn an_administrator_who_gets_in_begins_anew() {
    let scene = scene_to(&administered()).await;
    for change in [Change::Made, Change::CutAfter, Change::Made] {
        scene.fake.admin("an0ther");
        for _ in 1..limits().attempts {
            assert_failed(&scene.change(NEW).await, "cannot log in");
        }
        scene.fake.admin("adm1n");
        scene.fake.changes(&[change]);
        scene.change(NEW).await.unwrap();
    }
    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn a_login_that_is_spelled_otherwise_is_the_same_one() {
    let scene = scene_to(&administered()).await;
    let vault = &scene.house.vault;
    scene.fake.set("the true root's");
    for _ in 0..limits().attempts {
        assert_failed(&scene.change(NEW).await, "does not open the target");
    }
    let asked = scene.fake.asked();
    let operator = scene.house.operator().await;
    scene.house.create("db2", "ROOT", OLD, &operator).await;
    let same = administered();
    let set = vault.set_reset_target("db2".into(), &same, &operator);
    set.await.unwrap();

    let place = wanted("db2", "ROOT");
    let change = vault.change(&place, given(NEW), Reach::Remote, &operator);

    assert_failed(&change.await.map(drop), "refused this login too often");
    assert_eq!(scene.fake.asked(), asked);
}

#[tokio::test]
async fn logins_at_the_same_time_are_refused_no_more_often() {
    let patient = ResetLimits {
        timeout: Duration::from_secs(30),
        ..limits()
    };
    let scene = scene_within(&administered(), patient).await;
    let (vault, operator) = (&scene.house.vault, scene.house.operator().await);
    scene.fake.set("the true root's");
    let same = administered();
    let names: Vec<_> = (10..22).map(|number| format!("db{number}")).collect();
    for name in &names {
        scene.house.create(name, "root", OLD, &scene.owner).await;
        let set = vault.set_reset_target(name.as_str().into(), &same, &operator);
        set.await.unwrap();
    }

    let changes = names.iter().map(async |name| {
        let place = wanted(name, "root");
        vault
            .change(&place, given(NEW), Reach::Remote, &scene.owner)
            .await
    });
    let answers = futures_util::future::join_all(changes).await;

    assert!(answers.iter().all(Result::is_err));
    assert_eq!(
        scene.fake.asked(),
        usize::try_from(limits().attempts).unwrap()
    );
}

#[tokio::test]
async fn the_server_itself_tries_a_healer_that_was_refused_too_often_no_more() {
    let scene = scene_to(&NewTarget {
        reconcile: administered().admin,
        ..target()
    })
    .await;
    let vault = &scene.house.vault;
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear");
    scene.fake.set("somebody else's");
    scene.fake.admin("an0ther");
    let told = scene.fake.by().len();
    let most = usize::try_from(limits().attempts).unwrap();

    for _ in 0..most + 3 {
        assert_eq!(vault.heal(true).await.unwrap(), 0);
    }
    assert_eq!(scene.fake.by().len(), told + most);
    let operator = scene.house.operator().await;
    let pending = vault.pending_resets(&operator).await.unwrap();
    assert!(
        pending[0].why.contains("refused this login too often"),
        "{pending:?}"
    );

    scene.house.clock.pass(limits().attempts_span);
    scene.fake.admin("adm1n");
    assert_eq!(vault.heal(true).await.unwrap(), 1);
    scene.assert_settled(NEW).await;
}
