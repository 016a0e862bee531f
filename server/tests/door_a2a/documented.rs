//! The document, the table of routes and the answers say the same.

use std::collections::BTreeSet;

use claviger::doors::a2a_routes;
use serde_json::{Value, json};

use crate::desk::{Desk, PASSWORD, id};
use crate::document::{DOCUMENT, differences};

const VERBS: [&str; 4] = ["get", "post", "put", "delete"];

/// The operations of a path.
fn operations(item: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    VERBS
        .into_iter()
        .filter_map(|verb| Some((verb, item.get(verb)?)))
}

fn paths() -> impl Iterator<Item = (&'static String, &'static Value)> {
    DOCUMENT["paths"].as_object().unwrap().iter()
}

#[test]
fn every_route_is_documented_and_every_documented_route_is_there() {
    let there: BTreeSet<_> = a2a_routes()
        .into_iter()
        .flat_map(|(path, verbs)| {
            verbs
                .iter()
                .map(move |verb| (path.clone(), (*verb).to_owned()))
        })
        .collect();
    let documented: BTreeSet<_> = paths()
        .flat_map(|(path, item)| {
            operations(item).map(|(verb, _)| (path.clone(), verb.to_uppercase()))
        })
        .collect();

    let undocumented: Vec<_> = there.difference(&documented).collect();
    let missing: Vec<_> = documented.difference(&there).collect();

    assert_eq!((undocumented, missing), (Vec::new(), Vec::new()));
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_its_path_parameters() {
    let mut names = BTreeSet::new();
    for (path, item) in paths() {
        let parameters = item["parameters"].as_array().into_iter().flatten();
        let named: BTreeSet<_> = parameters
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let wanted = path.split('/').filter(|part| part.starts_with('{'));
        assert_eq!(named, wanted.map(str::to_owned).collect(), "{path}");
        for (_, operation) in operations(item) {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{name} is there twice");
            assert!(operation["summary"].is_string(), "{name} has no summary");
        }
    }
}

/// What is asked for may not be there, but it is asked of somebody.
#[tokio::test]
async fn every_route_leads_somewhere_and_takes_its_verbs_only() {
    let desk = Desk::open().await;
    let (_, identity) = desk.program("app").await;
    let mut wire = desk.house.connect(Some(&identity)).await;
    for (path, verbs) in a2a_routes() {
        let number = match path.contains("/AccessRequests/") {
            true => "7-8-9",
            false => "4711",
        };
        let parts = path.split('/').map(|part| match part.starts_with('{') {
            true => number,
            false => part,
        });
        let at = parts.collect::<Vec<_>>().join("/");
        for verb in VERBS
            .map(str::to_uppercase)
            .iter()
            .filter(|verb| *verb != "POST" || !path.ends_with("Logout"))
        {
            let answer = wire.ask(verb, &at, &[&desk.bearer], "").await;
            let taken = verbs.contains(&verb.as_str());
            assert_eq!(
                answer.status != 405,
                taken,
                "{verb} {path}: {}",
                answer.body
            );
            let nowhere = answer.body.contains("There is nothing at this path.");
            assert!(!nowhere, "{verb} {path}");
        }
    }
}

/// What an operation answers, as its schema has it.
#[track_caller]
fn assert_documented(path: &str, verb: &str, status: &str, told: &Value) {
    let operation = &DOCUMENT["paths"][format!("/service/core/v4/{path}")][verb];
    let schema = &operation["responses"][status]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{verb} {path} answers no {status}");
    let found = differences(told, schema);
    assert!(found.is_empty(), "{verb} {path}: {found:#?}");
}

#[tokio::test]
async fn what_is_answered_is_as_documented() {
    let desk = Desk::open().await;
    let (ann, bearer) = desk.person("ann", &[]).await;
    let (user, _) = desk.program("app").await;
    let (asset, account) = desk.account("db-1", "root").await;
    desk.entitle("nightly", ann, account, false).await;
    let keys = format!("AssetAccounts/{account}/ApiKeys");
    let key = desk.make(&keys, &json!({"Name": "key"})).await;
    assert_documented("AssetAccounts/{id}/ApiKeys", "post", "201", &key);
    let path = format!("AssetAccounts/{account}/SshKey");
    let facts = desk.put(&path, &json!({}), 200).await.json();
    assert_documented("AssetAccounts/{id}/SshKey", "put", "200", &facts);
    let new = json!({"AppName": "billing", "CertificateUserId": user});
    let made = desk.make("A2ARegistrations", &new).await;
    assert_documented("A2ARegistrations", "post", "201", &made);
    let registration = id(&made);
    let path = format!("A2ARegistrations/{registration}/RetrievableAccounts");
    let had = desk
        .ask("POST", &path, &json!({"AccountId": account}))
        .await
        .json();
    let at = "A2ARegistrations/{id}/RetrievableAccounts";
    assert_documented(at, "post", "200", &had);
    let path = format!("A2ARegistrations/{registration}/AccessRequestBroker");
    let broker = desk
        .put(&path, &json!({"Users": [{"UserId": ann}]}), 200)
        .await;
    let at = "A2ARegistrations/{id}/AccessRequestBroker";
    assert_documented(at, "put", "200", &broker.json());
    let new = json!({"AssetId": asset, "AccountId": account, "AccessRequestType": "Password"});
    let asked = desk
        .ask_as(&bearer, "POST", "AccessRequests", &new)
        .await
        .json();
    assert_documented("AccessRequests", "post", "200", &asked);
    let step = format!(
        "AccessRequests/{}/CheckOutPassword",
        asked["Id"].as_str().unwrap()
    );
    let taken = desk
        .ask_as(&bearer, "POST", &step, &Value::Null)
        .await
        .json();
    assert_eq!(taken, PASSWORD);
    assert_documented(
        "AccessRequests/{id}/CheckOutPassword",
        "post",
        "200",
        &taken,
    );

    let mut listed = 0;
    for (path, item) in paths() {
        let core = path.strip_prefix("/service/core/v4/");
        let Some(core) = core.filter(|core| !core.contains('{') && item.get("get").is_some())
        else {
            continue;
        };
        let answer = desk.get(core).await;
        assert_eq!(answer.status, 200, "{core}: {}", answer.body);
        assert_documented(core, "get", "200", &answer.json());
        listed += usize::from(
            answer
                .json()
                .as_array()
                .is_some_and(|rows| !rows.is_empty()),
        );
    }
    assert!(listed >= 9, "{listed} lists have something in them");
    let refused = desk.get("Users/4711").await.json();
    let schema = &DOCUMENT["components"]["schemas"]["ApiError"];
    assert_eq!(differences(&refused, schema), Vec::<String>::new());
}
