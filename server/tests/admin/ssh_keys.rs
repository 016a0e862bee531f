//! SSH keys of users.

use claviger::admin::wire::{NewSshKeys, Page, SshKey};
use serde_json::json;

use crate::server::Server;
use crate::shapes::{fits, reads, text, time};

const KEYS: &str = "/v1/users/app@127.0.0.1/ssh-keys";
const LINE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl app@one";

#[test]
fn ssh_keys_are_written_and_read_as_documented() {
    let key = SshKey {
        fingerprint: text(),
        kind: text(),
        comment: text(),
        added: time(),
    };

    fits("SshKey", &key);
    let page = Page {
        items: vec![key],
        next: Some(text()),
    };
    fits("SshKeyPage", &page);
    let keys = vec![text()];
    reads("NewSshKeys", &NewSshKeys { keys });
}

#[test]
fn a_key_is_registered_listed_and_removed() {
    let server = Server::start();
    let new = json!({"login": "app@127.0.0.1", "role": "password-user"});
    server.send("POST", "/v1/users", new).with(201);

    let added = server
        .send("POST", KEYS, json!({"keys": [LINE]}))
        .with(201)
        .json();
    let added = added["items"][0].clone();
    assert_eq!(added["kind"], "ssh-ed25519");
    assert_eq!(added["comment"], "app@one");
    let print = added["fingerprint"].as_str().unwrap().to_owned();
    let again = server.send("POST", KEYS, json!({"keys": [LINE]}));
    assert_eq!(again.with(409).problem(), "exists");
    let private = json!({"keys": ["-----BEGIN OPENSSH PRIVATE KEY-----"]});
    let refused = server.send("POST", KEYS, private);
    assert_eq!(refused.with(422).problem(), "invalid");
    let listed = server.get(KEYS).with(200).json();
    assert_eq!(listed["items"], json!([added]));

    let place = format!("{KEYS}/{}", print.replace('/', "%2F").replace('+', "%2B"));
    server.delete(&place).with(204);
    assert_eq!(server.delete(&place).with(404).problem(), "not-found");
    assert_eq!(server.get(KEYS).with(200).json()["items"], json!([]));
}

#[test]
fn a_person_has_no_ssh_key() {
    let server = Server::start();
    let new = json!({"login": "alice", "person": true, "role": "password-user",
        "password": "correct horse battery"});
    server.send("POST", "/v1/users", new).with(201);

    let refused = server.send("POST", "/v1/users/alice/ssh-keys", json!({"keys": [LINE]}));
    assert_eq!(refused.with(422).problem(), "invalid");
}
