//! Exit status, help, one-line errors, JSON.

use harness::{Server, SetUp};
use serde_json::Value;

use crate::{claviger, error_of, on};

#[test]
fn a_command_line_that_makes_no_sense_is_status_2() {
    for words in [
        &["nonsense"][..],
        &["user", "add"],
        &["user", "add", "a@b", "--role", "password-user"],
        &["user", "add", "a@b", "--api", "--role", "boss"],
        &["share", "db", "a@b", "--level", "own"],
        &["serve", "--xmlrpc", ""],
        &["serve", "--xmlrpc", "localhost"],
        &["export", "--out", "x", "--in-clear"],
        &["export", "--out", "x", "--yes-in-clear"],
        &[
            "resource",
            "add",
            "db",
            "--type",
            "x",
            "--account",
            "a",
            "--field",
            "x",
        ],
    ] {
        let ran = claviger(words).ended(2);
        assert_eq!(ran.stdout, "", "{ran}");
        assert!(!ran.stderr.is_empty(), "{ran}");
    }
}

#[test]
fn help_and_version_are_status_0_on_standard_output() {
    for words in [
        &["--help"][..],
        &["--version"],
        &["user", "add", "--help"],
        &["help", "cert", "issue"],
    ] {
        let ran = claviger(words).ok();
        assert_eq!(ran.stderr, "", "{ran}");
        assert!(!ran.stdout.is_empty(), "{ran}");
    }
    assert!(
        claviger(&["user", "add", "--help"])
            .stdout
            .contains("Example")
    );
}

/// Looks at `claviger WORDS… --help` and at those of its commands; how many do something.
fn helped(words: &[&str]) -> usize {
    let help = claviger(&[words, &["--help"]].concat()).ok().stdout;
    let Some((_, below)) = help.split_once("\nCommands:\n") else {
        assert!(help.contains("\nExample"), "{words:?} has no example");
        return 1;
    };
    let lines = below.lines().take_while(|line| line.starts_with("  "));
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !["", "help"].contains(name));
    names.map(|name| helped(&[words, &[name]].concat())).sum()
}

#[test]
fn every_command_has_help_with_an_example() {
    assert!(helped(&[]) > 60);
}

#[test]
fn without_a_server_each_command_says_how_to_start_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_owned();
    let missing = on(&data.join("none"), &["status"], "").ended(1);

    assert!(error_of(&missing).contains("claviger init"), "{missing}");
    for words in [
        &["status"][..],
        &["user", "list"],
        &["audit", "tail"],
        &["key", "rotate"],
        &["cert", "list", "--json"],
    ] {
        let ran = on(&data, words, "").ended(1);
        assert_eq!(
            error_of(&ran),
            format!(
                "no server is running on {0}: start it with `claviger serve --data {0}`",
                data.display()
            )
        );
    }
}

#[test]
fn what_the_server_refuses_is_one_line_and_status_1() {
    let server = Server::start(SetUp::default());
    server.resource("db", "root", "Tr0ub4dor-and-3");

    let twice = server.claviger_with_input(
        &["resource", "add", "db", "--type", "x", "--account", "a"],
        "",
    );
    let missing = server.claviger(&["user", "show", "nobody@host"]).ended(1);
    let empty = ["account", "add", "db", "app", "--password-stdin"];
    let empty = server.claviger_with_input(&empty, "\n").ended(1);
    let steering = ["org", "add", "x\u{1b}[2J"];
    let steering = server.claviger(&steering).ended(1);

    assert_eq!(
        error_of(&twice.ended(1)),
        "a resource with this name exists already"
    );
    assert_eq!(error_of(&missing), "there is no such user");
    assert_eq!(error_of(&empty), "standard input: the password is empty");
    assert!(!error_of(&steering).contains('\u{1b}'));
}

#[test]
fn every_list_is_json_on_demand_and_a_plain_table_in_a_pipe() {
    let server = Server::start(SetUp::default());
    let app = server.app("billing");
    server.resource("db", "root", "Tr0ub4dor-and-3");
    server.share("db", &app, "view");
    let user = "billing@127.0.0.1";
    server.claviger(&["user", "token", "issue", user]).ok();
    server.claviger(&["access-control", "set", "db"]).ok();
    let raise = ["request", "raise", "db/root", "--for", user];
    server.claviger(&raise).ok();

    let lists: [&[&str]; 12] = [
        &["user", "list"],
        &["cert", "list"],
        &["resource", "list"],
        &["account", "list", "db"],
        &["account", "history", "db", "root"],
        &["shares", "db"],
        &["policy", "list"],
        &["setting", "list"],
        &["org", "list"],
        &["user", "token", "list", user],
        &["access-control", "show", "db"],
        &["request", "list"],
    ];
    for words in lists {
        let json = server.claviger(&[words, &["--json"]].concat()).ok();
        let rows: Value = serde_json::from_str(&json.stdout).unwrap_or_else(|_| panic!("{json}"));
        let count = rows.as_array().unwrap().len();
        assert!(count > 0, "{json}");
        let table = server.claviger(words).ok();
        assert_eq!(table.stdout.lines().count(), count + 1, "{table}");
        assert!(!table.stdout.contains('\u{1b}'), "{table}");
        assert!(!table.stdout.contains("Tr0ub4dor"), "{table}");
    }
    for words in [
        &["user", "show", "billing@127.0.0.1", "--json"][..],
        &["resource", "show", "db", "--json"],
        &["account", "show", "db", "root", "--json"],
        &["policy", "show", "Strong", "--json"],
        &["status", "--json"],
        &["audit", "verify", "--json"],
    ] {
        let json = server.claviger(words).ok();
        let value: Value = serde_json::from_str(&json.stdout).unwrap_or_else(|_| panic!("{json}"));
        assert!(value.is_object(), "{json}");
    }
}

#[test]
fn what_an_operator_changes_is_changed() {
    let server = Server::start(SetUp::default());
    let _app = server.app("billing");
    server.resource("db", "root", "Tr0ub4dor-and-3");
    let json = |words: &[&str]| -> Value {
        let ran = server.claviger(&[words, &["--json"]].concat()).ok();
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let user = "billing@127.0.0.1";

    server.claviger(&["user", "lock", user]).ok();
    assert_eq!(json(&["user", "show", user])["locked"], true);
    server.claviger(&["user", "unlock", user]).ok();
    assert_eq!(json(&["user", "show", user])["locked"], false);
    let edit = [
        "resource",
        "edit",
        "db",
        "--owner",
        user,
        "--require-reason",
        "yes",
    ];
    server
        .claviger(&[&edit[..], &["--field", "rack=7"]].concat())
        .ok();
    let resource = json(&["resource", "show", "db"]);
    assert_eq!(resource["owner"], user);
    assert_eq!(resource["reason_demanded"], true);
    assert_eq!(resource["fields"][0]["value"], "7");
    let policy = [
        "policy",
        "add",
        "Vendor",
        "--min-length",
        "20",
        "--max-age-days",
        "90",
    ];
    server.claviger(&policy).ok();
    server
        .claviger(&["policy", "edit", "Vendor", "--max-age-days", "0"])
        .ok();
    assert_eq!(
        json(&["policy", "show", "Vendor"])["max_age_days"],
        Value::Null
    );
    server
        .claviger(&["account", "policy", "db", "root", "Vendor"])
        .ok();
    assert_eq!(json(&["account", "show", "db", "root"])["policy"], "Vendor");
    server
        .claviger(&["account", "policy", "db", "root", "default"])
        .ok();
    assert_eq!(
        json(&["account", "show", "db", "root"])["policy"],
        Value::Null
    );
    server
        .claviger(&["share", "db/root", user, "--level", "modify"])
        .ok();
    assert_eq!(json(&["shares", "db"])[0]["level"], "modify");
    server.claviger(&["unshare", "db/root", user]).ok();
    server
        .claviger(&["setting", "set", "reason-required", "true"])
        .ok();
    server
        .claviger(&["setting", "set", "reason-required", "maybe"])
        .ended(1);
    server.claviger(&["user", "remove", user]).ended(1);
    server.claviger(&["resource", "remove", "db"]).ok();
    server.claviger(&["user", "remove", user]).ok();
    assert_eq!(json(&["user", "list"]), Value::Array(Vec::new()));
}
