//! Groups of resources.

use claviger::admin::wire::{GroupShare, GroupedResource, NewGroupShare, Page, ResourceGroup};
use serde_json::{Value, json};

use crate::server::Server;
use crate::shapes::{fits, reads, text, time};
use crate::stories::{add_resource, add_user};

#[test]
fn groups_of_resources_are_written_and_read_as_documented() {
    let group = ResourceGroup {
        id: text(),
        name: text(),
        description: text(),
        created: time(),
    };
    let inside = GroupedResource {
        id: text(),
        name: text(),
    };
    let share = GroupShare {
        user: Some(text()),
        group: None,
        level: text(),
    };
    let new = NewGroupShare {
        user: Some(text()),
        group: Some(text()),
        level: text(),
    };

    fits("ResourceGroup", &group);
    fits("GroupedResource", &inside);
    fits("GroupShare", &share);
    reads("NewGroupShare", &new);
    fits(
        "ResourceGroupPage",
        &Page {
            items: vec![group],
            next: None,
        },
    );
    fits(
        "GroupedResourcePage",
        &Page {
            items: vec![inside],
            next: None,
        },
    );
    fits(
        "GroupSharePage",
        &Page {
            items: vec![share],
            next: None,
        },
    );
}

#[test]
fn a_group_of_resources_is_filled_shared_emptied_and_removed() {
    let server = Server::start();
    add_resource(&server, "a/b");
    add_user(&server, "ann@host");
    let path = "/v1/resource-groups/set";
    let inside = format!("{path}/resources/a%2Fb");
    let new = json!({"name": "set"});
    server
        .send("POST", "/v1/resource-groups", new.clone())
        .with(201);
    let twice = server.send("POST", "/v1/resource-groups", new).with(409);
    assert_eq!(twice.problem(), "exists");

    server.send("PUT", &inside, Value::Null).with(204);
    let twice = server.send("PUT", &inside, Value::Null).with(409);
    assert_eq!(twice.problem(), "exists");
    let items = |path: &str| server.get(path).with(200).json()["items"].clone();
    assert_eq!(items(&format!("{path}/resources"))[0]["name"], "a/b");
    assert_eq!(items("/v1/resource-groups")[0]["name"], "set");
    let shares = format!("{path}/shares");
    let share = json!({"user": "ann@host", "level": "modify"});
    server.send("PUT", &shares, share).with(204);
    let shown = json!([{"user": "ann@host", "group": null, "level": "modify"}]);
    assert_eq!(items(&shares), shown);
    let wrong = json!({"user": "ann@host", "level": "own"});
    let refused = server.send("PUT", &shares, wrong).with(422);
    assert_eq!(refused.problem(), "invalid");

    let one = format!("{shares}?user=ann%40host");
    server.delete(&one).with(204);
    assert_eq!(server.delete(&one).with(404).problem(), "not-found");
    server.delete(&inside).with(204);
    assert_eq!(server.delete(&inside).with(404).problem(), "not-found");
    server.delete(path).with(204);
    assert_eq!(server.get(path).with(404).problem(), "not-found");
}
