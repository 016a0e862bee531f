//! Approvers by group: whoever is in it when it matters.

use claviger::domain::Lock;
use claviger::vault::{Hurdle, NewAccessControl, NewGroup, UserEdit};

use crate::scene::{Scene, assert_nothing, assert_waiting, control, login, uncontrolled};

/// db1 under control by two of the group `chiefs`, in which eve and zoe are.
async fn by_group() -> Scene {
    let scene = uncontrolled().await;
    let operator = scene.house.operator().await;
    let vault = &scene.house.vault;
    let new = NewGroup {
        name: "chiefs".to_owned(),
        ..NewGroup::default()
    };
    vault.add_group(&new, &operator).await.unwrap();
    for name in ["eve", "zoe"] {
        let login = login(name);
        let added = vault.add_member("chiefs", &login, &operator);
        added.await.unwrap();
    }
    scene.set(&grouped(2)).await;
    scene
}

fn grouped(approvals: u8) -> NewAccessControl {
    NewAccessControl {
        approver_groups: vec!["chiefs".to_owned()],
        approvals,
        ..control(&[])
    }
}

#[tokio::test]
async fn whoever_is_in_a_group_of_approvers_approves_and_nobody_else() {
    let scene = by_group().await;
    scene.request(&scene.ann).await.unwrap();

    let owner = scene.approve("ann", &scene.owner).await;
    let one = scene.approve("ann", &scene.eve).await.unwrap();
    let twice = scene.approve("ann", &scene.eve).await.unwrap();
    let both = scene.approve("ann", &scene.zoe).await.unwrap();

    assert!(owner.is_err(), "it manages it and is in no such group");
    assert_eq!([one, twice, both], [false, false, true]);
    let shown = scene
        .house
        .vault
        .access_controls(("db1", None), &scene.owner);
    let shown = shown.await.unwrap();
    assert_eq!(shown[0].approver_groups, ["chiefs"]);
    scene.check_out(&scene.ann).await.unwrap();
}

#[tokio::test]
async fn an_approval_by_somebody_who_left_the_group_counts_no_more() {
    for what in ["leave", "lock", "remove the group"] {
        let scene = by_group().await;
        let operator = scene.house.operator().await;
        let vault = &scene.house.vault;
        scene.request(&scene.ann).await.unwrap();
        scene.approve("ann", &scene.eve).await.unwrap();
        assert!(scene.approve("ann", &scene.zoe).await.unwrap(), "{what}");

        match what {
            "leave" => {
                vault
                    .remove_member("chiefs", &login("zoe"), &operator)
                    .await
            }
            "lock" => {
                let lock = UserEdit::Lock(Lock::Locked);
                vault.edit_user(&login("zoe"), &lock, &operator).await
            }
            _ => vault.remove_group("chiefs", &operator).await,
        }
        .unwrap();

        assert_waiting(scene.check_out(&scene.ann).await, Hurdle::Approval);
    }
}

#[tokio::test]
async fn nobody_approves_its_own_request_by_a_group_either() {
    let scene = by_group().await;
    scene.set(&grouped(1)).await;
    let operator = scene.house.operator().await;
    let added = scene
        .house
        .vault
        .add_member("chiefs", &login("ann"), &operator)
        .await;
    added.unwrap();
    scene.request(&scene.ann).await.unwrap();

    let own = scene.approve("ann", &scene.ann).await;

    assert!(own.is_err());
    assert_waiting(scene.check_out(&scene.ann).await, Hurdle::Approval);
}

#[tokio::test]
async fn a_group_that_is_not_there_is_no_group_of_approvers() {
    let scene = uncontrolled().await;

    let set = scene
        .house
        .vault
        .set_access_control(("db1", None), &grouped(1), &scene.owner)
        .await;

    assert_nothing(set, "group");
}
