//! Starting, stopping and getting back in.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use harness::{PATIENCE, Server, SetUp, claviger_program, run};
use rustix::process::{Pid, Signal, kill_process};

use crate::{claviger, error_of, on};

#[test]
fn a_data_directory_is_made_once_and_only_for_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");

    let made = on(&data, &["init", "--host", "vault.example"], "").ok();
    let twice = on(&data, &["init"], "").ended(1);

    assert!(
        made.stdout
            .contains("vault.example, localhost, 127.0.0.1, ::1"),
        "{made}"
    );
    assert!(made.stdout.contains("recovery code"), "{made}");
    assert!(
        error_of(&twice).contains("holds a vault already"),
        "{twice}"
    );
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&data, open).unwrap();
    let refused = on(&data, &["serve", "--xmlrpc", "off"], "").ended(1);
    assert!(error_of(&refused).contains("chmod 700"), "{refused}");
}

#[test]
fn a_second_server_on_the_same_data_is_refused_and_disturbs_nothing() {
    let server = Server::start(SetUp::default());

    let second = server
        .claviger(&["serve", "--xmlrpc", "127.0.0.1:0"])
        .ended(1);

    assert!(
        error_of(&second).contains("another process uses this data directory"),
        "{second}"
    );
    assert_eq!(second.stdout, "");
    server.claviger(&["status"]).ok();
}

#[test]
fn a_killed_server_leaves_nothing_that_keeps_the_next_from_starting() {
    let mut server = Server::start(SetUp::default());
    server.kill9();
    assert!(server.data().join("admin.sock").exists());
    let refused = server.claviger(&["status"]).ended(1);

    server.restart();

    assert!(
        error_of(&refused).starts_with("no server is running"),
        "{refused}"
    );
    server.claviger(&["status"]).ok();
    assert!(server.terminate().success());
    assert!(!server.data().join("admin.sock").exists());
}

#[test]
fn where_too_few_files_may_be_open_the_server_says_how_many_it_needs() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    on(&data, &["init"], "").ok();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 100 && exec \"$@\"", "sh"]);
    command.arg(claviger_program());
    command.args(["serve", "--xmlrpc", "127.0.0.1:0", "--data"]);

    let refused = run(command.arg(&data)).ended(1);

    assert!(error_of(&refused).contains("LimitNOFILE="), "{refused}");
    assert_eq!(refused.stdout, "", "no door was opened");
}

#[test]
fn a_setting_that_is_empty_or_unknown_keeps_the_server_shut() {
    for (section, key, value, named) in [
        ("doors.xmlrpc", "listen", "\"\"", "doors.xmlrpc.listen"),
        ("tls", "ocsp", "\"\"", "tls.ocsp"),
        ("doors.xmlrpc", "max_body", "0", "doors.xmlrpc.max_body"),
        ("health", "lisen", "\"off\"", "health.lisen"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        on(&data, &["init"], "").ok();
        let file = data.join("claviger.toml");
        let text = fs::read_to_string(&file).unwrap();
        let title = format!("[{section}]\n");
        let old = format!("\n{key} = ");
        let (head, tail) = text.split_once(&title).unwrap();
        let tail = match tail.split_once(&old) {
            Some((before, after)) => {
                let (_, after) = after.split_once('\n').unwrap();
                format!("{before}\n{key} = {value}\n{after}")
            }
            None => format!("{key} = {value}\n{tail}"),
        };
        fs::write(&file, format!("{head}{title}{tail}")).unwrap();

        let refused = on(&data, &["serve", "--xmlrpc", "off"], "").ended(1);

        assert!(error_of(&refused).contains(named), "{refused}");
    }
}

#[test]
fn the_service_manager_is_told_when_the_server_is_ready_and_when_it_stops() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = || {
        let mut bytes = [0; 64];
        let count = manager.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    };

    let set_up = SetUp::default().environment("NOTIFY_SOCKET", &path.to_string_lossy());
    let mut server = Server::start(set_up);
    assert_eq!(told(), "READY=1");
    assert!(server.terminate().success());

    assert_eq!(told(), "STOPPING=1");
}

#[test]
fn the_trail_is_checked_on_a_running_and_on_a_stopped_server() {
    let mut server = Server::start(SetUp::default());
    server.resource("db", "root", "Tr0ub4dor-and-3");
    let head_of = |text: &str| {
        let mut lines = text.lines();
        let head = lines.find_map(|line| line.strip_prefix("head "));
        head.unwrap_or_else(|| panic!("{text}")).to_owned()
    };

    let running = server.claviger(&["audit", "verify"]).ok();
    assert!(server.terminate().success());
    let head = head_of(&running.stdout);
    server
        .claviger(&["audit", "verify", "--expect-head", &head])
        .ok();
    let (number, _) = head.split_once(':').unwrap();
    let replaced = format!("{number}:{}", "0".repeat(64));
    let refused = server
        .claviger(&["audit", "verify", "--expect-head", &replaced])
        .ended(1);
    server
        .claviger(&["audit", "verify", "--expect-head", "7"])
        .ended(2);

    assert_eq!(refused.stderr.lines().count(), 1, "{refused}");
}

#[test]
fn a_lost_master_key_is_replaced_by_the_recovery_code() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let made = on(&data, &["init"], "").ok();
    let code = made
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("recovery code   "));
    let code = code.unwrap_or_else(|| panic!("{made}"));
    fs::remove_file(data.join("master.key")).unwrap();

    let shut = on(&data, &["serve", "--xmlrpc", "off"], "").ended(1);
    let mistyped = code.replacen(&code[..1], if code.starts_with('7') { "8" } else { "7" }, 1);
    let typo = on(&data, &["key", "recover"], &mistyped).ended(1);
    on(&data, &["key", "recover"], code).ok();

    assert!(error_of(&shut).contains("master.key"), "{shut}");
    assert!(error_of(&typo).contains("typing error"), "{typo}");
    on(&data, &["audit", "verify"], "").ok();
}

#[test]
fn the_demonstration_fetches_the_same_password_every_time() {
    let dir = tempfile::tempdir().unwrap();
    let demo = |at: &Path| {
        let mut command = Command::new(claviger_program());
        command
            .args(["demo", "--once"])
            .current_dir(at)
            .env_remove("CLAVIGER_DATA");
        let ran = run(&mut command).ok();
        let mut lines = ran
            .stdout
            .lines()
            .skip_while(|line| !line.contains("fetched the password"));
        lines
            .nth(2)
            .unwrap_or_else(|| panic!("{ran}"))
            .trim()
            .to_owned()
    };

    let first = demo(dir.path());
    let second = demo(dir.path());

    assert!(first.len() >= 16, "{first}");
    assert_eq!(first, second);
    assert!(dir.path().join("claviger-demo/ca.pem").exists());
}

#[test]
fn the_health_door_opens_where_it_is_told_to() {
    let server = Server::start(
        SetUp::default()
            .argument("--health")
            .argument("127.0.0.1:0"),
    );

    let status = server.claviger(&["status"]).ok();

    assert!(status.stdout.contains("health on 127.0.0.1:"), "{status}");
}

#[test]
fn a_backup_of_a_running_server_brings_back_what_was_removed() {
    let mut server = Server::start(SetUp::default());
    server.resource("db", "root", "Tr0ub4dor-and-3");
    let place = |name: &str| server.outside().join(name).to_string_lossy().into_owned();
    let (file, stopped, key, other) = (place("a"), place("b"), place("key"), place("other"));
    fs::copy(server.data().join("master.key"), &key).unwrap();

    let made = server.claviger(&["backup", &file]).ok();
    let again = server.claviger(&["backup", &file]).ended(1);
    server.claviger(&["resource", "remove", "db"]).ok();
    let busy = server
        .claviger(&["restore", &file, "--replace", "--master-key", &key])
        .ended(1);
    assert!(server.terminate().success());
    let occupied = server
        .claviger(&["restore", &file, "--master-key", &key])
        .ended(1);
    let keyless = on(Path::new(&other), &["restore", &file], "").ended(1);
    server
        .claviger(&["restore", &file, "--check", "--master-key", &key])
        .ok();
    server
        .claviger(&["restore", &file, "--replace", "--master-key", &key])
        .ok();
    server.claviger(&["backup", &stopped]).ok();
    server.restart();

    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&file).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    assert!(made.stdout.contains("\nhead "), "{made}");
    assert!(error_of(&busy).contains("stop it first"), "{busy}");
    assert!(error_of(&occupied).contains("--replace"), "{occupied}");
    assert!(error_of(&keyless).contains("--master-key"), "{keyless}");
    assert!(error_of(&again).contains("choose another name"), "{again}");
    let listed = server.claviger(&["account", "list", "db", "--json"]).ok();
    assert!(listed.stdout.contains("\"root\""), "{listed}");
    server
        .claviger(&["restore", &stopped, "--check", "--master-key", &key])
        .ok();
}

#[test]
fn a_backup_that_cannot_be_used_is_refused_in_a_line_that_says_what_to_do() {
    let mut server = Server::start(SetUp::default());
    let place = |name: &str| server.outside().join(name).to_string_lossy().into_owned();
    let (file, cut, key, text) = (place("a"), place("cut"), place("key"), place("text"));
    let (foreign_key, data, none) = (place("foreign.key"), place("restored"), place("none"));
    let foreign = place("foreign");
    let made = on(Path::new(&foreign), &["init"], "").ok();
    let foreign_code = made
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("recovery code   "));
    fs::copy(server.data().join("master.key"), &key).unwrap();
    fs::copy(Path::new(&foreign).join("master.key"), &foreign_key).unwrap();
    server.claviger(&["backup", &file]).ok();
    assert!(server.terminate().success());
    let whole = fs::read(&file).unwrap();
    fs::write(&cut, &whole[..whole.len() - 1]).unwrap();
    fs::write(&text, "no backup").unwrap();
    let restore = |words: &[&str], input: &str| {
        let ran = on(Path::new(&data), &[&["restore"], words].concat(), input).ended(1);
        error_of(&ran)
    };

    let wrong_key = restore(&[&file, "--master-key", &foreign_key], "");
    let wrong_code = restore(&[&file, "--recovery-code"], foreign_code.unwrap());
    let truncated = restore(&[&cut, "--master-key", &key], "");
    let checked = restore(&[&cut, "--check", "--master-key", &key], "");
    let no_backup = restore(&[&text, "--master-key", &key], "");
    let missing = restore(&[&none, "--master-key", &key], "");
    on(Path::new(&none), &["restore", &text], "").ended(1);

    assert!(wrong_key.contains("not the master key"), "{wrong_key}");
    assert!(wrong_code.contains("not the recovery code"), "{wrong_code}");
    assert!(truncated.contains("take another"), "{truncated}");
    assert_eq!(checked, truncated);
    assert!(no_backup.contains("no backup of claviger"), "{no_backup}");
    assert!(missing.contains("No such file"), "{missing}");
    assert!(!Path::new(&data).join("ca.pem").exists());
    assert!(!Path::new(&none).exists());
    on(
        Path::new(&data),
        &["restore", &file, "--master-key", &key],
        "",
    )
    .ok();
}

#[test]
fn the_health_door_answers_two_questions_and_the_public_port_neither() {
    let set_up = SetUp::default()
        .argument("--health")
        .argument("127.0.0.1:0");
    let server = Server::start(set_up);
    let app = server.app("app");
    let closed = Server::start(SetUp::default());
    let help = claviger(&["serve", "--help"]).ok().stdout;

    let (status, report) = harness::get(server.door("health"), "/health");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let (measured, metrics) = harness::get(server.door("health"), "/metrics");

    assert_eq!((status, report["status"].as_str()), (200, Some("ok")));
    assert_eq!(measured, 200);
    assert!(metrics.contains("claviger_working 1\n"), "{metrics}");
    assert_eq!(harness::get(server.door("health"), "/xmlrpc").0, 404);
    let mut wire = server.connect(Some(&app)).unwrap();
    wire.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    assert_eq!(wire.answer().unwrap().status, 404);
    let status = closed.claviger(&["status"]).ok();
    assert!(
        !status.stdout.contains("health on"),
        "off unless it is asked for"
    );
    assert!(
        help.contains("--health") && help.contains("/metrics"),
        "{help}"
    );
}

#[test]
fn keys_and_settings_that_others_may_use_keep_the_server_shut() {
    for (name, mode, words) in [
        ("master.key", 0o640, "master.key"),
        ("keyring.json", 0o604, "keyring.json"),
        ("claviger.toml", 0o666, "claviger.toml"),
        ("tls/server.key", 0o644, "server.key"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        on(&data, &["init"], "").ok();
        let open = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(data.join(name), open).unwrap();

        let refused = on(&data, &["serve", "--xmlrpc", "127.0.0.1:0"], "").ended(1);

        assert!(error_of(&refused).contains(words), "{refused}");
        assert_eq!(refused.stdout, "", "no door was opened");
    }
}

#[test]
fn what_a_caller_writes_steers_no_terminal() {
    let server = Server::start(SetUp::default());
    let app = server.app("app");
    let hostile = "why\n9 forged line\u{85}\u{9b}2J\u{202e}gpj.exe";
    let answer = server.call(&app, "retrievePassword", &["db\u{9b}2J", "a\nb", hostile]);
    assert!(harness::xml::is_fault(&answer.text()));

    let tail = server
        .claviger(&["audit", "tail", "--caller", "app@127.0.0.1"])
        .ok();

    let steers = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
    assert_eq!(tail.stdout.lines().count(), 1, "{tail}");
    assert!(!tail.stdout.contains(steers), "{tail}");
    assert!(tail.stdout.contains("forged line"), "{tail}");
}

#[test]
fn a_recovery_under_a_running_server_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(SetUp::default().data(&dir.path().join("data")));

    let refused = server
        .claviger_with_input(&["key", "recover"], "any code")
        .ended(1);

    assert!(error_of(&refused).contains("stop it first"), "{refused}");
}

#[test]
fn a_backup_that_is_interrupted_leaves_no_file() {
    let server = Server::start(SetUp::default());
    let folder = server.outside().join("backups");
    fs::create_dir(&folder).unwrap();
    // A socket that accepts and says nothing stands for a server that takes long.
    let data = server.outside().join("slow");
    fs::create_dir(&data).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(data.join("admin.sock")).unwrap();
    let mut child = Command::new(claviger_program())
        .args(["backup"])
        .arg(folder.join("a"))
        .arg("--data")
        .arg(&data)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (mut slow, _) = listener.accept().unwrap();
    let mut asked = [0; 4];
    std::io::Read::read_exact(&mut slow, &mut asked).unwrap();
    let begun = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n";
    std::io::Write::write_all(&mut slow, begun).unwrap();

    // The file that was begun tells that Ctrl-C is caught.
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    while child.try_wait().unwrap().is_none() {
        if fs::read_dir(&folder).unwrap().count() == 1 {
            kill_process(pid, Signal::INT).unwrap();
        }
        std::thread::yield_now();
    }

    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
