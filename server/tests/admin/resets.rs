//! Passwords on their targets: what the API says and does.

use claviger::admin::wire::{
    DueChange, HeldAccount, NewPasswordRotation, NewResetTarget, Page, PasswordRotation,
    PendingReset, ResetOrder, ResetTarget, RunFailure, RunProgress, SettleOrder, SettledReset,
    TargetOrder, TargetTest,
};
use serde_json::{Value, json};

use crate::server::Server;
use crate::shapes::{fits, reads, secret, text, time};
use crate::stories::add_resource;

const TARGET: &str = "/v1/resources/db1/target";

fn held() -> HeldAccount {
    HeldAccount {
        resource: text(),
        account: text(),
    }
}

#[test]
fn what_is_said_of_targets_is_documented() {
    let new = NewResetTarget {
        connector: text(),
        host: Some(text()),
        port: Some(1),
        wire: Some(text()),
        admin: Some(held()),
        reconcile: Some(held()),
        pin: Some(text()),
        database: Some(text()),
        from: Some(text()),
        dn: Some(text()),
        active_directory: true,
        command: vec![text()],
    };
    let shown = ResetTarget {
        connector: text(),
        details: vec![text()],
        host: text(),
        port: 1,
        wire: text(),
        admin: Some(held()),
        reconcile: None,
        pin: Some(text()),
    };
    let test = TargetTest {
        shown: Some(text()),
        trusted: true,
        account: text(),
        login: Some(true),
        trouble: None,
    };

    reads("NewResetTarget", &new);
    reads("HeldAccount", &held());
    fits("ResetTarget", &shown);
    let order = TargetOrder {
        account: Some(text()),
        trust: Some(text()),
    };
    reads("TargetOrder", &order);
    fits("TargetTest", &test);
}

#[test]
fn what_is_said_to_settle_a_reset_is_documented() {
    let settle = SettleOrder {
        held: Some(text()),
        anyway: true,
    };
    reads("SettleOrder", &settle);
    let settled = SettledReset {
        held: text(),
        login: None,
        why: Some(text()),
        kept: vec![1],
    };
    fits("SettledReset", &settled);
}

#[test]
fn what_is_said_of_resets_and_rotations_is_documented() {
    let order = ResetOrder {
        password: Some(secret()),
        reason: Some(text()),
        ticket: Some(text()),
    };
    let pending = PendingReset {
        resource: text(),
        account: text(),
        since: time(),
        tries: 1,
        next: time(),
        why: text(),
    };
    let new = NewPasswordRotation {
        resource: text(),
        account: Some(text()),
        hours: 1,
        window: Some(text()),
    };
    let rotation = PasswordRotation {
        resource: text(),
        account: None,
        hours: 1,
        window: None,
    };
    let due = DueChange {
        resource: text(),
        account: text(),
        next: Some(time()),
        failures: 1,
        tried: Some(time()),
        why: text(),
    };
    let run = RunProgress {
        total: 1,
        changed: 1,
        failed: 1,
        failures: vec![RunFailure {
            resource: text(),
            account: text(),
            why: text(),
        }],
        finished: true,
        error: None,
    };

    reads("ResetOrder", &order);
    reads("NewPasswordRotation", &new);
    fits(
        "PendingResetPage",
        &Page::<PendingReset> {
            items: vec![pending.clone()],
            next: None,
        },
    );
    fits(
        "PasswordRotationPage",
        &Page {
            items: vec![rotation.clone()],
            next: None,
        },
    );
    fits(
        "DueChangePage",
        &Page {
            items: vec![due.clone()],
            next: None,
        },
    );
    fits("PendingReset", &pending);
    fits("PasswordRotation", &rotation);
    fits("DueChange", &due);
    fits("RunProgress", &run);
}

#[test]
fn a_target_is_set_shown_and_removed() {
    let server = Server::start();
    add_resource(&server, "db1");
    assert_eq!(server.get(TARGET).with(404).problem(), "not-found");
    let new = json!({"connector": "ssh", "host": "db1.example", "port": 2222});

    server.send("PUT", TARGET, new).with(204);

    let shown = server.get(TARGET).with(200).json();
    assert_eq!(shown["connector"], "ssh");
    assert_eq!(
        (&shown["port"], &shown["pin"]),
        (&json!(2222), &Value::Null)
    );
    let wrong = json!({"connector": "telnet", "host": "a"});
    assert_eq!(
        server.send("PUT", TARGET, wrong).with(422).problem(),
        "invalid"
    );
    server.delete(TARGET).with(204);
    server.get(TARGET).with(404);
}

#[test]
fn a_rotation_is_set_listed_and_removed_and_needs_a_target() {
    let server = Server::start();
    add_resource(&server, "db1");
    let new = json!({"resource": "db1", "hours": 720, "window": "02:00-04:00"});
    let refused = server.send("PUT", "/v1/rotations", new.clone());
    assert_eq!(refused.with(422).problem(), "invalid");
    let target = json!({"connector": "ssh", "host": "db1.example"});
    server.send("PUT", TARGET, target).with(204);

    server.send("PUT", "/v1/rotations", new.clone()).with(204);

    let listed = server.get("/v1/rotations").with(200).json();
    assert_eq!(listed["items"][0]["window"], "02:00-04:00");
    assert_eq!(
        server.get("/v1/rotations/due").with(200).json()["items"],
        json!([])
    );
    assert_eq!(
        server.get("/v1/resets").with(200).json()["items"],
        json!([])
    );
    server.delete("/v1/rotations?resource=db1").with(204);
    server.delete("/v1/rotations?resource=db1").with(404);
}

#[test]
fn a_reset_without_a_target_is_refused_as_the_targets_fault() {
    let server = Server::start();
    add_resource(&server, "db1");

    let answer = server.send("POST", "/v1/resources/db1/accounts/root/reset", json!({}));

    assert_eq!(answer.with(502).problem(), "target");
}

#[test]
fn where_nothing_is_unclear_and_nothing_stands_still_there_is_nothing_to_say() {
    let server = Server::start();
    add_resource(&server, "db1");
    let settle = "/v1/resources/db1/accounts/root/reset/settle";

    let settled = server.send("POST", settle, json!({"held": "new"}));
    let asked = server.send("POST", settle, json!({}));
    let neither = server.send("POST", settle, json!({"held": "both"}));
    let wordless = server.send("POST", settle, json!({"anyway": true}));
    let resumed = server.send("POST", "/v1/resets/resume", json!({}));

    assert_eq!(settled.with(404).problem(), "not-found");
    assert_eq!(asked.with(404).problem(), "not-found");
    assert_eq!(neither.with(422).problem(), "invalid");
    assert_eq!(wordless.with(422).problem(), "invalid");
    let resumed = resumed.with(422).json();
    let detail = resumed["detail"].as_str().unwrap();
    assert!(detail.starts_with("nothing is stopped"), "{detail}");
}
