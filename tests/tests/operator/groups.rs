//! Groups of users, as an operator makes them.

use harness::{Server, SetUp};
use serde_json::Value;

use crate::{claviger, error_of};

const USER: &str = "billing@10.0.0.0/8";

#[test]
fn a_group_is_made_joined_shared_with_shown_and_removed() {
    let server = Server::start(SetUp::default());
    let add = ["user", "add", USER, "--api", "--role", "password-user"];
    server.claviger(&add).ok();
    let resource = ["resource", "add", "db1", "--type", "x", "--account", "app"];
    server.claviger(&resource).ok();

    let made = ["group", "add", "dba", "--description", "Operators"];
    assert_eq!(server.claviger(&made).ok().stdout, "group dba made\n");
    let member = ["group", "member", "add", "dba", USER];
    let joined = server.claviger(&member).ok();
    assert_eq!(joined.stdout, format!("{USER} is in group dba\n"));
    let share = ["share", "db1/app", "--group", "dba", "--level", "view"];
    let shared = server.claviger(&share).ok();
    assert_eq!(shared.stdout, "db1/app shared with group dba: view\n");
    let shares = server.claviger(&["shares", "db1"]).ok();
    assert!(shares.stdout.contains("group dba"), "{shares}");
    let shown = server.claviger(&["group", "show", "dba", "--json"]).ok();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["description"], "Operators");
    assert_eq!(shown["members"][0]["login"], USER);
    let listed = server.claviger(&["group", "list", "--user", USER]).ok();
    assert!(listed.stdout.contains("dba"), "{listed}");

    let edit = ["group", "edit", "dba", "--name", "dbas"];
    assert_eq!(server.claviger(&edit).ok().stdout, "group dbas edited\n");
    server.claviger(&["group", "edit", "dbas"]).ended(2);
    let back = [
        "group",
        "edit",
        "dbas",
        "--name",
        "dba",
        "--description",
        "x",
    ];
    server.claviger(&back).ok();
    let unshare = ["unshare", "db1/app", "--group", "dba"];
    server.claviger(&unshare).ok();
    let leave = ["group", "member", "remove", "dba", USER];
    server.claviger(&leave).ok();
    let again = server.claviger(&leave).ended(1);
    assert_eq!(error_of(&again), "there is no such member of this group");
    server.claviger(&["group", "remove", "dba"]).ok();
    let gone = server.claviger(&["group", "show", "dba"]).ended(1);
    assert_eq!(error_of(&gone), "there is no such group");
}

#[test]
fn a_share_is_with_a_user_or_a_group_and_never_with_both_or_none() {
    let share = ["share", "db1", "--level", "view"];
    for more in [&[][..], &["ann", "--group", "dba"]] {
        let words: Vec<&str> = share.iter().chain(more).copied().collect();
        claviger(&words).ended(2);
        let words: Vec<&str> = ["unshare", "db1"].iter().chain(more).copied().collect();
        claviger(&words).ended(2);
    }
}

#[test]
fn a_group_of_resources_is_made_filled_shared_shown_and_removed() {
    let server = Server::start(SetUp::default());
    let add = ["user", "add", USER, "--api", "--role", "password-user"];
    server.claviger(&add).ok();
    let resource = ["resource", "add", "db1", "--type", "x", "--account", "app"];
    server.claviger(&resource).ok();
    let set = |words: &[&str]| server.claviger(&[&["resource-group"], words].concat());

    let made = set(&["add", "set", "--description", "All of them"]).ok();
    assert_eq!(made.stdout, "resource group set made\n");
    let inside = set(&["associate", "set", "db1"]).ok();
    assert_eq!(inside.stdout, "db1 is in resource group set\n");
    let shared = set(&["share", "set", USER, "--level", "view"]).ok();
    let words = format!("resource group set shared with {USER}: view\n");
    assert_eq!(shared.stdout, words);
    let shown = set(&["show", "set", "--json"]).ok();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["resources"][0]["name"], "db1");
    assert_eq!(shown["shares"][0]["user"], USER);
    let shown = set(&["show", "set"]).ok();
    assert!(shown.stdout.contains("All of them"), "{shown}");

    let edited = set(&["edit", "set", "--description", "Some"]).ok();
    assert_eq!(edited.stdout, "resource group set edited\n");
    set(&["unshare", "set", USER]).ok();
    set(&["dissociate", "set", "db1"]).ok();
    let again = set(&["dissociate", "set", "db1"]).ended(1);
    assert_eq!(error_of(&again), "there is no such resource in this group");
    set(&["remove", "set"]).ok();
    let gone = set(&["show", "set"]).ended(1);
    assert_eq!(error_of(&gone), "there is no such resource group");
}
