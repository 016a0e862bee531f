//! Asking and approving.

use claviger::domain::{Level, Lock, Operation, Outcome, RefusalReason, Role, Scope, Status};
use claviger::vault::{Hurdle, NewAccessControl, UserEdit, VaultError};

use crate::fixture::{given, wanted};
use crate::scene::{assert_in_use, assert_nothing, assert_waiting, control, login, scene};

#[tokio::test]
async fn a_password_is_requested_approved_checked_out_and_checked_in() {
    let scene = scene(&control(&["eve"])).await;
    let (ann, ben) = (&scene.ann, &scene.ben);
    assert_eq!(scene.status(ann).await, "[REQUEST]");
    assert_waiting(scene.retrieve(ann).await, Hurdle::Request);

    assert_eq!(scene.request(ann).await.unwrap(), Status::Waiting);
    assert_eq!(scene.status(ann).await, "WAITING FOR APPROVAL / CHECKOUT");
    assert_eq!(scene.status(ben).await, "[REQUEST]");
    assert_waiting(scene.retrieve(ann).await, Hurdle::Approval);
    assert_waiting(scene.check_out(ann).await, Hurdle::Approval);
    assert!(scene.approve("ann", &scene.eve).await.unwrap());
    assert_eq!(scene.status(ann).await, "WAITING FOR APPROVAL / CHECKOUT");
    assert_waiting(scene.retrieve(ann).await, Hurdle::CheckOut);

    assert_eq!(scene.check_out(ann).await.unwrap(), Status::Held);
    assert_eq!(scene.status(ann).await, "***** [checkIn]");
    assert_eq!(scene.status(ben).await, "[ In use ]");
    assert_eq!(scene.status(&scene.owner).await, "[ In use ]");
    assert_eq!(scene.retrieve(ann).await.unwrap(), "s3cret");
    assert_in_use(scene.retrieve(ben).await, "ann");

    assert_eq!(scene.check_in(ann).await.unwrap(), Status::Request);
    assert_eq!(scene.status(ann).await, "[REQUEST]");
    assert_waiting(scene.retrieve(ann).await, Hurdle::Request);
    assert_waiting(scene.check_out(ann).await, Hurdle::Request);
}

#[tokio::test]
async fn nobody_approves_or_rejects_a_request_of_its_own() {
    let scene = scene(&control(&["ann", "eve"])).await;
    let chief = scene
        .house
        .user("chief", 9, Role::Administrator, Scope::All)
        .await;
    scene.set(&control(&["ann", "chief"])).await;
    scene.request(&scene.ann).await.unwrap();
    scene.request(&chief).await.unwrap();

    for (name, caller) in [("ann", &scene.ann), ("chief", &chief)] {
        let answer = scene.approve(name, caller).await;
        assert!(matches!(answer, Err(VaultError::OwnRequest)), "{answer:?}");
        let vault = &scene.house.vault;
        let answer = vault
            .reject(&wanted("db1", "root"), &login(name), caller)
            .await;
        assert!(matches!(answer, Err(VaultError::OwnRequest)), "{answer:?}");
        let refused = Outcome::Refused(RefusalReason::OwnRequest);
        assert_eq!(scene.last(), (Operation::Reject, refused));
        assert_waiting(scene.check_out(caller).await, Hurdle::Approval);
    }
    assert!(scene.approve("ann", &chief).await.unwrap());
    assert!(scene.approve("chief", &scene.ann).await.unwrap());
}

#[tokio::test]
async fn an_approver_who_has_lost_the_right_since_does_not_count() {
    for lost in ["named no more", "locked", "removed"] {
        let scene = scene(&control(&["eve"])).await;
        let operator = scene.house.operator().await;
        scene.request(&scene.ann).await.unwrap();
        assert!(scene.approve("ann", &scene.eve).await.unwrap());

        let vault = &scene.house.vault;
        match lost {
            "locked" => vault
                .edit_user(&login("eve"), &UserEdit::Lock(Lock::Locked), &operator)
                .await
                .unwrap(),
            "removed" => vault.remove_user(&login("eve"), &operator).await.unwrap(),
            _ => scene.set(&control(&["zoe"])).await,
        }

        assert_waiting(scene.check_out(&scene.ann).await, Hurdle::Approval);
        let refused = Outcome::Refused(RefusalReason::NotApproved);
        assert_eq!(scene.last(), (Operation::CheckOut, refused), "{lost}");
        assert_waiting(scene.retrieve(&scene.ann).await, Hurdle::CheckOut);
        scene.set(&control(&["zoe"])).await;
        assert!(scene.approve("ann", &scene.zoe).await.unwrap());
        assert_eq!(scene.check_out(&scene.ann).await.unwrap(), Status::Held);
    }
}

#[tokio::test]
async fn where_nobody_is_named_whoever_manages_it_approves_as_long_as_it_does() {
    let scene = scene(&control(&[])).await;
    let whole = ("db1", None);
    scene
        .house
        .share("db1", None, &login("eve"), Level::Manage)
        .await;
    scene.request(&scene.ann).await.unwrap();
    let answer = scene.approve("ann", &scene.ben).await;
    assert!(matches!(answer, Err(VaultError::NotAllowed)), "{answer:?}");
    assert!(scene.approve("ann", &scene.eve).await.unwrap());

    scene
        .house
        .vault
        .unshare(whole, &login("eve"), &scene.owner)
        .await
        .unwrap();

    assert_waiting(scene.check_out(&scene.ann).await, Hurdle::Approval);
    assert!(scene.approve("ann", &scene.owner).await.unwrap());
    assert_eq!(scene.check_out(&scene.ann).await.unwrap(), Status::Held);
}

#[tokio::test]
async fn approving_twice_counts_once() {
    let two = NewAccessControl {
        approvals: 2,
        ..control(&["eve", "zoe"])
    };
    let scene = scene(&two).await;
    scene.request(&scene.ann).await.unwrap();

    for _ in 0..2 {
        assert!(!scene.approve("ann", &scene.eve).await.unwrap());
        assert_waiting(scene.check_out(&scene.ann).await, Hurdle::Approval);
    }
    assert!(scene.approve("ann", &scene.zoe).await.unwrap());
    assert_eq!(scene.check_out(&scene.ann).await.unwrap(), Status::Held);
}

#[tokio::test]
async fn more_approvals_demanded_since_are_demanded() {
    let scene = scene(&control(&["eve"])).await;
    scene.request(&scene.ann).await.unwrap();
    assert!(scene.approve("ann", &scene.eve).await.unwrap());

    let two = NewAccessControl {
        approvals: 2,
        ..control(&["eve", "zoe"])
    };
    scene.set(&two).await;

    assert_waiting(scene.check_out(&scene.ann).await, Hurdle::Approval);
}

#[tokio::test]
async fn what_is_approved_for_one_account_or_user_opens_no_other() {
    let scene = scene(&control(&["eve"])).await;
    scene
        .house
        .create("db2", "root", "other", &scene.owner)
        .await;
    let vault = &scene.house.vault;
    let add = claviger::vault::NewAccount {
        resource: "db1".into(),
        account: "app",
        ..Default::default()
    };
    vault
        .add_account(&add, given("app-s3cret"), &scene.owner)
        .await
        .unwrap();
    scene.request(&scene.ann).await.unwrap();
    scene.request(&scene.ben).await.unwrap();
    assert!(scene.approve("ann", &scene.eve).await.unwrap());

    let app = wanted("db1", "app");
    assert_waiting(
        vault.check_out(&app, None, &scene.ann).await,
        Hurdle::Request,
    );
    assert_waiting(scene.check_out(&scene.ben).await, Hurdle::Approval);
    let elsewhere = vault
        .check_out(&wanted("db2", "root"), None, &scene.ann)
        .await;
    assert!(
        matches!(elsewhere, Err(VaultError::Refused)),
        "{elsewhere:?}"
    );
    scene.check_out(&scene.ann).await.unwrap();
    let app = scene.house.retrieve("db1", "app", &scene.ann).await;
    assert_waiting(app, Hurdle::Request);
}

#[tokio::test]
async fn an_approval_is_for_one_check_out_only() {
    let scene = scene(&control(&["eve"])).await;
    scene.holds("ann", &scene.ann).await;
    scene.check_in(&scene.ann).await.unwrap();

    scene.request(&scene.ann).await.unwrap();

    assert_waiting(scene.check_out(&scene.ann).await, Hurdle::Approval);
}

#[tokio::test]
async fn a_rejected_request_begins_again() {
    let scene = scene(&control(&["eve"])).await;
    scene.request(&scene.ann).await.unwrap();
    let vault = &scene.house.vault;

    vault
        .reject(&wanted("db1", "root"), &login("ann"), &scene.eve)
        .await
        .unwrap();

    assert_eq!(scene.status(&scene.ann).await, "[REQUEST]");
    assert_waiting(scene.check_out(&scene.ann).await, Hurdle::Request);
    assert_nothing(scene.approve("ann", &scene.eve).await, "request");
    scene.request(&scene.ann).await.unwrap();
    assert_waiting(scene.check_out(&scene.ann).await, Hurdle::Approval);
}

#[tokio::test]
async fn where_nobody_need_approve_one_at_a_time_takes_what_it_requested() {
    let mut control = control(&[]);
    control.approvals = 0;
    let scene = scene(&control).await;
    assert_waiting(scene.retrieve(&scene.ann).await, Hurdle::Request);
    assert_waiting(scene.check_out(&scene.ann).await, Hurdle::Request);

    scene.request(&scene.ann).await.unwrap();
    scene.request(&scene.ben).await.unwrap();

    assert_waiting(scene.retrieve(&scene.ann).await, Hurdle::CheckOut);
    assert_eq!(scene.check_out(&scene.ann).await.unwrap(), Status::Held);
    assert_eq!(scene.retrieve(&scene.ann).await.unwrap(), "s3cret");
    assert_in_use(scene.check_out(&scene.ben).await, "ann");
}

#[tokio::test]
async fn whoever_requested_withdraws_it_and_not_what_it_holds() {
    let scene = scene(&control(&["eve"])).await;
    let (vault, wanted) = (&scene.house.vault, wanted("db1", "root"));
    let withdraw = |caller| vault.withdraw(&wanted, caller);
    assert_nothing(withdraw(&scene.ann).await, "request");
    scene.request(&scene.ann).await.unwrap();
    assert_nothing(withdraw(&scene.ben).await, "request");

    withdraw(&scene.ann).await.unwrap();

    assert_eq!(scene.last(), (Operation::Request, Outcome::Allowed));
    assert_eq!(scene.status(&scene.ann).await, "[REQUEST]");
    assert_nothing(scene.approve("ann", &scene.eve).await, "request");
    scene.holds("ann", &scene.ann).await;
    let held = withdraw(&scene.ann).await;
    assert!(matches!(held, Err(VaultError::Held)), "{held:?}");
}

#[tokio::test]
async fn a_request_is_seen_by_its_requester_and_its_approvers_and_nobody_else() {
    let scene = scene(&control(&["eve"])).await;
    let vault = &scene.house.vault;
    scene.request(&scene.ann).await.unwrap();
    let seen = vault.requests_seen(None, 10, &scene.ann).await.unwrap();
    let place = seen.first().unwrap().place();

    assert_eq!(vault.requests(None, 10, &scene.ann).await.unwrap(), []);
    for caller in [&scene.ann, &scene.eve] {
        let view = vault.request_at(place, caller).await.unwrap();
        assert_eq!(vec![view], seen);
        assert_eq!(vault.requests_seen(None, 10, caller).await.unwrap(), seen);
    }
    for caller in [&scene.ben, &scene.zoe] {
        assert_nothing(vault.request_at(place, caller).await, "request");
        assert_eq!(vault.requests_seen(None, 10, caller).await.unwrap(), []);
        let why = Outcome::Refused(RefusalReason::NoSuchThing);
        assert!(scene.house.newest(2).contains(&(Operation::List, why)));
    }
    vault
        .withdraw(&wanted("db1", "root"), &scene.ann)
        .await
        .unwrap();
    assert_nothing(vault.request_at(place, &scene.ann).await, "request");
}
