//! Access control and requests by the operator's commands.

use harness::{Server, SetUp};
use serde_json::{Value, json};

use crate::{claviger, error_of};

const ANN: &str = "ann@10.0.0.0/8";
const BOSS: &str = "boss@10.0.0.0/8";

/// The account `db1/root`, a user who may view it and one who may not.
fn furnished() -> Server {
    let server = Server::start(SetUp::default());
    server.resource("db1", "root", "Tr0ub4dor-and-3");
    for user in [ANN, BOSS] {
        let add = ["user", "add", user, "--api", "--role", "password-user"];
        server.claviger(&add).ok();
    }
    server
        .claviger(&["share", "db1", ANN, "--level", "view"])
        .ok();
    server
}

fn rows(server: &Server, words: &[&str]) -> Vec<Value> {
    let ran = server.claviger(&[words, &["--json"]].concat()).ok();
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"))
}

#[test]
fn access_control_is_set_shown_changed_and_switched_off() {
    let server = furnished();
    let set = ["access-control", "set", "db1", "--approver", BOSS];
    let more = ["--exclusive", "--max", "2h", "--reason", "--ticket"];
    let show = ["access-control", "show", "db1"];
    assert_eq!(rows(&server, &show), Vec::<Value>::new());

    let done = server.claviger(&[&set[..], &more].concat()).ok();

    assert_eq!(done.stdout, "db1: given out on request only\n");
    let mut expected = json!({
        "resource": "db1", "account": null, "approvers": [BOSS], "approver_groups": [], "approvals": 1,
        "exclusive": true, "max_minutes": 120, "reason": true, "ticket": true,
        "change_after_checkin": null,
    });
    assert_eq!(rows(&server, &show), [expected.clone()]);
    let table = server.claviger(&show).ok().stdout;
    assert!(
        table.starts_with("RESOURCE") && table.contains(BOSS),
        "{table}"
    );
    let own = [
        "access-control",
        "set",
        "db1/root",
        "--change-after-checkin",
        "local",
    ];
    server.claviger(&own).ok();
    assert_eq!(rows(&server, &show).len(), 2);
    let off = server.claviger(&["access-control", "off", "db1/root"]).ok();
    assert_eq!(off.stdout, "db1/root: access control switched off\n");
    server
        .claviger(&[&set[..], &["--max", "30m"]].concat())
        .ok();
    expected["max_minutes"] = json!(30);
    for flag in ["exclusive", "reason", "ticket"] {
        expected[flag] = json!(false);
    }
    assert_eq!(
        rows(&server, &["access-control", "show", "db1/root"]),
        [expected]
    );
    server.claviger(&["access-control", "off", "db1"]).ok();
    assert_eq!(rows(&server, &show), Vec::<Value>::new());
}

#[test]
fn access_control_that_makes_no_sense_is_refused_in_a_line() {
    let server = furnished();
    for (words, said) in [
        (
            &["set", "db1", "--approvals", "3"][..],
            "nobody, one or two must approve",
        ),
        (
            &["set", "db1", "--approver", BOSS, "--approvals", "2"],
            "two approvers",
        ),
        (&["set", "db1", "--max", "31d"], "30 days"),
        (
            &["set", "db1", "--approver", "x@host"],
            "there is no such user",
        ),
        (&["set", "nowhere"], "no such resource"),
        (
            &["set", "db1", "--change-after-checkin", "remote"],
            "no connector",
        ),
        (&["off", "db1"], "there is no such access control"),
    ] {
        let refused = server.claviger(&[&["access-control"], words].concat());
        let told = error_of(&refused.ended(1));
        assert!(told.contains(said), "{words:?}: {told}");
    }
    for words in [
        &["set"][..],
        &["set", "db1", "--max", "90s"],
        &["set", "db1", "--approvals", "x"],
        &["set", "db1", "--change-after-checkin", "elsewhere"],
    ] {
        claviger(&[&["access-control"], words].concat()).ended(2);
    }
}

#[test]
fn a_request_goes_its_way_by_commands_and_every_step_is_in_the_trail() {
    let server = furnished();
    let set = ["access-control", "set", "db1", "--exclusive", "--reason"];
    server.claviger(&set).ok();
    let on = |step: &str| {
        let words = match step {
            "raise" | "checkout" => vec!["request", step, "db1/root", "--for", ANN],
            _ => vec!["request", step, "db1/root", ANN],
        };
        server.claviger(&[&words[..], &["--reason", "disk full"]].concat())
    };
    let states = || -> Vec<Value> {
        let rows = rows(&server, &["request", "list"]);
        rows.iter().map(|row| row["state"].clone()).collect()
    };
    let unreasoned = ["request", "raise", "db1/root", "--for", ANN];
    let unreasoned = server.claviger(&unreasoned).ended(1);
    assert!(error_of(&unreasoned).contains("reason"), "{unreasoned}");

    for (step, said, state) in [
        ("raise", "requested", json!(["requested"])),
        ("approve", "approved", json!(["approved"])),
        ("checkout", "checked out", json!(["checked-out"])),
        ("checkin", "checked in", json!([])),
        ("raise", "requested", json!(["requested"])),
        ("reject", "rejected", json!([])),
    ] {
        let ran = on(step).ok();
        assert_eq!(ran.stdout, format!("db1/root {said} for {ANN}\n"));
        assert_eq!(json!(states()), state, "{step}");
    }
    for (step, said) in [
        ("approve", "there is no such request"),
        ("checkin", "there is no such check-out"),
    ] {
        assert_eq!(error_of(&on(step).ended(1)), said, "{step}");
    }
    let stranger = [
        "request", "raise", "db1/root", "--for", BOSS, "--reason", "x",
    ];
    let stranger = error_of(&server.claviger(&stranger).ended(1));
    assert!(
        stranger.contains("share it with the user first"),
        "{stranger}"
    );
    let tail = server
        .claviger(&["audit", "tail", "--resource", "db1"])
        .ok();
    for step in ["request", "approve", "check-out", "check-in", "reject"] {
        let found = tail.stdout.lines().any(|line| {
            line.contains(&format!("  {step}  db1/root  ")) && line.contains("disk full")
        });
        assert!(found, "{step}: {tail}");
    }
}

#[test]
fn a_request_is_for_an_account() {
    let whole = claviger(&["request", "approve", "db1", ANN]).ended(2);
    assert!(whole.stderr.contains("RESOURCE/ACCOUNT"), "{whole}");
}

#[test]
fn a_group_of_approvers_is_named_and_shown() {
    let server = furnished();
    server.claviger(&["group", "add", "chiefs"]).ok();
    let set = ["access-control", "set", "db1", "--approver-group"];
    let show = ["access-control", "show", "db1"];

    let missing = server.claviger(&[&set[..], &["nobody"]].concat()).ended(1);
    server.claviger(&[&set[..], &["chiefs"]].concat()).ok();
    let table = server.claviger(&show).ok().stdout;

    assert_eq!(error_of(&missing), "there is no such group");
    assert!(table.contains("group chiefs"), "{table}");
    assert_eq!(
        rows(&server, &show)[0]["approver_groups"],
        json!(["chiefs"])
    );
    server
        .claviger(&["group", "edit", "chiefs", "--name", "bosses"])
        .ok();
    assert_eq!(
        rows(&server, &show)[0]["approver_groups"],
        json!(["bosses"])
    );
}
