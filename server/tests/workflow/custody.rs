//! Taking, holding and giving back.

use std::sync::Arc;
use std::time::Duration;

use claviger::domain::{ChangeAfter, Level, Operation, Outcome, RefusalReason, Status};
use claviger::vault::{Hurdle, NewAccessControl, Reach, VaultError};

use crate::fixture::{given, wanted};
use crate::scene::{assert_in_use, assert_nothing, assert_waiting, control, login, scene};

#[tokio::test]
async fn a_second_request_or_check_out_says_what_there_is() {
    let scene = scene(&control(&["eve"])).await;
    scene.request(&scene.ann).await.unwrap();
    let again = scene.request(&scene.ann).await;
    assert!(matches!(again, Err(VaultError::Invalid(_))), "{again:?}");
    scene.approve("ann", &scene.eve).await.unwrap();
    scene.check_out(&scene.ann).await.unwrap();

    for answer in [
        scene.check_out(&scene.ann).await,
        scene.request(&scene.ann).await,
    ] {
        assert!(matches!(answer, Err(VaultError::Held)), "{answer:?}");
    }
    let refused = Outcome::Refused(RefusalReason::InUse);
    assert_eq!(scene.last(), (Operation::Request, refused));
}

#[tokio::test]
async fn what_is_exclusive_is_held_by_one_and_what_is_shared_by_each_who_is_approved() {
    let exclusive = scene(&control(&["eve"])).await;
    exclusive.holds("ann", &exclusive.ann).await;
    exclusive.request(&exclusive.ben).await.unwrap();
    exclusive.approve("ben", &exclusive.eve).await.unwrap();
    assert_in_use(exclusive.check_out(&exclusive.ben).await, "ann");

    let together = NewAccessControl {
        exclusive: false,
        ..control(&["eve"])
    };
    let together = scene(&together).await;
    together.holds("ann", &together.ann).await;
    assert_eq!(together.status(&together.ben).await, "[REQUEST]");
    together.holds("ben", &together.ben).await;
    for caller in [&together.ann, &together.ben] {
        assert_eq!(together.retrieve(caller).await.unwrap(), "s3cret");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_simultaneous_check_outs_one_wins() {
    let scene = scene(&control(&["eve"])).await;
    let callers = [&scene.ann, &scene.ben];
    for (name, caller) in ["ann", "ben"].into_iter().zip(callers) {
        scene.request(caller).await.unwrap();
        scene.approve(name, &scene.eve).await.unwrap();
    }
    let scene = Arc::new(scene);

    let tasks = (0..1_000).map(|number| {
        let scene = scene.clone();
        tokio::spawn(async move {
            let caller = if number % 2 == 0 {
                &scene.ann
            } else {
                &scene.ben
            };
            scene.check_out(caller).await
        })
    });
    let tasks: Vec<_> = tasks.collect();

    let (mut won, mut lost) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => won += 1,
            Err(VaultError::InUse(_) | VaultError::Held) => lost += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((won, lost), (1, 999));
    let mut held = 0;
    for caller in [&scene.ann, &scene.ben] {
        held += usize::from(scene.retrieve(caller).await.is_ok());
    }
    assert_eq!(held, 1);
}

#[tokio::test]
async fn a_stranger_checks_nothing_in() {
    let scene = scene(&control(&["eve"])).await;
    scene.holds("ann", &scene.ann).await;

    assert_nothing(scene.check_in(&scene.ben).await, "check-out");
    let vault = &scene.house.vault;
    let place = wanted("db1", "root");
    let answer = vault.check_in_for(&place, &login("ann"), &scene.ben).await;
    assert!(matches!(answer, Err(VaultError::NotAllowed)), "{answer:?}");
    let answer = vault.check_in_for(&place, &login("ann"), &scene.zoe).await;
    assert!(matches!(answer, Err(VaultError::Refused)), "{answer:?}");
    let refused = Outcome::Refused(RefusalReason::NotShared);
    assert_eq!(scene.last(), (Operation::CheckIn, refused));
    assert_eq!(scene.retrieve(&scene.ann).await.unwrap(), "s3cret");
}

#[tokio::test]
async fn an_approver_takes_back_what_is_held() {
    let scene = scene(&control(&["eve"])).await;
    scene.holds("ann", &scene.ann).await;

    let vault = &scene.house.vault;
    vault
        .check_in_for(&wanted("db1", "root"), &login("ann"), &scene.eve)
        .await
        .unwrap();

    assert_waiting(scene.retrieve(&scene.ann).await, Hurdle::Request);
    scene.holds("ben", &scene.ben).await;
}

#[tokio::test]
async fn a_check_out_ends_on_time_without_anybody_ending_it() {
    let scene = scene(&control(&["eve"])).await;
    scene.holds("ann", &scene.ann).await;
    scene.request(&scene.ben).await.unwrap();
    scene.approve("ben", &scene.eve).await.unwrap();
    scene.house.clock.pass(Duration::from_millis(3_599_999));
    assert_eq!(scene.retrieve(&scene.ann).await.unwrap(), "s3cret");

    scene.house.clock.pass(Duration::from_millis(1));

    assert_waiting(scene.retrieve(&scene.ann).await, Hurdle::Request);
    assert_eq!(scene.status(&scene.ann).await, "[REQUEST]");
    assert_nothing(scene.check_in(&scene.ann).await, "check-out");
    assert_eq!(scene.check_out(&scene.ben).await.unwrap(), Status::Held);
    assert_eq!(scene.house.vault.end_overdue().await.unwrap(), 0);
    assert_eq!(scene.retrieve(&scene.ben).await.unwrap(), "s3cret");
}

#[tokio::test]
async fn a_request_that_nobody_answers_lapses() {
    let scene = scene(&control(&["eve"])).await;
    scene.request(&scene.ann).await.unwrap();
    scene.approve("ann", &scene.eve).await.unwrap();

    scene.house.clock.pass(Duration::from_hours(24));

    assert_eq!(scene.status(&scene.ann).await, "[REQUEST]");
    assert_waiting(scene.check_out(&scene.ann).await, Hurdle::Request);
    assert_nothing(scene.approve("ann", &scene.eve).await, "request");
    assert_eq!(scene.house.vault.end_overdue().await.unwrap(), 1);
    assert_eq!(scene.last(), (Operation::Expire, Outcome::Allowed));
    scene.request(&scene.ann).await.unwrap();
}

#[tokio::test]
async fn the_password_changes_when_the_last_holder_has_left() {
    let together = NewAccessControl {
        exclusive: false,
        change_after: Some(ChangeAfter::Local),
        ..control(&["eve"])
    };
    let scene = scene(&together).await;
    scene.holds("ann", &scene.ann).await;
    scene.holds("ben", &scene.ben).await;

    scene.check_in(&scene.ann).await.unwrap();
    assert_eq!(scene.retrieve(&scene.ben).await.unwrap(), "s3cret");
    scene.check_in(&scene.ben).await.unwrap();

    scene.holds("ann", &scene.ann).await;
    assert_ne!(scene.retrieve(&scene.ann).await.unwrap(), "s3cret");
}

#[tokio::test]
async fn whoever_takes_it_after_an_expiry_gets_a_password_that_nobody_knows() {
    let local = NewAccessControl {
        change_after: Some(ChangeAfter::Local),
        ..control(&["eve"])
    };
    let scene = scene(&local).await;
    scene.holds("ann", &scene.ann).await;
    scene.request(&scene.ben).await.unwrap();
    scene.approve("ben", &scene.eve).await.unwrap();
    scene.house.clock.pass(Duration::from_hours(1));

    scene.check_out(&scene.ben).await.unwrap();

    assert_ne!(scene.retrieve(&scene.ben).await.unwrap(), "s3cret");
    let told = scene.house.newest(5);
    assert!(
        told.contains(&(Operation::Expire, Outcome::Allowed)),
        "{told:?}"
    );
    assert!(
        told.contains(&(Operation::Change, Outcome::Allowed)),
        "{told:?}"
    );
}

#[tokio::test]
async fn the_holder_with_a_modify_share_changes_it_and_another_does_not() {
    let scene = scene(&control(&["eve"])).await;
    for name in ["ann", "ben"] {
        let house = &scene.house;
        house.share("db1", None, &login(name), Level::Modify).await;
    }
    scene.holds("ann", &scene.ann).await;
    let vault = &scene.house.vault;
    let place = wanted("db1", "root");

    let other = vault.change(&place, given("bens"), Reach::Local, &scene.ben);
    assert_in_use(other.await, "ann");
    vault
        .change(&place, given("anns"), Reach::Local, &scene.ann)
        .await
        .unwrap();

    assert_eq!(scene.retrieve(&scene.ann).await.unwrap(), "anns");
}

#[tokio::test]
async fn a_holder_who_loses_the_share_or_is_removed_holds_nothing() {
    let scene = scene(&control(&["eve"])).await;
    scene.holds("ann", &scene.ann).await;
    let vault = &scene.house.vault;
    let operator = scene.house.operator().await;

    vault
        .unshare(("db1", None), &login("ann"), &operator)
        .await
        .unwrap();
    let answer = scene.retrieve(&scene.ann).await;
    assert!(matches!(answer, Err(VaultError::Refused)), "{answer:?}");
    vault.remove_user(&login("ann"), &operator).await.unwrap();
    assert_eq!(vault.end_overdue().await.unwrap(), 1);

    scene.holds("ben", &scene.ben).await;
}
