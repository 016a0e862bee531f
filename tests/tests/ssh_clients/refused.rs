//! What is refused, and what is spoken on the wire.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use harness::{PATIENCE, run};

use crate::{PASSWORD, Stand};

#[test]
fn what_is_no_command_is_refused_with_one_line() {
    let stand = Stand::seeded();
    let retrieve = ["RETRIEVE", "--resource=test-server", "--account=root"];
    let with = |words: &[&str]| stand.ssh(&[words, &retrieve[..]].concat());

    let shell = stand.ssh(&["-T"]).ended(2);
    assert_eq!(
        shell.stderr.lines().last(),
        Some("ERROR: There is no shell here: give a command, such as HELP.")
    );
    assert_eq!(shell.stdout, "");
    // OpenSSH says so itself, and ends.
    let terminal = stand.ssh(&["-tt"]).ended(255);
    assert!(
        terminal.stderr.contains("PTY allocation request failed"),
        "{terminal}"
    );
    let sftp = stand.ssh(&["-s", "sftp"]).ended(2);
    assert!(sftp.stderr.contains("ERROR: There is no sftp"), "{sftp}");
    let scp = stand.ssh(&["scp", "-t", "/tmp"]).ended(2);
    assert!(
        scp.stderr.contains("ERROR: there is no such command"),
        "{scp}"
    );
    let done = with(&["-o", "SetEnv=LC_ALL=C"]).ok();
    assert_eq!(done.stdout, format!("{PASSWORD}\n"));
    let variable = with(&["-o", "SetEnv=LD_PRELOAD=/x"]).ok();
    assert!(
        variable
            .stderr
            .contains("Environment variables are not taken here"),
        "{variable}"
    );
    let reverse = with(&["-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9"]).ended(255);
    assert!(
        reverse.stderr.contains("remote port forwarding failed"),
        "{reverse}"
    );
    let direct = stand.ssh(&["-W", "127.0.0.1:22"]).ended(255);
    assert!(
        direct.stderr.contains("nothing is forwarded here"),
        "{direct}"
    );
}

/// OpenSSH asks for them only where there is an agent, and a screen.
#[test]
fn an_agent_and_a_screen_that_are_offered_are_not_taken() {
    let stand = Stand::seeded();
    let socket = stand.server.outside().join("agent");
    let mut agent = Command::new("ssh-agent");
    let agent = agent.arg("-D").arg("-a").arg(&socket);
    let mut agent = agent.stdout(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + PATIENCE;
    while !socket.exists() {
        assert!(Instant::now() < end, "the agent never listens");
        std::thread::yield_now();
    }
    let words = ["-v", "-A", "-Y", "RETRIEVE", "--resource=test-server"];
    let words = [&words[..], &["--account=root"]].concat();
    let mut command = stand.command(&stand.key, "test", &words);
    command.env("SSH_AUTH_SOCK", &socket).env("DISPLAY", ":9");

    let done = run(&mut command).ok();

    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(done.stdout, format!("{PASSWORD}\n"));
    for said in [
        "Requesting authentication agent forwarding",
        "Requesting X11 forwarding",
        "X11 forwarding request failed",
    ] {
        assert!(done.stderr.contains(said), "{said}: {done}");
    }
}

#[test]
fn files_are_copied_neither_by_scp_nor_by_sftp() {
    let stand = Stand::seeded();
    let port = stand.server.door("ssh").port().to_string();
    let file = stand.server.outside().join("file");
    fs::write(&file, "x").unwrap();
    for program in [&["scp"][..], &["scp", "-O"]] {
        let mut command = Command::new(program[0]);
        command
            .args(&program[1..])
            .args(["-F", "none", "-P", &port, "-i"])
            .arg(&stand.key);
        command.args(["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"]);
        command.args(["-o", "UserKnownHostsFile=/dev/null"]);
        command.arg(&file).arg("test@127.0.0.1:/tmp/x");

        let refused = run(&mut command);

        assert_ne!(refused.code(), 0, "{refused}");
        assert!(refused.stderr.contains("ERROR: "), "{refused}");
    }
}

/// Terrapin (CVE-2023-48795) cannot be where the key exchange is strict.
#[test]
fn the_exchange_of_keys_is_strict_post_quantum_where_the_client_can_and_modern() {
    let stand = Stand::seeded();

    let told = stand.ssh(&["-vvv", "HELP"]).ok().stderr;

    assert!(told.contains("will use strict KEX ordering"), "{told}");
    let offered: Vec<&str> = told
        .split("debug2: peer server KEXINIT proposal")
        .nth(1)
        .unwrap()
        .lines()
        .collect();
    let line = |begin: &str| {
        let mut lines = offered.iter().filter_map(|line| line.split_once(begin));
        lines
            .next()
            .map(|(_, rest)| rest.trim())
            .unwrap_or_default()
            .to_owned()
    };
    assert!(
        line("KEX algorithms:").starts_with("mlkem768x25519-sha256,curve25519-sha256,"),
        "{told}"
    );
    assert_eq!(line("host key algorithms:"), "ssh-ed25519");
    assert_eq!(line("compression ctos:"), "none");
    for what in [
        "KEX algorithms:",
        "ciphers stoc:",
        "ciphers ctos:",
        "MACs stoc:",
        "MACs ctos:",
    ] {
        let names = line(what);
        assert!(!names.is_empty(), "{what}");
        for weak in [
            "sha1", "cbc", "group1", "group14", "3des", "md5", "chacha20",
        ] {
            assert!(!names.contains(weak), "{what} {names}");
        }
    }
    assert!(told.contains("remote software version Claviger"), "{told}");
}
