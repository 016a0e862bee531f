//! The server beside its sessions: its key, half-open connections, its stop.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{PATIENCE, SetUp, run};

use crate::{PASSWORD, Stand};

#[test]
fn the_host_key_is_made_once_and_its_fingerprint_is_in_status() {
    let mut stand = Stand::seeded();
    let file = stand.server.data().join("ssh_host_ed25519_key");
    let print = run(Command::new("ssh-keygen").arg("-lf").arg(&file))
        .ok()
        .stdout;
    let print = print.split(' ').nth(1).unwrap().to_owned();
    assert!(print.starts_with("SHA256:"));

    let status = stand.server.claviger(&["status"]).ok().stdout;
    let json = stand.server.claviger(&["status", "--json"]).ok().stdout;
    assert!(status.contains(&print), "{status}");
    assert!(
        json.contains(&format!("\"host_key\": \"{print}\""))
            || json.contains(&format!("\"host_key\":\"{print}\"")),
        "{json}"
    );
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(stand.server.terminate().success());
    stand.server.restart();
    let again = run(Command::new("ssh-keygen").arg("-lf").arg(&file))
        .ok()
        .stdout;
    assert!(again.contains(&print));
    stand.ssh(&["HELP"]).ok();

    stand.server.terminate();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = stand.server.try_restart().unwrap_err();
    assert!(refused.contains("ended"), "{refused}");
    assert!(
        stand.server.log().contains("ssh_host_ed25519_key"),
        "{}",
        stand.server.log()
    );
}

/// A thousand who say nothing cost little and keep nobody out.
#[test]
fn a_thousand_half_open_connections_leave_room_for_others() {
    let set_up = SetUp::default()
        .set("doors.ssh", "max_half_open_per_network", "1001")
        .set("doors.ssh", "max_connections_per_address", "2002");
    let stand = Stand::seeded_as(set_up);
    let door = stand.server.door("ssh");
    let connect = || std::net::TcpStream::connect_timeout(&door, PATIENCE).unwrap();
    stand.ssh(&["HELP"]).ok();
    let before = memory_kib(stand.server.pid());

    let mut held: Vec<_> = (0..1000).map(|_| connect()).collect();
    for socket in &mut held {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut greeting = [0; 18];
        socket.read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"SSH-2.0-Claviger\r\n");
    }

    let said = stand
        .ssh(&["RETRIEVE", "--resource=test-server", "--account=root"])
        .ok();
    assert_eq!(said.stdout, format!("{PASSWORD}\n"));
    let grown = memory_kib(stand.server.pid()).saturating_sub(before);
    assert!(grown < 100 * 1024, "{grown} KiB");
}

pub(crate) fn memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_stop_ends_idle_sessions_and_lets_the_server_go() {
    let mut stand = Stand::seeded();
    let mut command = stand.command(&stand.key, "test", &["-N"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut idle = command.spawn().unwrap();
    stand.ssh(&["HELP"]).ok();

    let since = Instant::now();
    assert!(stand.server.terminate().success());

    assert!(since.elapsed() < Duration::from_secs(15));
    assert!(!idle.wait().unwrap().success());
}

#[test]
fn a_secondary_gives_passwords_out_and_answers_changes_with_5() {
    let mut stand = Stand::seeded();
    let settings = stand.server.data().join("claviger.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let (before, after) = text.split_once("mode = \"primary\"").unwrap();
    let before = before.trim_end_matches(['#', ' ']);
    fs::write(&settings, format!("{before}mode = \"secondary\"{after}")).unwrap();
    stand.server.restart();

    let place = ["--resource=test-server", "--account=root"];
    let said = stand.ssh(&[&["RETRIEVE"], &place[..]].concat()).ok();
    assert_eq!(said.stdout, format!("{PASSWORD}\n"));
    for verb in ["RESET_LOCAL", "RESET_REMOTE", "CREATE"] {
        let refused = stand.ssh(&[&["-q", verb], &place[..]].concat()).ended(5);
        let words = "ERROR: This server is a secondary: it answers retrievals only.\n";
        assert_eq!(
            (refused.stdout.as_str(), refused.stderr.as_str()),
            ("", words)
        );
    }
}

#[test]
fn keys_are_exchanged_anew_as_often_as_a_client_wants() {
    let stand = Stand::seeded();

    // After each packet.
    let words = ["-v", "-o", "RekeyLimit=16", "RETRIEVE"];
    let place = ["--resource=test-server", "--account=root"];
    let said = stand.ssh(&[&words[..], &place].concat()).ok();

    assert_eq!(said.stdout, format!("{PASSWORD}\n"));
    let exchanges = said.stderr.matches("SSH2_MSG_NEWKEYS received").count();
    assert!(exchanges >= 2, "{said}");
}
