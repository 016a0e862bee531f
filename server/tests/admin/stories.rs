//! What an operator does, through the socket, every answer checked against the document.

use std::io::{BufRead, BufReader, Write};

use certs::{CommonName, Term};
use claviger::config::Size;
use serde_json::{Value, json};

use crate::server::Server;

const CANARY: &str = "Canary-7f3a-hunter2";

/// A self-signed certificate as an application makes it.
fn certificate(name: &str) -> String {
    let term = Term {
        now: now(),
        days: 30,
    };
    let identity = certs::self_signed(&CommonName::parse(name).unwrap(), &[], term).unwrap();
    certs::certificate_pem(identity.certificate())
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn add_resource(server: &Server, name: &str) {
    let new = json!({"name": name, "type": "Linux", "account": "root", "password": CANARY});
    server.send("POST", "/v1/resources", new).with(201);
}

fn add_user(server: &Server, login: &str) {
    server
        .send(
            "POST",
            "/v1/users",
            json!({"login": login, "role": "password-user"}),
        )
        .with(201);
}

#[test]
fn a_user_is_made_locked_unlocked_and_removed() {
    let server = Server::start();
    let new = json!({
        "login": "billing@10.0.0.0/8", "role": "password-administrator", "scope": "all",
        "expires": "2099-01-01T00:00:00+01:00", "department": "Money",
        "certificates": [certificate("billing")],
    });

    let made = server
        .send("POST", "/v1/users", new.clone())
        .with(201)
        .json();
    let path = "/v1/users/billing%4010.0.0.0%2F8";
    assert_eq!(made["user"]["full_name"], "billing@10.0.0.0/8 - API User");
    assert_eq!(made["user"]["expires"], "2098-12-31T23:00:00.000Z");
    let warnings = made["warnings"].as_array().unwrap();
    assert_eq!(
        warnings.len(),
        1,
        "the certificate is not trusted yet: {warnings:?}"
    );
    assert_eq!(
        server.send("POST", "/v1/users", new).with(409).problem(),
        "exists"
    );

    server
        .send("POST", &format!("{path}/lock"), json!(null))
        .with(204);
    assert_eq!(server.get(path).with(200).json()["locked"], true);
    server
        .send("POST", &format!("{path}/unlock"), json!(null))
        .with(204);
    assert_eq!(server.get(path).with(200).json()["locked"], false);
    assert_eq!(
        server.get("/v1/users").with(200).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    server.delete(path).with(204);
    assert_eq!(server.get(path).with(404).problem(), "not-found");
    assert_eq!(server.delete(path).with(404).problem(), "not-found");
}

#[test]
fn a_certificate_is_bound_with_a_word_about_what_is_wrong_with_it() {
    let server = Server::start();
    add_user(&server, "app@host");
    let path = "/v1/users/app%40host/certificates";
    let own = certificate("app");
    let others = certificate("somebody");
    server
        .send("POST", "/v1/certificates", json!({"pem": own}))
        .with(201);

    let bound = server
        .send("POST", path, json!({"pem": own, "ca": false}))
        .with(201)
        .json();
    let strange = server
        .send("POST", path, json!({"pem": others}))
        .with(201)
        .json();
    let again = server.send("POST", path, json!({"pem": own})).with(409);

    assert_eq!(bound["warnings"], json!([]));
    let warnings = strange["warnings"].to_string();
    assert!(
        warnings.contains("the CN of") && warnings.contains("not trusted yet"),
        "{warnings}"
    );
    assert_eq!(again.problem(), "exists");
    let print = bound["certificate"]["fingerprint"].as_str().unwrap();
    server.delete(&format!("{path}/{print}")).with(204);
    assert_eq!(
        server
            .delete(&format!("{path}/{print}"))
            .with(404)
            .problem(),
        "not-found"
    );
    assert_eq!(
        server.delete(&format!("{path}/abc")).with(422).problem(),
        "invalid"
    );
    let issuer = server
        .send("POST", path, json!({"pem": own, "ca": true}))
        .with(201)
        .json();
    assert_eq!(issuer["certificate"]["issuer"], true);
    assert_eq!(issuer["warnings"].as_array().unwrap().len(), 1);
}

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
    let item = |account: Value, level: &str| json!({"resource": "db", "account": account, "user": "app@host", "level": level});
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
fn certificates_are_trusted_issued_and_distrusted() {
    let server = Server::start();
    let pem = certificate("app");

    let imported = server
        .send("POST", "/v1/certificates", json!({"pem": pem}))
        .with(201)
        .json();
    let as_ca = json!({"pem": pem, "ca": true});
    assert_eq!(
        server
            .send("POST", "/v1/certificates", as_ca)
            .with(422)
            .problem(),
        "invalid"
    );
    let nonsense = json!({"pem": "nonsense"});
    assert_eq!(
        server
            .send("POST", "/v1/certificates", nonsense)
            .with(422)
            .problem(),
        "invalid"
    );
    assert_eq!(imported["certificate"]["kind"], "pin");
    let listed = server.get("/v1/certificates").with(200).json();
    let kinds: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].clone())
        .collect();
    assert!(
        kinds.contains(&json!("ca")) && kinds.contains(&json!("pin")),
        "{kinds:?}"
    );

    let issue = json!({"name": "billing", "days": 90});
    let issued = server
        .send("POST", "/v1/certificates/issue", issue)
        .with(201)
        .json();
    let text = |member: &str| issued[member].as_str().unwrap().as_bytes().to_vec();
    let key = certs::load_private_key(&text("key"), None).unwrap();
    let chain = certs::load_certificates(&text("certificate")).unwrap();
    let identity = certs::Identity::new(chain, key).unwrap();
    assert_eq!(identity.info().unwrap().subject, "CN=billing");
    assert_eq!(identity.info().unwrap().issuer, "CN=Claviger built-in CA");
    let nobody = json!({"name": "", "days": 90});
    let refused = server
        .send("POST", "/v1/certificates/issue", nobody)
        .with(422);
    assert_eq!(refused.problem(), "invalid");

    let print = imported["certificate"]["fingerprint"].as_str().unwrap();
    server
        .delete(&format!("/v1/certificates/{print}"))
        .with(204);
    let again = server
        .delete(&format!("/v1/certificates/{print}"))
        .with(404);
    assert_eq!(again.problem(), "not-found");
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
fn the_trail_is_read_searched_exported_and_checked() {
    let server = Server::start();
    add_resource(&server, "db1");
    add_resource(&server, "db2");

    let found = server
        .get("/v1/audit?resource=db1&order=newest")
        .with(200)
        .json();
    let record = &found["items"][0];
    assert_eq!(
        (&record["operation"], &record["door"]),
        (&json!("create-resource"), &json!("admin"))
    );
    let refused = server.get("/v1/audit?outcome=refused").with(200).json();
    assert_eq!(refused["items"], json!([]));
    let page = server.get("/v1/audit?limit=1").with(200).json();
    let next = page["next"].as_str().unwrap();
    let second = server
        .get(&format!("/v1/audit?limit=1&after={next}"))
        .with(200)
        .json();
    assert_eq!(second["items"][0]["seq"], 2);
    for query in ["operation=nonsense", "since=yesterday"] {
        assert_eq!(
            server
                .get(&format!("/v1/audit?{query}"))
                .with(422)
                .problem(),
            "invalid"
        );
    }

    let lines = server.get("/v1/audit/export").with(200).lines();
    assert_eq!(lines[0]["seq"], 1);
    let csv = server.get("/v1/audit/export?format=csv").with(200);
    assert!(
        csv.body.starts_with("seq,time,request,caller,"),
        "{}",
        csv.body
    );
    let verified = server
        .send("POST", "/v1/audit/verify", json!(null))
        .with(200)
        .lines();
    let head = verified.last().unwrap()["finished"]["head"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/audit/verify?expect_head={head}");
    let again = server.send("POST", &path, json!(null)).with(200).lines();
    assert!(again.last().unwrap()["finished"].is_object(), "{again:?}");
    let (seq, _) = head.split_once(':').unwrap();
    let path = format!("/v1/audit/verify?expect_head={seq}:{}", "0".repeat(64));
    let replaced = server.send("POST", &path, json!(null)).with(200).lines();
    assert!(
        replaced.last().unwrap()["error"].is_string(),
        "{replaced:?}"
    );
    let nonsense = server
        .send("POST", "/v1/audit/verify?expect_head=1", json!(null))
        .with(422);
    assert_eq!(nonsense.problem(), "invalid");
}

#[test]
fn whoever_follows_the_trail_is_told_of_what_happens_next() {
    let server = Server::start();
    let mut stream = server.connect();
    write!(
        stream,
        "GET /v1/audit/follow?resource=db7 HTTP/1.1\r\nhost: x\r\n\r\n"
    )
    .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "HTTP/1.1 200 OK");

    add_resource(&server, "db6");
    add_resource(&server, "db7");

    let record = lines.find(|line| line.starts_with('{')).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(
        (&record["resource"], &record["account"]),
        (&json!("db7"), &json!("root"))
    );
}

#[test]
fn the_data_key_is_rotated_under_a_running_server() {
    let server = Server::start();
    add_resource(&server, "db");
    let before = server.get("/v1/status").with(200).json();

    let told = server
        .send("POST", "/v1/keys/rotate", json!(null))
        .with(202)
        .lines();

    let last = told.last().unwrap();
    assert_eq!(
        (&last["finished"], &last["error"]),
        (&json!(true), &Value::Null)
    );
    assert!(last["resealed"].as_u64().unwrap() > 0);
    let after = server.get("/v1/status").with(200).json();
    assert_ne!(before["data_key"], after["data_key"]);
    assert_eq!(after["data_keys"], 1);
    assert_eq!(
        server.get("/v1/exports").json()["items"][0]["password"],
        CANARY
    );
}

#[test]
fn the_house_tells_how_it_is() {
    let server = Server::start();

    let status = server.get("/v1/status").with(200).json();
    let health = server.get("/health").with(200).json();
    let metrics = server.get("/metrics").with(200);

    assert_eq!(
        (&status["state"], &status["problems"]),
        (&json!("ok"), &json!([]))
    );
    assert_eq!(health["status"], "ok");
    assert!(metrics.body.contains("claviger_"), "{}", metrics.body);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_own_problem() {
    let server = Server::start_with(|config| config.admin.max_body = Size::from_kib(1));
    let ask = |method: &str, path: &str, kind: &str, body: &str| {
        let answer = server.ask(method, path, Some((kind, body.to_owned())));
        (answer.status, answer.problem())
    };
    let json = "application/json";
    let users = "/v1/users";
    let long = format!("{{\"login\":\"{}\"}}", "x".repeat(2000));
    let deep = "[".repeat(900);

    let cases = [
        ("GET", "/v1/nothing", json, "", (404, "no-such-path")),
        ("GET", "/v1/users/", json, "", (404, "no-such-path")),
        ("GET", "/v1/users/a/b", json, "", (404, "no-such-path")),
        ("PUT", users, json, "{}", (405, "no-such-method")),
        ("POST", users, json, "", (400, "malformed")),
        ("POST", users, json, "{", (400, "malformed")),
        ("POST", users, json, &deep, (400, "malformed")),
        ("POST", users, json, "{\"login\":1}", (400, "malformed")),
        (
            "POST",
            users,
            json,
            "{\"login\":\"a@b\",\"login\":\"c@d\"}",
            (400, "malformed"),
        ),
        (
            "POST",
            users,
            json,
            "{\"login\":\"a@b\",\"role\":\"x\",\"x\":1}",
            (400, "malformed"),
        ),
        (
            "POST",
            users,
            json,
            "{\"login\":\"a@b\",\"role\":\"boss\"}",
            (422, "invalid"),
        ),
        (
            "POST",
            users,
            json,
            "{\"login\":\"a\",\"role\":\"administrator\"}",
            (422, "invalid"),
        ),
        ("POST", users, json, &long, (413, "too-large")),
        ("POST", users, "text/plain", "{}", (415, "media-type")),
        (
            "POST",
            users,
            "application/x-www-form-urlencoded",
            "a=b",
            (415, "media-type"),
        ),
        ("GET", "/v1/users?limt=1", json, "", (400, "malformed")),
        ("GET", "/v1/users?limit=-1", json, "", (400, "malformed")),
        (
            "GET",
            "/v1/users?limit=1&limit=2",
            json,
            "",
            (400, "malformed"),
        ),
        ("GET", "/v1/users/%00", json, "", (404, "not-found")),
        ("GET", "/v1/users/%ff", json, "", (400, "malformed")),
        ("GET", "/v1/users/..%2Fstatus", json, "", (404, "not-found")),
    ];

    for (method, path, kind, body, (status, problem)) in cases {
        let answer = ask(method, path, kind, body);
        assert_eq!(
            answer,
            (status, problem.to_owned()),
            "{method} {path} {body:.40}"
        );
    }
}
