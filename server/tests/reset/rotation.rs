//! Passwords that change by themselves.

use std::time::Duration;

use claviger::domain::{ChangeAfter, Level};
use claviger::vault::{NewAccessControl, NewTarget, ResetLimits, RunProgress, VaultError, Wanted};

use crate::fake::{Change, Login};
use crate::scene::{OLD, Scene, administered, limits, scene, scene_within, target};

const DAY: Duration = Duration::from_hours(24);

async fn rotating(scene: &Scene, window: Option<&str>) {
    let window = window.map(|text| text.parse().unwrap());
    let vault = &scene.house.vault;
    let set = vault.set_rotation(("db1", None), (30 * DAY, window), &scene.owner);
    set.await.unwrap();
}

pub fn exclusive(change_after: Option<ChangeAfter>) -> NewAccessControl {
    NewAccessControl {
        approvers: Vec::new(),
        approver_groups: Vec::new(),
        approvals: 1,
        exclusive: true,
        longest: Duration::from_hours(1),
        reason: false,
        ticket: false,
        change_after,
    }
}

async fn run(scene: &Scene) -> (usize, usize, usize) {
    let run = scene.house.vault.run_due().await.unwrap();
    (run.total, run.changed, run.failed.len())
}

#[tokio::test]
async fn a_password_changes_when_it_is_old_enough_and_not_before() {
    let scene = scene().await;
    rotating(&scene, None).await;

    scene.house.clock.pass(30 * DAY - Duration::from_secs(1));
    assert_eq!(run(&scene).await, (0, 0, 0));
    scene.house.clock.pass(Duration::from_secs(1));
    assert_eq!(run(&scene).await, (1, 1, 0));
    assert_eq!(run(&scene).await, (0, 0, 0));

    let has = scene.fake.password();
    assert_ne!(has, OLD);
    scene.assert_settled(&has).await;
}

#[tokio::test]
async fn it_waits_for_its_window() {
    let scene = scene().await;
    // The held clock begins at 08:00 UTC.
    rotating(&scene, Some("02:00-04:00")).await;

    scene.house.clock.pass(31 * DAY);
    assert_eq!(run(&scene).await, (0, 0, 0));
    scene
        .house
        .clock
        .pass(Duration::from_hours(18) + Duration::from_mins(30));
    assert_eq!(run(&scene).await, (1, 1, 0));
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_asked_once_and_left_alone_for_a_while() {
    let slowly = ResetLimits {
        at_once: 1,
        ..limits()
    };
    let scene = scene_within(&administered(), slowly).await;
    let vault = &scene.house.vault;
    for name in ["zoe", "zac"] {
        scene.add(name).await;
    }
    rotating(&scene, None).await;
    scene.house.clock.pass(31 * DAY);
    scene.fake.logins(&[Login::Unreachable]);

    assert_eq!(run(&scene).await, (1, 0, 1));

    assert_eq!(scene.fake.asked(), 1);
    let operator = scene.house.operator().await;
    let (_, due) = vault.rotations(&operator).await.unwrap();
    assert_eq!(due.len(), 1, "what was not tried has not failed");
    assert_eq!(run(&scene).await, (0, 0, 0));
    assert_eq!(scene.fake.asked(), 1);
    scene.house.clock.pass(Duration::from_secs(30));
    let (total, changed, _) = run(&scene).await;
    assert_eq!(total, 3);
    assert!(changed >= 1);
}

#[tokio::test]
async fn a_window_that_is_over_stops_what_is_still_to_be_changed() {
    let scene = scene_within(
        &target(),
        ResetLimits {
            at_once: 1,
            timeout: Duration::from_secs(30),
            ..limits()
        },
    )
    .await;
    scene.add("zoe").await;
    // The held clock begins at 08:00 UTC.
    rotating(&scene, Some("08:00-09:00")).await;
    scene.house.clock.pass(30 * DAY);
    let gate = scene.fake.gate.lock().await;

    let over = async {
        while scene.pending().await == 0 {
            tokio::task::yield_now().await;
        }
        scene.house.clock.pass(Duration::from_hours(1));
        drop(gate);
    };
    let (run, ()) = tokio::join!(run(&scene), over);

    assert_eq!(run, (1, 1, 0));
    assert_eq!(scene.fake.told().len(), 1);
}

#[tokio::test]
async fn who_takes_it_at_the_last_moment_keeps_what_was_given() {
    let patient = ResetLimits {
        timeout: Duration::from_secs(30),
        ..limits()
    };
    let scene = scene_within(&administered(), patient).await;
    let vault = &scene.house.vault;
    let place = Wanted::named("db1", "root");
    let ann = scene.house.plain_user("ann", 2).await;
    let share = scene.house.share("db1", None, "ann@10.0.0.1", Level::View);
    share.await;
    let control = exclusive(None);
    let set = vault.set_access_control(("db1", None), &control, &scene.owner);
    set.await.unwrap();
    vault.request(&place, None, &ann).await.unwrap();
    let approved = vault.approve(&place, "ann@10.0.0.1", &scene.owner);
    approved.await.unwrap();
    let operator = scene.house.operator().await;
    let gate = scene.fake.login_gate.lock().await;

    let taking = async {
        while scene.fake.asked() == 0 {
            tokio::task::yield_now().await;
        }
        vault.check_out(&place, None, &ann).await.unwrap();
        drop(gate);
    };
    let rotating = vault.rotate_now(("db1", None), &|_| {}, &operator);
    let (done, ()) = tokio::join!(rotating, taking);

    let why = &done.unwrap().failed[0].why;
    assert!(why.contains("somebody holds it"), "{why}");
    assert_eq!((scene.fake.told().len(), scene.pending().await), (0, 0));
    assert_eq!(scene.fake.password(), OLD);
}

#[tokio::test]
async fn what_fails_is_tried_later_and_says_why() {
    let scene = scene().await;
    let operator = scene.house.operator().await;
    rotating(&scene, None).await;
    scene.house.clock.pass(31 * DAY);
    scene.fake.changes(&[Change::Refused]);

    assert_eq!(run(&scene).await, (1, 0, 1));
    assert_eq!(run(&scene).await, (0, 0, 0));
    let (_, due) = scene.house.vault.rotations(&operator).await.unwrap();
    assert_eq!(
        (due[0].failures, due[0].why.as_str()),
        (1, "the target refuses: too short")
    );
    scene.house.clock.pass(Duration::from_secs(30));
    assert_eq!(run(&scene).await, (1, 1, 0));

    let (_, due) = scene.house.vault.rotations(&operator).await.unwrap();
    assert!(due.is_empty());
}

#[tokio::test]
async fn what_a_rotation_failed_at_ends_with_it() {
    let scene = scene().await;
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    rotating(&scene, None).await;
    scene.house.clock.pass(31 * DAY);
    scene.fake.changes(&[Change::Refused]);
    assert_eq!(run(&scene).await, (1, 0, 1));

    let off = vault.remove_rotation(("db1", None), &scene.owner);
    off.await.unwrap();
    scene.house.clock.pass(DAY);

    let (_, due) = vault.rotations(&operator).await.unwrap();
    assert!(due.is_empty(), "{due:?}");
    assert_eq!(run(&scene).await, (0, 0, 0));
    assert_eq!(scene.fake.password(), OLD);
}

#[tokio::test]
async fn a_run_that_fails_makes_nothing_due_where_nothing_rotates() {
    let scene = scene().await;
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    scene.fake.changes(&[Change::Refused]);

    let manual = vault
        .rotate_now(("db1", None), &|_| {}, &operator)
        .await
        .unwrap();

    assert_eq!(manual.failed.len(), 1);
    let (_, due) = vault.rotations(&operator).await.unwrap();
    assert!(due.is_empty(), "{due:?}");
    scene.house.clock.pass(DAY);
    assert_eq!(run(&scene).await, (0, 0, 0));
}

#[tokio::test]
async fn what_somebody_holds_waits_and_changes_on_the_target_after_its_check_in() {
    let scene = scene().await;
    let vault = &scene.house.vault;
    let place = Wanted::named("db1", "root");
    let ann = scene.house.plain_user("ann", 2).await;
    scene
        .house
        .share("db1", None, "ann@10.0.0.1", Level::View)
        .await;
    let control = exclusive(Some(ChangeAfter::Remote));
    vault
        .set_access_control(("db1", None), &control, &scene.owner)
        .await
        .unwrap();
    vault.request(&place, None, &ann).await.unwrap();
    vault
        .approve(&place, "ann@10.0.0.1", &scene.owner)
        .await
        .unwrap();
    vault.check_out(&place, None, &ann).await.unwrap();
    rotating(&scene, None).await;

    let operator = scene.house.operator().await;
    let manual = vault
        .rotate_now(("db1", None), &|_| {}, &operator)
        .await
        .unwrap();
    assert_eq!(manual.failed[0].why, "somebody holds it");
    assert_eq!(scene.fake.password(), OLD);
    vault.check_in(&place, &ann).await.unwrap();
    let off = vault.remove_rotation(("db1", None), &scene.owner);
    off.await.unwrap();
    // A promise is kept, with no rotation and after a failure too.
    scene.fake.changes(&[Change::Refused]);
    assert_eq!(run(&scene).await, (1, 0, 1));
    scene.house.clock.pass(DAY);
    assert_eq!(run(&scene).await, (1, 1, 0));

    assert_ne!(scene.fake.password(), OLD);
    assert_eq!(scene.pending().await, 0);
}

#[tokio::test]
async fn a_remote_change_after_check_in_is_refused_where_there_is_no_target() {
    let scene = scene().await;
    let control = exclusive(Some(ChangeAfter::Remote));

    let set = scene
        .house
        .vault
        .set_access_control(("adm", None), &control, &scene.owner);
    let answer = set.await;

    assert!(matches!(answer, Err(VaultError::Invalid(_))), "{answer:?}");
}

#[tokio::test]
async fn an_accounts_own_rotation_wins_and_can_be_taken_back() {
    let scene = scene().await;
    let vault = &scene.house.vault;
    rotating(&scene, None).await;
    let own = vault.set_rotation(("db1", Some("root")), (2 * DAY, None), &scene.owner);
    own.await.unwrap();

    scene.house.clock.pass(3 * DAY);
    assert_eq!(run(&scene).await, (1, 1, 0));
    vault
        .remove_rotation(("db1", Some("root")), &scene.owner)
        .await
        .unwrap();
    scene.house.clock.pass(3 * DAY);
    assert_eq!(run(&scene).await, (0, 0, 0));
    vault
        .remove_rotation(("db1", None), &scene.owner)
        .await
        .unwrap();
    let again = vault.remove_rotation(("db1", None), &scene.owner).await;
    assert!(
        matches!(again, Err(VaultError::NotFound("rotation"))),
        "{again:?}"
    );
}

#[tokio::test]
async fn who_may_not_manage_it_says_nothing_about_its_rotation() {
    let scene = scene().await;
    let ann = scene.house.plain_user("ann", 2).await;
    scene
        .house
        .share("db1", None, "ann@10.0.0.1", Level::Modify)
        .await;
    let vault = &scene.house.vault;

    let set = vault
        .set_rotation(("db1", None), (30 * DAY, None), &ann)
        .await;
    let off = vault.remove_rotation(("db1", None), &ann).await;
    let run = vault.rotate_now(("db1", None), &|_| {}, &ann).await;
    let all = vault.rotations(&ann).await;

    assert!(matches!(set, Err(VaultError::NotAllowed)), "{set:?}");
    assert!(matches!(off, Err(VaultError::NotAllowed)), "{off:?}");
    assert!(matches!(run, Err(VaultError::NotAllowed)), "{run:?}");
    assert!(matches!(all, Err(VaultError::NotAllowed)), "{all:?}");
}

#[tokio::test]
async fn what_makes_no_sense_is_no_rotation() {
    let scene = scene().await;
    let vault = &scene.house.vault;

    let often = vault.set_rotation(("db1", None), (Duration::from_mins(1), None), &scene.owner);
    let nowhere = vault.set_rotation(("adm", None), (DAY, None), &scene.owner);
    let (often, nowhere) = (often.await, nowhere.await);

    assert!(matches!(often, Err(VaultError::Invalid(_))), "{often:?}");
    assert!(
        matches!(nowhere, Err(VaultError::Invalid(_))),
        "{nowhere:?}"
    );
}

#[tokio::test]
async fn many_accounts_are_changed_with_progress_and_a_report_of_what_failed() {
    let scene = scene().await;
    let vault = &scene.house.vault;
    for number in 0..20 {
        let name = format!("user-{number:02}");
        scene.add(&name).await;
    }
    let told = std::sync::Mutex::new(Vec::new());
    let progress = |at: &RunProgress| told.lock().unwrap().push(at.changed + at.failed.len());

    let operator = scene.house.operator().await;
    let done = vault
        .rotate_now(("db1", None), &progress, &operator)
        .await
        .unwrap();

    // They share one target in memory: whoever comes first changes it for the others.
    assert_eq!(done.total, 21);
    assert_eq!(done.changed + done.failed.len(), 21);
    assert!(!done.failed.is_empty() && done.changed > 0, "{done:?}");
    let mut told = told.into_inner().unwrap();
    told.sort_unstable();
    assert_eq!(told, (1..=21).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_run_over_one_resource_ends_the_silence_of_no_other_ones_host() {
    let scene = scene().await;
    let (vault, operator) = (&scene.house.vault, scene.house.operator().await);
    let elsewhere = NewTarget {
        port: Some(2222),
        ..target()
    };
    let set = vault.set_reset_target("adm".into(), &elsewhere, &operator);
    set.await.unwrap();
    scene.fake.changes(&[Change::CutAfter]);
    scene.fake.logins(&[Login::Unreachable]);
    assert!(scene.change("n3w-s3cret").await.is_err());

    let other = vault.rotate_now(("adm", None), &|_| {}, &operator);
    other.await.unwrap();
    let between = scene.fake.asked();
    assert_eq!(vault.heal(true).await.unwrap(), 0);
    assert_eq!(scene.fake.asked(), between);
    let own = vault.rotate_now(("db1", None), &|_| {}, &operator);

    assert_eq!(own.await.unwrap().changed, 1);
    assert_eq!(scene.pending().await, 0);
}
