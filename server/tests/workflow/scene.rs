//! A resource under access control, and those around it.

use std::time::Duration;

use claviger::domain::{Level, Operation, Outcome, Role, Scope, Status};
use claviger::vault::{Caller, Hurdle, NewAccessControl, VaultError};
use tempfile::TempDir;

use crate::fixture::{House, house, wanted};

/// Control by `approvers`: one of them, for an hour, one holder at a time.
pub fn control(approvers: &[&str]) -> NewAccessControl {
    NewAccessControl {
        approvers: approvers.iter().map(|name| login(name)).collect(),
        approver_groups: Vec::new(),
        approvals: 1,
        exclusive: true,
        longest: Duration::from_hours(1),
        reason: false,
        ticket: false,
        change_after: None,
    }
}

pub fn login(name: &str) -> String {
    format!("{name}@10.0.0.1")
}

pub struct Scene {
    pub house: House,
    /// Owns db1 with the account root.
    pub owner: Caller,
    /// Two users who see it, and two approvers.
    pub ann: Caller,
    pub ben: Caller,
    pub eve: Caller,
    pub zoe: Caller,
}

pub async fn scene(control: &NewAccessControl) -> Scene {
    let scene = uncontrolled().await;
    scene.set(control).await;
    scene
}

pub async fn uncontrolled() -> Scene {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let ann = house.plain_user("ann", 2).await;
    let ben = house.plain_user("ben", 3).await;
    let eve = house.plain_user("eve", 4).await;
    let zoe = house.plain_user("zoe", 5).await;
    house.create("db1", "root", "s3cret", &owner).await;
    for name in ["ann", "ben"] {
        house.share("db1", None, &login(name), Level::View).await;
    }
    Scene {
        house,
        owner,
        ann,
        ben,
        eve,
        zoe,
    }
}

impl Scene {
    pub async fn set(&self, control: &NewAccessControl) {
        self.house
            .vault
            .set_access_control(("db1", None), control, &self.owner)
            .await
            .unwrap();
    }

    pub async fn request(&self, caller: &Caller) -> Result<Status, VaultError> {
        let vault = &self.house.vault;
        vault.request(&wanted("db1", "root"), None, caller).await
    }

    pub async fn approve(&self, name: &str, approver: &Caller) -> Result<bool, VaultError> {
        let vault = &self.house.vault;
        vault
            .approve(&wanted("db1", "root"), &login(name), approver)
            .await
    }

    pub async fn check_out(&self, caller: &Caller) -> Result<Status, VaultError> {
        let vault = &self.house.vault;
        let held = vault.check_out(&wanted("db1", "root"), None, caller).await;
        held.map(|held| held.status)
    }

    pub async fn check_in(&self, caller: &Caller) -> Result<Status, VaultError> {
        let vault = &self.house.vault;
        vault.check_in(&wanted("db1", "root"), caller).await
    }

    pub async fn retrieve(&self, caller: &Caller) -> Result<String, VaultError> {
        self.house.retrieve("db1", "root", caller).await
    }

    pub async fn status(&self, caller: &Caller) -> &'static str {
        let vault = &self.house.vault;
        let views = vault.accounts("db1", None, 10, caller).await.unwrap();
        views.first().unwrap().status.as_str()
    }

    /// `caller`, called `name`, holds it, by eve's approval.
    pub async fn holds(&self, name: &str, caller: &Caller) {
        self.request(caller).await.unwrap();
        assert!(self.approve(name, &self.eve).await.unwrap());
        assert_eq!(self.check_out(caller).await.unwrap(), Status::Held);
    }

    pub fn last(&self) -> (Operation, Outcome) {
        *self.house.newest(1).first().unwrap()
    }
}

#[track_caller]
pub fn assert_waiting<T: std::fmt::Debug>(answer: Result<T, VaultError>, hurdle: Hurdle) {
    match answer {
        Err(VaultError::Waiting(at)) => assert_eq!(at, hurdle),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn assert_in_use<T: std::fmt::Debug>(answer: Result<T, VaultError>, by: &str) {
    match answer {
        Err(VaultError::InUse(holder)) => assert_eq!(holder, login(by)),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn assert_nothing<T: std::fmt::Debug>(answer: Result<T, VaultError>, thing: &str) {
    match answer {
        Err(VaultError::NotFound(missing)) => assert_eq!(missing, thing),
        other => panic!("{other:?}"),
    }
}

/// Drops a house, as a crash would, but for its directory.
pub fn dropped(house: House) -> TempDir {
    let House { dir, .. } = house;
    dir
}
