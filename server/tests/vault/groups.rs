//! Groups of users: what is shared with one, and when it no longer is.

use claviger::domain::{Level, Lock, Operation, Outcome, RefusalReason, Role, Scope};
use claviger::vault::{
    Caller, GranteeName, NewGroup, Reach, SharedWith, UserEdit, Vault, VaultError,
};

use crate::fixture::{House, credential, given, house, wanted};

const USER: &str = "user@10.0.0.1";
const DBA: GranteeName<'_> = GranteeName::Group("dba");

/// A resource of an owner, and a user in the group `dba`.
async fn grouped() -> (House, Caller, Caller) {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    house.create("db1", "app", "s3cret", &owner).await;
    add(&house, "dba").await.unwrap();
    join(&house, "dba", USER).await.unwrap();
    (house, owner, user)
}

async fn add(house: &House, name: &str) -> Result<(), VaultError> {
    let new = NewGroup {
        name: name.to_owned(),
        ..NewGroup::default()
    };
    let operator = house.operator().await;
    house.vault.add_group(&new, &operator).await.map(drop)
}

async fn join(house: &House, group: &str, login: &str) -> Result<(), VaultError> {
    let operator = house.operator().await;
    house.vault.add_member(group, login, &operator).await
}

async fn share(house: &House, account: Option<&str>, level: Level, owner: &Caller) {
    let shared = house.vault.share(("db1", account), DBA, level, owner);
    shared.await.unwrap();
}

async fn set(house: &House, name: &str, value: &str) {
    let operator = house.operator().await;
    let set = house.vault.set_setting(name, value, &operator);
    set.await.unwrap();
}

async fn assert_refused(house: &House, user: &Caller) {
    let refusal = house.retrieve("db1", "app", user).await.unwrap_err();
    assert!(matches!(refusal, VaultError::Refused), "{refusal}");
    let why = Outcome::Refused(RefusalReason::NotShared);
    assert_eq!(house.newest(1), [(Operation::Retrieve, why)]);
}

/// That the user retrieves it, twice: found anew, and where it was remembered.
async fn assert_retrieves(house: &House, user: &Caller) {
    for _ in 0..2 {
        let got = house.retrieve("db1", "app", user).await;
        assert_eq!(got.unwrap(), "s3cret");
    }
}

#[tokio::test]
async fn what_is_shared_with_a_group_is_shared_with_who_is_in_it() {
    for account in [None, Some("app")] {
        let (house, owner, user) = grouped().await;
        let other = house.plain_user("other", 3).await;
        assert_refused(&house, &user).await;

        share(&house, account, Level::View, &owner).await;

        assert_retrieves(&house, &user).await;
        assert_refused(&house, &other).await;
        let wanted = wanted("db1", "app");
        let change = house
            .vault
            .change(&wanted, given("other"), Reach::Local, &user);
        let refusal = change.await.unwrap_err();
        assert!(matches!(refusal, VaultError::NotAllowed), "{refusal}");
    }
}

#[tokio::test]
async fn whoever_leaves_a_group_is_refused_on_the_next_request() {
    let (house, owner, user) = grouped().await;
    share(&house, None, Level::View, &owner).await;
    assert_retrieves(&house, &user).await;

    let operator = house.operator().await;
    let left = house.vault.remove_member("dba", USER, &operator);
    left.await.unwrap();
    assert_refused(&house, &user).await;

    join(&house, "dba", USER).await.unwrap();
    assert_retrieves(&house, &user).await;
}

#[tokio::test]
async fn a_group_that_is_removed_or_not_shared_with_any_more_opens_nothing() {
    let (house, owner, user) = grouped().await;
    share(&house, Some("app"), Level::View, &owner).await;
    assert_retrieves(&house, &user).await;

    let unshare = house.vault.unshare(("db1", Some("app")), DBA, &owner);
    unshare.await.unwrap();
    assert_refused(&house, &user).await;

    share(&house, None, Level::View, &owner).await;
    assert_retrieves(&house, &user).await;
    let operator = house.operator().await;
    house.vault.remove_group("dba", &operator).await.unwrap();
    assert_refused(&house, &user).await;
    assert!(house.vault.shares("db1", &owner).await.unwrap().is_empty());
    add(&house, "dba").await.unwrap();
    join(&house, "dba", USER).await.unwrap();
    assert_refused(&house, &user).await;
}

#[tokio::test]
async fn a_locked_user_is_out_whatever_group_it_is_in() {
    let (house, owner, user) = grouped().await;
    share(&house, None, Level::View, &owner).await;
    assert_retrieves(&house, &user).await;

    let operator = house.operator().await;
    let lock = UserEdit::Lock(Lock::Locked);
    let locked = house.vault.edit_user(USER, &lock, &operator);
    locked.await.unwrap();

    assert!(!house.vault.holds(&user), "and is asked who it is again");
    let again = house.enter(&credential("user", 2), "10.0.0.1").await;
    assert!(matches!(again, Err(VaultError::Unidentified(_))));
}

#[tokio::test]
async fn the_widest_of_own_and_group_shares_counts() {
    let (house, owner, user) = grouped().await;
    let change = async |password| {
        let wanted = wanted("db1", "app");
        let change = house
            .vault
            .change(&wanted, given(password), Reach::Local, &user);
        change.await.map(drop)
    };
    house.share("db1", None, USER, Level::View).await;
    assert!(matches!(change("two").await, Err(VaultError::NotAllowed)));

    share(&house, Some("app"), Level::Modify, &owner).await;
    change("three").await.unwrap();

    let operator = house.operator().await;
    let left = house.vault.remove_member("dba", USER, &operator);
    left.await.unwrap();
    assert!(matches!(change("four").await, Err(VaultError::NotAllowed)));
    let got = house.retrieve("db1", "app", &user).await;
    assert_eq!(got.unwrap(), "three", "its own share is still there");
}

#[tokio::test]
async fn a_share_of_the_user_itself_is_gone_at_once_where_a_group_has_none() {
    let (house, owner, user) = grouped().await;
    house.share("db1", None, USER, Level::View).await;
    share(&house, None, Level::View, &owner).await;
    assert_retrieves(&house, &user).await;

    let unshare = house.vault.unshare(("db1", None), USER, &owner);
    unshare.await.unwrap();
    assert_retrieves(&house, &user).await;

    let unshare = house.vault.unshare(("db1", None), DBA, &owner);
    unshare.await.unwrap();
    assert_refused(&house, &user).await;
}

#[tokio::test]
async fn lists_show_what_a_group_may_see_and_with_whom_it_is_shared() {
    let (house, owner, user) = grouped().await;
    house.create("db2", "app", "s3cret", &owner).await;
    let listed = async || {
        let seen = house.vault.resources(None, 10, &user).await.unwrap();
        let names = seen.iter().map(|view| view.resource.name.to_string());
        names.collect::<Vec<_>>()
    };
    assert!(listed().await.is_empty());

    share(&house, Some("app"), Level::View, &owner).await;

    assert_eq!(listed().await, ["db1"]);
    let accounts = house.vault.accounts("db1", None, 10, &user).await.unwrap();
    assert_eq!(accounts.len(), 1);
    let shares = house.vault.shares("db1", &owner).await.unwrap();
    assert_eq!(shares[0].with, SharedWith::Group("dba".to_owned()));
    assert_eq!(shares[0].account.as_deref(), Some("app"));
}

#[tokio::test]
async fn a_group_has_one_name_and_members_that_leave_with_their_user() {
    let (house, _, _) = grouped().await;
    let operator = house.operator().await;
    let vault: &Vault = &house.vault;
    for (name, why) in [("DBA", "exists"), ("", "empty"), ("a\u{202e}b", "U+202E")] {
        let refusal = add(&house, name).await.unwrap_err().to_string();
        assert!(refusal.contains(why), "{name}: {refusal}");
    }
    let twice = join(&house, "dba", USER).await.unwrap_err();
    assert!(matches!(twice, VaultError::Exists("a member")), "{twice}");
    for (group, login, what) in [
        ("none", USER, "group"),
        ("Dba", USER, "group"),
        ("dba", "x", "user"),
    ] {
        let refusal = join(&house, group, login).await.unwrap_err();
        assert!(
            matches!(refusal, VaultError::NotFound(missing) if missing == what),
            "{refusal}"
        );
    }

    let of_user = vault.groups_with(USER, &operator).await.unwrap();
    assert_eq!(of_user[0].name.as_str(), "dba");
    let members = async || vault.members("dba", (None, 10), &operator).await.unwrap();
    assert_eq!(members().await[0].login(), USER);
    vault.remove_user(USER, &operator).await.unwrap();

    assert!(members().await.is_empty());
    let gone = vault.remove_member("dba", USER, &operator).await;
    assert!(matches!(gone, Err(VaultError::NotFound("user"))));
}

#[tokio::test]
async fn both_sides_of_a_membership_have_a_limit() {
    let (house, _, _) = grouped().await;
    house.plain_user("other", 3).await;
    set(&house, "groups-per-user", "1").await;
    set(&house, "members-per-group", "1").await;
    add(&house, "ops").await.unwrap();

    let many_groups = join(&house, "ops", USER).await.unwrap_err().to_string();
    let many_members = join(&house, "dba", "other@10.0.0.1").await;

    assert!(many_groups.contains("groups-per-user"), "{many_groups}");
    let many_members = many_members.unwrap_err().to_string();
    assert!(many_members.contains("members-per-group"), "{many_members}");
    join(&house, "ops", "other@10.0.0.1").await.unwrap();
}

#[tokio::test]
async fn only_an_administrator_has_to_do_with_groups() {
    let (house, owner, _) = grouped().await;
    let vault = &house.vault;
    let new = NewGroup::default();
    let refusals = [
        vault.add_group(&new, &owner).await.map(drop),
        vault.groups(None, 10, &owner).await.map(drop),
        vault.group("dba", &owner).await.map(drop),
        vault.members("dba", (None, 10), &owner).await.map(drop),
        vault.groups_with(USER, &owner).await.map(drop),
        vault.add_member("dba", USER, &owner).await,
        vault.remove_member("dba", USER, &owner).await,
        vault.remove_group("dba", &owner).await,
    ];

    for refusal in refusals {
        assert!(matches!(refusal, Err(VaultError::NotAllowed)));
    }
    let seen = house.newest(8);
    let refused = Outcome::Refused(RefusalReason::NotAllowed);
    assert!(seen.iter().all(|(_, outcome)| *outcome == refused));
}

#[tokio::test]
async fn groups_of_another_organisation_are_not_there() {
    let (house, _, _) = grouped().await;
    let operator = house.operator().await;
    let made = house.vault.add_organisation("Acme", &operator).await;
    made.unwrap();
    let within = house.vault.within(&operator, "Acme").await.unwrap();

    let shown = house.vault.group("dba", &within).await;

    assert!(matches!(shown, Err(VaultError::NotFound("group"))));
    assert!(
        house
            .vault
            .groups(None, 10, &within)
            .await
            .unwrap()
            .is_empty()
    );
}
