//! Access requests: by whoever wants them, and by a broker in its name.

use certs::Identity;
use claviger::domain::{Operation, Outcome, RefusalReason};
use claviger::vault::ListLimits;
use serde_json::{Value, json};

use crate::desk::{Desk, PASSWORD, id};
use crate::house::Answer;

const BROKER: &str = "/service/a2a/v4/AccessRequests";

/// Ann may request the account `root` of `db-1`; a program may do so in her name.
struct Scene {
    desk: Desk,
    ann: u64,
    bearer: String,
    asset: u64,
    account: u64,
    identity: Identity,
    key: String,
}

impl Scene {
    /// Where nobody need approve, or whoever manages it must.
    async fn new(approve: bool) -> Self {
        let desk = Desk::open().await;
        let (ann, bearer) = desk.person("ann", &[]).await;
        let (asset, account) = desk.account("db-1", "root").await;
        desk.entitle("nightly", ann, account, approve).await;
        let (user, identity) = desk.program("app").await;
        let new = json!({"AppName": "tickets", "CertificateUserId": user});
        let registration = id(&desk.make("A2ARegistrations", &new).await);
        let path = format!("A2ARegistrations/{registration}/AccessRequestBroker");
        let broker = desk
            .put(&path, &json!({"Users": [{"UserId": ann}]}), 200)
            .await;
        Self {
            key: broker.json()["ApiKey"].as_str().unwrap().to_owned(),
            desk,
            ann,
            bearer,
            asset,
            account,
            identity,
        }
    }

    /// Asks in somebody's name.
    async fn broker(&self, body: &Value) -> Answer {
        let mut wire = self.desk.house.connect(Some(&self.identity)).await;
        let shows = format!("Authorization: A2A {}", self.key);
        wire.ask("POST", BROKER, &[&shows], &body.to_string()).await
    }

    async fn by_ann(&self, verb: &str, path: &str, body: &Value) -> Answer {
        self.desk.ask_as(&self.bearer, verb, path, body).await
    }

    /// A request of ann's own: its address.
    async fn raised(&self) -> String {
        let body = json!({
            "AssetId": self.asset, "AccountId": self.account, "AccessRequestType": "Password",
        });
        let answer = self.by_ann("POST", "AccessRequests", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        format!("AccessRequests/{}", answer.json()["Id"].as_str().unwrap())
    }

    async fn step(&self, path: &str, step: &str) -> Answer {
        let path = format!("{path}/{step}");
        self.by_ann("POST", &path, &Value::Null).await
    }
}

#[tokio::test]
async fn what_nobody_need_approve_is_available_at_once_and_taken_by_its_user() {
    let scene = Scene::new(false).await;

    let body = json!({
        "ForUserId": scene.ann, "AssetId": scene.asset, "AccountId": scene.account,
        "AccessRequestType": "Password", "ReasonCode": "Night", "ReasonComment": "restart",
        "TicketNumber": "T1", "RequestedDurationHours": 2,
    });
    let answer = scene.broker(&body).await;

    assert_eq!(answer.status, 201, "{}", answer.body);
    let made = answer.json();
    for (member, value) in [
        ("State", json!("RequestAvailable")),
        ("AccountName", json!("root")),
        ("AssetName", json!("db-1")),
        ("AssetNetworkAddress", json!("10.5.32.4")),
        ("RequesterId", json!(scene.ann)),
        ("RequesterUsername", json!("ann")),
        ("ReasonComment", json!("Night: restart")),
        ("TicketNumber", json!("T1")),
        ("DurationInMinutes", json!(120)),
        ("PolicyName", json!("nightly")),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    let record = scene.desk.house.trail().await;
    let record = record
        .iter()
        .find(|entry| entry.operation.known() == Some(&Operation::Request))
        .unwrap();
    assert_eq!(
        record.caller,
        "registration tickets for app@a2a in the name of ann"
    );
    assert_eq!(record.outcome.known(), Some(&Outcome::Allowed));
    assert_eq!(record.reason, "Night: restart");

    let path = format!("AccessRequests/{}", made["Id"].as_str().unwrap());
    let listed = scene
        .by_ann("GET", "AccessRequests?fields=Id", &Value::Null)
        .await;
    assert_eq!(listed.json(), json!([{"Id": made["Id"]}]));
    for _ in 0..2 {
        let password = scene.step(&path, "CheckOutPassword").await;
        assert_eq!((password.status, password.json()), (200, json!(PASSWORD)));
    }
    let held = scene.by_ann("GET", &path, &Value::Null).await.json();
    assert_eq!(held["State"], "PasswordCheckedOut");
    let back = scene.step(&path, "CheckIn").await;
    assert_eq!(back.json()["State"], "RequestCheckedIn");
    assert_eq!(scene.by_ann("GET", &path, &Value::Null).await.status, 404);
}

#[tokio::test]
async fn what_must_be_approved_waits_and_nobody_approves_their_own() {
    let scene = Scene::new(true).await;
    let path = scene.raised().await;
    let state = |answer: Answer| answer.json()["State"].clone();

    let pending = scene.by_ann("GET", &path, &Value::Null).await;
    assert_eq!(state(pending), "PendingApproval");
    assert_eq!(scene.step(&path, "Approve").await.refused(), (403, 60108));
    assert_eq!(
        scene.step(&path, "CheckOutPassword").await.refused(),
        (403, 60108)
    );

    let approved = scene
        .desk
        .ask("POST", &format!("{path}/Approve"), &json!("fine"))
        .await;
    assert_eq!(
        (approved.status, state(approved)),
        (200, json!("RequestAvailable"))
    );
    let out = scene
        .desk
        .ask("POST", &format!("{path}/CheckOutPassword"), &Value::Null)
        .await;
    assert_eq!(out.refused(), (403, 60108), "an approver is given nothing");
    assert_eq!(
        scene.step(&path, "CheckOutPassword").await.json(),
        json!(PASSWORD)
    );
    let closed = scene
        .desk
        .ask("POST", &format!("{path}/Close"), &Value::Null)
        .await;
    assert_eq!(state(closed), "Closed");

    let path = scene.raised().await;
    let denied = scene
        .desk
        .ask("POST", &format!("{path}/Deny"), &Value::Null)
        .await;
    assert_eq!(state(denied), "Denied");
    let path = scene.raised().await;
    assert_eq!(state(scene.step(&path, "Cancel").await), "Canceled");
    assert_eq!(scene.step(&path, "Cancel").await.status, 404);
}

#[tokio::test]
async fn a_second_request_for_the_same_overlaps() {
    let scene = Scene::new(true).await;
    scene.raised().await;
    let body = json!({
        "ForUser": "ann", "AssetName": "db-1", "AccountName": "root",
        "AccessRequestType": "Password",
    });

    let answer = scene.broker(&body).await;

    assert_eq!(answer.refused(), (409, 90001), "{}", answer.body);
}

#[tokio::test]
async fn a_request_is_its_requesters_and_its_approvers_business_alone() {
    let scene = Scene::new(true).await;
    let path = scene.raised().await;
    let (_, eve) = scene.desk.person("eve", &["AssetAdmin"]).await;

    let answer = scene.desk.ask_as(&eve, "GET", &path, &Value::Null).await;
    assert_eq!(answer.status, 404);
    for step in ["Approve", "Deny", "Close", "CheckOutPassword"] {
        let path = format!("{path}/{step}");
        let answer = scene.desk.ask_as(&eve, "POST", &path, &Value::Null).await;
        assert_eq!(answer.status, 404, "{step}");
    }
    let list = scene
        .desk
        .ask_as(&eve, "GET", "AccessRequests", &Value::Null)
        .await;
    assert_eq!(list.json(), json!([]));
}

#[tokio::test]
async fn a_broker_finds_what_is_meant_by_every_clients_names() {
    let scene = Scene::new(false).await;
    for body in [
        json!({"ForUser": "ann", "AssetName": "db-1", "AccountName": "root",
            "AccessRequestType": "Password"}),
        json!({"ForUserName": "ANN", "ForProvider": "Local", "SystemName": "10.5.32.4",
            "AccountName": "roo", "AccessType": "password", "ForUserId": null}),
        json!({"ForUserId": scene.ann, "ForUser": "nobody", "SystemId": scene.asset,
            "SystemName": "elsewhere", "AccountId": scene.account, "AccountName": "x",
            "AccessRequestType": "Password"}),
        json!({"ForUser": "ann", "AccountId": scene.account, "AccessRequestType": "Password"}),
    ] {
        let answer = scene.broker(&body).await;
        assert_eq!(answer.status, 201, "{body}: {}", answer.body);
        let path = format!("AccessRequests/{}", answer.json()["Id"].as_str().unwrap());
        assert_eq!(scene.step(&path, "Cancel").await.status, 200);
    }
}

#[tokio::test]
async fn a_broker_is_told_which_matches_none_or_many_and_nothing_of_others_things() {
    let scene = Scene::new(false).await;
    let desk = &scene.desk;
    let (_, second) = desk.account("db-2", "root").await;
    desk.account("db-3", "root").await;
    let new = json!({"Name": "root2", "Asset": {"Id": scene.asset}});
    let other = id(&desk.make("AssetAccounts", &new).await);
    desk.entitle("weekly", scene.ann, second, false).await;
    desk.entitle("monthly", scene.ann, other, false).await;
    let told = |user: &str, asset: &str, account: &str| {
        json!({"ForUser": user, "AssetName": asset, "AccountName": account,
            "AccessRequestType": "Password"})
    };

    for (body, member, words) in [
        (told("eve", "db-1", "root"), "ForUser", "no user"),
        (told("", "db-1", "root"), "ForUser", "no user"),
        (told("ann", "db-9", "root"), "AssetName", "no asset"),
        // It is there, and not hers.
        (told("ann", "db-3", "root"), "AssetName", "no asset"),
        (
            told("ann", "db-", "root"),
            "AssetName",
            "more than one asset",
        ),
        (
            told("ann", "10.5.32.4", "root"),
            "AssetName",
            "more than one asset",
        ),
        (told("ann", "db-1", "admin"), "AccountName", "no account"),
        (
            told("ann", "db-1", "oot"),
            "AccountName",
            "more than one account",
        ),
    ] {
        let answer = scene.broker(&body).await;
        assert_eq!(answer.refused(), (400, 70000), "{body}");
        let why = &answer.json()["ModelState"][format!("entity.{member}")][0];
        assert!(
            why.as_str().is_some_and(|why| why.contains(words)),
            "{}",
            answer.body
        );
        let record = scene.desk.house.trail().await.remove(0);
        assert_eq!(record.operation.known(), Some(&Operation::Request));
        let refused = Outcome::Refused(RefusalReason::NoSuchThing);
        assert_eq!(record.outcome.known(), Some(&refused));
    }
    let session = json!({"ForUser": "ann", "AssetName": "db-1", "AccessRequestType": "SSH"});
    assert_eq!(scene.broker(&session).await.refused(), (403, 90408));
    let key = json!({"ForUser": "ann", "AssetName": "db-1", "AccountName": "root",
        "AccessRequestType": "SshKey"});
    assert_eq!(scene.broker(&key).await.refused(), (400, 70000));
}

#[tokio::test]
async fn an_exact_name_means_one_account_and_not_anothers_key() {
    let scene = Scene::new(false).await;
    let desk = &scene.desk;
    let new = json!({"Name": "root2", "Asset": {"Id": scene.asset}});
    let other = id(&desk.make("AssetAccounts", &new).await);
    let path = format!("AssetAccounts/{other}/SshKey");
    desk.put(&path, &Value::Null, 200).await;
    let role = json!({"Name": "r", "Members": [{"Id": scene.ann, "PrincipalKind": "User"}]});
    let role = id(&desk.make("Roles", &role).await);
    let policy = json!({
        "Name": "keys", "RoleId": role, "AccessRequestProperties": {"AccessRequestType": "SshKey"},
        "ScopeItems": [{"Id": other, "ScopeItemType": "Account"}],
    });
    desk.make("AccessPolicies", &policy).await;
    let body = |name: &str| {
        json!({"ForUser": "ann", "AssetName": "db-1", "AccountName": name,
            "AccessRequestType": "SshKey"})
    };

    let refused = scene.broker(&body("root")).await;
    assert_eq!(refused.refused(), (400, 70000), "{}", refused.body);
    let raised = scene.broker(&body("root2")).await;
    assert_eq!(raised.status, 201, "{}", raised.body);
    assert_eq!(raised.json()["AccountName"], "root2 [SSH key]");
}

#[tokio::test]
async fn what_is_sought_among_too_many_is_never_taken_for_the_only_one() {
    let scene = Scene::new(false).await;
    let desk = &scene.desk;
    let (_, second) = desk.account("db-2", "root").await;
    desk.entitle("weekly", scene.ann, second, false).await;
    let new = json!({"Name": "root2", "Asset": {"Id": scene.asset}});
    let other = id(&desk.make("AssetAccounts", &new).await);
    desk.entitle("monthly", scene.ann, other, false).await;
    desk.house.vault.limit_lists(ListLimits {
        memory: 100,
        rows: 1,
        ..ListLimits::default()
    });
    let told = |asset: &str, account: &str| {
        json!({"ForUser": "ann", "AssetName": asset, "AccountName": account,
            "AccessRequestType": "Password"})
    };

    for (body, member) in [
        (told("b-1", "root"), "AssetName"),
        (told("10.5.32.4", "root"), "AssetName"),
        (told("db-1", "oot2"), "AccountName"),
        (told("db-1", "oot"), "AccountName"),
    ] {
        let answer = scene.broker(&body).await;
        assert_eq!(answer.refused(), (400, 70000), "{body}");
        let why = &answer.json()["ModelState"][format!("entity.{member}")][0];
        let why = why.as_str().unwrap_or_default();
        assert!(
            why.contains("more than is looked through"),
            "{}",
            answer.body
        );
    }
    let answer = scene.broker(&told("db-1", "root2")).await;
    assert_eq!(
        answer.status, 201,
        "an exact name needs no search: {}",
        answer.body
    );
}

#[tokio::test]
async fn a_request_names_the_policy_that_it_is_under() {
    let scene = Scene::new(false).await;
    let desk = &scene.desk;
    let (eve, _) = desk.person("eve", &[]).await;
    desk.entitle("weekly", eve, scene.account, false).await;
    let request = scene.raised().await;
    let policy = |answer: Answer| answer.json()["PolicyName"].clone();

    let shown = scene.by_ann("GET", &request, &Value::Null).await;
    assert_eq!(policy(shown), "nightly", "the first that was made");
    let policies = desk.get("AccessPolicies?fields=Id,Name").await.json();
    let path = |place: usize| format!("AccessPolicies/{}", policies[place]["Id"]);
    desk.ask("DELETE", &path(0), &Value::Null).await;
    let seen = desk.ask("GET", &request, &Value::Null).await;
    assert_eq!(policy(seen), "weekly");
    desk.ask("DELETE", &path(1), &Value::Null).await;
    let seen = desk.ask("GET", &request, &Value::Null).await;
    assert_eq!(policy(seen), Value::Null);
}

#[tokio::test]
async fn a_broker_speaks_for_those_named_alone_and_its_key_for_nothing_else() {
    let scene = Scene::new(false).await;
    let (eve, _) = scene.desk.person("eve", &[]).await;
    scene.desk.entitle("eves", eve, scene.account, false).await;
    let body = |user: u64| {
        json!({"ForUserId": user, "AssetId": scene.asset, "AccountId": scene.account,
            "AccessRequestType": "Password"})
    };

    for user in [eve, 1, 4711] {
        assert_eq!(
            scene.broker(&body(user)).await.refused(),
            (403, 60108),
            "{user}"
        );
    }
    let mut wire = scene.desk.house.connect(Some(&scene.identity)).await;
    let shows = format!("Authorization: A2A {}", scene.key);
    let path = "/service/a2a/v4/Credentials?type=Password";
    assert_eq!(wire.get(path, &[&shows]).await.refused(), (403, 60108));
    assert_eq!(wire.get(BROKER, &[&shows]).await.status, 405);
    let answer = wire
        .ask("POST", BROKER, &[], &body(scene.ann).to_string())
        .await;
    assert_eq!(answer.refused(), (401, 60094));
}

#[tokio::test]
async fn a_request_for_later_waits_for_its_time() {
    let scene = Scene::new(false).await;
    let body = json!({"ForUser": "ann", "AssetName": "db-1", "AccountName": "root",
        "AccessRequestType": "Password", "RequestedFor": "2001-01-01T00:00:00Z",
        "RequestedDurationHours": 1});
    assert_eq!(
        scene.broker(&body).await.refused(),
        (400, 70000),
        "it is over"
    );
    let at = scene.desk.house.vault.now().0 + 5 * 3_600_000;
    let at = jiff::Timestamp::from_millisecond(at).unwrap().to_string();
    let body = json!({"ForUser": "ann", "AssetName": "db-1", "AccountName": "root",
        "AccessRequestType": "Password", "RequestedFor": at, "RequestedDurationHours": 1});

    let answer = scene.broker(&body).await;

    assert_eq!(
        answer.json()["State"],
        "PendingTimeRequested",
        "{}",
        answer.body
    );
    assert_eq!(answer.json()["DurationInMinutes"], 60);
    let path = format!("AccessRequests/{}", answer.json()["Id"].as_str().unwrap());
    assert_eq!(
        scene.step(&path, "CheckOutPassword").await.refused(),
        (403, 60108)
    );
}

#[tokio::test]
async fn a_request_lasts_no_longer_than_its_policy_lets_anybody_hold() {
    let scene = Scene::new(false).await;
    let mut body = json!({"ForUser": "ann", "AssetName": "db-1", "AccountName": "root",
        "AccessRequestType": "Password", "RequestedDurationDays": 8});
    assert_eq!(scene.broker(&body).await.refused(), (400, 70000));

    let at = scene.desk.house.vault.now().0 + 3_600_000;
    let at = jiff::Timestamp::from_millisecond(at).unwrap().to_string();
    body["RequestedDurationDays"] = Value::Null;
    body["RequestedFor"] = json!(at);
    let answer = scene.broker(&body).await;

    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.json()["DurationInMinutes"], 7 * 24 * 60);
}

#[tokio::test]
async fn an_accounts_id_wins_over_its_name_and_its_domain() {
    let scene = Scene::new(false).await;
    let mut body = json!({"ForUserId": scene.ann, "AssetId": scene.asset,
        "AccountName": "nobody", "AccountDomainName": "corp", "AccessRequestType": "Password"});
    assert_eq!(scene.broker(&body).await.refused(), (400, 70000));

    body["AccountId"] = json!(scene.account);

    assert_eq!(scene.broker(&body).await.status, 201);
}

#[tokio::test]
async fn a_request_says_no_more_than_is_kept_of_it() {
    let scene = Scene::new(false).await;
    let body = |comment: usize, code: usize, ticket: usize| {
        json!({
            "ForUserId": scene.ann, "AssetId": scene.asset, "AccountId": scene.account,
            "AccessRequestType": "Password", "ReasonComment": "x".repeat(comment),
            "ReasonCode": "c".repeat(code), "TicketNumber": "7".repeat(ticket),
        })
    };

    for (comment, code, ticket) in [(1001, 1, 1), (1000, 1001, 1), (0, 2001, 1), (1, 1, 201)] {
        let body = body(comment, code, ticket);
        let own = scene.by_ann("POST", "AccessRequests", &body).await;
        assert_eq!(own.refused(), (400, 70000), "{comment} {code} {ticket}");
        assert!(own.body.contains("characters"), "{}", own.body);
        let brokered = scene.broker(&body).await;
        assert_eq!(brokered.refused(), (400, 70000), "{comment} {code}");
    }
    let list = scene.by_ann("GET", "AccessRequests", &Value::Null).await;
    assert_eq!(list.json(), json!([]));
    let answer = scene.broker(&body(1000, 900, 200)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}
