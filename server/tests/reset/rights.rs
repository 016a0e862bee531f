//! Rights that are taken back while a reset is on its way to its target.

use std::time::Duration;

use claviger::domain::{Level, Lock, Operation, Outcome, RefusalReason, Role, Scope};
use claviger::vault::{
    Caller, CertificateCredential, Claim, Held, Reach, ResetLimits, UserEdit, VaultError,
};

use crate::fake::{Change, Login};
use crate::fixture::{credential, given, new_user, wanted};
use crate::rotation::exclusive;
use crate::scene::{NEW, OLD, Scene, administered, assert_failed, limits, scene_within};

const ANN: &str = "ann@10.0.0.1";

/// A scene with somebody beside the owner who may change the password.
async fn with_ann() -> (Scene, Caller) {
    let patient = ResetLimits {
        timeout: Duration::from_secs(30),
        ..limits()
    };
    let scene = scene_within(&administered(), patient).await;
    let ann = scene.house.plain_user("ann", 2).await;
    scene.house.share("db1", None, ANN, Level::Modify).await;
    (scene, ann)
}

async fn change(scene: &Scene, caller: &Caller) -> Result<(), VaultError> {
    let (place, new) = (wanted("db1", "root"), given(NEW));
    let change = scene.house.vault.change(&place, new, Reach::Remote, caller);
    change.await.map(drop)
}

/// Has `caller` change it, and does `meanwhile` while the stored password is tried.
async fn change_while(
    scene: &Scene,
    caller: &Caller,
    meanwhile: impl Future<Output = ()>,
) -> Result<(), VaultError> {
    let gate = scene.fake.login_gate.lock().await;
    let going_on = async {
        while scene.fake.asked() == 0 {
            tokio::task::yield_now().await;
        }
        meanwhile.await;
        drop(gate);
    };
    tokio::join!(change(scene, caller), going_on).0
}

async fn unshare(scene: &Scene) {
    let operator = scene.house.operator().await;
    let taken = scene.house.vault.unshare(("db1", None), ANN, &operator);
    taken.await.unwrap();
}

/// It was refused for who asks, nothing was told, and everything is as it was.
async fn assert_asked_again(scene: &Scene, answer: &Result<(), VaultError>) {
    assert_failed(answer, "ask again");
    let refused = Outcome::Refused(RefusalReason::NotAllowed);
    assert_eq!(scene.house.newest(1), [(Operation::Change, refused)]);
    assert!(scene.fake.told().is_empty());
    scene.assert_settled(OLD).await;
}

#[tokio::test]
async fn a_right_that_is_taken_back_meanwhile_changes_nothing() {
    let (scene, ann) = with_ann().await;

    let answer = change_while(&scene, &ann, unshare(&scene)).await;

    assert!(matches!(answer, Err(VaultError::Refused)), "{answer:?}");
    let refused = Outcome::Refused(RefusalReason::NotShared);
    assert_eq!(scene.house.newest(1), [(Operation::Change, refused)]);
    assert!(scene.fake.told().is_empty());
    scene.assert_settled(OLD).await;
}

#[tokio::test]
async fn a_right_that_is_taken_back_while_the_turn_is_waited_for_changes_nothing() {
    let (scene, ann) = with_ann().await;
    let gate = scene.fake.login_gate.lock().await;
    let mut first = Box::pin(scene.change(NEW));
    while scene.fake.asked() == 0 {
        let _going_on = futures_util::poll!(&mut first);
        tokio::task::yield_now().await;
    }
    let mut second = Box::pin(change(&scene, &ann));
    let allowed = scene.house.vault.account("db1", "root", &ann).await;
    allowed.unwrap();
    for _ in 0..1000 {
        assert!(futures_util::poll!(&mut second).is_pending());
        tokio::task::yield_now().await;
    }

    unshare(&scene).await;
    drop(gate);
    let (first, second) = tokio::join!(first, second);

    first.unwrap();
    assert!(matches!(second, Err(VaultError::Refused)), "{second:?}");
    assert_eq!(scene.fake.told(), [NEW]);
}

#[tokio::test]
async fn whoever_is_locked_meanwhile_changes_nothing() {
    let (scene, ann) = with_ann().await;
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    let locking = async {
        let lock = UserEdit::Lock(Lock::Locked);
        vault.edit_user(ANN, &lock, &operator).await.unwrap();
    };

    let answer = change_while(&scene, &ann, locking).await;

    assert_asked_again(&scene, &answer).await;
}

#[tokio::test]
async fn what_is_to_be_requested_from_now_on_is_not_changed_without_it() {
    let (scene, ann) = with_ann().await;
    let vault = &scene.house.vault;
    let controlling = async {
        let control = exclusive(None);
        let set = vault.set_access_control(("db1", None), &control, &scene.owner);
        set.await.unwrap();
    };

    let answer = change_while(&scene, &ann, controlling).await;

    assert!(matches!(answer, Err(VaultError::Waiting(_))), "{answer:?}");
    let refused = Outcome::Refused(RefusalReason::NotApproved);
    assert_eq!(scene.house.newest(1), [(Operation::Change, refused)]);
    assert!(scene.fake.told().is_empty());
}

#[tokio::test]
async fn whose_rights_stay_changes_it_whatever_else_is_changed_meanwhile() {
    let (scene, ann) = with_ann().await;
    let share = async {
        let operator = scene.house.operator().await;
        scene.house.create("db2", "root", OLD, &operator).await;
    };
    change_while(&scene, &ann, share).await.unwrap();
    scene.assert_settled(NEW).await;

    let (scene, _) = with_ann().await;
    let operator = scene.house.operator().await;
    let adding = async {
        let new = new_user("bob", "10.0.0.2", 3);
        scene.house.vault.add_user(&new, &operator).await.unwrap();
    };
    change_while(&scene, &operator, adding).await.unwrap();
    scene.assert_settled(NEW).await;
}

/// Ann, by a certificate that counts for a day more.
async fn ann_for_a_day(scene: &Scene) -> Caller {
    let shown = CertificateCredential {
        valid_until: scene.house.vault.now().after(Duration::from_hours(24)),
        ..credential("ann", 2)
    };
    scene.house.enter(&shown, "10.0.0.1").await.unwrap()
}

#[tokio::test]
async fn whose_certificate_runs_out_meanwhile_changes_nothing() {
    let (scene, _) = with_ann().await;
    let ann = ann_for_a_day(&scene).await;
    let passing = async { scene.house.clock.pass(Duration::from_hours(24)) };

    let answer = change_while(&scene, &ann, passing).await;

    assert_asked_again(&scene, &answer).await;
}

#[tokio::test]
async fn whose_host_is_to_be_looked_up_again_meanwhile_changes_it() {
    let (scene, _) = with_ann().await;
    let ann = ann_for_a_day(&scene).await;
    let passing = async { scene.house.clock.pass(Duration::from_hours(23)) };

    change_while(&scene, &ann, passing).await.unwrap();

    scene.assert_settled(NEW).await;
}

#[tokio::test]
async fn who_no_longer_governs_when_the_target_has_answered_settles_nothing() {
    let (scene, _) = with_ann().await;
    let (house, vault) = (&scene.house, &scene.house.vault);
    let chief = house
        .user("chief", 9, Role::Administrator, Scope::All)
        .await;
    scene.fake.changes(&[Change::CutAfter]);
    scene.fake.logins(&[Login::Answered, Login::Cut]);
    assert_failed(&scene.change(NEW).await, "not clear");
    let operator = house.operator().await;
    let word = Claim {
        held: Held::New,
        anyway: true,
    };
    let (place, asked) = (wanted("db1", "root"), scene.fake.asked());
    let gate = scene.fake.login_gate.lock().await;

    let taking = async {
        while scene.fake.asked() == asked {
            tokio::task::yield_now().await;
        }
        let lock = UserEdit::Lock(Lock::Locked);
        vault
            .edit_user("chief@10.0.0.1", &lock, &operator)
            .await
            .unwrap();
        drop(gate);
    };
    let (settled, ()) = tokio::join!(vault.settle_reset(&place, word, &chief), taking);

    assert_failed(&settled.map(drop), "ask again");
    let refused = Outcome::Refused(RefusalReason::NotAllowed);
    assert_eq!(house.newest(1), [(Operation::Reset, refused)]);
    assert_eq!(
        (scene.stored().await.as_str(), scene.pending().await),
        (OLD, 1)
    );
}
