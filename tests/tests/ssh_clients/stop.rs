//! SIGTERM while a command changes a password on its target.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::{PATIENCE, SetUp, claviger_program, run};
use tempfile::TempDir;

use crate::{PASSWORD, Stand};

/// A target that keeps one password in a file, and changes it when there is a file `go`.
const KEEPER: &str = r#"#!/bin/sh
here=$(dirname "$0")
IFS= read -r first
if [ "$CLAVIGER_ACTION" = verify ]; then
    [ "$first" = "$(cat "$here/password")" ] && exit 0
    exit 1
fi
IFS= read -r second
[ "$first" = "$(cat "$here/password")" ] || exit 1
: > "$here/begun"
until [ -e "$here/go" ]; do sleep 0.02; done
printf '%s' "$second" > "$here/password"
"#;

const NEW: &str = "Second-Pass2!word";

struct Scene {
    stand: Stand,
    home: TempDir,
    asked: Child,
}

impl Scene {
    /// Somebody has asked for a change, and the target has not done it yet.
    fn under_way(set_up: SetUp) -> Self {
        let stand = Stand::with(set_up, "password-user");
        stand.server.resource("test-server", "root", PASSWORD);
        stand.share("test-server", "modify");
        let home = tempfile::tempdir().unwrap();
        let keeper = keeper(home.path());
        let mut set = Command::new(claviger_program());
        set.arg("--data").arg(stand.server.data());
        set.args(["resource", "target", "set", "test-server"]);
        run(set.args(["--connector", "command", "--"]).arg(keeper)).ok();
        let place = ["--resource=test-server", "--account=root"];
        let new = format!("--newpassword={NEW}");
        let words = [&["RESET_REMOTE"], &place[..], &[&new]].concat();
        let mut command = stand.command(&stand.key, "test", &words);
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let asked = command.stderr(Stdio::piped()).spawn().unwrap();
        await_that(|| home.path().join("begun").exists());
        Self { stand, home, asked }
    }

    fn on_target(&self) -> String {
        fs::read_to_string(self.home.path().join("password")).unwrap()
    }

    fn go(&self) {
        fs::write(self.home.path().join("go"), "").unwrap();
    }

    /// Nothing is unclear in the end, and what is given out is what the target has.
    fn is_whole(&mut self) {
        self.stand.server.restart();
        let server = &self.stand.server;
        await_that(|| {
            let status = server.claviger(&["reset", "status", "--json"]).ok();
            status.stdout.trim() == "[]"
        });
        let words = ["RETRIEVE", "--resource=test-server", "--account=root"];
        let given = self.stand.ssh(&words).ok().stdout;
        assert_eq!(given, format!("{}\n", self.on_target()));
    }
}

fn keeper(home: &Path) -> PathBuf {
    let program = home.join("keeper");
    fs::write(&program, KEEPER).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(home.join("password"), PASSWORD).unwrap();
    program
}

#[track_caller]
fn await_that(holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_change_that_is_under_way_is_finished_and_answered_before_the_server_ends() {
    let mut scene = Scene::under_way(SetUp::default());
    let (door, go) = (scene.stand.server.door("ssh"), scene.home.path().join("go"));
    // It changes once nobody is let in any more.
    let going = std::thread::spawn(move || {
        await_that(|| TcpStream::connect_timeout(&door, PATIENCE).is_err());
        fs::write(go, "").unwrap();
    });

    assert!(scene.stand.server.terminate().success());

    going.join().unwrap();
    let Scene { asked, .. } = &mut scene;
    let mut said = String::new();
    std::io::Read::read_to_string(asked.stdout.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(said, "Password changed successfully\n");
    assert!(asked.wait().unwrap().success());
    assert_eq!(scene.on_target(), NEW);
    scene.is_whole();
}

#[test]
fn a_change_that_outlasts_the_server_is_not_half_done() {
    let set_up = SetUp::default()
        .set("limits", "drain_timeout", "\"1s\"")
        .set("reset", "grace", "\"1s\"")
        .set("reset", "retry", "\"1s\"")
        .set("reset", "sweep", "\"1s\"");
    let mut scene = Scene::under_way(set_up);

    scene.stand.server.terminate();

    assert!(!scene.asked.wait().unwrap().success());
    // What was told is gone with the server, or late: it is found out either way.
    scene.go();
    scene.is_whole();
}
