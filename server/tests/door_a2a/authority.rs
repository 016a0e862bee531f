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

#[tokio::test]
async fn two_policies_that_are_taken_back_at_once_leave_nothing_behind() {
    let desk = Desk::open().await;
    let (ann, bearer) = desk.person("ann", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    let role = role(&desk, "r", &[ann]).await;
    for round in 0..4 {
        let one = policy(&desk, (&format!("one {round}"), role), &[account]).await;
        let two = policy(&desk, (&format!("two {round}"), role), &[account]).await;
        let paths = [one, two].map(|id| format!("AccessPolicies/{id}"));
        let (first, second) = tokio::join!(
            desk.ask("DELETE", &paths[0], &Value::Null),
            desk.ask("DELETE", &paths[1], &Value::Null)
        );

        for (path, answer) in paths.iter().zip([first, second]) {
            if answer.status == 409 {
                let again = desk.ask("DELETE", path, &Value::Null).await;
                assert_eq!(again.status, 204, "{}", again.body);
            } else {
                assert_eq!(answer.status, 204, "{}", answer.body);
            }
        }

        let seen = desk.ask_as(&bearer, "GET", "AssetAccounts", &Value::Null);
        assert_eq!(seen.await.json(), json!([]), "the share");
        let operator = desk.house.operator().await;
        let vault = &desk.house.vault;
        let terms = vault.access_controls(("db-1", Some("root")), &operator);
        assert!(terms.await.unwrap().is_empty(), "access control");
    }
}

#[tokio::test]
async fn what_a_policy_would_have_shared_is_not_told_as_shared_when_it_is_refused() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (_, others) = desk.account("db-1", "root").await;
    let (anna, hers) = narrow(&desk).await;
    let role = role(&desk, "r", &[ann]).await;
    let new = about("p", role, &[hers, others]);
    let refused = desk.ask_as(&anna, "POST", "AccessPolicies", &new).await;
    assert_eq!(refused.status, 404, "{}", refused.body);
    assert!(allowed(&desk, Operation::Share).await.is_empty());

    let both = policy(&desk, ("p", role), &[hers, others]).await;
    assert_eq!(allowed(&desk, Operation::Share).await, ["her own", "root"]);
    let path = format!("AccessPolicies/{both}");
    let refused = desk.ask_as(&anna, "DELETE", &path, &Value::Null).await;
    assert_eq!(refused.status, 404, "{}", refused.body);
    assert!(allowed(&desk, Operation::Unshare).await.is_empty());

    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);
    let told = allowed(&desk, Operation::Unshare).await;
    assert_eq!(told, ["her own", "root"]);
}

#[tokio::test]
async fn a_second_policy_shares_nothing_and_tells_of_no_share() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    let role = role(&desk, "r", &[ann]).await;
    let first = policy(&desk, ("one", role), &[account]).await;
    policy(&desk, ("two", role), &[account]).await;
    let path = format!("AccessPolicies/{first}");
    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);

    assert_eq!(allowed(&desk, Operation::Share).await, ["root"]);
    assert!(allowed(&desk, Operation::Unshare).await.is_empty());
}

#[tokio::test]
async fn a_brokers_key_is_for_whoever_reaches_as_much_as_who_said_so() {
    let desk = Desk::open().await;
    let (path, _, identity) = registration(&desk).await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (_, anna) = desk.person("anna", &["UserAdmin"]).await;
    let broker = format!("{path}/AccessRequestBroker");
    let new = json!({"Users": [{"UserId": ann}]});
    let said = desk.put(&broker, &new, 200).await.json();
    let key = format!("{broker}/ApiKey");

    let seen = desk.ask_as(&anna, "GET", &broker, &Value::Null).await;
    assert_eq!(
        (seen.status, &seen.json()["ApiKey"]),
        (200, &Value::Null),
        "{}",
        seen.body
    );
    let refused = desk.ask_as(&anna, "GET", &key, &Value::Null).await;
    assert_eq!(refused.refused(), (403, 60108));
    assert_eq!(desk.get(&key).await.json(), said["ApiKey"]);
    let mut wire = desk.house.connect(Some(&identity)).await;
    let own = wire.get(&format!("/service/core/v4/{key}"), &[]).await;
    assert_eq!(own.json(), said["ApiKey"], "its own");

    assert_eq!(desk.ask("DELETE", &broker, &Value::Null).await.status, 204);
    let said = desk.ask_as(&anna, "PUT", &broker, &new).await.json();
    let seen = desk.ask_as(&anna, "GET", &key, &Value::Null).await;
    assert_eq!(seen.json(), said["ApiKey"], "what she said herself");
}

#[tokio::test]
async fn a_roles_members_are_exchanged_at_once_or_not_at_all() {
    let desk = Desk::open().await;
    let operator = desk.house.operator().await;
    let set = desk
        .house
        .vault
        .set_setting("members-per-group", "1", &operator);
    set.await.unwrap();
    let (ann, _) = desk.person("ann", &[]).await;
    let (eve, _) = desk.person("eve", &[]).await;
    let path = format!("Roles/{}", role(&desk, "r", &[ann]).await);

    let mut shown = desk.get(&path).await.json();
    shown["Members"] = json!([{"Id": eve}, {"Id": eve}]);
    let changed = desk.put(&path, &shown, 200).await.json();
    assert_eq!(changed["Members"].as_array().unwrap().len(), 1);
    assert_eq!(changed["Members"][0]["Id"], eve);
    let (zoe, _) = desk.person("zoe", &[]).await;
    shown["Members"] = json!([{"Id": ann}, {"Id": zoe}]);
    assert_eq!(desk.put(&path, &shown, 400).await.refused(), (400, 70000));
    assert_eq!(desk.get(&path).await.json(), changed);
}

#[tokio::test]
async fn a_role_goes_with_all_its_policies_or_stays_with_them() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (_, others) = desk.account("db-1", "root").await;
    let (anna, hers) = narrow(&desk).await;
    let role = role(&desk, "r", &[ann]).await;
    policy(&desk, ("one", role), &[hers]).await;
    policy(&desk, ("two", role), &[others]).await;
    let path = format!("Roles/{role}");

    let refused = desk.ask_as(&anna, "DELETE", &path, &Value::Null).await;

    assert_eq!(refused.status, 404, "{}", refused.body);
    let left = desk.get("AccessPolicies?fields=Name&orderby=Name").await;
    assert_eq!(left.json(), json!([{"Name": "one"}, {"Name": "two"}]));
    assert_eq!(desk.get(&path).await.status, 200);
    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(desk.get("AccessPolicies").await.json(), json!([]));
}

#[tokio::test]
async fn a_key_is_opened_for_nobody_who_may_not_keep_it() {
    let desk = Desk::open().await;
    let (ann, bearer) = desk.person("ann", &[]).await;
    let (_, account) = desk.account("db-1", "root").await;
    desk.entitle("nightly", ann, account, false).await;
    let path = format!("AssetAccounts/{account}/SshKey");
    let sent = json!({"PrivateKey": "BEGIN OPENSSH PRIVATE KEY nonsense"});

    let refused = desk.ask_as(&bearer, "PUT", &path, &sent).await;
    assert_eq!(refused.refused(), (404, 60107), "the asset is not shared");

    assert_eq!(desk.put(&path, &sent, 400).await.refused(), (400, 70000));
    desk.put(&path, &Value::Null, 200).await;
    let refused = desk.ask_as(&bearer, "PUT", &path, &sent).await;
    assert_eq!(refused.refused(), (404, 60107), "nor is what stands there");
}

#[tokio::test]
async fn keys_that_are_tried_by_listening_are_counted_as_any_others() {
    let mut wish = Wish::default();
    wish.settings.strangers = 2;
    let house = House::open_as(wish).await;
    let app = Registered::with(&house, false).await;
    let wrong = "Authorization: A2A 6A4psUnrLv1hvoWSB3jsm2V50eFT62vwAI9Zlj/dDWw=";
    let mut wire = app.connect(&house).await;
    let mut paths = Vec::new();
    for _ in 0..3 {
        let token = wire.ask("POST", NEGOTIATE, &[], "").await.json();
        let token = token["connectionToken"].as_str().unwrap().to_owned();
        paths.push(format!("{HUB}?id={token}"));
    }

    let mut answers = Vec::new();
    for path in &paths {
        assert_eq!(wire.ask("POST", path, &[wrong], HAND).await.status, 200);
        answers.push(wire.get(path, &[FEED]).await.status);
    }

    assert_eq!(answers, [403, 403, 429]);
    let retrieve = "/service/a2a/v4/Credentials?type=Password";
    assert_eq!(wire.get(retrieve, &[wrong]).await.status, 429);
    assert_eq!(wire.get(retrieve, &[&app.shows()]).await.status, 200);
}

#[tokio::test]
async fn the_trail_says_which_key_was_shown_and_from_where_it_counts() {
    let desk = Desk::open().await;
    let (path, _, _) = registration(&desk).await;
    let (_, account) = desk.account("db-1", "root").await;
    let had = format!("{path}/RetrievableAccounts");
    let new = json!({"AccountId": account});
    assert_eq!(desk.ask("POST", &had, &new).await.status, 200);
    let one = format!("{had}/{account}");
    assert_eq!(desk.get(&format!("{one}/ApiKey")).await.status, 200);
    let from = json!({"AccountId": account, "IpRestrictions": ["10.5.32.4", "10.6.0.0/16"]});
    desk.put(&one, &from, 200).await;
    assert_eq!(desk.ask("DELETE", &one, &Value::Null).await.status, 204);

    let trail = desk.house.trail().await;
    for words in [
        "API key of registration",
        "take an account from it",
        "counts, from 10.5.32.4 10.6.0.0/16",
    ] {
        let entry = trail.iter().find(|entry| entry.detail.contains(words));
        let entry = entry.unwrap_or_else(|| panic!("no record of: {words}"));
        let names = (entry.resource.as_str(), entry.account.as_str());
        assert_eq!(names, ("db-1", "root"), "{words}");
    }
}

#[tokio::test]
async fn another_key_is_for_whoever_may_give_the_account_away() {
    let desk = Desk::open().await;
    let (path, _, _) = registration(&desk).await;
    let (_, account) = desk.account("db-1", "root").await;
    let (_, anna) = desk.person("anna", &["UserAdmin"]).await;
    let (vault, operator) = (&desk.house.vault, desk.house.operator().await);
    let root = ("db-1", Some("root"));
    let shared = vault.share(root, "anna", Level::Manage, &operator);
    shared.await.unwrap();
    let had = format!("{path}/RetrievableAccounts");
    let (one, new) = (format!("{had}/{account}"), json!({"AccountId": account}));
    let added = desk.ask_as(&anna, "POST", &had, &new).await;
    assert_eq!(added.status, 200, "{}", added.body);
    let key = format!("{one}/ApiKey");
    let renewed = desk.ask_as(&anna, "POST", &key, &Value::Null).await;
    assert_eq!(renewed.status, 200, "{}", renewed.body);

    let strict = strict();
    let set = vault.set_access_control(("db-1", None), &strict, &operator);
    set.await.unwrap();

    let added = desk.ask_as(&anna, "POST", &had, &new).await;
    for (verb, path, body) in [("POST", &key, &Value::Null), ("PUT", &one, &new)] {
        let refused = desk.ask_as(&anna, verb, path, body).await;
        assert_eq!(refused.refused(), added.refused(), "{verb} {path}");
    }
}
