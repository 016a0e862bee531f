//! What the operator says of a target.

use claviger::domain::{Operation, Outcome};
use claviger::vault::{Held, VaultError};

use crate::fake::{Change, Login};
use crate::fixture::wanted;
use crate::scene::{NEW, OLD, Scene, assert_failed, scene};

async fn unclear() -> Scene {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutAfter]);
    scene.fake.logins(&[Login::Cut]);
    assert_failed(&scene.change(NEW).await, "not clear");
    scene
}

#[tokio::test]
async fn by_the_operators_word_the_new_password_is_in_force() {
    let scene = unclear().await;
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    let place = wanted("db1", "root");

    let settled = vault.settle_reset(&place, Held::New, &operator);
    settled.await.unwrap();

    scene.assert_settled(NEW).await;
    assert_eq!(
        scene.house.newest(2)[1],
        (Operation::Reset, Outcome::Allowed)
    );
}

#[tokio::test]
async fn by_the_operators_word_the_stored_password_stays() {
    let scene = unclear().await;
    scene.fake.set(OLD);
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    let place = wanted("db1", "root");

    let settled = vault.settle_reset(&place, Held::Stored, &operator);
    settled.await.unwrap();

    scene.assert_settled(OLD).await;
    let again = vault.settle_reset(&place, Held::New, &operator);
    let again = again.await;
    assert!(
        matches!(again, Err(VaultError::NotFound("pending reset"))),
        "{again:?}"
    );
}

#[tokio::test]
async fn who_does_not_govern_the_house_settles_nothing() {
    let scene = unclear().await;
    let vault = &scene.house.vault;
    let place = wanted("db1", "root");

    let settled = vault.settle_reset(&place, Held::New, &scene.owner);
    let answer = settled.await;

    assert!(matches!(answer, Err(VaultError::NotAllowed)), "{answer:?}");
    assert_eq!(
        (scene.stored().await.as_str(), scene.pending().await),
        (OLD, 1)
    );
}

#[tokio::test]
async fn what_is_unclear_is_told_with_the_account_and_by_the_status() {
    let scene = unclear().await;
    let vault = &scene.house.vault;

    let account = vault.account("db1", "root", &scene.owner).await.unwrap();
    let status = vault.status().await.unwrap();

    assert_eq!(account.unclear_since, Some(vault.now()));
    assert_eq!(status.unclear_resets, 1);
    assert!(status.problems[0].starts_with("of 1 accounts it is not clear"));
    assert!(status.working);
    vault.heal(true).await.unwrap();
    let account = vault.account("db1", "root", &scene.owner).await.unwrap();
    assert_eq!(account.unclear_since, None);
    let status = vault.status().await.unwrap();
    assert_eq!((status.unclear_resets, status.problems), (0, Vec::new()));
}
