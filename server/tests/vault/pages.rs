//! Pages are what a look at every row would say, wherever they begin and whatever is searched for.

use std::time::Duration;

use claviger::domain::{Level, Role, Scope};
use claviger::vault::{
    AccountEdit, Caller, Entry, Filter, GranteeName, ListLimits, NewAccount, NewGroup, Page,
    ResourceEdit, ResourceView, Search, SearchColumn, SearchKind, VaultError,
};

use crate::fixture::{House, given, house, new_resource};

fn search(kind: SearchKind, column: SearchColumn, value: &str) -> Search {
    Search {
        kind,
        column,
        value: value.to_owned(),
    }
}

pub fn everywhere(value: &str) -> Search {
    search(SearchKind::Resource, SearchColumn::All, value)
}

pub fn in_accounts(value: &str) -> Search {
    search(SearchKind::Account, SearchColumn::All, value)
}

pub async fn page(house: &House, filter: &Filter, caller: &Caller) -> Page<ResourceView> {
    house.vault.resource_page(filter, caller).await.unwrap()
}

pub fn names(page: &Page<ResourceView>) -> Vec<&str> {
    let names = page.items.iter().map(|view| view.resource.name.as_str());
    names.collect()
}

/// The names of all that `caller` sees, in the list's order.
pub async fn seen(house: &House, caller: &Caller) -> Vec<String> {
    let all = page(house, &Filter::page(0, 1000), caller).await;
    assert_eq!((all.total, all.complete), (all.items.len(), true));
    names(&all).into_iter().map(str::to_owned).collect()
}

pub async fn found(house: &House, search: Search, caller: &Caller) -> Vec<String> {
    let filter = Filter::page(0, 1000).searching(search);
    let all = page(house, &filter, caller).await;
    assert_eq!((all.total, all.complete), (all.items.len(), true));
    names(&all).into_iter().map(str::to_owned).collect()
}

async fn owner(house: &House) -> Caller {
    house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await
}

pub async fn import(house: &House, count: usize, owner: &str) {
    let operator = house.operator().await;
    let entries = (0..count).map(|number| Entry {
        resource: format!("server-{number:04}"),
        kind: "Linux".to_owned(),
        account: format!("root{number}"),
        owner: owner.to_owned(),
        password: Some("s3cret".to_owned().into()),
        ..Entry::default()
    });
    let imported = house.vault.import(entries.collect(), false, &operator);
    assert!(imported.await.unwrap().iter().all(Result::is_ok));
}

async fn rename(house: &House, from: &str, to: &str) {
    let edit = ResourceEdit {
        name: Some(to.to_owned()),
        ..ResourceEdit::default()
    };
    let operator = house.operator().await;
    let done = house.vault.edit_resource(from, &edit, &operator);
    done.await.unwrap();
}

async fn add_account(house: &House, resource: &str, account: &str) {
    let new = NewAccount {
        resource: resource.into(),
        account,
        ..NewAccount::default()
    };
    let operator = house.operator().await;
    let added = house.vault.add_account(&new, given("s3cret"), &operator);
    added.await.unwrap();
}

#[tokio::test]
async fn pages_begin_anywhere_and_tell_how_many_there_are() {
    let house = house().await;
    let owner = owner(&house).await;
    import(&house, 25, "owner@10.0.0.1").await;
    let operator = house.operator().await;

    for caller in [&operator, &owner] {
        let middle = page(&house, &Filter::page(10, 3), caller).await;
        assert_eq!(
            names(&middle),
            ["server-0010", "server-0011", "server-0012"]
        );
        assert_eq!((middle.total, middle.complete), (25, true));
        let last = page(&house, &Filter::page(24, 10), caller).await;
        assert_eq!(names(&last), ["server-0024"]);
        for nothing in [
            Filter::page(25, 10),
            Filter::page(usize::MAX, 1),
            Filter::page(0, 0),
        ] {
            let empty = page(&house, &nothing, caller).await;
            assert_eq!((names(&empty).len(), empty.total), (0, 25));
        }
        let behind = Filter {
            after: Some(middle.items[2].resource.id.0),
            ..Filter::page(1, 1)
        };
        assert_eq!(names(&page(&house, &behind, caller).await), ["server-0014"]);
    }
}

#[tokio::test]
async fn what_is_removed_between_two_pages_moves_the_rest_by_one() {
    let house = house().await;
    import(&house, 10, "").await;
    let operator = house.operator().await;
    let first = page(&house, &Filter::page(0, 4), &operator).await;

    let gone = first.items[1].resource.id;
    house.vault.remove_resource(gone, &operator).await.unwrap();

    let next = page(&house, &Filter::page(4, 4), &operator).await;
    assert_eq!(
        names(&next),
        ["server-0005", "server-0006", "server-0007", "server-0008"]
    );
    let cursor = Filter {
        after: first.items.last().map(|view| view.resource.id.0),
        ..Filter::page(0, 1)
    };
    assert_eq!(
        names(&page(&house, &cursor, &operator).await),
        ["server-0004"]
    );
}

#[tokio::test]
async fn lists_follow_everything_that_happens() {
    let house = house().await;
    let operator = house.operator().await;
    import(&house, 3, "").await;
    assert_eq!(
        found(&house, everywhere("SERVER-000"), &operator)
            .await
            .len(),
        3
    );

    rename(&house, "server-0001", "Datenbank-Straße").await;
    let all = ["server-0000", "Datenbank-Straße", "server-0002"];
    assert_eq!(seen(&house, &operator).await, all);
    assert_eq!(
        found(&house, everywhere("server-0001"), &operator)
            .await
            .len(),
        0
    );
    assert_eq!(
        found(&house, everywhere("STRASSE"), &operator).await,
        all[1..2]
    );

    add_account(&house, "server-0002", "Backup").await;
    assert_eq!(
        found(&house, in_accounts("backup"), &operator).await,
        all[2..]
    );
    assert_eq!(
        found(&house, everywhere("backup"), &operator).await.len(),
        0
    );
    let edit = AccountEdit {
        name: Some("restore".to_owned()),
        ..AccountEdit::default()
    };
    let vault = &house.vault;
    let done = vault.edit_account("server-0002", "Backup", &edit, &operator);
    done.await.unwrap();
    assert_eq!(
        found(&house, in_accounts("backup"), &operator).await.len(),
        0
    );
    assert_eq!(
        found(&house, in_accounts("store"), &operator).await,
        all[2..]
    );
    let done = vault.remove_account("server-0002", "restore", &operator);
    done.await.unwrap();
    assert_eq!(
        found(&house, in_accounts("store"), &operator).await.len(),
        0
    );

    house.create("new", "root", "s3cret", &operator).await;
    vault
        .remove_resource("server-0000", &operator)
        .await
        .unwrap();
    assert_eq!(seen(&house, &operator).await, [all[1], all[2], "new"]);
    assert_eq!(
        found(&house, everywhere("n"), &operator).await,
        [all[1], all[2], "new"]
    );
}

#[tokio::test]
async fn a_search_is_in_its_column_in_whatever_case_and_nothing_means_everything() {
    let house = house().await;
    let operator = house.operator().await;
    let mut new = new_resource("alpha");
    new.kind = "PostgreSQL";
    new.more = ResourceEdit {
        address: Some("10.1.2.3".to_owned()),
        url: Some("https://alpha.example/".to_owned()),
        description: Some("Billing".to_owned()),
        department: Some("Finance".to_owned()),
        location: Some("Zürich".to_owned()),
        fields: Some(vec![("rack".to_owned(), "R7".to_owned())]),
        notes: Some("unsearched".to_owned()),
        ..ResourceEdit::default()
    };
    let made = house.vault.create(&new, given("s3cret"), &operator);
    made.await.unwrap();
    house.create("beta", "app", "s3cret", &operator).await;

    use SearchColumn as In;
    let cases = [
        (In::Name, "LPH", true),
        (In::Name, "postgres", false),
        (In::Kind, "postgresql", true),
        (In::Address, "1.2", true),
        (In::Address, "example", false),
        (In::Url, "EXAMPLE", true),
        (In::Description, "bill", true),
        (In::Department, "nance", true),
        (In::Location, "ZU\u{308}RICH", true),
        (In::Location, "finance", false),
        (In::Fields, "r7", true),
        (In::Fields, "rack", false),
        (In::Account, "root", true),
        (In::All, "root", false),
        (In::All, "unsearched", false),
        (In::All, "r7", true),
        (In::All, "alphapostgresql", false),
        (In::All, "\u{e}alpha", false),
        (In::All, "\0", false),
    ];
    for (column, value, hit) in cases {
        let search = search(SearchKind::Resource, column, value);
        let found = found(&house, search, &operator).await;
        let expected: &[&str] = if hit { &["alpha"] } else { &[] };
        assert_eq!(found, expected, "{column:?} {value:?}");
    }
    assert_eq!(
        found(&house, everywhere(""), &operator).await,
        ["alpha", "beta"]
    );
}

#[tokio::test]
async fn a_user_sees_what_it_owns_and_what_is_shared_with_it_and_no_more() {
    let house = house().await;
    let owner = owner(&house).await;
    let user = house.plain_user("user", 2).await;
    let heir = house.plain_user("heir", 3).await;
    for name in ["a", "b", "c"] {
        house.create(name, "root", "s3cret", &owner).await;
    }
    assert_eq!(seen(&house, &owner).await, ["a", "b", "c"]);
    assert_eq!(seen(&house, &user).await.len(), 0);

    house.share("c", None, "user@10.0.0.1", Level::View).await;
    house
        .share("a", Some("root"), "user@10.0.0.1", Level::View)
        .await;
    assert_eq!(seen(&house, &user).await, ["a", "c"]);
    assert_eq!(found(&house, everywhere("b"), &user).await.len(), 0);
    let vault = &house.vault;
    vault
        .unshare(("c", None), "user@10.0.0.1", &owner)
        .await
        .unwrap();
    assert_eq!(seen(&house, &user).await, ["a"]);

    let edit = ResourceEdit {
        owner: Some("heir@10.0.0.1".to_owned()),
        ..ResourceEdit::default()
    };
    let operator = house.operator().await;
    vault.edit_resource("b", &edit, &operator).await.unwrap();
    assert_eq!(seen(&house, &heir).await, ["b"]);
    assert_eq!(seen(&house, &owner).await, ["a", "c"]);
    vault.remove_account("a", "root", &operator).await.unwrap();
    assert_eq!(seen(&house, &user).await.len(), 0);
    vault.remove_resource("b", &operator).await.unwrap();
    assert_eq!(seen(&house, &heir).await.len(), 0);
    assert_eq!(seen(&house, &operator).await, ["a", "c"]);
}

#[tokio::test]
async fn whoever_sees_one_account_finds_that_account_only() {
    for many in [0, 300] {
        let house = house().await;
        owner(&house).await;
        let user = house.plain_user("user", 2).await;
        // Enough of its own that not each is looked at alone.
        import(&house, many, "user@10.0.0.1").await;
        let operator = house.operator().await;
        house.create("db", "dba", "s3cret", &operator).await;
        add_account(&house, "db", "hidden").await;
        house
            .share("db", Some("dba"), "user@10.0.0.1", Level::View)
            .await;

        let shown = page(&house, &Filter::page(many, 1), &user).await;
        assert_eq!((names(&shown), shown.items[0].accounts), (vec!["db"], 1));
        let all = house
            .vault
            .account_page("db", &Filter::page(0, 10), &user)
            .await
            .unwrap();
        let accounts: Vec<_> = all
            .items
            .iter()
            .map(|it| it.account.name.as_str())
            .collect();
        assert_eq!((accounts, all.total), (vec!["dba"], 1));
        assert_eq!(found(&house, in_accounts("hidden"), &user).await.len(), 0);
        assert_eq!(found(&house, in_accounts("dba"), &user).await, ["db"]);
        assert_eq!(found(&house, everywhere("db"), &user).await, ["db"]);
        assert_eq!(
            found(&house, in_accounts("hidden"), &operator).await,
            ["db"]
        );
        assert_eq!(
            page(&house, &Filter::page(many, 1), &operator).await.items[0].accounts,
            2
        );
    }
}

#[tokio::test]
async fn a_groups_shares_are_in_its_members_lists_as_long_as_they_are_in_it() {
    let house = house().await;
    let owner = owner(&house).await;
    let user = house.plain_user("user", 2).await;
    let operator = house.operator().await;
    house.create("a", "root", "s3cret", &owner).await;
    house.create("b", "root", "s3cret", &owner).await;
    let group = NewGroup {
        name: "dba".to_owned(),
        ..NewGroup::default()
    };
    let vault = &house.vault;
    vault.add_group(&group, &operator).await.unwrap();
    assert_eq!(seen(&house, &user).await.len(), 0);

    vault
        .add_member("dba", "user@10.0.0.1", &operator)
        .await
        .unwrap();
    let dba = GranteeName::Group("dba");
    vault
        .share(("b", None), dba, Level::View, &owner)
        .await
        .unwrap();
    assert_eq!(seen(&house, &user).await, ["b"]);
    vault
        .share(("a", Some("root")), dba, Level::View, &owner)
        .await
        .unwrap();
    assert_eq!(seen(&house, &user).await, ["a", "b"]);

    vault
        .remove_member("dba", "user@10.0.0.1", &operator)
        .await
        .unwrap();
    assert_eq!(seen(&house, &user).await.len(), 0);
}

#[tokio::test]
async fn another_organisation_has_lists_of_its_own() {
    let house = house().await;
    let operator = house.operator().await;
    house
        .vault
        .add_organisation("acme", &operator)
        .await
        .unwrap();
    let acme = house.vault.within(&operator, "acme").await.unwrap();
    house.create("ours", "root", "s3cret", &operator).await;
    house.create("theirs", "root", "s3cret", &acme).await;

    for _ in 0..2 {
        assert_eq!(seen(&house, &operator).await, ["ours"]);
        assert_eq!(seen(&house, &acme).await, ["theirs"]);
        assert_eq!(found(&house, everywhere("s"), &operator).await, ["ours"]);
        assert_eq!(found(&house, everywhere("s"), &acme).await, ["theirs"]);
    }
    rename(&house, "ours", "ours2").await;
    assert_eq!(found(&house, everywhere("ours2"), &acme).await.len(), 0);
}

#[tokio::test]
async fn accounts_are_paged_and_searched_within_their_resource() {
    let house = house().await;
    let operator = house.operator().await;
    house.create("db", "root", "s3cret", &operator).await;
    for name in ["app1", "App2", "backup"] {
        add_account(&house, "db", name).await;
    }
    let vault = &house.vault;
    let names = async |filter: Filter| {
        let page = vault.account_page("db", &filter, &operator).await.unwrap();
        let names = page.items.iter().map(|view| view.account.name.to_string());
        (names.collect::<Vec<_>>(), page.total)
    };

    let two = (vec!["app1".to_owned(), "App2".to_owned()], 4);
    assert_eq!(names(Filter::page(1, 2)).await, two);
    let (found, total) = names(Filter::page(1, 9).searching(in_accounts("APP"))).await;
    assert_eq!((found, total), (vec!["App2".to_owned()], 2));
    assert_eq!(
        names(Filter::page(0, 9).searching(everywhere("db")))
            .await
            .1,
        4
    );
    assert_eq!(
        names(Filter::page(0, 9).searching(everywhere("app")))
            .await
            .1,
        0
    );
    let stranger = house.plain_user("stranger", 2).await;
    for hidden in ["db", "nothing"] {
        let refused = vault
            .account_page(hidden, &Filter::page(0, 9), &stranger)
            .await;
        assert!(matches!(refused, Err(VaultError::Refused)));
    }
}

#[tokio::test]
async fn a_list_that_does_not_fit_is_read_as_far_as_may_be_and_says_so() {
    let house = house().await;
    let operator = house.operator().await;
    import(&house, 1100, "").await;
    let limits = |rows| ListLimits {
        memory: 100,
        rows,
        ..ListLimits::default()
    };

    house.vault.limit_lists(limits(1024));
    let first = page(&house, &Filter::page(5, 2), &operator).await;
    assert_eq!(names(&first), ["server-0005", "server-0006"]);
    assert!(!first.complete && first.total == 1024);
    let beyond = Filter::page(0, 5).searching(everywhere("server-1099"));
    let miss = page(&house, &beyond, &operator).await;
    assert_eq!((miss.total, miss.complete), (0, false));

    house.vault.limit_lists(limits(2000));
    let hit = page(&house, &beyond, &operator).await;
    assert_eq!((names(&hit), hit.complete), (vec!["server-1099"], true));
    let last = page(&house, &Filter::page(1099, 5), &operator).await;
    assert_eq!((names(&last), last.total), (vec!["server-1099"], 1100));
}

#[tokio::test]
async fn a_list_that_nobody_uses_goes_and_comes_back_true() {
    let house = house().await;
    let operator = house.operator().await;
    import(&house, 3, "").await;
    assert_eq!(
        found(&house, everywhere("server"), &operator).await.len(),
        3
    );

    house.clock.pass(Duration::from_mins(16));
    house.vault.drop_unused_lists();
    rename(&house, "server-0000", "renamed").await;
    house.create("new", "root", "s3cret", &operator).await;

    assert_eq!(seen(&house, &operator).await.len(), 4);
    assert_eq!(
        found(&house, everywhere("ren"), &operator).await,
        ["renamed"]
    );
    house.vault.drop_unused_lists();
    assert_eq!(found(&house, everywhere("new"), &operator).await, ["new"]);
}

#[tokio::test]
async fn what_is_put_into_a_shared_group_of_resources_is_in_lists_until_it_is_taken_out() {
    let house = house().await;
    let owner = owner(&house).await;
    let user = house.plain_user("user", 2).await;
    let operator = house.operator().await;
    house.create("a", "root", "s3cret", &owner).await;
    house.create("b", "root", "s3cret", &owner).await;
    let set = NewGroup {
        name: "set".to_owned(),
        ..NewGroup::default()
    };
    let vault = &house.vault;
    vault.add_resource_group(&set, &operator).await.unwrap();
    let shared = vault.share_resource_group("set", "user@10.0.0.1", Level::View, &operator);
    shared.await.unwrap();
    assert_eq!(seen(&house, &user).await.len(), 0);

    vault.associate("b", "set", &owner).await.unwrap();
    assert_eq!(seen(&house, &user).await, ["b"]);
    vault.associate("a", "set", &owner).await.unwrap();
    assert_eq!(found(&house, in_accounts("root"), &user).await, ["a", "b"]);
    vault.dissociate("b", "set", &owner).await.unwrap();
    assert_eq!(seen(&house, &user).await, ["a"]);
    let taken = vault.unshare_resource_group("set", "user@10.0.0.1", &operator);
    taken.await.unwrap();
    assert_eq!(seen(&house, &user).await.len(), 0);
}
