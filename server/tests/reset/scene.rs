//! A resource whose account is changed on a target in memory.

use std::sync::Arc;
use std::time::Duration;

use claviger::domain::{Connector, Host, Outcome, Role, Scope, Wire};
use claviger::store::rows::PendingRow;
use claviger::vault::{Caller, NewAccount, NewTarget, Reach, ResetLimits, VaultError};
use tempfile::TempDir;

use crate::fake::{Fake, Only};
use crate::fixture::{House, credential, given, house, house_in, wanted};

pub struct Scene {
    pub house: House,
    pub fake: Arc<Fake>,
    /// Owns db1 with the account root.
    pub owner: Caller,
}

pub const OLD: &str = "0ld-s3cret";
pub const NEW: &str = "n3w-s3cret";

pub fn limits() -> ResetLimits {
    ResetLimits {
        allow: vec![Host::parse("127.0.0.1").unwrap()],
        timeout: Duration::from_millis(300),
        ..ResetLimits::default()
    }
}

pub fn target() -> NewTarget {
    NewTarget {
        connector: Connector::Ssh,
        host: "127.0.0.1".to_owned(),
        port: None,
        wire: Wire::Sealed,
        admin: None,
        reconcile: None,
        pin: None,
    }
}

/// Whose passwords the account admin of adm changes.
pub fn administered() -> NewTarget {
    NewTarget {
        admin: Some(("adm".to_owned(), "admin".to_owned())),
        ..target()
    }
}

pub async fn scene() -> Scene {
    scene_to(&target()).await
}

pub async fn scene_to(target: &NewTarget) -> Scene {
    scene_within(target, limits()).await
}

pub async fn scene_within(target: &NewTarget, limits: ResetLimits) -> Scene {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("db1", "root", OLD, &owner).await;
    house.create("adm", "admin", "adm1n", &owner).await;
    let fake = Fake::with(OLD);
    house.vault.connect(Arc::new(Only(fake.clone())), limits);
    let operator = house.operator().await;
    let set = house
        .vault
        .set_reset_target("db1".into(), target, &operator);
    set.await.unwrap();
    Scene { house, fake, owner }
}

impl Scene {
    pub async fn change(&self, password: &str) -> Result<(), VaultError> {
        let vault = &self.house.vault;
        let done = vault
            .change(
                &wanted("db1", "root"),
                given(password),
                Reach::Remote,
                &self.owner,
            )
            .await;
        done.map(|generated| assert!(generated.is_none()))
    }

    /// Another account on the target's resource, with the same password.
    pub async fn add(&self, account: &str) {
        let new = NewAccount {
            resource: "db1".into(),
            account,
            ..NewAccount::default()
        };
        let added = self.house.vault.add_account(&new, given(OLD), &self.owner);
        added.await.unwrap();
    }

    pub async fn stored(&self) -> String {
        self.house
            .retrieve("db1", "root", &self.owner)
            .await
            .unwrap()
    }

    /// How many passwords are pending.
    pub async fn pending(&self) -> usize {
        let rows = &self.house.rows;
        let prefix = rows.places().every_pending();
        rows.all::<PendingRow>(&prefix).await.unwrap().len()
    }

    /// The vault gives out what the target has, and nothing is pending.
    pub async fn assert_settled(&self, password: &str) {
        assert_eq!(self.fake.password(), password);
        assert_eq!(self.stored().await, password);
        assert_eq!(self.pending().await, 0);
    }

    /// The server is killed, and starts again.
    pub async fn restarted(self) -> Self {
        let fake = self.fake.clone();
        reopened(dropped(self), fake).await
    }

    pub fn outcomes(&self, count: usize) -> Vec<Outcome> {
        let newest = self.house.newest(count);
        newest.into_iter().map(|(_, outcome)| outcome).collect()
    }
}

/// Drops it all, as a crash would, but for its directory.
fn dropped(scene: Scene) -> TempDir {
    let Scene { house, .. } = scene;
    let House { dir, .. } = house;
    dir
}

async fn reopened(dir: TempDir, fake: Arc<Fake>) -> Scene {
    let house = house_in(dir, false).await;
    house.vault.connect(Arc::new(Only(fake.clone())), limits());
    let shown = credential("owner", 1);
    let owner = house.enter(&shown, "10.0.0.1").await.unwrap();
    Scene { house, fake, owner }
}

#[track_caller]
pub fn assert_failed(answer: &Result<(), VaultError>, words: &str) {
    match answer {
        Err(VaultError::RemoteReset(told)) => assert!(told.contains(words), "{told}"),
        other => panic!("{other:?}"),
    }
}
