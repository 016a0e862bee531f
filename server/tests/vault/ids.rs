//! What is meant by its id is found, decided and refused as what is meant by its name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use claviger::domain::{
    AccountId, Level, Operation, Outcome, RefusalReason, ResourceId, Role, Scope,
};
use claviger::ledger::Query;
use claviger::store::rows::Ids;
use claviger::store::{Batch, Key, Row, Snapshot, Stamps, Status, Store, StoreError};
use claviger::vault::{
    AccountEdit, AccountRef, Caller, Entry, NewAccount, NewPassword, Reach, ResourceEdit,
    ResourceRef, VaultError, Wanted,
};

use crate::fixture::{House, given, house, house_in, house_over, new_resource};

/// A store that counts what is looked up.
#[derive(Debug)]
struct Counting(Arc<dyn Store>, Arc<AtomicU64>);

#[async_trait]
impl Store for Counting {
    async fn get(&self, key: &Key) -> Result<Option<Row>, StoreError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.get(key).await
    }

    async fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.scan(prefix, after, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.0.commit(batch).await
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.0.snapshot().await
    }

    fn stamps(&self) -> &Stamps {
        self.0.stamps()
    }

    fn most_steps(&self) -> usize {
        self.0.most_steps()
    }

    fn status(&self) -> Status {
        self.0.status()
    }
}

/// An owner with the account `app` on `db1`, and a user who sees it.
async fn shared(house: &House) -> (Caller, Caller, ResourceId, AccountId) {
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    let (resource, account) = house.create("db1", "app", "s3cret", &owner).await;
    house.share("db1", None, "user@10.0.0.1", Level::View).await;
    (owner, user, resource, account)
}

/// The same account in every way that it can be meant.
fn ways(resource: ResourceId, account: AccountId) -> [Wanted<'static>; 4] {
    [
        Wanted::of(resource, account),
        Wanted::of(ResourceRef::OfAccount, account),
        Wanted::of("db1", account),
        Wanted::of(resource, "app"),
    ]
}

async fn read(house: &House, wanted: &Wanted<'_>, caller: &Caller) -> Result<String, VaultError> {
    let got = house.vault.retrieve(wanted, caller).await;
    got.map(|password| password.expose().to_owned())
}

async fn assert_refused(house: &House, wanted: &Wanted<'_>, caller: &Caller, why: RefusalReason) {
    let refusal = read(house, wanted, caller).await;
    assert!(
        matches!(refusal, Err(VaultError::Refused)),
        "{wanted:?}: {refusal:?}"
    );
    let newest = house.newest(1);
    let expected = [(Operation::Retrieve, Outcome::Refused(why))];
    assert_eq!(newest, expected, "{wanted:?}");
}

/// How the newest record calls the resource and the account.
fn told(house: &House) -> (String, String) {
    let query = Query {
        limit: 1,
        ..Query::default()
    };
    let entry = house.ledger.read(&query).unwrap().entries.remove(0);
    (entry.resource, entry.account)
}

#[tokio::test]
async fn a_password_is_retrieved_by_ids_and_recorded_by_names() {
    let house = house().await;
    let (_, user, resource, account) = shared(&house).await;

    for wanted in ways(resource, account) {
        // Twice: found, and remembered.
        for _ in 0..2 {
            assert_eq!(read(&house, &wanted, &user).await.unwrap(), "s3cret");
            assert_eq!(told(&house), ("db1".to_owned(), "app".to_owned()));
        }
    }
}

#[tokio::test]
async fn a_password_is_changed_by_ids_where_the_share_allows_it() {
    let house = house().await;
    let (owner, user, resource, account) = shared(&house).await;

    for (number, wanted) in ways(resource, account).into_iter().enumerate() {
        let next = format!("n3xt-{number}");
        let denied = house
            .vault
            .change(&wanted, given("other"), Reach::Local, &user)
            .await;
        assert!(matches!(denied, Err(VaultError::NotAllowed)), "{denied:?}");
        house
            .vault
            .change(&wanted, given(&next), Reach::Local, &owner)
            .await
            .unwrap();

        assert_eq!(read(&house, &wanted, &user).await.unwrap(), next);
    }
}

#[tokio::test]
async fn what_is_unknown_foreign_or_not_shared_is_refused_alike_and_costs_alike() {
    let lookups = Arc::new(AtomicU64::new(0));
    let counter = lookups.clone();
    let house = house_over(tempfile::tempdir().unwrap(), false, |store| {
        Arc::new(Counting(store, counter))
    })
    .await;
    let (_, _, resource, account) = shared(&house).await;
    let stranger = house.plain_user("stranger", 3).await;
    let operator = house.operator().await;
    house
        .vault
        .add_organisation("acme", &operator)
        .await
        .unwrap();
    let acme = house.vault.within(&operator, "acme").await.unwrap();
    let (foreign, theirs) = house.create("far", "app", "s3cret", &acme).await;
    let (nothing, nobody) = (ResourceId(77_777), AccountId(77_777));
    let whole = [
        (nothing, nobody, RefusalReason::NoSuchResource),
        (foreign, theirs, RefusalReason::NoSuchResource),
        (ResourceId(0), AccountId(0), RefusalReason::NoSuchResource),
        (resource, nobody, RefusalReason::NoSuchAccount),
        (resource, theirs, RefusalReason::NoSuchAccount),
        (resource, AccountId(0), RefusalReason::NoSuchAccount),
        (resource, account, RefusalReason::NotShared),
    ];
    let alone = [
        (nobody, RefusalReason::NoSuchResource),
        (theirs, RefusalReason::NoSuchResource),
        (account, RefusalReason::NotShared),
    ];
    let by_both = whole.map(|(resource, account, why)| (Wanted::of(resource, account), why));
    let by_one = alone.map(|(account, why)| (Wanted::of(ResourceRef::OfAccount, account), why));

    for cases in [&by_both[..], &by_one[..]] {
        let mut costs = Vec::new();
        for (wanted, why) in cases {
            let before = lookups.load(Ordering::SeqCst);
            assert_refused(&house, wanted, &stranger, *why).await;
            costs.push(lookups.load(Ordering::SeqCst) - before);
        }
        let first = costs[0];
        assert!(costs.iter().all(|cost| *cost == first), "{costs:?}");
    }
    // Deciding about others' requests, too.
    let mut costs = Vec::new();
    for (wanted, _) in &by_both {
        let before = lookups.load(Ordering::SeqCst);
        let refused = house
            .vault
            .approve(wanted, "user@10.0.0.1", &stranger)
            .await;
        assert!(matches!(refused, Err(VaultError::Refused)), "{refused:?}");
        costs.push(lookups.load(Ordering::SeqCst) - before);
    }
    let first = costs[0];
    assert!(costs.iter().all(|cost| *cost == first), "{costs:?}");
}

#[tokio::test]
async fn an_id_without_what_it_needs_means_nothing() {
    let house = house().await;
    let (owner, _, resource, account) = shared(&house).await;
    let (other, _) = house.create("db2", "app", "other", &owner).await;
    let vault = &house.vault;

    let nowhere = Wanted::of(ResourceRef::OfAccount, "app");
    assert_refused(&house, &nowhere, &owner, RefusalReason::NoSuchResource).await;
    let elsewhere = Wanted::of(other, account);
    assert_refused(&house, &elsewhere, &owner, RefusalReason::NoSuchAccount).await;

    let refused = [
        vault
            .resource(ResourceRef::OfAccount, &owner)
            .await
            .map(drop),
        vault.remove_resource(ResourceId(0), &owner).await,
        vault.remove_account(other, account, &owner).await,
        vault
            .share(
                (ResourceRef::Id(other), AccountRef::Id(account)),
                "user@10.0.0.1",
                Level::View,
                &owner,
            )
            .await,
        vault
            .share(
                (ResourceRef::Id(resource), AccountRef::Id(AccountId(0))),
                "user@10.0.0.1",
                Level::Manage,
                &owner,
            )
            .await,
    ];
    for refusal in refused {
        assert!(matches!(refusal, Err(VaultError::Refused)), "{refusal:?}");
    }
}

#[tokio::test]
async fn ids_stay_when_names_change_and_are_refused_when_the_share_or_the_thing_goes() {
    let house = house().await;
    let (owner, user, resource, account) = shared(&house).await;
    let all = ways(resource, account);
    for wanted in &all {
        read(&house, wanted, &user).await.unwrap();
    }
    let by_ids = [all[0], all[1]];

    let edit = ResourceEdit {
        name: Some("db9".to_owned()),
        ..ResourceEdit::default()
    };
    let vault = &house.vault;
    vault.edit_resource(resource, &edit, &owner).await.unwrap();
    let edit = AccountEdit {
        name: Some("dba".to_owned()),
        ..AccountEdit::default()
    };
    let done = vault.edit_account(resource, account, &edit, &owner);
    done.await.unwrap();
    for wanted in &by_ids {
        assert_eq!(read(&house, wanted, &user).await.unwrap(), "s3cret");
        assert_eq!(told(&house), ("db9".to_owned(), "dba".to_owned()));
    }
    assert_refused(&house, &all[2], &user, RefusalReason::NoSuchResource).await;
    assert_refused(&house, &all[3], &user, RefusalReason::NoSuchAccount).await;

    let whole = ResourceRef::Id(resource);
    vault.unshare(whole, "user@10.0.0.1", &owner).await.unwrap();
    for wanted in &by_ids {
        assert_refused(&house, wanted, &user, RefusalReason::NotShared).await;
    }

    vault
        .remove_account(resource, account, &owner)
        .await
        .unwrap();
    assert_refused(&house, &all[0], &owner, RefusalReason::NoSuchAccount).await;
    assert_refused(&house, &all[1], &owner, RefusalReason::NoSuchResource).await;
    vault.remove_resource(resource, &owner).await.unwrap();
    assert_refused(&house, &all[0], &owner, RefusalReason::NoSuchResource).await;
}

#[tokio::test]
async fn resources_accounts_and_shares_are_managed_by_ids() {
    let house = house().await;
    let (owner, user, resource, account) = shared(&house).await;
    let vault = &house.vault;
    let new = NewAccount {
        resource: resource.into(),
        account: "dba",
        ..NewAccount::default()
    };

    let made = vault
        .add_account(&new, NewPassword::Generate, &owner)
        .await
        .unwrap();
    assert_eq!(
        (made.resource, made.account.0 > account.0),
        (resource, true)
    );
    assert!(made.generated.is_some());
    let shown = vault.resource(resource, &user).await.unwrap();
    assert_eq!(shown.resource.name.as_str(), "db1");
    let one = vault
        .account(ResourceRef::OfAccount, made.account, &user)
        .await;
    assert_eq!(one.unwrap().account.name.as_str(), "dba");
    let all = vault.accounts(resource, None, 10, &user).await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(
        vault
            .history(resource, account, &owner)
            .await
            .unwrap()
            .len(),
        1
    );

    let operator = house.operator().await;
    let id = vault.user("user@10.0.0.1", &operator).await.unwrap().id;
    let one = (ResourceRef::OfAccount, AccountRef::Id(made.account));
    vault.share(one, id, Level::Modify, &owner).await.unwrap();
    let shares = vault.shares(resource, &owner).await.unwrap();
    let accounts: Vec<_> = shares
        .iter()
        .map(|share| share.account.as_deref())
        .collect();
    assert_eq!(accounts, [None, Some("dba")]);
    vault.unshare(one, id, &owner).await.unwrap();
    assert_eq!(vault.shares(resource, &owner).await.unwrap().len(), 1);
    assert!(matches!(
        vault
            .share(one, claviger::domain::UserId(999), Level::View, &owner)
            .await,
        Err(VaultError::NotFound("user"))
    ));
}

#[tokio::test]
async fn whoever_sees_one_account_sees_its_resource_by_id_and_no_other_account() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    let (resource, root) = house.create("db1", "root", "s3cret", &owner).await;
    let new = NewAccount {
        resource: resource.into(),
        account: "dba",
        ..NewAccount::default()
    };
    let vault = &house.vault;
    let made = vault
        .add_account(&new, given("other"), &owner)
        .await
        .unwrap();
    house
        .share("db1", Some("dba"), "user@10.0.0.1", Level::View)
        .await;

    assert!(vault.resource(resource, &user).await.is_ok());
    let one = Wanted::of(ResourceRef::OfAccount, made.account);
    assert_eq!(read(&house, &one, &user).await.unwrap(), "other");
    for other in [
        Wanted::of(resource, root),
        Wanted::of(ResourceRef::OfAccount, root),
    ] {
        assert_refused(&house, &other, &user, RefusalReason::NotShared).await;
    }
}

#[tokio::test]
async fn a_directory_of_an_earlier_version_gets_its_index_when_it_is_opened() {
    let house = house().await;
    let operator = house.operator().await;
    // More than one batch of the index.
    let entries = (0..4_200).map(|number| Entry {
        resource: format!("db{}", number / 2),
        kind: "Linux".to_owned(),
        account: format!("app{number}"),
        password: Some(format!("s3cret-{number}").into()),
        ..Entry::default()
    });
    let imported = house.vault.import(entries.collect(), false, &operator);
    assert!(imported.await.unwrap().iter().all(Result::is_ok));
    let last = house.vault.account("db2099", "app4199", &operator).await;
    let last = last.unwrap().account.id;
    forget_index(&house).await;
    let dir = dropped(house);

    let house = house_in(dir, false).await;
    let operator = house.operator().await;
    let wanted = Wanted::of(ResourceRef::OfAccount, last);

    assert_eq!(
        read(&house, &wanted, &operator).await.unwrap(),
        "s3cret-4199"
    );
    let rows = &house.rows;
    let prefix = Key::table(claviger::store::Table::AccountById);
    assert_eq!(rows.all::<Ids>(&prefix).await.unwrap().len(), 4_200);
}

/// Leaves the store as an earlier version did.
async fn forget_index(house: &House) {
    let rows = &house.rows;
    let mut changes = rows.changes();
    let prefix = Key::table(claviger::store::Table::AccountById);
    for kept in rows.all::<Ids>(&prefix).await.unwrap() {
        changes.remove(&kept);
    }
    changes.clear(rows.places().accounts_indexed());
    changes.commit().await.unwrap();
}

fn dropped(house: House) -> tempfile::TempDir {
    let House { dir, .. } = house;
    dir
}

#[tokio::test]
async fn making_a_resource_tells_its_ids() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;

    let made = house
        .vault
        .create(&new_resource("db1"), given("s3cret"), &owner)
        .await
        .unwrap();

    let wanted = Wanted::of(made.resource, made.account);
    assert_eq!(read(&house, &wanted, &owner).await.unwrap(), "s3cret");
    assert!(made.generated.is_none());
}
