//! A restored copy.

use std::time::Duration;

use claviger::vault::VaultError;

use crate::fake::{Change, Login};
use crate::scene::{NEW, OLD, assert_failed, scene};

#[tokio::test]
async fn a_copy_touches_no_target_until_the_operator_says_so() {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutAfter]);
    scene.fake.logins(&[Login::Cut]);
    assert_failed(&scene.change(NEW).await, "not clear");
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    let day = Duration::from_hours(24);
    let set = vault.set_rotation(("db1", None), (day, None), &scene.owner);
    set.await.unwrap();
    scene.house.clock.pass(2 * day);

    assert!(vault.stop_resets("this is a copy").await.unwrap());

    assert_failed(&scene.change(NEW).await, "this is a copy");
    assert_eq!(vault.heal(true).await.unwrap(), 0);
    assert_eq!(vault.run_due().await.unwrap().total, 0);
    let run = vault.rotate_now(("db1", None), &|_| {}, &operator).await;
    assert!(run.unwrap().failed[0].why.contains("this is a copy"));
    let problems = vault.status().await.unwrap().problems;
    assert!(problems[0].contains("this is a copy"), "{problems:?}");
    let other = vault.resume_resets(&scene.owner).await;
    assert!(matches!(other, Err(VaultError::NotAllowed)), "{other:?}");
    assert_eq!(scene.fake.told().len(), 1);
    assert_eq!(
        (scene.stored().await.as_str(), scene.pending().await),
        (OLD, 1)
    );

    vault.resume_resets(&operator).await.unwrap();

    assert_eq!(vault.heal(true).await.unwrap(), 1);
    scene.assert_settled(NEW).await;
    let again = vault.resume_resets(&operator).await;
    match again {
        Err(VaultError::Invalid(told)) => assert!(told.starts_with("nothing is stopped"), "{told}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn where_there_is_no_target_nothing_stops() {
    let house = crate::fixture::house().await;

    assert!(!house.vault.stop_resets("this is a copy").await.unwrap());

    assert_eq!(
        house.vault.status().await.unwrap().problems,
        Vec::<String>::new()
    );
}
