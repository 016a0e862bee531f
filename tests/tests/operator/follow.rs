//! `claviger audit tail -f`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use harness::{Server, SetUp, claviger_program};

/// Killed with its owner.
struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn whoever_follows_the_trail_sees_what_happens_next_and_is_told_when_the_server_stops() {
    let mut server = Server::start(SetUp::default());
    server.resource("db", "root", "Tr0ub4dor-and-3");
    let words = ["audit", "tail", "-f", "-n", "1", "--resource", "db"];
    let mut command = Command::new(claviger_program());
    command.args(words).arg("--data").arg(server.data());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut following = Following(command.spawn().unwrap());
    let mut told = BufReader::new(following.0.stdout.take().unwrap()).lines();
    let mut next = || told.next().unwrap().unwrap();

    let first = next();
    server.resource("other", "root", "Tr0ub4dor-and-3");
    server.claviger(&["resource", "remove", "db"]).ok();
    let second = next();

    assert!(first.contains("  create-resource  db"), "{first}");
    assert!(second.contains("  remove-resource  db"), "{second}");
    assert!(server.terminate().success());
    assert_eq!(following.0.wait().unwrap().code(), Some(1));
}
