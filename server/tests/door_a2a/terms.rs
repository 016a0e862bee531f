//! What access policies set, and what goes with them.

use std::time::Duration;

use claviger::domain::Operation;
use claviger::vault::NewAccessControl;
use serde_json::{Value, json};

use crate::desk::{Desk, id};

/// Two must approve: what nobody said through this door.
pub(crate) fn strict() -> NewAccessControl {
    NewAccessControl {
        approvers: Vec::new(),
        approver_groups: Vec::new(),
        approvals: 2,
        exclusive: true,
        longest: Duration::from_hours(1),
        reason: true,
        ticket: true,
        change_after: None,
    }
}

/// How many must approve what is asked of `root` on `db-1`.
async fn approvals(desk: &Desk) -> Vec<u8> {
    let operator = desk.house.operator().await;
    let vault = &desk.house.vault;
    let views = vault.access_controls(("db-1", Some("root")), &operator);
    let views = views.await.unwrap().into_iter();
    views.map(|view| view.control.approvals).collect()
}

async fn set(desk: &Desk, control: &NewAccessControl) {
    let operator = desk.house.operator().await;
    let vault = &desk.house.vault;
    let done = vault.set_access_control(("db-1", Some("root")), control, &operator);
    done.await.unwrap();
}

async fn take_back(desk: &Desk, policy: u64) {
    let path = format!("AccessPolicies/{policy}");
    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);
}

/// What the trail says of access control that went, the newest first.
async fn switched_off(desk: &Desk) -> Vec<(String, String)> {
    let trail = desk.house.trail().await.into_iter();
    let off = trail.filter(|entry| {
        entry.operation.known() == Some(&Operation::AccessControl)
            && entry.detail.starts_with("off")
    });
    off.map(|entry| (entry.account, entry.detail)).collect()
}

#[tokio::test]
async fn access_control_that_a_policy_set_goes_with_it_and_the_trail_says_so() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    let policy = desk.entitle("nightly", ann, account, true).await;
    assert_eq!(approvals(&desk).await, [1]);

    take_back(&desk, policy).await;

    assert_eq!(approvals(&desk).await, [0; 0]);
    let off = ("root".to_owned(), "off, with policy nightly".to_owned());
    assert_eq!(switched_off(&desk).await, [off]);
}

#[tokio::test]
async fn access_control_that_was_set_otherwise_since_stays_when_the_policy_goes() {
    let desk = Desk::open().await;
    let (ann, bearer) = desk.person("ann", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    let policy = desk.entitle("nightly", ann, account, false).await;
    set(&desk, &strict()).await;

    take_back(&desk, policy).await;

    assert_eq!(approvals(&desk).await, [2]);
    assert!(switched_off(&desk).await.is_empty());
    let seen = desk.ask_as(&bearer, "GET", "AssetAccounts", &Value::Null);
    assert_eq!(seen.await.json(), json!([]), "the share went all the same");
}

#[tokio::test]
async fn a_role_that_goes_leaves_what_was_set_otherwise_since() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    let policy = desk.entitle("nightly", ann, account, false).await;
    set(&desk, &strict()).await;
    let policy = desk.get(&format!("AccessPolicies/{policy}")).await.json();

    let path = format!("Roles/{}", policy["RoleId"]);
    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);

    assert_eq!(approvals(&desk).await, [2]);
}

#[tokio::test]
async fn a_policy_on_terms_that_others_set_does_not_take_them_away() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (eve, _) = desk.person("eve", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    let first = desk.entitle("one", ann, account, true).await;
    let week = NewAccessControl {
        approvals: 0,
        longest: Duration::from_hours(7 * 24),
        reason: false,
        ticket: false,
        ..strict()
    };
    set(&desk, &week).await;
    let second = desk.entitle("two", eve, account, false).await;

    take_back(&desk, first).await;
    take_back(&desk, second).await;

    assert_eq!(approvals(&desk).await, [0]);
}

#[tokio::test]
async fn what_a_policy_promises_and_cannot_keep_is_refused() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (zoe, _) = desk.person("zoe", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    let role = json!({"Name": "r", "Members": [{"Id": ann, "PrincipalKind": "User"}]});
    let role = id(&desk.make("Roles", &role).await);
    let policy = |changes: bool, required: u8| {
        json!({
            "Name": "p", "RoleId": role,
            "AccessRequestProperties": {"AccessRequestType": "Password",
                "ChangePasswordAfterCheckin": changes},
            "ScopeItems": [{"Id": account, "ScopeItemType": "Account"}],
            "ApproverSets": [{"RequiredApprovers": required, "Approvers": [
                {"Id": zoe, "PrincipalKind": "User"}, {"Id": zoe, "PrincipalKind": "User"}]}],
        })
    };

    for (new, why) in [
        (policy(true, 1), "no connector is set up"),
        (policy(false, 2), "two approvers must be named"),
    ] {
        let answer = desk.ask("POST", "AccessPolicies", &new).await;
        assert_eq!(answer.refused(), (400, 70000), "{}", answer.body);
        assert!(answer.body.contains(why), "{}", answer.body);
    }
    assert_eq!(approvals(&desk).await, [0; 0]);
    desk.make("AccessPolicies", &policy(false, 1)).await;
    assert_eq!(approvals(&desk).await, [1]);
}

#[tokio::test]
async fn a_key_that_nothing_changes_is_not_promised_to_change() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    desk.put(
        &format!("AssetAccounts/{account}/SshKey"),
        &Value::Null,
        200,
    )
    .await;
    let role = json!({"Name": "r", "Members": [{"Id": ann, "PrincipalKind": "User"}]});
    let role = id(&desk.make("Roles", &role).await);
    let mut new = json!({
        "Name": "p", "RoleId": role,
        "AccessRequestProperties": {"AccessRequestType": "SshKey",
            "ChangePasswordAfterCheckin": true},
        "ScopeItems": [{"Id": account, "ScopeItemType": "Account"}],
    });

    let answer = desk.ask("POST", "AccessPolicies", &new).await;

    assert_eq!(answer.refused(), (400, 70000));
    assert!(answer.body.contains("nly a password"), "{}", answer.body);
    new["AccessRequestProperties"]["ChangePasswordAfterCheckin"] = json!(false);
    desk.make("AccessPolicies", &new).await;
}
