//! What the operator says of a target.

use std::time::Duration;

use claviger::domain::{Operation, Outcome, RefusalReason, SecretVersion};
use claviger::vault::{Claim, Held, Reach, Settled, Tried, VaultError};

use crate::fake::{Change, Login};
use crate::fixture::{given, wanted};
use crate::scene::{NEW, OLD, Scene, assert_failed, scene};

async fn unclear() -> Scene {
    let scene = scene().await;
    scene.fake.changes(&[Change::CutAfter]);
    scene.fake.logins(&[Login::Cut]);
    assert_failed(&scene.change(NEW).await, "not clear");
    scene
}

async fn say(scene: &Scene, held: Held, anyway: bool) -> Result<Settled, VaultError> {
    let operator = scene.house.operator().await;
    let place = wanted("db1", "root");
    let word = Claim { held, anyway };
    scene
        .house
        .vault
        .settle_reset(&place, word, &operator)
        .await
}

async fn look(scene: &Scene) -> Result<Settled, VaultError> {
    let operator = scene.house.operator().await;
    let place = wanted("db1", "root");
    scene.house.vault.look_again(&place, &operator).await
}

/// What a version of the account's history is, for the operator.
async fn earlier(scene: &Scene, version: u64) -> Result<String, VaultError> {
    let operator = scene.house.operator().await;
    let (place, version) = (wanted("db1", "root"), SecretVersion(version));
    let got = scene.house.vault.earlier(&place, version, &operator).await;
    got.map(|password| password.expose().to_owned())
}

async fn changed_here(scene: &Scene, password: &str) {
    let (place, new) = (wanted("db1", "root"), given(password));
    let vault = &scene.house.vault;
    let change = vault.change(&place, new, Reach::Local, &scene.owner);
    change.await.unwrap();
}

#[track_caller]
fn assert_contradicted(answer: &Result<Settled, VaultError>, words: &str) {
    match answer {
        Err(VaultError::Invalid(told)) => {
            assert!(told.contains(words) && told.contains("--anyway"), "{told}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn by_the_operators_word_the_new_password_is_in_force() {
    let scene = unclear().await;
    scene.fake.logins(&[Login::Cut, Login::Cut]);

    let settled = say(&scene, Held::New, false).await.unwrap();

    assert!(matches!(settled.heard, Tried::Nothing(_)), "{settled:?}");
    assert!(settled.kept.is_empty());
    scene.assert_settled(NEW).await;
    assert_eq!(earlier(&scene, 1).await.unwrap(), OLD);
}

#[tokio::test]
async fn by_the_operators_word_the_stored_password_stays_and_the_new_one_is_kept() {
    for held in [Held::Old, Held::Stored] {
        let scene = unclear().await;
        scene.fake.set(OLD);
        scene.fake.logins(&[Login::Unreachable, Login::Unreachable]);

        let settled = say(&scene, held, false).await.unwrap();

        assert_eq!(settled.held, held);
        assert_eq!(
            settled.heard,
            Tried::Nothing("the target cannot be reached".to_owned())
        );
        scene.assert_settled(OLD).await;
        assert_eq!(settled.kept, [SecretVersion(2)]);
        assert_eq!(earlier(&scene, 2).await.unwrap(), NEW);
        let newest = scene.house.newest(4)[2..].to_vec();
        assert!(newest.contains(&(Operation::Reset, Outcome::Allowed)));
        let again = say(&scene, Held::New, false).await;
        assert!(
            matches!(again, Err(VaultError::NotFound("pending reset"))),
            "{again:?}"
        );
    }
}

#[tokio::test]
async fn a_word_that_a_login_confirms_is_taken() {
    let scene = unclear().await;

    let settled = say(&scene, Held::New, false).await.unwrap();

    assert_eq!(settled.heard, Tried::Agrees);
    scene.assert_settled(NEW).await;
    assert_eq!(
        scene.house.newest(2)[1],
        (Operation::Reset, Outcome::Allowed)
    );
}

#[tokio::test]
async fn a_word_that_a_login_contradicts_is_refused_unless_it_is_to_count_anyway() {
    let scene = unclear().await;

    let answer = say(&scene, Held::Old, false).await;

    assert_contradicted(&answer, "lets in with the new password");
    let refused = Outcome::Refused(RefusalReason::Target);
    assert_eq!(scene.house.newest(1), [(Operation::Reset, refused)]);
    assert_eq!(
        (scene.stored().await.as_str(), scene.pending().await),
        (OLD, 1)
    );

    let settled = say(&scene, Held::Old, true).await.unwrap();

    assert!(
        matches!(settled.heard, Tried::Contradicts(_)),
        "{settled:?}"
    );
    assert_eq!(
        (scene.stored().await.as_str(), scene.pending().await),
        (OLD, 0)
    );
    // The operator was wrong: the password that opens the target is still there.
    assert_eq!(earlier(&scene, settled.kept[0].0).await.unwrap(), NEW);
}

#[tokio::test]
async fn a_word_for_a_password_that_does_not_log_in_is_refused_whatever_the_others_do() {
    let scene = unclear().await;
    scene.fake.set("somebody else's");
    for held in [Held::New, Held::Old, Held::Stored] {
        assert_contradicted(&say(&scene, held, false).await, "accepts no password");
    }
    // Of the stored one nothing can be told, of the new one it can.
    scene.fake.logins(&[Login::Answered, Login::Cut]);

    let answer = say(&scene, Held::New, false).await;

    assert_contradicted(&answer, "does not let in with that password");
    assert_eq!(scene.pending().await, 1);
}

#[tokio::test]
async fn what_the_target_said_it_took_is_given_up_anyway_only() {
    let scene = scene().await;
    scene.fake.changes(&[Change::Lied]);
    assert_failed(&scene.change(NEW).await, "did not change it");

    for held in [Held::Old, Held::Stored] {
        let answer = say(&scene, held, false).await;
        assert_contradicted(&answer, "said that it took the new password");
    }
    assert_eq!(scene.pending().await, 1);

    let settled = say(&scene, Held::Old, true).await.unwrap();
    scene.assert_settled(OLD).await;
    assert_eq!(earlier(&scene, settled.kept[0].0).await.unwrap(), NEW);
}

#[tokio::test]
async fn the_old_password_is_the_one_from_before_the_reset_and_not_a_local_one_since() {
    let scene = unclear().await;
    scene.fake.set(OLD);
    changed_here(&scene, "0ther-s3cret").await;
    assert_contradicted(&say(&scene, Held::Stored, false).await, "before the one");

    let settled = say(&scene, Held::Old, false).await.unwrap();

    assert_eq!(settled.heard, Tried::Agrees);
    scene.assert_settled(OLD).await;
    assert_eq!(earlier(&scene, 2).await.unwrap(), "0ther-s3cret");
    assert_eq!(earlier(&scene, settled.kept[0].0).await.unwrap(), NEW);
}

#[tokio::test]
async fn what_was_changed_on_the_target_by_hand_and_stored_since_stays() {
    let scene = unclear().await;
    scene.fake.set("by-h4nd-s3cret");
    changed_here(&scene, "by-h4nd-s3cret").await;
    assert_contradicted(&say(&scene, Held::Old, false).await, "the stored password");

    let settled = say(&scene, Held::Stored, false).await.unwrap();

    assert_eq!(settled.heard, Tried::Agrees);
    scene.assert_settled("by-h4nd-s3cret").await;
    assert_eq!(earlier(&scene, settled.kept[0].0).await.unwrap(), NEW);
}

#[tokio::test]
async fn nothing_is_lost_by_a_word_however_short_the_history_is() {
    let scene = unclear().await;
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    vault.set_setting("history", "1", &operator).await.unwrap();
    for number in 0..4 {
        changed_here(&scene, &format!("l0cal-s3cret-{number}")).await;
    }
    scene.fake.logins(&[Login::Cut, Login::Cut]);

    let settled = say(&scene, Held::Stored, false).await.unwrap();

    scene.fake.set("l0cal-s3cret-3");
    scene.assert_settled("l0cal-s3cret-3").await;
    let mut kept = Vec::new();
    for version in settled.kept {
        kept.push(earlier(&scene, version.0).await.unwrap());
    }
    assert_eq!(kept, [OLD, NEW]);
}

#[tokio::test]
async fn a_password_that_stays_by_word_is_no_younger_than_it_was() {
    let scene = unclear().await;
    scene.fake.set(OLD);
    let vault = &scene.house.vault;
    let before = vault.account("db1", "root", &scene.owner).await.unwrap();
    scene.house.clock.pass(Duration::from_hours(24));

    say(&scene, Held::Old, false).await.unwrap();

    let after = vault.account("db1", "root", &scene.owner).await.unwrap();
    assert_eq!(after.account.changed, before.account.changed);
}

#[tokio::test]
async fn earlier_passwords_are_for_whoever_governs_the_house_and_each_is_recorded() {
    let scene = scene().await;
    scene.change(NEW).await.unwrap();
    let (vault, place) = (&scene.house.vault, wanted("db1", "root"));

    let owner = vault.earlier(&place, SecretVersion(1), &scene.owner).await;
    let refused = scene.house.newest(1);
    let operator = earlier(&scene, 1).await;
    let allowed = scene.house.newest(1);
    let none = earlier(&scene, 9).await;

    assert!(matches!(owner, Err(VaultError::NotAllowed)), "{owner:?}");
    let why = Outcome::Refused(RefusalReason::NotAllowed);
    assert_eq!(refused, [(Operation::Retrieve, why)]);
    assert_eq!(operator.unwrap(), OLD);
    assert_eq!(allowed, [(Operation::Retrieve, Outcome::Allowed)]);
    assert!(matches!(none, Err(VaultError::NotFound(_))), "{none:?}");
}

#[tokio::test]
async fn a_target_is_asked_at_once_for_whoever_governs_the_house() {
    let scene = unclear().await;
    let (vault, place) = (&scene.house.vault, wanted("db1", "root"));
    let asked = scene.fake.asked();

    let owner = vault.look_again(&place, &scene.owner).await;
    assert!(matches!(owner, Err(VaultError::NotAllowed)), "{owner:?}");
    assert_eq!(scene.fake.asked(), asked);
    let settled = look(&scene).await.unwrap();

    assert_eq!((settled.held, settled.heard), (Held::New, Tried::Agrees));
    scene.assert_settled(NEW).await;
    let nothing = look(&scene).await;
    assert!(
        matches!(nothing, Err(VaultError::NotFound("pending reset"))),
        "{nothing:?}"
    );
}

#[tokio::test]
async fn a_target_that_is_asked_in_vain_is_still_not_clear_and_a_copy_asks_none() {
    let scene = unclear().await;
    scene.fake.logins(&[Login::Cut]);

    let answer = look(&scene).await;
    assert_failed(&answer.map(drop), "still not clear");
    let vault = &scene.house.vault;
    vault.stop_resets("this is a copy").await.unwrap();
    let asked = scene.fake.asked();
    let copy = look(&scene).await;

    assert_failed(&copy.map(drop), "this is a copy");
    let settled = say(&scene, Held::New, false).await.unwrap();
    assert!(
        matches!(&settled.heard, Tried::Nothing(why) if why.contains("this is a copy")),
        "{settled:?}"
    );
    assert_eq!(scene.fake.asked(), asked);
}

#[tokio::test]
async fn who_does_not_govern_the_house_settles_nothing() {
    let scene = unclear().await;
    let vault = &scene.house.vault;
    let place = wanted("db1", "root");
    let word = Claim {
        held: Held::New,
        anyway: true,
    };

    let settled = vault.settle_reset(&place, word, &scene.owner);
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
