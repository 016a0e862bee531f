//! Going on with the audit trail after records of it were lost.

use std::fs;
use std::path::{Path, PathBuf};

use harness::{Identity, Server, SetUp, get, xml};

use crate::error_of;

const RESUME: &str = "claviger audit resume --reason TEXT";

/// A server whose user may read one password.
fn set_up() -> (Server, Identity) {
    let server = Server::start(
        SetUp::default()
            .argument("--health")
            .argument("127.0.0.1:0"),
    );
    server.resource("db", "root", "Tr0ub4dor-and-3");
    let app = server.app("app");
    server.share("db/root", &app, "view");
    (server, app)
}

fn is_served(server: &Server, app: &Identity) -> bool {
    let answer = server.call(app, "retrievePassword", &["db", "root"]);
    !xml::is_fault(&answer.text())
}

fn segments(server: &Server) -> Vec<PathBuf> {
    let files = fs::read_dir(server.data().join("audit")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "log"));
    files.sort();
    files
}

/// The first and the last number in `records 3 to 7 are lost; the trail goes on with record 8`.
#[track_caller]
fn lost(said: &str) -> (u64, u64) {
    let words: Vec<_> = said.trim_end().split(' ').collect();
    let number = |at: usize| words[at].parse::<u64>().unwrap();
    assert_eq!(words[..1], ["records"], "{said}");
    assert_eq!(
        words[4..12].join(" "),
        "are lost; the trail goes on with record",
        "{said}"
    );
    assert_eq!(number(12), number(3) + 1, "{said}");
    (number(1), number(3))
}

/// Flips a bit inside the second record of the segment.
fn flip_in_second_record(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let len = u32::from_le_bytes(*bytes[4096..].first_chunk().unwrap());
    let second = 4096 + 16 + usize::try_from(len).unwrap() + 32;
    bytes[second + 40] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_trail_that_is_deleted_under_the_server_goes_on_at_the_operators_word() {
    let (mut server, app) = set_up();
    assert!(is_served(&server, &app));
    for segment in segments(&server) {
        fs::remove_file(segment).unwrap();
    }
    assert!(!is_served(&server, &app));
    let status = server.claviger(&["status"]).ended(1);
    assert!(error_of(&status).contains(RESUME), "{status}");
    let (code, report) = get(server.door("health"), "/health");
    assert_eq!(code, 503, "{report}");
    assert!(report.contains(RESUME), "{report}");
    server.claviger(&["audit", "resume"]).ended(2);
    server
        .claviger(&["audit", "resume", "--reason", " "])
        .ended(2);
    assert!(!is_served(&server, &app));

    let reason = "somebody emptied the folder";
    let resumed = server
        .claviger(&["audit", "resume", "--reason", reason])
        .ok();

    let (first, last) = lost(&resumed.stdout);
    assert!(first == 1 && last > 5, "{resumed}");
    assert!(is_served(&server, &app));
    let status = server.claviger(&["status"]).ok();
    assert!(status.stdout.contains("ok"), "{status}");
    let (code, report) = get(server.door("health"), "/health");
    assert_eq!(code, 200, "{report}");
    assert!(report.contains(r#""status":"ok""#), "{report}");
    let tail = server
        .claviger(&["audit", "tail", "-n", "100", "--json"])
        .ok();
    let record = tail.stdout.lines().next().unwrap();
    for told in [
        &format!(r#""seq":{}"#, last + 1),
        r#""operation":"resume-audit""#,
        r#""caller":"operator"#,
        &format!(r#""reason":"{reason}""#),
        &format!(r#""detail":"lost: records 1 to {last}""#),
    ] {
        assert!(record.contains(told), "{told}: {record}");
    }
    let gap = format!(
        "segments are missing; the trail goes on with record {}",
        last + 1
    );
    let verified = server.claviger(&["audit", "verify"]).ended(1);
    assert!(error_of(&verified).contains(&gap), "{verified}");
    let exported = server.claviger(&["audit", "export"]).ok();
    let lines: Vec<&str> = exported.stdout.lines().collect();
    assert!(lines[0].starts_with(r#"{"seq":1,"gap":"#), "{exported}");
    assert!(lines[0].contains(&gap), "{exported}");
    let first = format!(r#"{{"seq":{},"#, last + 1);
    assert!(lines[1].starts_with(&first), "{exported}");
    server.kill9();
    server.restart();
    server.claviger(&["status"]).ok();
    assert!(is_served(&server, &app));
    assert!(server.terminate().success());
    let verified = server.claviger(&["audit", "verify"]).ended(1);
    assert!(error_of(&verified).contains(&gap), "{verified}");
}

#[test]
fn a_server_that_does_not_start_over_a_damaged_trail_names_the_way_and_goes_on_by_it() {
    let (mut server, app) = set_up();
    assert!(is_served(&server, &app));
    assert!(server.terminate().success());
    flip_in_second_record(&segments(&server)[0]);
    assert!(server.try_restart().is_err());
    server.await_log(RESUME, 1);
    server.await_log("record 2: edited", 1);

    let words = ["audit", "resume", "--reason", "a bad sector", "--json"];
    let resumed = server.claviger(&words).ok();

    assert!(resumed.stdout.contains(r#""lost_first": 2"#), "{resumed}");
    server.restart();
    let status = server.claviger(&["status"]).ok();
    assert!(!status.stdout.contains("problem"), "{status}");
    assert!(is_served(&server, &app));
    let tail = server
        .claviger(&["audit", "tail", "--operation", "resume-audit"])
        .ok();
    assert!(tail.stdout.contains("reason: a bad sector"), "{tail}");
    assert!(tail.stdout.contains("lost: records 2 to "), "{tail}");
    let verified = server.claviger(&["audit", "verify"]).ended(1);
    assert!(
        error_of(&verified).contains("record 2: edited"),
        "{verified}"
    );
    let exported = server
        .claviger(&["audit", "export", "--format", "csv"])
        .ok();
    let gaps: Vec<&str> = exported
        .stdout
        .lines()
        .filter(|line| line.contains("gap: "))
        .collect();
    assert!(gaps.len() == 1 && gaps[0].contains("edited"), "{exported}");
    assert!(exported.stdout.contains("resume-audit"), "{exported}");
    let again = server
        .claviger(&["audit", "resume", "--reason", "again"])
        .ok();
    assert!(again.stdout.contains("nothing is lost"), "{again}");
}

#[test]
fn a_trail_that_was_emptied_before_the_start_stays_a_problem_until_the_operators_word() {
    let (mut server, app) = set_up();
    assert!(server.terminate().success());
    for segment in segments(&server) {
        fs::remove_file(segment).unwrap();
    }
    server.restart();
    let status = server.claviger(&["status"]).ok();
    assert!(status.stdout.contains(RESUME), "{status}");
    // More than it ever had.
    for _ in 0..20 {
        assert!(is_served(&server, &app));
    }
    assert!(server.terminate().success());
    server.restart();
    let status = server.claviger(&["status"]).ok();
    assert!(
        status
            .stdout
            .contains("is not the one that the store remembers"),
        "{status}"
    );

    server
        .claviger(&["audit", "resume", "--reason", "known"])
        .ok();

    let status = server.claviger(&["status"]).ok();
    assert!(!status.stdout.contains("problem"), "{status}");
    let verified = server.claviger(&["audit", "verify"]).ended(1);
    assert!(
        error_of(&verified).contains("lost; the trail goes on"),
        "{verified}"
    );
}
