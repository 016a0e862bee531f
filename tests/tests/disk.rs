//! The data directory's disk under a running server: full, read-only, or with a file gone. What
//! cannot be recorded is refused in clear words, health is red, nothing acknowledged is lost, and
//! all is well when the disk is.

use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use harness::{
    Answer, Identity, PATIENCE, Server, SetUp, Wire, get, mount, not_run, on_a_small_disk, run, xml,
};

const PASSWORD: &str = "First-Pass1!";

/// A server in `data` with small files of the trail, and an administrator's certificate.
fn watched(data: &Path) -> (Server, Identity) {
    // Before `init`, which fills the first files ahead of their use.
    DirBuilder::new().mode(0o700).create(data).unwrap();
    fs::write(data.join("claviger.toml"), "[audit]\nsegment = \"64KiB\"\n").unwrap();
    let set_up = SetUp::default()
        .data(data)
        .argument("--health")
        .argument("127.0.0.1:0");
    let server = Server::start(set_up);
    let app = server.issue("app");
    server.register(&app, "password-administrator");
    let made = server.call(
        &app,
        "createResource",
        &["db", "Linux", "root", PASSWORD, ""],
    );
    assert!(!xml::is_fault(&made.text()), "{}", made.text());
    (server, app)
}

fn ask(wire: &mut Wire, method: &str, words: &[&str]) -> Answer {
    wire.post(&xml::call(method, words), &[])
        .expect("an answer")
}

fn retrieve(wire: &mut Wire) -> Answer {
    ask(wire, "retrievePassword", &["db", "root"])
}

fn is_served(answer: &Answer) -> bool {
    xml::value(&answer.text()).as_deref() == Some(PASSWORD)
}

/// Refused because the server cannot do it now, in words, and without the password.
#[track_caller]
fn assert_not_now(answer: &Answer) {
    let text = answer.text();
    assert_eq!(
        xml::member(&text, "faultCode").as_deref(),
        Some("10"),
        "{text}"
    );
    let words = xml::member(&text, "faultString").unwrap();
    assert!(
        words.starts_with("The server cannot do this now ("),
        "{words}"
    );
    assert!(!text.contains(PASSWORD));
}

/// Retrieves until the trail's room is used up.
#[track_caller]
fn until_refused(wire: &mut Wire) {
    for _ in 0..20_000 {
        let answer = retrieve(wire);
        if !is_served(&answer) {
            return assert_not_now(&answer);
        }
    }
    panic!("the trail never ends");
}

/// Waits until retrievals work and health is green, and the trail verifies.
#[track_caller]
fn assert_recovers(server: &Server, wire: &mut Wire) {
    let end = Instant::now() + PATIENCE;
    while !is_served(&retrieve(wire)) || get(server.door("health"), "/health").0 != 200 {
        let health = get(server.door("health"), "/health").1;
        assert!(
            Instant::now() < end,
            "still refused: {health}\n{}",
            server.log()
        );
    }
    assert!(
        get(server.door("health"), "/health")
            .1
            .contains("\"status\":\"ok\"")
    );
    server.claviger(&["audit", "verify"]).ok();
}

#[track_caller]
fn assert_red(server: &Server, word: &str) {
    let (status, report) = get(server.door("health"), "/health");
    assert_eq!(status, 503, "{report}");
    assert!(
        report.contains("\"status\":\"failing\"") && report.contains(word),
        "{report}"
    );
    assert_eq!(get(server.door("health"), "/metrics").0, 200);
    let status = server.claviger(&["status"]).ended(1);
    assert!(status.stderr.contains(word), "{status}");
}

/// Writes until nothing more fits.
fn fill(disk: &Path) -> PathBuf {
    let filler = disk.join("filler");
    let mut file = File::create(&filler).unwrap();
    for size in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    filler
}

#[test]
fn a_full_disk_refuses_clearly_keeps_what_was_acknowledged_and_recovers() {
    on_a_small_disk(
        "a_full_disk_refuses_clearly_keeps_what_was_acknowledged_and_recovers",
        "32m",
        |disk| {
            let (mut server, app) = watched(&disk.join("data"));
            let mut wire = server.connect(Some(&app)).unwrap();
            let filler = fill(disk);
            let mut made = Vec::new();
            for number in 0..20_000 {
                let name = format!("r{number}");
                let answer = ask(
                    &mut wire,
                    "createResource",
                    &[&name, "Linux", "root", PASSWORD, ""],
                );
                if xml::is_fault(&answer.text()) {
                    assert_not_now(&answer);
                    break;
                }
                made.push(name);
            }

            until_refused(&mut wire);
            assert_red(&server, "full");
            assert_not_now(&retrieve(&mut wire));
            let change = ["db", "root", "Second-Pass2!", "why", "false"];
            assert_not_now(&ask(&mut wire, "changePassword", &change));
            fs::remove_file(filler).unwrap();
            assert_recovers(&server, &mut wire);
            server.kill9();
            server.restart();

            let mut wire = server.connect(Some(&app)).unwrap();
            assert!(is_served(&retrieve(&mut wire)), "nothing was changed");
            for name in made {
                let answer = ask(&mut wire, "retrievePassword", &[&name, "root"]);
                assert!(is_served(&answer), "{name}: {}", answer.text());
            }
            server.claviger(&["audit", "verify"]).ok();
        },
    );
}

#[test]
fn a_read_only_disk_is_refused_at_the_start_and_harms_nothing() {
    on_a_small_disk(
        "a_read_only_disk_is_refused_at_the_start_and_harms_nothing",
        "32m",
        |disk| {
            let (mut server, app) = watched(&disk.join("data"));
            assert!(server.terminate().success());

            mount(&["-o", "remount,ro"], disk);
            let said = server.claviger(&["serve", "--xmlrpc", "off"]).ended(1);
            assert_eq!(said.stderr.lines().count(), 1, "{said}");
            assert!(said.stderr.to_lowercase().contains("read-only"), "{said}");
            mount(&["-o", "remount,rw"], disk);
            server.restart();

            assert_recovers(&server, &mut server.connect(Some(&app)).unwrap());
        },
    );
}

/// `chattr FLAG` on the trail's directory and its files.
fn mark(flag: &str, trail: &Path) -> bool {
    let mut command = Command::new("chattr");
    command.arg("-R").arg(flag).arg(trail);
    run(&mut command).code() == 0
}

#[test]
fn a_trail_that_turns_read_only_refuses_clearly_and_recovers() {
    let place = tempfile::tempdir().unwrap();
    let (server, app) = watched(&place.path().join("data"));
    let trail = server.data().join("audit");
    if !mark("+i", &trail) {
        let why = "chattr +i needs root and a file system that knows it";
        return not_run(
            "a_trail_that_turns_read_only_refuses_clearly_and_recovers",
            why,
        );
    }
    let mut wire = server.connect(Some(&app)).unwrap();

    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        until_refused(&mut wire);
        assert_red(&server, "read-only");
    }));
    assert!(mark("-i", &trail));

    if let Err(why) = refused {
        std::panic::resume_unwind(why);
    }
    assert_recovers(&server, &mut wire);
}

#[test]
fn a_trail_whose_file_is_deleted_refuses_while_all_else_answers_until_the_operator_restarts() {
    let place = tempfile::tempdir().unwrap();
    let (mut server, app) = watched(&place.path().join("data"));
    let mut wire = server.connect(Some(&app)).unwrap();
    assert!(is_served(&retrieve(&mut wire)));
    let trail = server.data().join("audit");
    let files: Vec<_> = fs::read_dir(&trail)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    let names = |path: &PathBuf| path.extension().is_some_and(|end| end == "log");
    let segments: Vec<_> = files.iter().filter(|path| names(path)).collect();
    assert!(!segments.is_empty(), "{files:?}");

    for segment in segments {
        fs::remove_file(segment).unwrap();
    }

    assert_not_now(&retrieve(&mut wire));
    assert_red(&server, "audit trail");
    let mut other = server.connect(Some(&app)).unwrap();
    assert!(!xml::is_fault(
        &ask(&mut other, "system.listMethods", &[]).text()
    ));
    server.kill9();
    server.restart();
    assert!(is_served(&retrieve(
        &mut server.connect(Some(&app)).unwrap()
    )));
    let (status, report) = get(server.door("health"), "/health");
    assert_eq!(status, 200, "{report}");
    assert!(report.contains("was cut or put back"), "{report}");
    server.claviger(&["audit", "verify"]).ended(1);
}
