//! The operator's commands as scripts use them: a true program, its exit status, its words.

mod access_control;
mod account_secrets;
mod answers;
mod apps;
mod demo;
mod files;
mod follow;
mod groups;
mod lists;
mod lost;
mod running;
mod terminal;
mod users;

use std::path::Path;
use std::process::Command;

use harness::{Ran, claviger_program, run, run_with_input};

/// Runs `claviger WORDS…` without a data directory of the harness.
#[track_caller]
fn claviger(words: &[&str]) -> Ran {
    run(Command::new(claviger_program())
        .args(words)
        .env_remove("CLAVIGER_DATA"))
}

/// Runs `claviger WORDS… --data DATA` with `input`.
#[track_caller]
fn on(data: &Path, words: &[&str], input: &str) -> Ran {
    let mut command = Command::new(claviger_program());
    command.args(words).arg("--data").arg(data);
    run_with_input(&mut command, input.as_bytes())
}

/// The one line that an error is, without its beginning.
#[track_caller]
fn error_of(ran: &Ran) -> String {
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{ran}");
    let line = lines[0].strip_prefix("claviger: ");
    line.unwrap_or_else(|| panic!("{ran}")).to_owned()
}
