//! What nobody gets by asking twice, at once, or for less than it gives.

use claviger::domain::{ApplicationId, Level, Lock, Operation, Outcome, UserId};
use claviger::vault::{NewRegistration, UserEdit};
use serde_json::{Value, json};

use crate::desk::{Desk, id};
use crate::events::{FEED, HAND, HUB, NEGOTIATE};
use crate::house::{House, Wish};
use crate::registered::Registered;
use crate::terms::strict;

const REGISTRATIONS: &str = "A2ARegistrations";

/// A registration of the program `app`: its path, its user, and the program's certificate.
async fn registration(desk: &Desk) -> (String, u64, certs::Identity) {
    let (user, identity) = desk.program("app").await;
    let new = json!({
        "AppName": "billing", "CertificateUserId": user, "VisibleToCertificateUsers": true,
    });
    let made = desk.make(REGISTRATIONS, &new).await;
    (format!("{REGISTRATIONS}/{}", id(&made)), user, identity)
}

/// Locks or opens the user `app`.
async fn lock(desk: &Desk, lock: Lock) {
    let operator = desk.house.operator().await;
    let (vault, edit) = (&desk.house.vault, UserEdit::Lock(lock));
    let done = vault.edit_user("app@a2a", &edit, &operator);
    done.await.unwrap();
}

/// On which accounts something of this kind was allowed at this door, by their names in order.
async fn allowed(desk: &Desk, operation: Operation) -> Vec<String> {
    let trail = desk.house.trail().await.into_iter();
    let fits = trail.filter(|entry| {
        entry.operation.known() == Some(&operation)
            && entry.outcome.known() == Some(&Outcome::Allowed)
    });
    let mut accounts: Vec<_> = fits.map(|entry| entry.account).collect();
    accounts.sort_unstable();
    accounts
}

/// A policy of a role about accounts: its id, without approvals.
async fn policy(desk: &Desk, (name, role): (&str, u64), accounts: &[u64]) -> u64 {
    id(&desk
        .make("AccessPolicies", &about(name, role, accounts))
        .await)
}

fn about(name: &str, role: u64, accounts: &[u64]) -> Value {
    let items: Vec<_> = accounts
        .iter()
        .map(|account| json!({"Id": account, "ScopeItemType": "Account"}))
        .collect();
    json!({
        "Name": name, "RoleId": role, "AccessRequestProperties": {"AccessRequestType": "Password"},
        "ScopeItems": items, "ApproverProperties": {"RequireApproval": false},
    })
}

async fn role(desk: &Desk, name: &str, members: &[u64]) -> u64 {
    let members: Vec<_> = members.iter().map(|id| json!({"Id": id})).collect();
    id(&desk
        .make("Roles", &json!({"Name": name, "Members": members}))
        .await)
}

/// Somebody who administers what is its own, with an account of its own.
async fn narrow(desk: &Desk) -> (String, u64) {
    let (_, anna) = desk.person("anna", &["PolicyAdmin"]).await;
    let new = json!({
        "Name": "annas", "PlatformId": 501, "NetworkAddress": "10.5.32.5", "AssetPartitionId": -1,
    });
    let asset = desk.ask_as(&anna, "POST", "Assets", &new).await;
    assert_eq!(asset.status, 201, "{}", asset.body);
    let new = json!({"Name": "her own", "Asset": {"Id": id(&asset.json())}});
    let account = desk.ask_as(&anna, "POST", "AssetAccounts", &new).await;
    assert_eq!(account.status, 201, "{}", account.body);
    (anna, id(&account.json()))
}

#[tokio::test]
async fn disabling_what_its_user_keeps_out_is_left_to_the_user_and_the_trail_says_so() {
    let desk = Desk::open().await;
    let (path, _, _) = registration(&desk).await;
    let open = desk.get(&path).await.json();
    lock(&desk, Lock::Locked).await;
    let shown = desk.get(&path).await.json();
    desk.put(&path, &shown, 200).await;

    let told = desk
        .house
        .trail()
        .await
        .into_iter()
        .any(|entry| entry.detail.ends_with("; disabled asked, left to the user"));
    assert!(told);
    lock(&desk, Lock::Open).await;
    assert_eq!(desk.get(&path).await.json(), open);

    assert_eq!(desk.put(&path, &shown, 200).await.json(), shown);
    lock(&desk, Lock::Locked).await;
    desk.put(&path, &shown, 200).await;
    lock(&desk, Lock::Open).await;
    assert_eq!(desk.get(&path).await.json(), shown, "its own lock stays");
}

#[tokio::test]
async fn a_registration_that_is_disabled_at_the_same_moment_stays_so() {
    let desk = Desk::open().await;
    let (path, user, _) = registration(&desk).await;
    lock(&desk, Lock::Locked).await;
    let shown = desk.get(&path).await.json();
    let mut open = shown.clone();
    open["Disabled"] = json!(false);

    for _ in 0..4 {
        desk.put(&path, &open, 200).await;
        let locked = NewRegistration {
            name: "billing".to_owned(),
            description: String::new(),
            user: Some(UserId(user)),
            lock: Lock::Locked,
            visible: true,
            bidirectional: false,
        };
        let operator = desk.house.operator().await;
        let number = ApplicationId(shown["Id"].as_u64().unwrap());
        let locks = desk
            .house
            .vault
            .put_registration(number, &locked, &operator);
        let (put, locks) = tokio::join!(desk.ask("PUT", &path, &shown), locks);
        assert!(put.status == 200 || put.status == 409, "{}", put.body);
        let view = desk.house.vault.registration(number, &operator).await;
        let lock = view.unwrap().application.lock;
        if locks.is_ok() {
            assert_eq!(lock, Lock::Locked);
        }
    }
}
