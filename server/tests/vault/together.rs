//! Things that happen while a commit waits for the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use claviger::domain::{Level, Lock};
use claviger::store::{Batch, Key, Row, Snapshot, Stamps, Status, Store, StoreError};
use claviger::vault::{NewAccessControl, UserEdit, VaultError};
use tokio::sync::Notify;

use crate::fixture::{House, house_over, new_user};

/// Holds one commit up until something else has happened.
#[derive(Debug, Default)]
struct Gate {
    armed: AtomicBool,
    reached: Notify,
    goes_on: Notify,
    landed: Notify,
}

#[derive(Debug)]
struct Held(Arc<dyn Store>, Arc<Gate>);

#[async_trait]
impl Store for Held {
    async fn get(&self, key: &Key) -> Result<Option<Row>, StoreError> {
        self.0.get(key).await
    }

    async fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.0.scan(prefix, after, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if !self.1.armed.swap(false, Ordering::SeqCst) {
            return self.0.commit(batch).await;
        }
        // As the writing thread: it goes on when whoever asked has gone.
        let (store, gate) = (Arc::clone(&self.0), Arc::clone(&self.1));
        let commit = tokio::spawn(async move {
            gate.reached.notify_one();
            gate.goes_on.notified().await;
            let done = store.commit(batch).await;
            gate.landed.notify_one();
            done
        });
        commit.await.unwrap()
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

/// A house with an account `db`/`app`, and what `work` comes to where the account is removed
/// after it was found and before it is committed.
async fn overtaken<T>(
    work: impl AsyncFnOnce(&House) -> Result<T, VaultError>,
) -> (House, Result<T, VaultError>) {
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let dir = tempfile::tempdir().unwrap();
    let house = house_over(dir, false, |store| Arc::new(Held(store, held))).await;
    let operator = house.operator().await;
    house.create("db", "app", "s3cret", &operator).await;
    let new = new_user("user", "10.0.0.1", 1);
    house.vault.add_user(&new, &operator).await.unwrap();
    gate.armed.store(true, Ordering::SeqCst);
    let removal = async {
        gate.reached.notified().await;
        let removed = house.vault.remove_account("db", "app", &operator).await;
        removed.unwrap();
        gate.goes_on.notify_one();
    };
    let (done, ()) = tokio::join!(work(&house), removal);
    (house, done)
}

#[tokio::test]
async fn a_share_does_not_outlive_the_account_that_is_removed_in_between() {
    let (house, done) = overtaken(async |house| {
        let operator = house.operator().await;
        let with = "user@10.0.0.1";
        let target = ("db", Some("app"));
        house
            .vault
            .share(target, with, Level::View, &operator)
            .await
    })
    .await;

    assert!(matches!(done, Err(VaultError::Conflict)), "{done:?}");
    let operator = house.operator().await;
    assert_eq!(house.vault.shares("db", &operator).await.unwrap(), []);
}

#[tokio::test]
async fn access_control_does_not_outlive_the_account_that_is_removed_in_between() {
    let (house, done) = overtaken(async |house| {
        let operator = house.operator().await;
        let new = NewAccessControl {
            approvers: Vec::new(),
            approver_groups: Vec::new(),
            approvals: 1,
            exclusive: false,
            longest: Duration::from_hours(1),
            reason: false,
            ticket: false,
            change_after: None,
        };
        let vault = &house.vault;
        vault
            .set_access_control(("db", Some("app")), &new, &operator)
            .await
    })
    .await;

    assert!(matches!(done, Err(VaultError::Conflict)), "{done:?}");
    let operator = house.operator().await;
    let left = house
        .vault
        .access_controls(("db", None), &operator)
        .await
        .unwrap();
    assert_eq!(left, []);
}

#[tokio::test]
async fn a_lock_bites_although_whoever_set_it_did_not_wait() {
    let gate = Arc::new(Gate::default());
    let held = gate.clone();
    let dir = tempfile::tempdir().unwrap();
    let house = house_over(dir, false, |store| Arc::new(Held(store, held))).await;
    let operator = house.operator().await;
    let locked = house.plain_user("user", 1).await;
    assert!(house.vault.holds(&locked));
    let edit = UserEdit::Lock(Lock::Locked);

    gate.armed.store(true, Ordering::SeqCst);
    tokio::select! {
        biased;
        _ = house.vault.edit_user("user@10.0.0.1", &edit, &operator) => unreachable!("it is held"),
        () = gate.reached.notified() => {}
    }
    assert!(house.vault.holds(&locked), "nothing is committed yet");
    gate.goes_on.notify_one();
    gate.landed.notified().await;

    assert!(!house.vault.holds(&locked));
}
