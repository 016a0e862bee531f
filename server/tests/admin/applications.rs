//! Applications.

use claviger::admin::wire::{Application, ApplicationEdit, ApplicationNow, NewApplication, Page};
use serde_json::{Value, json};

use crate::server::Server;
use crate::shapes::{fits, reads, text, time};
use crate::stories::add_user;

fn application() -> Application {
    Application {
        id: text(),
        name: text(),
        host: text(),
        kind: text(),
        allow: vec![text()],
        inherit: text(),
        locked: true,
        created: time(),
        certificates: vec![text()],
    }
}

#[test]
fn applications_are_written_and_read_as_documented() {
    let page = Page {
        items: vec![application()],
        next: None,
    };
    let now = ApplicationNow {
        application: application(),
        warnings: vec![text()],
    };
    let new = NewApplication {
        name: text(),
        host: text(),
        kind: text(),
        allow: vec![text()],
        inherit: text(),
        certificates: vec![text()],
    };
    let edit = ApplicationEdit {
        host: Some(text()),
        kind: Some(text()),
        allow: Some(vec![text()]),
        inherit: Some(text()),
        locked: Some(true),
        add_certificates: vec![text()],
        remove_certificates: vec![text()],
    };

    fits("Application", &application());
    fits("ApplicationPage", &page);
    fits("ApplicationNow", &now);
    reads("NewApplication", &new);
    reads("ApplicationEdit", &edit);
}

#[test]
fn an_application_is_made_shown_changed_and_removed() {
    let server = Server::start();
    add_user(&server, "ann@host");
    add_user(&server, "bob@host");
    let issued = json!({"name": "nightly", "days": 30});
    let issued = server.send("POST", "/v1/certificates/issue", issued);
    let issued = issued.with(201).json();
    let new = json!({
        "name": "night/ly", "host": "10.0.0.0/8", "type": "linux",
        "allow": ["reset", "retrieve"], "inherit": "ann@host",
        "certificates": [issued["certificate"]],
    });
    let path = "/v1/applications/night%2Fly";

    let made = server.send("POST", "/v1/applications", new.clone());
    let made = made.with(201).json();
    assert_eq!(made["warnings"], json!([]));
    assert_eq!(
        made["application"]["allow"],
        json!(["retrieve", "reset"]),
        "in their order"
    );
    let twice = server.send("POST", "/v1/applications", new).with(409);
    assert_eq!(twice.problem(), "exists");

    let shown = server.get(path).with(200).json();
    assert_eq!(shown["type"], "Linux");
    assert_eq!(shown["inherit"], "ann@host");
    assert_eq!(shown["certificates"], json!([issued["fingerprint"]]));
    let edit = json!({
        "inherit": "bob@host", "locked": true, "allow": ["create"], "type": "Windows",
        "remove_certificates": [issued["fingerprint"]],
    });
    let now = server.send("PATCH", path, edit).with(200).json();
    assert_eq!(now["application"]["inherit"], "bob@host");
    assert_eq!(now["application"]["locked"], true);
    assert_eq!(now["application"]["allow"], json!(["create"]));
    assert_eq!(now["application"]["certificates"], json!([]));
    let list = server.get("/v1/applications").with(200).json();
    assert_eq!(list["items"], json!([now["application"]]));

    server.send("DELETE", path, Value::Null).with(204);
    assert_eq!(server.get(path).with(404).problem(), "not-found");
}

#[test]
fn an_application_that_makes_no_sense_is_told_why() {
    let server = Server::start();
    add_user(&server, "ann@host");
    let good = json!({
        "name": "nightly", "host": "app1", "type": "Linux", "allow": ["retrieve"],
        "inherit": "ann@host",
    });
    for (member, value, words) in [
        ("type", json!("BeOS"), "`type` is Linux or Windows"),
        (
            "allow",
            json!(["share"]),
            "`allow` lists retrieve, reset and create",
        ),
        ("allow", json!([]), "allow an application"),
        ("host", json!("a b"), "neither a DNS name"),
        ("certificates", json!(["nothing"]), "certificate"),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        let told = server.send("POST", "/v1/applications", bad).with(422);
        assert_eq!(told.problem(), "invalid");
        let told = told.json()["detail"].as_str().unwrap().to_owned();
        assert!(told.contains(words), "{told}");
    }
    let mut orphan = good;
    orphan["inherit"] = json!("nobody@host");
    let told = server.send("POST", "/v1/applications", orphan).with(404);
    assert_eq!(told.problem(), "not-found");
}
