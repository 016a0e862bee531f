//! Records, and what is left when something breaks.

use std::time::Duration;

use claviger::domain::{ChangeAfter, Operation, Outcome};
use claviger::vault::{Hurdle, NewAccessControl, VaultError};

use crate::fixture::{credential, house_in, wanted};
use crate::scene::{assert_waiting, control, dropped, scene};

#[tokio::test]
async fn a_check_out_that_was_due_while_the_server_was_down_is_over_when_it_starts() {
    let local = NewAccessControl {
        change_after: Some(ChangeAfter::Local),
        ..control(&["eve"])
    };
    let scene = scene(&local).await;
    scene.holds("ann", &scene.ann).await;
    let dir = dropped(scene.house);

    let house = house_in(dir, false).await;
    house.clock.pass(Duration::from_hours(2));

    let ann = house
        .enter(&credential("ann", 2), "10.0.0.1")
        .await
        .unwrap();
    assert_waiting(house.retrieve("db1", "root", &ann).await, Hurdle::Request);
    assert_eq!(house.vault.end_overdue().await.unwrap(), 1);
    assert_eq!(house.vault.end_overdue().await.unwrap(), 0);
    let operator = house.operator().await;
    let versions = house.vault.history("db1", "root", &operator).await.unwrap();
    assert_eq!(versions.len(), 2);
}

#[tokio::test]
async fn every_step_stands_in_the_trail_before_it_takes_effect() {
    let scene = scene(&control(&["eve"])).await;
    scene.holds("ann", &scene.ann).await;
    scene.check_in(&scene.ann).await.unwrap();
    let told: Vec<_> = scene.house.newest(5);

    let steps = [
        Operation::CheckIn,
        Operation::CheckOut,
        Operation::Approve,
        Operation::Request,
        Operation::AccessControl,
    ];
    assert_eq!(told, steps.map(|step| (step, Outcome::Allowed)));
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_happen() {
    let scene = scene(&control(&["eve"])).await;
    scene.request(&scene.ann).await.unwrap();
    scene.approve("ann", &scene.eve).await.unwrap();
    scene.house.ledger.close().await.unwrap();

    let answer = scene.check_out(&scene.ann).await;

    assert!(
        matches!(answer, Err(VaultError::Unavailable(_))),
        "{answer:?}"
    );
    let house = house_in(dropped(scene.house), false).await;
    let ann = house
        .enter(&credential("ann", 2), "10.0.0.1")
        .await
        .unwrap();
    assert_waiting(house.retrieve("db1", "root", &ann).await, Hurdle::CheckOut);
}

#[tokio::test]
async fn a_step_that_is_broken_off_anywhere_leaves_one_of_the_states() {
    let local = NewAccessControl {
        change_after: Some(ChangeAfter::Local),
        ..control(&["eve"])
    };
    let place = wanted("db1", "root");
    let mut house = {
        let scene = scene(&local).await;
        scene.holds("ann", &scene.ann).await;
        scene.house
    };
    for polls in 0..12 {
        let ann = house
            .enter(&credential("ann", 2), "10.0.0.1")
            .await
            .unwrap();
        let finished = broken_off(polls, house.vault.check_in(&place, &ann)).await;
        house = house_in(dropped(house), false).await;

        let operator = house.operator().await;
        let passwords = house.vault.history("db1", "root", &operator).await.unwrap();
        let ann = house
            .enter(&credential("ann", 2), "10.0.0.1")
            .await
            .unwrap();
        let got = house.retrieve("db1", "root", &ann).await;
        let before = passwords.len() == 1 && got.is_ok();
        let after = passwords.len() == 2 && got.is_err();
        assert!(before || after, "{polls}: {} {got:?}", passwords.len());
        assert!(after || !finished, "{polls}");
        if after {
            return;
        }
    }
    panic!("it never came to an end");
}

/// Polls `step` so many times and drops it; whether it came to its end.
async fn broken_off<T>(polls: usize, step: impl Future<Output = T>) -> bool {
    let mut step = std::pin::pin!(step);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(false);
        }
        left -= 1;
        step.as_mut().poll(context).map(|_| true)
    })
    .await
}
