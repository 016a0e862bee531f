//! Groups of users.

use claviger::admin::wire::{Group, GroupEdit, NewGroup, Page};
use serde_json::{Value, json};

use crate::server::Server;
use crate::shapes::{fits, reads, text, time};
use crate::stories::{add_resource, add_user};

#[test]
fn groups_are_written_and_read_as_documented() {
    let group = Group {
        id: text(),
        name: text(),
        description: text(),
        created: time(),
    };
    let page = Page {
        items: vec![group.clone()],
        next: None,
    };
    let new = NewGroup {
        name: text(),
        description: Some(text()),
    };

    fits("Group", &group);
    fits("GroupPage", &page);
    reads("NewGroup", &new);
    let edit = GroupEdit {
        name: Some(text()),
        description: Some(text()),
    };
    reads("GroupEdit", &edit);
}

#[test]
fn a_group_is_made_joined_shared_with_left_and_removed() {
    let server = Server::start();
    add_resource(&server, "db1");
    add_user(&server, "ann@host");
    let new = json!({"name": "a/b", "description": "Operators"});
    let path = "/v1/groups/a%2Fb";
    let member = format!("{path}/members/ann%40host");

    let made = server.send("POST", "/v1/groups", new.clone()).with(201);
    assert_eq!(made.json()["description"], "Operators");
    let twice = server.send("POST", "/v1/groups", new).with(409);
    assert_eq!(twice.problem(), "exists");
    server.send("PUT", &member, Value::Null).with(204);
    assert_eq!(
        server.send("PUT", &member, Value::Null).with(409).problem(),
        "exists"
    );
    let items = |path: &str| server.get(path).with(200).json()["items"].clone();
    assert_eq!(items(&format!("{path}/members"))[0]["login"], "ann@host");
    assert_eq!(items("/v1/users/ann%40host/groups")[0]["name"], "a/b");
    assert_eq!(items("/v1/groups")[0]["name"], "a/b");

    let share = json!({"resource": "db1", "group": "a/b", "level": "view"});
    server.send("PUT", "/v1/shares", share).with(204);
    let shares = items("/v1/shares?resource=db1");
    assert_eq!(shares[0]["group"], "a/b");
    assert_eq!(shares[0]["user"], Value::Null);
    server
        .delete("/v1/shares?resource=db1&group=a%2Fb")
        .with(204);
    let again = server.delete("/v1/shares?resource=db1&group=a%2Fb");
    assert_eq!(again.with(404).problem(), "not-found");

    server.delete(&member).with(204);
    assert_eq!(server.delete(&member).with(404).problem(), "not-found");
    server.delete(path).with(204);
    assert_eq!(server.get(path).with(404).problem(), "not-found");
}

#[test]
fn a_share_names_one_user_or_one_group() {
    let server = Server::start();
    add_resource(&server, "db1");
    for with in [
        json!({"resource": "db1", "level": "view"}),
        json!({"resource": "db1", "level": "view", "user": "a", "group": "b"}),
    ] {
        let refused = server.send("PUT", "/v1/shares", with).with(422);
        assert_eq!(refused.problem(), "invalid");
    }
    let refused = server.delete("/v1/shares?resource=db1").with(422);
    assert_eq!(refused.problem(), "invalid");
}

#[test]
fn members_come_page_by_page() {
    let server = Server::start();
    let new = json!({"name": "dba"});
    server.send("POST", "/v1/groups", new).with(201);
    for login in ["ann@host", "ben@host", "eve@host"] {
        add_user(&server, login);
        let member = format!("/v1/groups/dba/members/{}", login.replace('@', "%40"));
        server.send("PUT", &member, Value::Null).with(204);
    }

    let first = server
        .get("/v1/groups/dba/members?limit=2")
        .with(200)
        .json();
    let next = first["next"].as_str().unwrap();
    let rest = server.get(&format!("/v1/groups/dba/members?limit=2&after={next}"));

    assert_eq!(first["items"][1]["login"], "ben@host");
    let rest = rest.with(200).json();
    assert_eq!(rest["items"][0]["login"], "eve@host");
    assert_eq!(rest["next"], Value::Null);
}

#[test]
fn groups_of_both_kinds_are_renamed_with_all_that_is_theirs() {
    let server = Server::start();
    add_user(&server, "ann@host");
    add_resource(&server, "db1");
    for (base, below) in [
        ("/v1/groups", "members/ann%40host"),
        ("/v1/resource-groups", "resources/db1"),
    ] {
        for name in ["old", "taken"] {
            let new = json!({"name": name});
            server.send("POST", base, new).with(201);
        }
        let path = |name: &str| format!("{base}/{name}");
        let inside = format!("{}/{below}", path("old"));
        server.send("PUT", &inside, Value::Null).with(204);
        let edit = |name: &str| json!({"name": name, "description": "anew"});

        let taken = server.send("PATCH", &path("old"), edit("TAKEN")).with(409);
        let empty = server.send("PATCH", &path("old"), edit("")).with(422);
        let edited = server.send("PATCH", &path("old"), edit("new")).with(200);
        let case = server.send("PATCH", &path("new"), edit("New")).with(200);

        assert_eq!(
            (taken.problem(), empty.problem()),
            ("exists".into(), "invalid".into())
        );
        assert_eq!(edited.json()["description"], "anew");
        assert_eq!(case.json()["name"], "New");
        server.get(&path("old")).with(404);
        let inside = format!("{}/{below}", path("New"));
        server.send("DELETE", &inside, Value::Null).with(204);
    }
}
