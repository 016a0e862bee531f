//! Many passwords of one machine changed at once: each is changed, and none is lost.

use std::collections::BTreeMap;
use std::process::Command;

use harness::run_with_input;
use serde_json::Value;

use crate::Stand;
use crate::daemon::is_root;
use crate::machine::{User, key_of_root};

const FIRST: &str = "0ld-S3cret-of-it";
/// The benchmark's `rotate` does the same with a thousand.
const USERS: usize = 12;

impl Stand {
    /// What the vault keeps for `web1`: accounts and their passwords.
    fn kept(&self) -> BTreeMap<String, String> {
        let out = self.server.outside().join("everything.json");
        let word = out.to_string_lossy();
        let words = ["export", "--out", &word, "--in-clear", "--yes-in-clear"];
        self.server.claviger(&words).ok();
        let text = std::fs::read_to_string(&out).unwrap();
        std::fs::remove_file(&out).unwrap();
        let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut kept = BTreeMap::new();
        for row in rows.filter(|row: &Value| row["resource"] == "web1") {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            kept.insert(text("account"), text("password"));
        }
        kept
    }
}

/// The users whose hash on this machine is not of this password.
fn not_theirs(kept: &BTreeMap<String, String>) -> String {
    let script = r#"
        while (<STDIN>) {
            chomp;
            my ($name, $password) = split /:/, $_, 2;
            my $hash = (getpwnam $name)[1];
            print "$name\n" if crypt($password, $hash) ne $hash;
        }"#;
    let lines = kept
        .iter()
        .map(|(name, password)| format!("{name}:{password}\n"));
    let lines: String = lines.collect();
    let mut command = Command::new("perl");
    run_with_input(command.args(["-e", script]), lines.as_bytes())
        .ok()
        .stdout
}

#[test]
fn a_run_changes_every_password_of_a_machine_and_loses_none() {
    let name = "a_run_changes_every_password_of_a_machine_and_loses_none";
    let Some(stand) = Stand::new(name) else {
        return;
    };
    let users: Vec<_> = (0..USERS).map(|_| User::with(FIRST)).collect();
    for (at, user) in users.iter().enumerate() {
        match at {
            0 => stand.server.resource("web1", &user.0, FIRST),
            _ => {
                let words = ["account", "add", "web1", &user.0, "--password-stdin"];
                stand.server.claviger_with_input(&words, FIRST).ok();
            }
        }
    }
    stand.server.resource("boss", "nobody", FIRST);
    let key = key_of_root(&stand.sshd);
    let key = key.to_string_lossy();
    let words = ["account", "add", "boss", "root", "--ssh-key", &key];
    stand.server.claviger(&words).ok();
    stand.target("web1", &["--admin", "boss/root"]);
    let before = stand.kept();
    assert_eq!((before.len(), not_theirs(&before)), (USERS, String::new()));

    let run = stand.server.claviger(&["rotate", "run", "web1"]).ok();

    let words = format!("{USERS} of {USERS} passwords changed\n");
    assert_eq!(run.stdout, words);
    let after = stand.kept();
    assert_eq!((after.len(), not_theirs(&after)), (USERS, String::new()));
    assert!(after.values().all(|password| password != FIRST));
    let status = stand.server.claviger(&["reset", "status", "--json"]).ok();
    assert_eq!(status.stdout.trim(), "[]");
}

#[test]
fn a_password_that_is_not_the_machines_is_seen() {
    if !is_root("a_password_that_is_not_the_machines_is_seen") {
        return;
    }
    let user = User::with(FIRST);

    let wrong = [(user.0.clone(), "another".to_owned())].into();

    assert_eq!(not_theirs(&wrong), format!("{}\n", user.0));
}
