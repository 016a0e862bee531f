//! Files and keys that accounts keep.

use claviger::admin::wire::{Material, MaterialChange, Purpose};
use serde_json::json;

use crate::server::Server;
use crate::shapes::{fits, reads, secret, text};
use crate::stories::add_resource;

const TLS: &str = "/v1/resources/db1/accounts/tls";

#[test]
fn secrets_are_written_and_read_as_documented() {
    let material = Material {
        kind: text(),
        name: Some(text()),
        content: secret(),
    };
    let change = MaterialChange {
        secret: material.clone(),
        reason: Some(text()),
        ticket: Some(text()),
    };
    let purpose = Purpose {
        reason: Some(text()),
        ticket: Some(text()),
    };

    fits("Material", &material);
    reads("Material", &material);
    reads("MaterialChange", &change);
    reads("Purpose", &purpose);
}

#[test]
fn a_file_is_kept_retrieved_changed_and_never_shown_elsewhere() {
    let server = Server::start();
    add_resource(&server, "db1");
    let file = |content: &str| json!({"kind": "file", "name": "tls.p12", "content": content});
    let new = json!({"name": "tls", "secret": file("AP8K")});
    let accounts = "/v1/resources/db1/accounts";
    server.send("POST", accounts, new.clone()).with(201);
    let twice = server.send("POST", accounts, new).with(409);
    assert_eq!(twice.problem(), "exists");

    let retrieve = || server.send("POST", &format!("{TLS}/secret/retrieve"), json!({}));
    let got = retrieve().with(200).json();
    assert_eq!(got, file("AP8K"));
    let shown = server.get(TLS).with(200).json();
    assert_eq!(shown["kind"], "file");
    assert!(!shown.to_string().contains("AP8K"));
    let change = json!({"secret": file("AA=="), "reason": "renewed"});
    server
        .send("PUT", &format!("{TLS}/secret"), change)
        .with(204);
    assert_eq!(retrieve().with(200).json()["content"], "AA==");
    let history = server.get(&format!("{TLS}/history")).with(200).json();
    assert_eq!(history["items"][0]["version"], 2);
}

#[test]
fn what_is_no_file_and_no_key_is_refused() {
    let server = Server::start();
    add_resource(&server, "db1");
    let accounts = "/v1/resources/db1/accounts";
    for secret in [
        json!({"kind": "password", "content": "x"}),
        json!({"kind": "file", "name": "a", "content": "no base64"}),
        json!({"kind": "file", "name": "../a", "content": "AA=="}),
        json!({"kind": "file", "content": "AA=="}),
        json!({"kind": "file", "name": "a", "content": ""}),
        json!({"kind": "ssh-key", "content": "hunter2"}),
        json!({"kind": "api-key", "content": "hunter2"}),
        json!({"kind": "api-key", "name": "AKIA1", "content": ""}),
    ] {
        let new = json!({"name": "tls", "secret": secret});
        let refused = server.send("POST", accounts, new).with(422);
        assert_eq!(refused.problem(), "invalid", "{secret}");
        assert!(!refused.json().to_string().contains("hunter2"));
    }
    let both = json!({"name": "a", "password": "x",
        "secret": {"kind": "api-key", "name": "a", "content": "x"}});
    let refused = server.send("POST", accounts, both).with(422);
    assert_eq!(refused.problem(), "invalid");
    let password = format!("{accounts}/root/secret/retrieve");
    let refused = server.send("POST", &password, json!({})).with(422);
    assert_eq!(refused.problem(), "invalid");
}
