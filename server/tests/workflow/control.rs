//! What stands before a password, for whom, and who sees what.

use std::time::Duration;

use claviger::domain::{ChangeAfter, Role, Scope};
use claviger::vault::{AccessControlView, Caller, Hurdle, NewAccessControl, Reach, VaultError};

use crate::fixture::{given, wanted};
use crate::scene::{assert_nothing, assert_waiting, control, login, scene, uncontrolled};

#[tokio::test]
async fn nobody_is_above_access_control() {
    let scene = scene(&control(&["eve"])).await;
    let chief = scene
        .house
        .user("chief", 9, Role::Administrator, Scope::All)
        .await;

    for caller in [&scene.owner, &chief, &scene.house.operator().await] {
        assert_waiting(scene.retrieve(caller).await, Hurdle::Request);
        let place = wanted("db1", "root");
        let vault = &scene.house.vault;
        let changed = vault
            .change(&place, given("mine"), Reach::Local, caller)
            .await;
        assert_waiting(changed, Hurdle::Request);
    }
    // To approve is not to share.
    let answer = scene.retrieve(&scene.eve).await;
    assert!(matches!(answer, Err(VaultError::Refused)), "{answer:?}");
}

#[tokio::test]
async fn access_control_bites_at_once_on_what_was_retrieved_before() {
    let scene = uncontrolled().await;
    for _ in 0..3 {
        assert_eq!(scene.retrieve(&scene.ann).await.unwrap(), "s3cret");
    }
    assert_eq!(scene.status(&scene.ann).await, "****");

    scene.set(&control(&["eve"])).await;
    assert_waiting(scene.retrieve(&scene.ann).await, Hurdle::Request);
    let vault = &scene.house.vault;
    vault
        .remove_access_control(("db1", None), &scene.owner)
        .await
        .unwrap();
    assert_eq!(scene.retrieve(&scene.ann).await.unwrap(), "s3cret");
    vault
        .set_access_control(("db1", Some("root")), &control(&["eve"]), &scene.owner)
        .await
        .unwrap();
    assert_waiting(scene.retrieve(&scene.ann).await, Hurdle::Request);
}

#[tokio::test]
async fn an_account_s_own_access_control_wins() {
    let scene = scene(&control(&["eve"])).await;
    let vault = &scene.house.vault;
    let one = ("db1", Some("root"));
    vault
        .set_access_control(one, &control(&["zoe"]), &scene.owner)
        .await
        .unwrap();
    scene.request(&scene.ann).await.unwrap();

    let answer = scene.approve("ann", &scene.eve).await;
    assert!(matches!(answer, Err(VaultError::Refused)), "{answer:?}");
    let shown = vault.access_controls(one, &scene.owner).await.unwrap();
    let names = |view: &AccessControlView| (view.account.clone(), view.approvers.clone());
    let zoe = (Some("root".to_owned()), vec![login("zoe")]);
    assert_eq!(names(&shown[0]), zoe);
    assert!(scene.approve("ann", &scene.zoe).await.unwrap());
}

#[tokio::test]
async fn only_who_manages_it_switches_access_control() {
    let scene = scene(&control(&["eve"])).await;
    let vault = &scene.house.vault;
    let whole = ("db1", None);

    for caller in [&scene.ann, &scene.eve] {
        let set = vault.set_access_control(whole, &control(&[]), caller).await;
        let off = vault.remove_access_control(whole, caller).await;
        let show = vault.access_controls(whole, caller).await.map(drop);
        for answer in [set, off, show] {
            let refused = matches!(answer, Err(VaultError::NotAllowed | VaultError::Refused));
            assert!(refused, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn access_control_that_makes_no_sense_is_refused_with_words() {
    let scene = uncontrolled().await;
    let vault = &scene.house.vault;
    let cases = [
        NewAccessControl {
            approvals: 3,
            ..control(&["eve"])
        },
        NewAccessControl {
            approvals: 2,
            ..control(&["eve", "eve"])
        },
        NewAccessControl {
            longest: Duration::from_secs(59),
            ..control(&["eve"])
        },
        NewAccessControl {
            change_after: Some(ChangeAfter::Remote),
            ..control(&["eve"])
        },
    ];

    for new in cases {
        let answer = vault
            .set_access_control(("db1", None), &new, &scene.owner)
            .await;
        assert!(matches!(answer, Err(VaultError::Invalid(_))), "{new:?}");
    }
    let nobody = vault
        .set_access_control(("db1", None), &control(&["nobody"]), &scene.owner)
        .await;
    assert_nothing(nobody, "user");
    assert_eq!(scene.retrieve(&scene.ann).await.unwrap(), "s3cret");
}

#[tokio::test]
async fn a_reason_and_a_ticket_are_demanded_of_a_request() {
    let both = NewAccessControl {
        reason: true,
        ticket: true,
        ..control(&["eve"])
    };
    let scene = scene(&both).await;
    let vault = &scene.house.vault;
    let mut place = wanted("db1", "root");

    let answer = vault.request(&place, None, &scene.ann).await;
    assert!(
        matches!(answer, Err(VaultError::ReasonRequired)),
        "{answer:?}"
    );
    place.reason = "disk full";
    let answer = vault.request(&place, None, &scene.ann).await;
    assert!(
        matches!(answer, Err(VaultError::TicketRequired)),
        "{answer:?}"
    );
    place.ticket = "T-1";
    vault.request(&place, None, &scene.ann).await.unwrap();
}

#[tokio::test]
async fn an_approver_lists_what_waits_for_it_and_nothing_else() {
    let scene = scene(&control(&["eve", "ann"])).await;
    let mut place = wanted("db1", "root");
    place.reason = "disk full";
    let vault = &scene.house.vault;
    vault.request(&place, None, &scene.ann).await.unwrap();
    scene.request(&scene.ben).await.unwrap();
    let operator = scene.house.operator().await;
    let list = async |caller: &Caller| {
        let views = vault.requests(None, 10, caller).await.unwrap();
        let names = views
            .into_iter()
            .map(|view| (view.requester, view.request.reason));
        names.collect::<Vec<_>>()
    };

    let (ann, ben) = (
        (login("ann"), "disk full".to_owned()),
        (login("ben"), String::new()),
    );
    assert_eq!(list(&scene.eve).await, [ann.clone(), ben.clone()]);
    assert_eq!(list(&operator).await, [ann, ben.clone()]);
    assert_eq!(list(&scene.ann).await, [ben]);
    assert_eq!(list(&scene.zoe).await, []);
    assert_eq!(list(&scene.ben).await, []);
    let first = vault.requests(None, 1, &scene.eve).await.unwrap();
    let next = vault
        .requests(Some(first[0].place()), 1, &scene.eve)
        .await
        .unwrap();
    assert_eq!(next[0].requester, login("ben"));
}

#[tokio::test]
async fn the_operator_asks_for_one_user_who_is_there_and_may_retrieve() {
    let scene = scene(&control(&["eve"])).await;
    let vault = &scene.house.vault;
    let operator = scene.house.operator().await;
    let place = wanted("db1", "root");

    for nobody in ["nobody@10.0.0.1", "ann", "ann@*", ""] {
        assert_nothing(vault.request(&place, Some(nobody), &operator).await, "user");
    }
    let itself = vault.request(&place, None, &operator).await;
    assert!(matches!(itself, Err(VaultError::Invalid(_))), "{itself:?}");
    let unshared = vault.request(&place, Some(&login("zoe")), &operator).await;
    assert!(
        matches!(unshared, Err(VaultError::Invalid(_))),
        "{unshared:?}"
    );
    let for_another = vault.request(&place, Some(&login("ann")), &scene.ben).await;
    assert!(matches!(for_another, Err(VaultError::NotAllowed)));

    let ann = login("ann");
    vault.request(&place, Some(&ann), &operator).await.unwrap();
    assert!(vault.approve(&place, &ann, &operator).await.unwrap());
    vault
        .check_out(&place, Some(&ann), &operator)
        .await
        .unwrap();
    assert_eq!(scene.retrieve(&scene.ann).await.unwrap(), "s3cret");
}

#[tokio::test]
async fn what_is_removed_takes_its_requests_along() {
    let scene = scene(&control(&["eve"])).await;
    scene.holds("ann", &scene.ann).await;
    scene.request(&scene.ben).await.unwrap();
    let vault = &scene.house.vault;

    vault.remove_resource("db1", &scene.owner).await.unwrap();

    let operator = scene.house.operator().await;
    assert_eq!(vault.requests(None, 10, &operator).await.unwrap(), []);
    for table in [30, 31, 32] {
        let prefix = claviger::store::Key::from_bytes(&[table]);
        let left = scene.house.rows.store().scan(&prefix, None, 10).await;
        assert_eq!(left.unwrap(), [], "table {table}");
    }
}
