//! The server killed at every step of changing a password on its target: afterwards it gives out a
//! password that logs in, and says so.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use harness::{PATIENCE, Server, SetUp, claviger_program, run, xml};

/// A target that keeps one password in a file.
const KEEPER: &str = r#"#!/bin/sh
here=$(dirname "$0")
IFS= read -r first
if [ "$CLAVIGER_ACTION" = verify ]; then
    [ "$first" = "$(cat "$here/password")" ] && exit 0
    exit 1
fi
IFS= read -r second
[ "$first" = "$(cat "$here/password")" ] || exit 1
printf '%s' "$second" > "$here/password"
"#;

fn keeper(home: &Path) -> PathBuf {
    let program = home.join("keeper");
    fs::write(&program, KEEPER).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(home.join("password"), "0ld-s3cret").unwrap();
    program
}

/// A server that changes the password of `it/app` on a target, and the file that kills it.
fn server(home: &Path) -> (Server, PathBuf) {
    let program = keeper(home);
    let fault = home.join("fault");
    let set_up = SetUp::default()
        .environment("CLAVIGER_FAULT", &fault.display().to_string())
        .set("reset", "grace", "\"1s\"")
        .set("reset", "timeout", "\"1s\"")
        .set("reset", "retry", "\"1s\"")
        .set("reset", "sweep", "\"1s\"");
    let server = Server::start(set_up);
    server.resource("it", "app", "0ld-s3cret");
    // What stands behind `--` is the command's.
    let mut set = Command::new(claviger_program());
    set.arg("--data")
        .arg(server.data())
        .args(["resource", "target", "set", "it"])
        .args(["--connector", "command", "--"])
        .arg(program);
    run(&mut set).ok();
    (server, fault)
}

/// Waits until nothing is pending any more.
#[track_caller]
fn settled(server: &Server) {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = server.claviger(&["reset", "status", "--json"]).ok();
        if status.stdout.trim() == "[]" {
            return;
        }
        assert!(Instant::now() < end, "{status}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn wherever_it_is_killed_it_gives_out_a_password_that_logs_in() {
    for (step, changed) in [
        ("sealed", false),
        ("told", false),
        ("changed", true),
        ("found-out", true),
        ("in-force", true),
    ] {
        let home = tempfile::tempdir().unwrap();
        let (mut server, fault) = server(home.path());
        let before = fs::read_to_string(home.path().join("password")).unwrap();
        fs::write(&fault, step).unwrap();

        let killed = server.claviger(&["reset", "it/app"]);
        assert!(!killed.status.success(), "{step}: {killed}");
        fs::remove_file(&fault).unwrap();
        server.restart();
        settled(&server);

        server.claviger(&["resource", "target", "test", "it"]).ok();
        let after = fs::read_to_string(home.path().join("password")).unwrap();
        assert_eq!(before != after, changed, "{step}");
        // And it goes on.
        server.claviger(&["reset", "it/app"]).ok();
        server.claviger(&["resource", "target", "test", "it"]).ok();
    }
}

#[test]
fn a_reset_a_rotation_and_their_status_by_the_operators_commands() {
    let home = tempfile::tempdir().unwrap();
    let (server, _) = server(home.path());

    let input = "n3w s3cret\n";
    let reset = ["reset", "it/app", "--new-password-stdin"];
    let done = server.claviger_with_input(&reset, input).ok();
    assert_eq!(done.stdout, "it/app: changed on its target and here\n");
    let has = fs::read_to_string(home.path().join("password")).unwrap();
    assert_eq!(has, "n3w s3cret");

    let set = [
        "rotate",
        "set",
        "it",
        "--every",
        "30d",
        "--window",
        "02:00-04:00",
    ];
    server.claviger(&set).ok();
    let status = server.claviger(&["rotate", "status"]).ok();
    assert!(status.stdout.contains("02:00-04:00"), "{status}");
    let run = server.claviger(&["rotate", "run", "it"]).ok();
    assert!(run.stdout.contains("1 of 1 passwords changed"), "{run}");
    assert_ne!(
        fs::read_to_string(home.path().join("password")).unwrap(),
        has
    );
    server.claviger(&["rotate", "off", "it"]).ok();

    let shown = server.claviger(&["resource", "target", "show", "it"]).ok();
    assert!(shown.stdout.contains("keeper"), "{shown}");
    fs::write(home.path().join("password"), "somebody else's").unwrap();
    let run = server.claviger(&["rotate", "run", "it"]).ended(1);
    assert!(run.stdout.contains("it/app: "), "{run}");
    let remove = ["resource", "target", "remove", "it"];
    let unclear = server.claviger(&remove).ended(1);
    assert!(unclear.stderr.contains("not clear yet"), "{unclear}");
    let settle = ["reset", "settle", "it/app", "--old", "--anyway"];
    server.claviger(&settle).ok();
    server.claviger(&remove).ok();
    let none = server.claviger(&["reset", "it/app"]).ended(1);
    assert!(none.stderr.contains("no connector is set up"), "{none}");
}

#[test]
fn this_machine_is_no_target_unless_the_settings_allow_it() {
    let home = tempfile::tempdir().unwrap();
    let (server, _) = server(home.path());
    for host in ["127.0.0.1", "169.254.169.254"] {
        let set = [
            "resource",
            "target",
            "set",
            "it",
            "--connector",
            "ssh",
            "--host",
            host,
        ];
        server.claviger(&set).ok();

        let test = server
            .claviger(&["resource", "target", "test", "it"])
            .ended(1);

        assert!(test.stderr.contains("[reset] allow"), "{test}");
    }
}

#[test]
fn an_application_changes_a_password_on_its_target_through_xml_rpc() {
    let home = tempfile::tempdir().unwrap();
    let (server, _) = server(home.path());
    let app = server.app("app1");
    server.share("it", &app, "modify");
    let change = |password| {
        let words = ["it", "app", password, "why", "true"];
        server.call(&app, "pmp.password.change", &words).text()
    };

    change("n3w-s3cret");

    let has = || fs::read_to_string(home.path().join("password")).unwrap();
    assert_eq!(has(), "n3w-s3cret");
    let got = server.call(&app, "retrievePassword", &["it", "app"]).text();
    assert_eq!(xml::value(&got).as_deref(), Some("n3w-s3cret"));
    fs::write(home.path().join("password"), "somebody else's").unwrap();
    let refused = change("th1rd-s3cret");
    assert_eq!(xml::member(&refused, "resultCode").as_deref(), Some("8"));
    let message = xml::member(&refused, "message").unwrap();
    assert!(message.starts_with("Password reset failed: "), "{message}");
    let got = server.call(&app, "retrievePassword", &["it", "app"]).text();
    assert_eq!(xml::value(&got).as_deref(), Some("n3w-s3cret"));
    let account = server.claviger(&["account", "show", "it", "app"]).ok();
    assert!(account.stdout.contains("not clear since"), "{account}");
}

#[test]
fn what_no_login_tells_is_settled_by_the_operators_word() {
    let home = tempfile::tempdir().unwrap();
    let (server, _) = server(home.path());
    fs::write(home.path().join("password"), "somebody else's").unwrap();
    server.claviger(&["reset", "it/app"]).ended(1);
    let account = server.claviger(&["account", "show", "it", "app"]).ok();
    assert!(account.stdout.contains("not clear since"), "{account}");

    let settle = |more: &[&str]| {
        let mut words = vec!["reset", "settle", "it/app"];
        words.extend(more);
        server.claviger(&words)
    };

    settle(&["--anyway"]).ended(2);
    settle(&["--new", "--old"]).ended(2);
    let asked = settle(&[]).ended(1);
    assert!(asked.stderr.contains("still not clear"), "{asked}");
    let refused = settle(&["--stored"]).ended(1);
    assert!(refused.stderr.contains("--anyway"), "{refused}");
    let settled = settle(&["--stored", "--anyway"]).ok();

    let words = "it/app: the stored password stays in force; against the target: ";
    assert!(settled.stdout.starts_with(words), "{settled}");
    let kept = "it/app: what was given up is version 2 of its history\n";
    assert!(settled.stdout.ends_with(kept), "{settled}");
    settled_now(&server);
    let earlier = |version| {
        let get = [
            "account",
            "secret",
            "get",
            "it",
            "app",
            "--earlier",
            version,
        ];
        server.claviger(&get).ok().stdout
    };
    assert_eq!(earlier("1"), "0ld-s3cret\n");
    assert!(!["0ld-s3cret\n", "\n"].contains(&earlier("2").as_str()));
    fs::write(home.path().join("password"), "0ld-s3cret").unwrap();
    server.claviger(&["resource", "target", "test", "it"]).ok();
    server
        .claviger(&["reset", "settle", "it/app", "--new"])
        .ended(1);
}

#[track_caller]
fn settled_now(server: &Server) {
    let status = server.claviger(&["reset", "status", "--json"]).ok();
    assert_eq!(status.stdout.trim(), "[]", "{status}");
}

#[test]
fn a_restored_copy_changes_nothing_until_the_operator_resumes() {
    let home = tempfile::tempdir().unwrap();
    let (mut server, _) = server(home.path());
    let place = |name: &str| home.path().join(name).to_string_lossy().into_owned();
    let (file, key) = (place("backup"), place("key"));
    fs::copy(server.data().join("master.key"), &key).unwrap();
    server.claviger(&["backup", &file]).ok();
    assert!(server.terminate().success());

    let restore = ["restore", &file, "--replace", "--master-key", &key];
    let restored = server.claviger(&restore).ok();
    server.restart();

    assert!(restored.stderr.contains("reset resume"), "{restored}");
    let status = server.claviger(&["status"]);
    assert!(status.stdout.contains("reset resume"), "{status}");
    let stopped = server.claviger(&["reset", "it/app"]).ended(1);
    assert!(stopped.stderr.contains("this is a copy"), "{stopped}");
    let has = fs::read_to_string(home.path().join("password")).unwrap();
    assert_eq!(has, "0ld-s3cret");
    server.claviger(&["reset", "resume"]).ok();
    server.claviger(&["reset", "it/app"]).ok();
    server.claviger(&["reset", "resume"]).ended(1);
}
