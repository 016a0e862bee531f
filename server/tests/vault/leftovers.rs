//! Removals of what has more rows than one commit takes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use claviger::domain::{Grantee, Level, Operation, Outcome, RefusalReason, Role, Scope};
use claviger::store::{Batch, Key, Row, Snapshot, Stamps, Status, Store, StoreError};
use claviger::vault::{Caller, GranteeName, NewAccount, NewGroup, ResourceRef, VaultError};

use crate::fixture::{House, given, house_over};

/// Commits take few steps, and after so many none at all, nor one that touches what is stuck.
#[derive(Debug)]
struct Narrow {
    store: Arc<dyn Store>,
    left: Arc<AtomicUsize>,
    stuck: Arc<OnceLock<Key>>,
}

#[async_trait]
impl Store for Narrow {
    async fn get(&self, key: &Key) -> Result<Option<Row>, StoreError> {
        self.store.get(key).await
    }

    async fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.store.scan(prefix, after, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.steps.len() > MOST {
            return Err(StoreError::TooLarge { most: MOST });
        }
        let stuck = self.stuck.get();
        if batch.steps.iter().any(|step| Some(&step.key) == stuck) {
            return Err(StoreError::Closed);
        }
        let one_less = |left: usize| left.checked_sub(1);
        let order = Ordering::SeqCst;
        if self.left.fetch_update(order, order, one_less).is_err() {
            return Err(StoreError::Closed);
        }
        self.store.commit(batch).await
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.store.snapshot().await
    }

    fn stamps(&self) -> &Stamps {
        self.store.stamps()
    }

    fn most_steps(&self) -> usize {
        MOST
    }

    fn status(&self) -> Status {
        self.store.status()
    }
}

const MOST: usize = 24;
const MANY: usize = 20;
/// As many as are read at once.
const PAGE: usize = 64;
const USER: &str = "user@10.0.0.1";
const OPS: GranteeName<'_> = GranteeName::Group("ops");

struct Scene {
    house: House,
    left: Arc<AtomicUsize>,
    stuck: Arc<OnceLock<Key>>,
    operator: Caller,
    user: Caller,
}

impl Scene {
    /// So many commits are still made.
    fn allow(&self, commits: usize) {
        self.left.store(commits, Ordering::SeqCst);
    }

    async fn rows(&self, prefix: &Key) -> usize {
        let rows = self.house.rows.store().scan(prefix, None, 10_000).await;
        rows.unwrap().len()
    }

    async fn leftovers(&self) -> usize {
        self.rows(&self.house.rows.places().leftovers()).await
    }

    /// Twice: the second time it is remembered.
    async fn retrieves(&self) {
        for _ in 0..2 {
            let got = self.house.retrieve("db1", "app", &self.user).await;
            assert_eq!(got.unwrap(), "s3cret");
        }
    }

    async fn is_refused(&self) {
        let refused = self.house.retrieve("db1", "app", &self.user).await;
        assert!(matches!(refused, Err(VaultError::Refused)), "{refused:?}");
        let why = Outcome::Refused(RefusalReason::NotShared);
        assert_eq!(self.house.newest(1), [(Operation::Retrieve, why)]);
    }
}

fn new(name: &str) -> NewGroup {
    NewGroup {
        name: name.to_owned(),
        ..NewGroup::default()
    }
}

/// Many resources of an owner, db1 among them, a group `ops` with a user in it, and a group of
/// resources `set`.
async fn scene() -> Scene {
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let counted = left.clone();
    let stuck = Arc::new(OnceLock::new());
    let sticking = stuck.clone();
    let wrap = |store| -> Arc<dyn Store> {
        Arc::new(Narrow {
            store,
            left: counted,
            stuck: sticking,
        })
    };
    let house = house_over(tempfile::tempdir().unwrap(), false, wrap).await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let user = house.plain_user("user", 2).await;
    for number in 0..MANY {
        house
            .create(&format!("db{number}"), "app", "s3cret", &owner)
            .await;
    }
    let operator = house.operator().await;
    let vault = &house.vault;
    vault.add_group(&new("ops"), &operator).await.unwrap();
    vault.add_member("ops", USER, &operator).await.unwrap();
    vault
        .add_resource_group(&new("set"), &operator)
        .await
        .unwrap();
    Scene {
        house,
        left,
        stuck,
        operator,
        user,
    }
}

async fn shared_with(scene: &Scene, with: GranteeName<'_>) {
    for number in 0..MANY {
        let name = format!("db{number}");
        let shared =
            scene
                .house
                .vault
                .share((name.as_str(), None), with, Level::View, &scene.operator);
        shared.await.unwrap();
    }
}

#[tokio::test]
async fn a_group_with_more_shares_than_a_commit_takes_is_removed_with_all_of_them() {
    let scene = scene().await;
    shared_with(&scene, OPS).await;
    let vault = &scene.house.vault;
    let group = vault.group("ops", &scene.operator).await.unwrap();
    scene.retrieves().await;

    vault.remove_group("ops", &scene.operator).await.unwrap();

    scene.is_refused().await;
    let places = scene.house.rows.places();
    let with = Grantee::Group(group.id);
    assert_eq!(scene.rows(&places.shares_by(with)).await, 0);
    assert_eq!(scene.rows(&places.members(group.id)).await, 0);
    assert_eq!(scene.leftovers().await, 0);
    let shares = vault.shares("db1", &scene.operator).await.unwrap();
    assert_eq!(shares, []);
}

#[tokio::test]
async fn a_removal_that_is_cut_short_takes_the_right_away_and_is_finished_later() {
    let scene = scene().await;
    shared_with(&scene, OPS).await;
    let vault = &scene.house.vault;
    let group = vault.group("ops", &scene.operator).await.unwrap();
    let prefix = scene
        .house
        .rows
        .places()
        .shares_by(Grantee::Group(group.id));
    scene.retrieves().await;

    scene.allow(1);
    vault.remove_group("ops", &scene.operator).await.unwrap();

    assert_eq!(scene.rows(&prefix).await, MANY, "nothing of it went");
    scene.is_refused().await;
    let listed = vault.resources(None, 10, &scene.user).await.unwrap();
    assert_eq!(listed, []);
    scene.allow(usize::MAX);
    assert_eq!(vault.sweep_leftovers().await.unwrap(), 1);
    assert_eq!(scene.rows(&prefix).await, 0);
    assert_eq!(scene.leftovers().await, 0);
    assert_eq!(vault.sweep_leftovers().await.unwrap(), 0);
}

#[tokio::test]
async fn what_cannot_be_taken_away_keeps_nothing_else_however_much_there_is() {
    let scene = scene().await;
    let vault = &scene.house.vault;
    for number in 0..=PAGE {
        scene.allow(usize::MAX);
        let name = format!("group{number}");
        vault.add_group(&new(&name), &scene.operator).await.unwrap();
        scene.allow(1);
        vault.remove_group(&name, &scene.operator).await.unwrap();
    }
    let notes = scene.house.rows.places().leftovers();
    let first = scene.house.rows.store().scan(&notes, None, 1).await;
    let first = first.unwrap().remove(0).key;
    scene.stuck.set(first).unwrap();

    scene.allow(usize::MAX);
    let swept = vault.sweep_leftovers().await.unwrap();

    assert_eq!(swept, PAGE as u64);
    assert_eq!(scene.leftovers().await, 1);
}

#[tokio::test]
async fn a_group_of_resources_goes_at_once_however_many_are_in_it() {
    let scene = scene().await;
    let vault = &scene.house.vault;
    for number in 0..MANY {
        let name = format!("db{number}");
        let put = vault.associate(&name, "set", &scene.operator);
        put.await.unwrap();
    }
    let shared = vault.share_resource_group("set", OPS, Level::View, &scene.operator);
    shared.await.unwrap();
    let set = vault.resource_group("set", &scene.operator).await.unwrap();
    let prefix = scene
        .house
        .rows
        .places()
        .shares_by(Grantee::ResourceGroup(set.id));
    scene.retrieves().await;

    scene.allow(1);
    vault
        .remove_resource_group("set", &scene.operator)
        .await
        .unwrap();
    assert_eq!(scene.rows(&prefix).await, MANY);
    scene.is_refused().await;
    scene.allow(usize::MAX);
    vault.sweep_leftovers().await.unwrap();

    assert_eq!(scene.rows(&prefix).await, 0);
    let holders = scene.house.rows.places().holders(set.id);
    assert_eq!(scene.rows(&holders).await, 0);
    assert_eq!(scene.leftovers().await, 0);
}

#[tokio::test]
async fn a_user_with_more_shares_than_a_commit_takes_is_removed_with_all_of_them() {
    let scene = scene().await;
    shared_with(&scene, GranteeName::User(USER)).await;
    let vault = &scene.house.vault;
    let id = vault.user(USER, &scene.operator).await.unwrap().id;

    vault.remove_user(USER, &scene.operator).await.unwrap();

    let prefix = scene.house.rows.places().shares_by(Grantee::User(id));
    assert_eq!(scene.rows(&prefix).await, 0);
    assert_eq!(scene.leftovers().await, 0);
    let gone = vault.user(USER, &scene.operator).await;
    assert!(matches!(gone, Err(VaultError::NotFound("user"))));
}

#[tokio::test]
async fn a_resource_with_more_accounts_than_a_commit_takes_is_removed_whole() {
    let scene = scene().await;
    shared_with(&scene, GranteeName::User(USER)).await;
    let vault = &scene.house.vault;
    for number in 0..MANY {
        let account = format!("more{number}");
        let new = NewAccount {
            resource: ResourceRef::Named("db1"),
            account: &account,
            ..NewAccount::default()
        };
        let added = vault.add_account(&new, given("Other-Pass1!word"), &scene.operator);
        added.await.unwrap();
    }
    let view = vault.resource("db1", &scene.operator).await.unwrap();
    let id = view.resource.id;
    let accounts = scene.house.rows.places().accounts(id);

    scene.allow(1);
    vault.remove_resource("db1", &scene.operator).await.unwrap();

    assert_eq!(scene.rows(&accounts).await, MANY + 1, "its rows follow");
    let hidden = scene.house.retrieve("db1", "app", &scene.user).await;
    assert!(matches!(hidden, Err(VaultError::Refused)), "{hidden:?}");
    scene.allow(usize::MAX);
    vault.sweep_leftovers().await.unwrap();
    assert_eq!(scene.rows(&accounts).await, 0);
    assert_eq!(scene.rows(&scene.house.rows.places().shares(id)).await, 0);
    assert_eq!(scene.leftovers().await, 0);
}
