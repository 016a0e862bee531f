//! The workflow where accounts and users are meant by their ids.

use claviger::domain::{Operation, Outcome};
use claviger::domain::{RefusalReason, UserId};
use claviger::vault::{ResourceRef, VaultError, Wanted};

use crate::scene::{assert_nothing, control, login, scene};

#[tokio::test]
async fn a_request_goes_all_its_way_by_ids() {
    let scene = scene(&control(&["eve"])).await;
    let vault = &scene.house.vault;
    let operator = scene.house.operator().await;
    let account = vault.account("db1", "root", &scene.owner).await;
    let wanted = Wanted::of(ResourceRef::OfAccount, account.unwrap().account.id);
    let ann = vault.user(&login("ann"), &operator).await.unwrap().id;

    vault.request(&wanted, None, &scene.ann).await.unwrap();
    assert!(matches!(
        vault.approve(&wanted, ann, &scene.zoe).await,
        Err(VaultError::Refused)
    ));
    assert_nothing(
        vault.approve(&wanted, UserId(999), &scene.eve).await,
        "request",
    );
    assert!(vault.approve(&wanted, ann, &scene.eve).await.unwrap());
    vault.check_out(&wanted, None, &scene.ann).await.unwrap();
    let password = vault.retrieve(&wanted, &scene.ann).await.unwrap();
    assert_eq!(password.expose(), "s3cret");
    vault.check_in_for(&wanted, ann, &scene.eve).await.unwrap();

    assert!(vault.retrieve(&wanted, &scene.ann).await.is_err());
    let last = Outcome::Refused(RefusalReason::NotApproved);
    assert_eq!(scene.last(), (Operation::Retrieve, last));
}

#[tokio::test]
async fn nobody_approves_their_own_request_by_id() {
    let scene = scene(&control(&[])).await;
    let vault = &scene.house.vault;
    let operator = scene.house.operator().await;
    let account = vault.account("db1", "root", &scene.owner).await;
    let wanted = Wanted::of(ResourceRef::OfAccount, account.unwrap().account.id);
    let owner = vault.user(&login("owner"), &operator).await.unwrap().id;
    vault.request(&wanted, None, &scene.owner).await.unwrap();

    let answer = vault.approve(&wanted, owner, &scene.owner).await;

    assert!(matches!(answer, Err(VaultError::OwnRequest)), "{answer:?}");
}
