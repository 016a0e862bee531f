//! Commands before which somebody sits.

use std::process::Command;

use harness::{Server, SetUp, claviger_program};

/// What `account add db NAME --password-stdin` does when `keys` are typed.
fn typed(server: &Server, name: &str, keys: &str) -> (i64, bool, String) {
    let mut command = Command::new(claviger_program());
    command.args(["account", "add", "db", name, "--password-stdin", "--data"]);
    harness::typed(command.arg(server.data()), keys)
}

#[test]
fn ctrl_c_at_a_hidden_prompt_ends_the_command_and_gives_the_echo_back() {
    let server = Server::start(SetUp::default());
    server.resource("db", "root", "Tr0ub4dor-and-3");

    for keys in ["\u{3}", "half a pass\u{3}", "\u{1c}"] {
        let (status, echo, seen) = typed(&server, "app", keys);

        assert_eq!((status, echo), (1, true), "{seen}");
        assert!(seen.contains("interrupted"), "{seen}");
        assert!(!seen.contains("half"), "{seen}");
    }
    let listed = server.claviger(&["account", "list", "db", "--json"]).ok();
    assert!(!listed.stdout.contains("\"app\""), "{listed}");
}

#[test]
fn a_password_that_is_typed_is_taken_and_not_shown() {
    let server = Server::start(SetUp::default());
    server.resource("db", "root", "Tr0ub4dor-and-3");
    let app = server.app("reader");
    server.share("db", &app, "view");

    let (status, echo, seen) = typed(&server, "app", "Typed-by-Hand-7\n");

    assert_eq!((status, echo), (0, true), "{seen}");
    assert!(!seen.contains("Typed"), "{seen}");
    let got = server.call(&app, "retrievePassword", &["db", "app"]);
    let got = harness::xml::value(&got.text());
    assert_eq!(got.as_deref(), Some("Typed-by-Hand-7"));
}
