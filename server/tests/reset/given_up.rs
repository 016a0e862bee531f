//! What is given up for its age, and what happens beside a reset while it is settled.

use std::time::Duration;

use claviger::domain::SecretVersion;
use claviger::vault::ResetLimits;

use crate::fake::{Change, Login};
use crate::fixture::wanted;
use crate::scene::{
    NEW, OLD, Scene, administered, assert_failed, limits, scene, scene_to, scene_within, target,
};

const LONG: Duration = Duration::from_secs(120);

fn patient() -> ResetLimits {
    ResetLimits {
        timeout: Duration::from_secs(30),
        ..limits()
    }
}

/// What the versions of the account's history are, for the operator.
async fn history(scene: &Scene) -> Vec<String> {
    let operator = scene.house.operator().await;
    let place = wanted("db1", "root");
    let mut kept = Vec::new();
    for version in 1.. {
        let version = SecretVersion(version);
        match scene.house.vault.earlier(&place, version, &operator).await {
            Ok(password) => kept.push(password.expose().to_owned()),
            Err(_) => break,
        }
    }
    kept
}

#[tokio::test]
async fn what_nothing_has_come_of_in_time_is_given_up_and_stays_in_the_history() {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear which password");
    scene.house.clock.pass(LONG);

    assert_eq!(scene.house.vault.heal(false).await.unwrap(), 1);

    scene.assert_settled(OLD).await;
    assert!(history(&scene).await.contains(&NEW.to_owned()));
}

#[tokio::test]
async fn what_a_target_refuses_by_itself_fills_no_history() {
    let scene = scene().await;
    scene.fake.changes(&[Change::Refused]);

    assert_failed(&scene.change(NEW).await, "the target refuses: too short");

    scene.assert_settled(OLD).await;
    assert!(!history(&scene).await.contains(&NEW.to_owned()));
}

#[tokio::test]
async fn what_a_target_does_while_it_is_asked_is_not_missed() {
    let limits = patient();
    let (timeout, grace) = (limits.timeout, limits.grace);
    let scene = scene_within(&target(), limits).await;
    scene.fake.changes(&[Change::CutBefore]);
    assert_failed(&scene.change(NEW).await, "not clear which password");
    let clock = &scene.house.clock;
    clock.pass(timeout + grace - Duration::from_secs(1));
    let asked = scene.fake.asked();
    let gate = scene.fake.login_gate.lock().await;
    let late = async {
        while scene.fake.asked() == asked {
            tokio::task::yield_now().await;
        }
        // The answer takes its time, and the target changes it only then.
        clock.pass(Duration::from_secs(5));
        drop(gate);
    };

    let (healed, ()) = tokio::join!(scene.house.vault.heal(true), late);

    assert_eq!((healed.unwrap(), scene.pending().await), (0, 1));
    scene.fake.set(NEW);
    assert_eq!(scene.house.vault.heal(true).await.unwrap(), 1);
    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn a_clock_that_leaps_while_the_target_is_told_takes_none_of_its_time() {
    let scene = scene_within(&target(), patient()).await;
    scene.fake.changes(&[Change::CutBefore]);
    let gate = scene.fake.gate.lock().await;
    let leap = async {
        while scene.pending().await == 0 {
            tokio::task::yield_now().await;
        }
        scene.house.clock.pass(Duration::from_hours(1));
        drop(gate);
    };

    let (answer, ()) = tokio::join!(scene.change(NEW), leap);

    assert_failed(&answer, "not clear which password");
    scene.fake.set(NEW);
    assert_eq!(scene.house.vault.heal(true).await.unwrap(), 1);
    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn a_key_that_is_rotated_while_the_target_is_told_loses_nothing() {
    for change in [
        Change::Made,
        Change::CutBefore,
        Change::Lied,
        Change::Refused,
    ] {
        let scene = scene_within(&target(), patient()).await;
        scene.fake.changes(&[change]);
        let operator = scene.house.operator().await;
        let gate = scene.fake.gate.lock().await;
        let rotation = async {
            while scene.pending().await == 0 {
                tokio::task::yield_now().await;
            }
            let vault = &scene.house.vault;
            vault.rotate_key(&operator, &|_| {}).await.unwrap();
            drop(gate);
        };

        let (answer, ()) = tokio::join!(scene.change(NEW), rotation);

        match change {
            Change::Made => {
                answer.unwrap();
                scene.assert_settled(NEW).await;
            }
            Change::Refused => {
                assert_failed(&answer, "too short");
                scene.assert_settled(OLD).await;
            }
            _ => {
                assert_failed(&answer, "not clear which password");
                // What it said it took is not given up for its age.
                scene.house.clock.pass(Duration::from_hours(2));
                let healed = scene.house.vault.heal(true).await.unwrap();
                assert_eq!(healed, u64::from(change == Change::CutBefore));
            }
        }
    }
}

#[tokio::test]
async fn without_its_administrative_account_a_target_is_asked_all_the_same() {
    let scene = scene_to(&administered()).await;
    scene.fake.changes(&[Change::CutAfter]);
    scene
        .fake
        .logins(&[Login::Answered, Login::Answered, Login::Cut]);
    assert_failed(&scene.change(NEW).await, "not clear which password");
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    vault
        .remove_account("adm", "admin", &operator)
        .await
        .unwrap();

    assert_eq!(vault.heal(true).await.unwrap(), 1);

    scene.assert_settled(NEW).await;
    assert_failed(
        &scene.change("an0ther-s3cret").await,
        "administrative account is gone",
    );
    assert_eq!(scene.fake.told(), [NEW]);
}
