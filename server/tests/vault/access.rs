use std::time::Duration;

use claviger::domain::{Role, Scope, Timestamp};
use claviger::store::{Key, Table};
use claviger::vault::{Caller, Clock, ResourceEdit};
use futures_util::future::join_all;

use crate::fixture::{House, credential, house, house_in};

#[tokio::test]
async fn a_retrieval_shows_at_once_and_costs_no_row() {
    let (house, owner) = house_with_db1().await;

    house.retrieve("db1", "root", &owner).await.unwrap();

    assert_eq!(accessed(&house, &owner).await, Some(house.clock.now()));
    assert_eq!(rows(&house).await, 0);
}

#[tokio::test]
async fn the_last_retrieval_survives_a_restart_once_it_is_written() {
    let (first, owner) = house_with_db1().await;
    first.retrieve("db1", "root", &owner).await.unwrap();
    assert_eq!(first.vault.write_access_times().await.unwrap(), 1);
    first.clock.pass(Duration::from_secs(60));
    let then = first.clock.now();
    first.retrieve("db1", "root", &owner).await.unwrap();
    assert_eq!(first.vault.write_access_times().await.unwrap(), 1);
    assert_eq!(first.vault.write_access_times().await.unwrap(), 0);

    let second = restarted(first, false).await;

    let owner = enter(&second).await;
    assert_eq!(accessed(&second, &owner).await, Some(then));
    assert_eq!(rows(&second).await, 1);
}

#[tokio::test]
async fn a_refused_retrieval_is_no_access() {
    let (house, owner) = house_with_db1().await;
    let stranger = house.plain_user("stranger", 2).await;

    assert!(house.retrieve("db1", "root", &stranger).await.is_err());

    assert_eq!(accessed(&house, &owner).await, None);
    assert_eq!(house.vault.write_access_times().await.unwrap(), 0);
}

#[tokio::test]
async fn nothing_stays_behind_an_account_that_is_gone() {
    let (house, owner) = house_with_db1().await;
    house.retrieve("db1", "root", &owner).await.unwrap();
    house.vault.remove_resource("db1", &owner).await.unwrap();

    assert_eq!(house.vault.write_access_times().await.unwrap(), 0);

    assert_eq!(rows(&house).await, 0);
}

#[tokio::test]
async fn writing_them_disturbs_no_edit_of_the_account() {
    let (house, owner) = house_with_db1().await;
    house.retrieve("db1", "root", &owner).await.unwrap();
    let edit = ResourceEdit {
        description: Some("edited".to_owned()),
        ..ResourceEdit::default()
    };

    let (written, edited) = tokio::join!(
        house.vault.write_access_times(),
        house.vault.edit_resource("db1", &edit, &owner)
    );

    edited.unwrap();
    assert_eq!(written.unwrap(), 1);
}

#[tokio::test]
async fn more_accounts_than_one_batch_takes_are_all_written_gently() {
    let (house, owner) = house_with_db1().await;
    join_all((0..150).map(|number| {
        let (house, owner) = (&house, &owner);
        async move {
            let name = format!("host{number}");
            house.create(&name, "root", "s3cret", owner).await;
            house.retrieve(&name, "root", owner).await.unwrap();
        }
    }))
    .await;

    let written = house.vault.write_access_times_gently().await;

    assert_eq!(written.unwrap(), 150);
    assert_eq!(rows(&house).await, 150);
}

#[tokio::test]
async fn a_secondary_remembers_and_writes_none() {
    let (first, _) = house_with_db1().await;
    let second = restarted(first, true).await;
    let owner = enter(&second).await;

    second.retrieve("db1", "root", &owner).await.unwrap();

    assert_eq!(second.vault.write_access_times().await.unwrap(), 0);
    assert_eq!(rows(&second).await, 0);
}

async fn house_with_db1() -> (House, Caller) {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("db1", "root", "s3cret", &owner).await;
    (house, owner)
}

async fn restarted(house: House, secondary: bool) -> House {
    house.ledger.close().await.unwrap();
    let House {
        dir,
        vault,
        ledger,
        rows,
        ..
    } = house;
    drop((vault, rows, ledger));
    house_in(dir, secondary).await
}

async fn enter(house: &House) -> Caller {
    house
        .enter(&credential("owner", 1), "10.0.0.1")
        .await
        .unwrap()
}

async fn accessed(house: &House, caller: &Caller) -> Option<Timestamp> {
    let view = house.vault.account("db1", "root", caller).await;
    view.unwrap().accessed
}

async fn rows(house: &House) -> usize {
    let all = house.rows.store();
    let prefix = Key::table(Table::Accessed);
    all.scan(&prefix, None, 1000).await.unwrap().len()
}
