//! Access control and requests.

use claviger::admin::wire::{
    AccessControl, AccessRequest, NewAccessControl, NewAccessRequest, Page,
};
use serde_json::{Value, json};

use crate::server::Server;
use crate::shapes::{fits, reads, text, time};
use crate::stories::{add_resource, add_user};

const CONTROLS: &str = "/v1/access-controls";
const ROOT: &str = "/v1/resources/db1/accounts/root";

/// `db1/root` under access control, and a user who may view it.
fn controlled() -> Server {
    let server = Server::start();
    add_resource(&server, "db1");
    add_user(&server, "ann@host");
    let share = json!({"resource": "db1", "user": "ann@host", "level": "view"});
    server.send("PUT", "/v1/shares", share).with(204);
    let new = json!({"resource": "db1", "exclusive": true, "max_minutes": 30, "reason": true});
    server.send("PUT", CONTROLS, new).with(204);
    server
}

fn asked() -> Value {
    json!({"resource": "db1", "account": "root", "user": "ann@host", "reason": "disk full"})
}

fn step(server: &Server, word: &str) -> crate::server::Answer {
    server.send("POST", &format!("/v1/requests{word}"), asked())
}

fn state(server: &Server) -> Value {
    server.get("/v1/requests").with(200).json()["items"][0]["state"].clone()
}

#[test]
fn a_request_is_raised_approved_checked_out_and_checked_in() {
    let server = controlled();
    let status = || server.get(ROOT).with(200).json()["status"].clone();
    assert_eq!(status(), "[REQUEST]");

    step(&server, "").with(204);
    assert_eq!(state(&server), "requested");
    assert_eq!(step(&server, "/checkout").with(409).problem(), "waiting");
    step(&server, "/approve").with(204);
    assert_eq!(state(&server), "approved");
    step(&server, "/checkout").with(204);
    assert_eq!(state(&server), "checked-out");
    assert_eq!(status(), "[ In use ]");
    assert_eq!(step(&server, "/checkout").with(409).problem(), "in-use");
    step(&server, "/checkin").with(204);

    assert_eq!(state(&server), Value::Null);
    assert_eq!(step(&server, "/checkin").with(404).problem(), "not-found");
    step(&server, "").with(204);
    step(&server, "/reject").with(204);
    assert_eq!(step(&server, "/approve").with(404).problem(), "not-found");
}

#[test]
fn requests_are_listed_page_by_page() {
    let server = controlled();
    add_user(&server, "ben@host");
    let share = json!({"resource": "db1", "user": "ben@host", "level": "view"});
    server.send("PUT", "/v1/shares", share).with(204);
    step(&server, "").with(204);
    let mut second = asked();
    second["user"] = json!("ben@host");
    server.send("POST", "/v1/requests", second).with(204);

    let first = server.get("/v1/requests?limit=1").with(200).json();
    let next = first["next"].as_str().unwrap();
    let rest = server.get(&format!("/v1/requests?limit=2&after={next}"));

    assert_eq!(first["items"][0]["user"], "ann@host");
    let rest = rest.with(200).json();
    assert_eq!(
        (&rest["items"][0]["user"], &rest["next"]),
        (&json!("ben@host"), &Value::Null)
    );
    server.get("/v1/requests?after=x").with(400);
}

#[test]
fn access_control_is_shown_and_switched_off_and_what_makes_no_sense_is_refused() {
    let server = controlled();
    let shown = server.get(&format!("{CONTROLS}?resource=db1&account=root"));
    let shown = shown.with(200).json();
    let control = &shown["items"][0];
    assert_eq!(
        (&control["max_minutes"], &control["account"]),
        (&json!(30), &Value::Null)
    );

    for (member, value) in [
        ("approvals", json!(3)),
        ("max_minutes", json!(0)),
        ("change_after_checkin", json!("remote")),
        ("change_after_checkin", json!("elsewhere")),
    ] {
        let mut new = json!({"resource": "db1"});
        new[member] = value;
        let answer = server.send("PUT", CONTROLS, new).with(422);
        assert_eq!(answer.problem(), "invalid", "{member}");
    }
    let mut without = asked();
    without.as_object_mut().unwrap().remove("reason");
    let answer = server.send("POST", "/v1/requests", without).with(422);
    assert_eq!(answer.problem(), "reason-required");
    let off = format!("{CONTROLS}?resource=db1");
    server.delete(&off).with(204);
    assert_eq!(server.delete(&off).with(404).problem(), "not-found");
    assert_eq!(server.get(ROOT).with(200).json()["status"], "****");
}

#[test]
fn a_request_says_no_more_than_the_settings_keep_of_it() {
    let server = controlled();
    let request = |reason: usize, ticket: usize| {
        let mut new = asked();
        new["reason"] = json!("x".repeat(reason));
        new["ticket"] = json!("7".repeat(ticket));
        server.send("POST", "/v1/requests", new)
    };

    assert_eq!(request(2001, 1).with(422).problem(), "invalid");
    assert_eq!(request(1, 201).with(422).problem(), "invalid");
    let setting = json!({"value": "100"});
    server
        .send("PUT", "/v1/settings/reason-characters", setting)
        .with(204);
    assert_eq!(request(101, 200).with(422).problem(), "invalid");
    assert_eq!(state(&server), Value::Null);
    request(100, 200).with(204);
    assert_eq!(state(&server), "requested");
}

#[test]
fn access_control_and_requests_are_documented() {
    let new = NewAccessControl {
        resource: text(),
        account: Some(text()),
        approvers: vec![text()],
        approver_groups: vec![text()],
        approvals: Some(2),
        exclusive: true,
        max_minutes: Some(1),
        reason: true,
        ticket: true,
        change_after_checkin: Some(text()),
    };
    let asked = NewAccessRequest {
        resource: text(),
        account: text(),
        user: text(),
        reason: Some(text()),
        ticket: Some(text()),
    };
    let control = AccessControl {
        resource: text(),
        account: None,
        approvers: vec![text()],
        approver_groups: vec![text()],
        approvals: 1,
        exclusive: true,
        max_minutes: 1,
        reason: true,
        ticket: true,
        change_after_checkin: None,
    };
    let request = AccessRequest {
        resource: text(),
        account: text(),
        user: text(),
        state: text(),
        status: text(),
        approvals: 1,
        reason: text(),
        ticket: text(),
        raised: time(),
        until: time(),
    };

    reads("NewAccessControl", &new);
    reads("NewAccessRequest", &asked);
    fits("AccessControl", &control);
    fits("AccessRequest", &request);
    fits(
        "AccessRequestPage",
        &Page {
            items: vec![request],
            next: None::<String>,
        },
    );
    fits(
        "AccessControlPage",
        &Page {
            items: vec![control],
            next: Some(text()),
        },
    );
}
