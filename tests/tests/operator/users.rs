//! Users and their tokens.

use harness::{Server, SetUp};
use serde_json::Value;

use crate::{claviger, error_of};

const USER: &str = "billing@10.0.0.0/8";

fn with_user() -> Server {
    let server = Server::start(SetUp::default());
    let add = ["user", "add", USER, "--api", "--role", "password-user"];
    server.claviger(&add).ok();
    server
}

#[test]
fn a_token_is_printed_alone_listed_without_itself_and_revoked() {
    let server = with_user();
    let issue = ["user", "token", "issue", USER, "--expires", "never"];

    let issued = server.claviger(&issue).ok();
    let token = issued.stdout.trim_end_matches('\n').to_owned();
    let groups: Vec<usize> = token.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{issued}");
    let fits = |c: char| c == '-' || c.is_ascii_digit() || ('A'..='F').contains(&c);
    assert!(token.chars().all(fits), "{issued}");

    let list = ["user", "token", "list", USER, "--json"];
    let listed = server.claviger(&list).ok();
    assert!(!listed.stdout.contains(&token));
    let rows: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(rows[0]["state"], "live");
    assert_eq!(rows[0]["expires"], Value::Null);
    let id = rows[0]["id"].as_str().unwrap().to_owned();

    let revoke = ["user", "token", "revoke", USER, &id];
    server.claviger(&revoke).ok();
    let again = server.claviger(&revoke).ended(1);
    assert_eq!(error_of(&again), "there is no such token of this user");
    let listed = server.claviger(&["user", "token", "list", USER]).ok();
    assert!(listed.stdout.contains("revoked"), "{listed}");
    assert!(!server.log().contains(&token));
}

#[test]
fn a_day_that_is_none_and_a_user_that_is_not_there_get_no_token() {
    let server = with_user();
    for day in ["", "tomorrow", "2027-02-29", "Never"] {
        let issue = ["user", "token", "issue", USER, "--expires", day];
        let refused = server.claviger(&issue).ended(1);
        assert!(
            error_of(&refused).contains("an expiry is a day"),
            "{refused}"
        );
        assert_eq!(refused.stdout, "");
    }
    let past = ["user", "token", "issue", USER, "--expires", "2001-01-01"];
    let past = server.claviger(&past).ended(1);
    assert!(error_of(&past).contains("run out already"), "{past}");
    let nobody = server.claviger(&["user", "token", "issue", "x@host"]);
    assert_eq!(error_of(&nobody.ended(1)), "there is no such user");
}

#[test]
fn regenerating_leaves_one_live_token_and_every_token_command_has_an_example() {
    let server = with_user();
    server.claviger(&["user", "token", "issue", USER]).ok();
    let again = ["user", "token", "regenerate", USER, "--json"];

    let made = server.claviger(&again).ok();

    let made: Value = serde_json::from_str(&made.stdout).unwrap();
    assert_eq!(made["token"]["state"], "live");
    assert_eq!(made["secret"].as_str().unwrap().len(), 36);
    let listed = server.claviger(&["user", "token", "list", USER]).ok();
    assert_eq!(listed.stdout.matches("live").count(), 1, "{listed}");
    assert_eq!(listed.stdout.matches("revoked").count(), 1, "{listed}");
    for command in ["issue", "regenerate", "list", "revoke"] {
        let help = claviger(&["user", "token", command, "--help"]).ok();
        assert!(help.stdout.contains("Example"), "{help}");
    }
}

#[test]
fn a_person_is_made_from_standard_input_shown_and_given_another_password() {
    let server = Server::start(SetUp::default());
    let secret = "Tr0ub4dor-and-3-more";
    let mut add = vec!["user", "add", "alice", "--person", "--password-stdin"];
    add.extend(["--role", "password-auditor", "--first-name", "Alice"]);

    let made = server.claviger_with_input(&add, secret).ok();
    assert_eq!(made.stdout, "user alice made\n");
    let shown = server.claviger(&["user", "show", "alice", "--json"]).ok();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["api"], false);
    assert_eq!(shown["role"], "password-auditor");
    assert_eq!(shown["first_name"], "Alice");
    let twice = server.claviger_with_input(&add, secret).ended(1);
    assert_eq!(error_of(&twice), "a user with this name exists already");

    let change = ["user", "password", "alice", "--password-stdin"];
    server
        .claviger_with_input(&change, "another one entirely")
        .ok();
    let short = server.claviger_with_input(&change, "short").ended(1);
    assert!(error_of(&short).contains("8 characters"), "{short}");
    let change = ["user", "password", "x@host", "--password-stdin"];
    let nobody = server.claviger_with_input(&change, secret).ended(1);
    assert_eq!(error_of(&nobody), "there is no such user");
    server.claviger(&["user", "token", "issue", "alice"]).ok();
    assert!(!server.log().contains(secret));
}

#[test]
fn what_is_for_programs_is_not_for_persons_and_the_reverse() {
    let person = ["user", "add", "a", "--role", "password-user", "--person"];
    let program = ["user", "add", "a@b", "--role", "password-user", "--api"];
    for (words, more) in [
        (person, &[][..]),
        (person, &["--password-stdin", "--any-host"]),
        (person, &["--password-stdin", "--cert", "x"]),
        (person, &["--password-stdin", "--api"]),
        (program, &["--password-stdin"]),
        (program, &["--email", "x"]),
    ] {
        let words: Vec<&str> = words.iter().chain(more).copied().collect();
        claviger(&words).ended(2);
    }
}

#[test]
fn a_second_factor_is_enrolled_confirmed_from_standard_input_and_taken_away() {
    let server = Server::start(SetUp::default());
    let mut add = vec!["user", "add", "alice", "--person", "--password-stdin"];
    add.extend(["--role", "password-user", "--two-factor"]);
    server
        .claviger_with_input(&add, "correct horse battery")
        .ok();
    let totp = |word| ["user", "totp", word, "alice"];

    let offer = server.claviger(&totp("enrol")).ok();
    let lines: Vec<&str> = offer.stdout.lines().collect();
    let [uri, secret] = lines[..] else {
        panic!("{offer}")
    };
    assert!(uri.starts_with("otpauth://totp/Claviger:alice?secret="));
    assert!(uri.contains(secret) && secret.len() == 32, "{offer}");
    let status = server.claviger(&totp("status")).ok();
    assert!(status.stdout.contains("offered"), "{status}");
    let wrong = server
        .claviger_with_input(&totp("confirm"), "12 34")
        .ended(1);
    assert_eq!(error_of(&wrong), "a code has six digits");
    let free = ["user", "totp", "demand", "alice", "no"];
    let free = server.claviger(&free).ok();
    assert_eq!(free.stdout, "user alice need not have a second factor\n");
    server.claviger(&totp("off")).ok();
    let again = server.claviger(&totp("off")).ended(1);
    assert_eq!(
        error_of(&again),
        "there is no such second factor of this user"
    );
    assert!(!server.log().contains(secret));
}
