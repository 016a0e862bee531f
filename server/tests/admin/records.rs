//! The audit trail, the keys, how the house is, and what is refused.

use std::io::{BufRead, BufReader, Write};

use claviger::config::Size;
use serde_json::{Value, json};

use crate::server::Server;
use crate::stories::{CANARY, add_resource};

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
