//! Resets at the same time.

use futures_util::future::join_all;

use crate::fake::Change;
use crate::scene::{NEW, scene};

#[tokio::test]
async fn resets_of_one_account_at_once_are_ordered_and_the_last_one_is_in_force() {
    let scene = scene().await;
    let operator = scene.house.operator().await;
    scene
        .house
        .vault
        .set_setting("history", "100", &operator)
        .await
        .unwrap();
    let passwords: Vec<_> = (0..16).map(|number| format!("s3cret-{number}")).collect();

    let done = join_all(passwords.iter().map(|password| scene.change(password))).await;

    assert!(done.iter().all(Result::is_ok), "{done:?}");
    let told = scene.fake.told();
    assert_eq!(told.len(), 16);
    scene.assert_settled(told.last().unwrap()).await;
    let history = scene.house.vault.history("db1", "root", &operator).await;
    assert_eq!(history.unwrap().len(), 17);
}

#[tokio::test]
async fn healing_leaves_alone_what_is_under_way() {
    let scene = scene().await;
    let gate = scene.fake.gate.lock().await;
    let mut change = Box::pin(scene.change(NEW));
    while scene.pending().await == 0 {
        let moment = std::time::Duration::from_millis(1);
        assert!(tokio::time::timeout(moment, &mut change).await.is_err());
    }

    assert_eq!(scene.house.vault.heal(true).await.unwrap(), 0);
    assert_eq!(scene.pending().await, 1);

    drop(gate);
    let _answer = change.await;
    scene.house.vault.heal(true).await.unwrap();
    assert_eq!(scene.stored().await, scene.fake.password());
}

#[tokio::test]
async fn one_that_hangs_does_not_keep_others_from_their_turn_for_ever() {
    let scene = scene().await;
    scene.fake.changes(&[Change::Hangs]);

    let (first, second) = tokio::join!(scene.change(NEW), scene.change("sec0nd-s3cret"));

    first.unwrap();
    second.unwrap();
    scene.assert_settled("sec0nd-s3cret").await;
}
