//! Resources, accounts, shares, policies, settings, imports.

use serde_json::{Value, json};

use crate::document::{differences, schema};
use crate::server::Server;
use crate::stories::{CANARY, add_resource, add_user};

#[test]
fn resources_and_accounts_are_made_edited_and_removed_and_no_password_comes_out() {
    let server = Server::start();
    add_user(&server, "owner@host");
    let new = json!({
        "name": "a/b %2F#?", "type": "PostgreSQL", "account": "root", "password": CANARY,
        "owner": "owner@host", "policy": "Strong", "reason_demanded": true,
        "fields": [{"label": "rack", "value": "7"}],
    });
    let path = "/v1/resources/a%2Fb%20%252F%23%3F";

    let made = server.send("POST", "/v1/resources", new.clone()).with(201);
    assert_eq!(
        made.json(),
        json!({"name": "a/b %2F#?", "generated": false})
    );
    assert_eq!(
        server
            .send("POST", "/v1/resources", new)
            .with(409)
            .problem(),
        "exists"
    );
    let shown = server.get(path).with(200).json();
    assert_eq!(
        (&shown["owner"], &shown["policy"]),
        (&json!("owner@host"), &json!("Strong"))
    );
    let edit = json!({"policy": null, "reason_demanded": null, "notes": "mind the step"});
    server.send("PATCH", path, edit).with(204);
    let shown = server.get(path).with(200).json();
    assert_eq!(
        (&shown["policy"], &shown["reason_demanded"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&shown["notes"], &shown["type"]),
        (&json!("mind the step"), &json!("PostgreSQL"))
    );

    let accounts = format!("{path}/accounts");
    let generated = server
        .send("POST", &accounts, json!({"name": "app"}))
        .with(201)
        .json();
    assert_eq!(generated["generated"], true);
    let empty = json!({"name": "lost", "password": ""});
    assert_eq!(
        server.send("POST", &accounts, empty).with(422).problem(),
        "invalid"
    );
    server
        .send(
            "PATCH",
            &format!("{accounts}/app"),
            json!({"policy": "Low"}),
        )
        .with(204);
    let app = server.get(&format!("{accounts}/app")).with(200);
    assert_eq!(app.json()["policy"], "Low");
    let history = server.get(&format!("{accounts}/root/history")).with(200);
    assert_eq!(history.json()["items"][0]["generated"], false);
    let listed = server.get(&accounts).with(200);
    assert_eq!(listed.json()["items"].as_array().unwrap().len(), 2);
    for answer in [made, app, history, listed] {
        assert!(!answer.body.contains(CANARY), "{answer:?}");
    }
    server.delete(&format!("{accounts}/app")).with(204);
    assert_eq!(
        server.get(&format!("{accounts}/app")).with(404).problem(),
        "not-found"
    );
    assert_eq!(
        server.delete("/v1/users/owner%40host").with(422).problem(),
        "invalid"
    );
    server.delete(path).with(204);
    assert_eq!(server.get(path).with(404).problem(), "not-found");
}

#[test]
fn a_list_comes_in_pages_that_join_without_gap_or_overlap() {
    let server = Server::start();
    let names: Vec<String> = (0..7).map(|number| format!("r{number}")).collect();
    names.iter().for_each(|name| add_resource(&server, name));

    let mut seen = Vec::new();
    let mut path = "/v1/resources?limit=3".to_owned();
    loop {
        let page = server.get(&path).with(200).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        seen.extend(
            items
                .iter()
                .map(|item| item["name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/resources?limit=3&after={next}");
    }

    assert_eq!(seen, names);
    assert_eq!(
        server.get("/v1/resources?after=x").with(400).problem(),
        "malformed"
    );
}

#[test]
fn shares_are_given_widened_and_taken_back() {
    let server = Server::start();
    add_user(&server, "app@host");
    add_resource(&server, "db");
    let share = |account: Option<&str>, level: &str| {
        let mut new = json!({"resource": "db", "user": "app@host", "level": level});
        if let Some(account) = account {
            new["account"] = account.into();
        }
        server.send("PUT", "/v1/shares", new)
    };

    share(None, "view").with(204);
    share(None, "manage").with(204);
    share(Some("root"), "modify").with(204);
    assert_eq!(share(None, "own").with(422).problem(), "invalid");
    assert_eq!(
        share(Some("nobody"), "view").with(404).problem(),
        "not-found"
    );
    let listed = server.get("/v1/shares?resource=db").with(200).json();
    let item = |account: Value, level: &str| {
        let user = "app@host";
        json!({"resource": "db", "account": account, "user": user, "group": null, "level": level})
    };
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert!(items.contains(&item(Value::Null, "manage")), "{items:?}");
    assert!(items.contains(&item("root".into(), "modify")), "{items:?}");

    server
        .delete("/v1/shares?resource=db&user=app%40host")
        .with(204);
    server
        .delete("/v1/shares?resource=db&account=root&user=app%40host")
        .with(204);
    let gone = server
        .delete("/v1/shares?resource=db&user=app%40host")
        .with(404);
    assert_eq!(gone.problem(), "not-found");
}

#[test]
fn policies_are_made_edited_and_removed() {
    let server = Server::start();
    let new = json!({"name": "Vendor", "rules": {"min_length": 20, "max_age_days": 90}});

    server.send("POST", "/v1/policies", new.clone()).with(204);
    assert_eq!(
        server.send("POST", "/v1/policies", new).with(409).problem(),
        "exists"
    );
    server
        .send(
            "PATCH",
            "/v1/policies/Vendor",
            json!({"max_age_days": null}),
        )
        .with(204);
    let policy = server.get("/v1/policies/Vendor").with(200).json();
    assert_eq!(
        (&policy["min_length"], &policy["max_age_days"]),
        (&json!(20), &Value::Null)
    );
    let none = json!({"min_length": 30, "max_length": 10});
    assert_eq!(
        server
            .send("PATCH", "/v1/policies/Vendor", none)
            .with(422)
            .problem(),
        "invalid"
    );
    assert_eq!(
        server.get("/v1/policies").with(200).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    server.delete("/v1/policies/Vendor").with(204);
    assert_eq!(
        server.get("/v1/policies/Vendor").with(404).problem(),
        "not-found"
    );
}

#[test]
fn settings_and_organisations_are_kept() {
    let server = Server::start();
    let path = "/v1/settings/reason-required";
    server.send("PUT", path, json!({"value": "true"})).with(204);
    let settings = server.get("/v1/settings").with(200).json();
    let set = |setting: &&Value| setting["name"] == "reason-required";
    let reason = settings["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(set)
        .unwrap();
    assert_eq!(
        (&reason["value"], &reason["default"]),
        (&json!("true"), &json!("false"))
    );
    assert_eq!(
        server
            .send("PUT", path, json!({"value": ""}))
            .with(422)
            .problem(),
        "invalid"
    );
    let unknown = server.send("PUT", "/v1/settings/nonsense", json!({"value": "1"}));
    assert_eq!(unknown.with(422).problem(), "invalid");

    server
        .send("POST", "/v1/organisations", json!({"name": "Acme GmbH"}))
        .with(204);
    let organisations = server.get("/v1/organisations").with(200).json();
    assert_eq!(organisations["items"][1]["name"], "Acme GmbH");
    let user = json!({"login": "a@b", "role": "administrator"});
    server
        .send("POST", "/v1/users?organisation=Acme%20GmbH", user)
        .with(201);
    assert_eq!(
        server.get("/v1/users/a%40b").with(404).problem(),
        "not-found"
    );
    server
        .get("/v1/users/a%40b?organisation=Acme%20GmbH")
        .with(200);
    assert_eq!(
        server
            .get("/v1/users?organisation=Nobody")
            .with(404)
            .problem(),
        "not-found"
    );
}

#[test]
fn an_import_is_tried_first_names_its_bad_lines_and_comes_out_again() {
    let server = Server::start();
    let lines = format!(
        "{}\n{}\n{}\n{}\n",
        json!({"resource": "db1", "type": "MySQL", "account": "root", "password": CANARY}),
        json!({"resource": "db1", "account": "app"}),
        json!({"resource": "", "account": "x"}),
        r#"{"resource":"db2","account":"y","pasword":"Canary"}"#,
    );
    let import = |dry: bool| {
        let body = ("application/x-ndjson", lines.clone());
        server
            .ask("POST", &format!("/v1/imports?dry_run={dry}"), Some(body))
            .with(200)
    };

    let tried = import(true);
    assert_eq!(
        server.get("/v1/resources").json()["items"],
        json!([]),
        "nothing was made"
    );
    let done = import(false);
    let again = import(false).json();

    for report in [&tried, &done] {
        let told = report.json();
        assert_eq!(
            (&told["accounts"], &told["generated"]),
            (&json!(2), &json!(1))
        );
        let places: Vec<_> = told["bad"]
            .as_array()
            .unwrap()
            .iter()
            .map(|bad| bad["line"].clone())
            .collect();
        assert_eq!(places, [json!(3), json!(4)]);
        assert!(!report.body.contains("Canary"), "{report:?}");
    }
    assert_eq!(
        again["bad"].as_array().unwrap().len(),
        4,
        "what is there is not made again"
    );
    let exported = server.get("/v1/exports").with(200).json();
    let rows = exported["items"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["password"], CANARY);
    assert_eq!(
        server.get("/v1/imports?dry_run=true").with(405).problem(),
        "no-such-method"
    );
    let unsaid = ("application/x-ndjson", lines.clone());
    assert_eq!(
        server
            .ask("POST", "/v1/imports", Some(unsaid))
            .with(400)
            .problem(),
        "malformed"
    );
}

#[test]
fn lists_begin_anywhere_and_are_searched_in_a_column() {
    let server = Server::start();
    for name in ["alpha", "beta", "gamma"] {
        let new = json!({"name": name, "type": "Linux", "account": format!("root-{name}"),
                         "password": CANARY, "location": "Wien"});
        server.send("POST", "/v1/resources", new).with(201);
    }
    let names = |path: &str, key: &str| {
        let page = server.get(path).with(200).json();
        let name = if key == "AccountPage" {
            "account"
        } else {
            "resource"
        };
        assert!(differences(&page, schema(key)).is_empty(), "{name} {page}");
        let items = page["items"].as_array().unwrap().clone();
        let names: Vec<_> = items.iter().map(|item| item["name"].clone()).collect();
        (names, page["total"].clone(), page["next"].clone())
    };
    let resources = |query: &str| names(&format!("/v1/resources?{query}"), "ResourcePage");

    let (first, total, next) = resources("start=1&limit=1");
    assert_eq!((first, total), (vec![json!("beta")], json!(3)));
    let behind = format!("start=1&limit=1&after={}", next.as_str().unwrap());
    assert_eq!(resources(&behind).0, [json!("gamma")]);
    assert_eq!(resources("limit=2").1, Value::Null, "nobody asked for it");
    assert_eq!(
        resources("search=AMM"),
        (vec![json!("gamma")], json!(1), Value::Null)
    );
    assert_eq!(resources("search=wien").1, json!(3));
    assert_eq!(resources("search=wien&column=name").1, json!(0));
    assert_eq!(resources("search=root-b&column=account").0, [json!("beta")]);
    let accounts = |query: &str| {
        let path = format!("/v1/resources/alpha/accounts?{query}");
        names(&path, "AccountPage")
    };
    assert_eq!(accounts("search=ROOT").0, [json!("root-alpha")]);
    assert_eq!(accounts("search=none&start=0").1, json!(0));
    for wrong in ["search=a&column=notes", "start=-1", "start=x"] {
        let path = format!("/v1/resources?{wrong}");
        assert_eq!(server.get(&path).with(400).problem(), "malformed");
    }
}
