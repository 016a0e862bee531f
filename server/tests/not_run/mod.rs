//! Tells what cannot be run on this machine: `./test` lists it at its end.

use std::fs::OpenOptions;
use std::io::Write;

/// `name`, or a part of it, was not run.
pub(crate) fn not_run(name: &str, why: &str) {
    let Some(list) = std::env::var_os("CLAVIGER_NOT_RUN") else {
        return;
    };
    let line = format!("{name}: {why}\n");
    let opened = OpenOptions::new().append(true).create(true).open(list);
    // A list that cannot be written must not fail a test that has nothing to do with it.
    drop(opened.and_then(|mut file| file.write_all(line.as_bytes())));
}
