//! Groups of resources: what is shared of one is shared of everything in it.

use claviger::domain::{Level, Operation, Outcome, RefusalReason, Role, Scope};
use claviger::vault::{Caller, GranteeName, NewGroup, Reach, SharedWith, VaultError};

use crate::fixture::{House, given, house, wanted};

const USER: &str = "user@10.0.0.1";
const DBA: GranteeName<'_> = GranteeName::Group("dba");

/// A group of resources with `db1` of an owner in it, and a user who is in the group `dba`.
async fn grouped() -> (House, Caller, Caller) {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    house.create("db1", "app", "s3cret", &owner).await;
    house.create("db2", "app", "other", &owner).await;
    let operator = house.operator().await;
    let vault = &house.vault;
    vault
        .add_resource_group(&new("set"), &operator)
        .await
        .unwrap();
    vault.associate("db1", "set", &owner).await.unwrap();
    vault.add_group(&new("dba"), &operator).await.unwrap();
    vault.add_member("dba", USER, &operator).await.unwrap();
    (house, owner, user)
}

fn new(name: &str) -> NewGroup {
    NewGroup {
        name: name.to_owned(),
        ..NewGroup::default()
    }
}

async fn share(house: &House, with: GranteeName<'_>, level: Level) {
    let operator = house.operator().await;
    let shared = house
        .vault
        .share_resource_group("set", with, level, &operator);
    shared.await.unwrap();
}

async fn assert_refused(house: &House, resource: &str, user: &Caller) {
    let refusal = house.retrieve(resource, "app", user).await.unwrap_err();
    assert!(matches!(refusal, VaultError::Refused), "{refusal}");
    let why = Outcome::Refused(RefusalReason::NotShared);
    assert_eq!(house.newest(1), [(Operation::Retrieve, why)]);
}

/// Twice: found anew, and where it was remembered.
async fn assert_retrieves(house: &House, user: &Caller) {
    for _ in 0..2 {
        let got = house.retrieve("db1", "app", user).await;
        assert_eq!(got.unwrap(), "s3cret");
    }
}

#[tokio::test]
async fn what_is_shared_of_a_set_is_shared_of_what_is_in_it() {
    for with in [GranteeName::User(USER), DBA] {
        let (house, owner, user) = grouped().await;
        assert_refused(&house, "db1", &user).await;

        share(&house, with, Level::View).await;

        assert_retrieves(&house, &user).await;
        assert_refused(&house, "db2", &user).await;
        let other = house.plain_user("other", 3).await;
        assert_refused(&house, "db1", &other).await;
        let later = house.vault.associate("db2", "set", &owner).await;
        later.unwrap();
        let got = house.retrieve("db2", "app", &user).await;
        assert_eq!(got.unwrap(), "other");
    }
}

#[tokio::test]
async fn the_level_of_the_share_counts_and_a_wider_one_wins() {
    let (house, _, user) = grouped().await;
    let change = async |password| {
        let wanted = wanted("db1", "app");
        let change = house
            .vault
            .change(&wanted, given(password), Reach::Local, &user);
        change.await.map(drop)
    };
    share(&house, GranteeName::User(USER), Level::View).await;
    assert!(matches!(change("two").await, Err(VaultError::NotAllowed)));
    share(&house, DBA, Level::Modify).await;
    change("three").await.unwrap();
    share(&house, DBA, Level::View).await;
    assert!(matches!(change("four").await, Err(VaultError::NotAllowed)));
    house.share("db1", None, USER, Level::Modify).await;
    change("five").await.unwrap();
}

#[tokio::test]
async fn a_resource_that_is_taken_out_is_refused_at_once() {
    let (house, owner, user) = grouped().await;
    share(&house, DBA, Level::View).await;
    assert_retrieves(&house, &user).await;

    house.vault.dissociate("db1", "set", &owner).await.unwrap();

    assert_refused(&house, "db1", &user).await;
    let again = house.vault.dissociate("db1", "set", &owner).await;
    assert!(matches!(again, Err(VaultError::NotFound(_))));
    house.vault.associate("db1", "set", &owner).await.unwrap();
    assert_retrieves(&house, &user).await;
}

#[tokio::test]
async fn a_share_of_a_set_that_is_taken_back_opens_nothing_any_more() {
    for with in [GranteeName::User(USER), DBA] {
        let (house, _, user) = grouped().await;
        let operator = house.operator().await;
        share(&house, with, Level::Manage).await;
        assert_retrieves(&house, &user).await;

        let unshare = house
            .vault
            .unshare_resource_group("set", with, &operator)
            .await;
        unshare.unwrap();

        assert_refused(&house, "db1", &user).await;
        let again = house
            .vault
            .unshare_resource_group("set", with, &operator)
            .await;
        assert!(matches!(again, Err(VaultError::NotFound("share"))));
    }
}

#[tokio::test]
async fn leaving_the_group_or_removing_either_group_bites_at_once() {
    let (house, _, user) = grouped().await;
    let operator = house.operator().await;
    let vault = &house.vault;
    share(&house, DBA, Level::View).await;
    assert_retrieves(&house, &user).await;

    vault.remove_member("dba", USER, &operator).await.unwrap();
    assert_refused(&house, "db1", &user).await;
    vault.add_member("dba", USER, &operator).await.unwrap();
    assert_retrieves(&house, &user).await;
    vault.remove_group("dba", &operator).await.unwrap();
    assert_refused(&house, "db1", &user).await;
    let shares = vault.resource_group_shares("set", &operator).await;
    assert!(shares.unwrap().is_empty());

    share(&house, GranteeName::User(USER), Level::View).await;
    assert_retrieves(&house, &user).await;
    vault.remove_resource_group("set", &operator).await.unwrap();
    assert_refused(&house, "db1", &user).await;
    vault
        .add_resource_group(&new("set"), &operator)
        .await
        .unwrap();
    share(&house, GranteeName::User(USER), Level::View).await;
    assert_refused(&house, "db1", &user).await;
}

#[tokio::test]
async fn lists_show_a_set_its_shares_and_what_it_lets_somebody_see() {
    let (house, owner, user) = grouped().await;
    let operator = house.operator().await;
    let listed = async || {
        let seen = house.vault.resources(None, 10, &user).await.unwrap();
        let names = seen.iter().map(|view| view.resource.name.to_string());
        names.collect::<Vec<_>>()
    };
    assert!(listed().await.is_empty());
    share(&house, DBA, Level::View).await;
    assert_eq!(listed().await, ["db1"]);

    let vault = &house.vault;
    let sets = vault.resource_groups(None, 10, &operator).await.unwrap();
    assert_eq!(sets[0].name.as_str(), "set");
    let shares = vault.resource_group_shares("set", &operator).await.unwrap();
    assert_eq!(shares, [(SharedWith::Group("dba".to_owned()), Level::View)]);
    let inside = vault.grouped_resources("set", (None, 10), &operator).await;
    assert_eq!(inside.unwrap()[0].name.as_str(), "db1");
    let own = vault.shares("db1", &owner).await.unwrap();
    assert!(own.is_empty(), "nobody has one of the resource itself");
    vault.remove_resource("db1", &owner).await.unwrap();
    let inside = vault.grouped_resources("set", (None, 10), &operator).await;
    assert!(inside.unwrap().is_empty());
    assert!(listed().await.is_empty());
}

#[tokio::test]
async fn administrators_make_sets_and_who_manages_a_resource_puts_it_in() {
    let (house, owner, user) = grouped().await;
    let vault = &house.vault;
    let operator = house.operator().await;
    let with = GranteeName::User(USER);
    let refusals = [
        vault.add_resource_group(&new("x"), &owner).await.map(drop),
        vault.resource_groups(None, 10, &owner).await.map(drop),
        vault.resource_group("set", &owner).await.map(drop),
        vault
            .share_resource_group("set", with, Level::View, &owner)
            .await,
        vault.unshare_resource_group("set", with, &owner).await,
        vault.resource_group_shares("set", &owner).await.map(drop),
        vault.remove_resource_group("set", &owner).await,
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Err(VaultError::NotAllowed)));
    }

    let hidden = vault.associate("db2", "set", &user).await;
    assert!(matches!(hidden, Err(VaultError::Refused)));
    house.share("db2", None, USER, Level::Modify).await;
    let not_managed = vault.associate("db2", "set", &user).await;
    assert!(matches!(not_managed, Err(VaultError::NotAllowed)));
    let twice = vault.associate("db1", "set", &owner).await;
    assert!(matches!(twice, Err(VaultError::Exists(_))));
    let nowhere = vault.associate("db1", "none", &owner).await;
    assert!(matches!(
        nowhere,
        Err(VaultError::NotFound("resource group"))
    ));
    let same = vault.add_resource_group(&new("SET"), &operator).await;
    assert!(matches!(same, Err(VaultError::Exists(_))));
}

#[tokio::test]
async fn so_many_sets_are_shared_with_one_and_no_more() {
    let (house, _, _) = grouped().await;
    let operator = house.operator().await;
    let vault = &house.vault;
    let set = vault.set_setting("resource-groups-per-user", "1", &operator);
    set.await.unwrap();
    vault
        .add_resource_group(&new("two"), &operator)
        .await
        .unwrap();
    share(&house, DBA, Level::View).await;

    let more = vault.share_resource_group("two", DBA, Level::View, &operator);
    let more = more.await.unwrap_err().to_string();

    assert!(more.contains("resource-groups-per-user"), "{more}");
    share(&house, DBA, Level::Manage).await;
}
