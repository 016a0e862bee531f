//! Lists from anywhere, and of what is searched for.

use harness::{Server, SetUp};

use crate::claviger;

#[test]
fn resources_and_accounts_are_listed_from_anywhere_and_searched() {
    let server = Server::start(SetUp::default());
    for (name, location) in [("db1", "Wien"), ("db2", "Graz"), ("web", "Wien")] {
        let add = ["resource", "add", name, "--type", "x", "--account", "root"];
        let more = ["--location", location];
        server.claviger(&[&add[..], &more].concat()).ok();
    }
    server.claviger(&["account", "add", "db1", "backup"]).ok();
    let first_words = |words: &[&str]| -> Vec<String> {
        let listed = server.claviger(words).ok().stdout;
        let rows = listed.lines().skip(1);
        let first = rows.filter_map(|row| row.split_whitespace().next());
        first.map(str::to_owned).collect()
    };
    let resources = |more: &[&str]| first_words(&[&["resource", "list"], more].concat());

    assert_eq!(resources(&[]), ["db1", "db2", "web"]);
    assert_eq!(resources(&["--start", "1"]), ["db2", "web"]);
    assert_eq!(resources(&["--start", "1", "--limit", "1"]), ["db2"]);
    assert_eq!(resources(&["--limit", "2"]), ["db1", "db2"]);
    assert_eq!(resources(&["--search", "WIEN"]), ["db1", "web"]);
    let in_names = ["--search", "wien", "--column", "name"];
    assert!(resources(&in_names).is_empty());
    let in_accounts = ["--search", "back", "--column", "account"];
    assert_eq!(resources(&in_accounts), ["db1"]);
    let accounts = ["account", "list", "db1", "--search", "ROO"];
    assert_eq!(first_words(&accounts), ["root"]);
    claviger(&["resource", "list", "--column", "name"]).ended(2);
}
