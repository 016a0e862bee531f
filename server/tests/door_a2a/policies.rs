//! Roles and access policies: who may request what, on what terms.

use claviger::domain::{Role, Scope};
use serde_json::{Value, json};

use crate::desk::{Desk, id};
use crate::staff;

#[tokio::test]
async fn a_role_has_users_and_goes_with_its_policies() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (eve, _) = desk.person("eve", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    let policy = desk.entitle("nightly", ann, account, true).await;
    let policy = desk.get(&format!("AccessPolicies/{policy}")).await.json();
    let path = format!("Roles/{}", policy["RoleId"]);

    let mut role = desk.get(&path).await.json();
    assert_eq!(role["Members"][0]["Id"], ann);
    role["Name"] = json!("operators");
    role["Members"] = json!([{"Id": eve, "PrincipalKind": "User"}]);
    let changed = desk.put(&path, &role, 200).await.json();
    assert_eq!(
        (&changed["Name"], &changed["Members"][0]["Id"]),
        (&json!("operators"), &json!(eve))
    );
    assert_eq!(changed["Members"].as_array().unwrap().len(), 1);
    for members in [
        json!([{"Id": 1, "PrincipalKind": "Group"}]),
        json!([{}]),
        json!("x"),
    ] {
        role["Members"] = members;
        assert_eq!(desk.put(&path, &role, 400).await.refused(), (400, 70000));
    }

    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(desk.get("AccessPolicies").await.json(), json!([]));
    assert_eq!(desk.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_policy_is_shown_as_it_was_made_and_taken_back_with_all_that_it_gave() {
    let desk = Desk::open().await;
    let (ann, bearer) = desk.person("ann", &[]).await;
    let (zoe, _) = desk.person("zoe", &[]).await;
    let (asset, account) = desk.account("db-1", "root").await;
    let role = json!({"Name": "r", "Members": [{"Id": ann, "PrincipalKind": "User"}]});
    let role = id(&desk.make("Roles", &role).await);
    let new = json!({
        "Name": "nightly", "RoleId": role,
        "AccessRequestProperties": {"AccessRequestType": "Password",
            "AllowSimultaneousAccess": true},
        "RequesterProperties": {"RequireReasonComment": true, "MaximumReleaseDurationHours": 3},
        "ApproverProperties": {"RequireApproval": true},
        "ApproverSets": [{"RequiredApprovers": 1, "Approvers": [
            {"Id": zoe, "PrincipalKind": "User"}]}],
        "ScopeItems": [{"Id": account, "ScopeItemType": "Account"}],
    });

    let made = desk.make("AccessPolicies", &new).await;

    assert_eq!(
        desk.get(&format!("AccessPolicies/{}", id(&made)))
            .await
            .json(),
        made
    );
    assert_eq!(made["ApproverSets"], new["ApproverSets"]);
    assert_eq!(
        made["RequesterProperties"]["MaximumReleaseDurationHours"],
        3
    );
    assert_eq!(made["RequesterProperties"]["RequireReasonComment"], true);
    assert_eq!(made["ScopeItems"][0]["AssetId"], asset);
    let seen = desk
        .ask_as(&bearer, "GET", "AssetAccounts?fields=Id", &Value::Null)
        .await;
    assert_eq!(seen.json(), json!([{"Id": account}]));
    let silent = json!({"AssetId": asset, "AccountId": account, "AccessRequestType": "Password"});
    let refused = desk
        .ask_as(&bearer, "POST", "AccessRequests", &silent)
        .await;
    assert_eq!(refused.refused(), (403, 60108), "a reason is demanded");

    let path = format!("AccessPolicies/{}", id(&made));
    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);
    let seen = desk
        .ask_as(&bearer, "GET", "AssetAccounts", &Value::Null)
        .await;
    assert_eq!(seen.json(), json!([]));
    assert_eq!(desk.get(&path).await.status, 404);
}

#[tokio::test]
async fn two_policies_share_an_account_on_the_same_terms_only() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (eve, bearer) = desk.person("eve", &[]).await;
    let (asset, account) = desk.account("db-1", "root").await;
    let first = desk.entitle("one", ann, account, false).await;
    let second = desk.entitle("two", eve, account, false).await;
    let other = json!({
        "Name": "three", "RoleId": 1, "AccessRequestProperties": {"AccessRequestType": "Password"},
        "ScopeItems": [{"Id": account, "ScopeItemType": "Account"}],
        "ApproverProperties": {"RequireApproval": true},
    });
    let refused = desk.ask("POST", "AccessPolicies", &other).await;
    assert_eq!(refused.refused(), (400, 70000), "{}", refused.body);

    let path = format!("AccessPolicies/{first}");
    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);
    let wanted = json!({"AssetId": asset, "AccountId": account, "AccessRequestType": "Password"});
    let raised = desk
        .ask_as(&bearer, "POST", "AccessRequests", &wanted)
        .await;
    assert_eq!(
        raised.json()["State"],
        "RequestAvailable",
        "{}",
        raised.body
    );
    let path = format!("AccessPolicies/{second}");
    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);
    let raised = desk
        .ask_as(&bearer, "POST", "AccessRequests", &wanted)
        .await;
    assert_eq!(raised.refused(), (400, 70000), "{}", raised.body);
}

#[tokio::test]
async fn what_makes_no_policy_is_refused() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    let role = json!({"Name": "r", "Members": [{"Id": ann, "PrincipalKind": "User"}]});
    let role = id(&desk.make("Roles", &role).await);
    let good = json!({
        "Name": "p", "RoleId": role, "AccessRequestProperties": {"AccessRequestType": "Password"},
        "ScopeItems": [{"Id": account, "ScopeItemType": "Account"}],
    });
    for (member, value, refused) in [
        ("Name", json!(""), (400, 70000)),
        ("RoleId", Value::Null, (400, 70000)),
        ("RoleId", json!(4711), (404, 60107)),
        ("ScopeItems", json!([]), (400, 70000)),
        (
            "ScopeItems",
            json!([{"Id": account, "ScopeItemType": "Asset"}]),
            (400, 70000),
        ),
        (
            "ScopeItems",
            json!([{"Id": 4711, "ScopeItemType": "Account"}]),
            (404, 60107),
        ),
        (
            "AccessRequestProperties",
            json!({"AccessRequestType": "Telnet"}),
            (403, 90408),
        ),
        (
            "AccessRequestProperties",
            json!({"AccessRequestType": "SshKey"}),
            (404, 60107),
        ),
        (
            "RequesterProperties",
            json!({"MaximumReleaseDurationDays": 31}),
            (400, 70000),
        ),
    ] {
        let mut new = good.clone();
        new[member] = value;
        let answer = desk.ask("POST", "AccessPolicies", &new).await;
        assert_eq!(answer.refused(), refused, "{member}: {}", answer.body);
    }
    assert_eq!(desk.get("AccessPolicies").await.json(), json!([]));
    desk.make("AccessPolicies", &good).await;
}

#[tokio::test]
async fn nobody_lets_others_request_what_they_do_not_manage() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    staff::person(&desk.house, "otto", Role::Administrator, Scope::Owned).await;
    let otto = staff::log_in(&desk.house, "otto").await;
    let role = json!({"Name": "r", "Members": [{"Id": ann, "PrincipalKind": "User"}]});
    let role = id(&desk.make("Roles", &role).await);
    let new = json!({
        "Name": "p", "RoleId": role, "AccessRequestProperties": {"AccessRequestType": "Password"},
        "ScopeItems": [{"Id": account, "ScopeItemType": "Account"}],
    });

    let answer = desk.ask_as(&otto, "POST", "AccessPolicies", &new).await;

    assert_eq!(answer.refused(), (404, 60107), "{}", answer.body);
    let made = id(&desk.make("AccessPolicies", &new).await);
    let path = format!("AccessPolicies/{made}");
    let answer = desk.ask_as(&otto, "DELETE", &path, &Value::Null).await;
    assert_eq!(answer.refused(), (404, 60107), "{}", answer.body);
    assert_eq!(desk.get(&path).await.status, 200);
}
