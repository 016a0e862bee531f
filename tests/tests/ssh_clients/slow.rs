//! Readers that take nothing. OpenSSH reads on for megabytes before it stops; `paramiko` stops at
//! once.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use harness::{SetUp, not_run};

use crate::running::memory_kib;
use crate::{PASSWORD, Stand};

/// Each connection asks on every channel that it has for a list which is longer than its window,
/// and reads nothing until there is a line on standard input.
const READER: &str = r#"
import logging, sys
import paramiko
logging.disable(logging.CRITICAL)
port, file, connections = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
key = paramiko.Ed25519Key.from_private_key_file(file)
held, refused = [], []
for _ in range(connections):
    line = paramiko.Transport(("127.0.0.1", port))
    line.start_client(timeout=20)
    line.auth_publickey("test", key)
    for _ in range(10):
        channel = line.open_session(window_size=32768, timeout=20)
        channel.exec_command("LIST")
        held.append(channel)
    try:
        line.open_session(timeout=20)
    except paramiko.ChannelException as error:
        refused.append(error.code)
print(len(held), *refused, flush=True)
sys.stdin.readline()
for channel in held:
    read = b"".join(iter(lambda: channel.recv(65536), b""))
    print(len(read.splitlines()), channel.recv_exit_status())
"#;

const CONNECTIONS: usize = 6;
const LINES: usize = 400;

fn with_a_long_list() -> Stand {
    let stand = Stand::with(SetUp::default(), "password-user");
    let mut text = "resource,type,account,password,notes\n".to_owned();
    for number in 0..LINES {
        let name = format!("an-account-with-a-very-long-name-{number:0100}");
        text.push_str(&format!("test-server,Linux,{name},{PASSWORD},\n"));
    }
    text.push_str(&format!("test-server,Linux,root,{PASSWORD},\n"));
    let file = stand.server.outside().join("accounts.csv");
    fs::write(&file, text).unwrap();
    let file = file.to_string_lossy();
    stand.server.claviger(&["import", &file, "--yes"]).ok();
    stand.share("test-server", "view");
    stand
}

#[test]
fn readers_that_take_nothing_cost_their_answers_and_keep_nobody_out() {
    let name = "readers_that_take_nothing_cost_their_answers_and_keep_nobody_out";
    // Debian's: its modules are not everybody's.
    let python = "/usr/bin/python3";
    let tried = Command::new(python)
        .args(["-c", "import paramiko"])
        .stderr(Stdio::null())
        .status();
    if !tried.is_ok_and(|status| status.success()) {
        return not_run(name, "python3-paramiko is not installed");
    }
    let stand = with_a_long_list();
    let retrieve = ["RETRIEVE", "--resource=test-server", "--account=root"];
    stand.ssh(&retrieve).ok();
    let before = memory_kib(stand.server.pid());

    let mut reader = Command::new(python)
        .args(["-c", READER])
        .arg(stand.server.door("ssh").port().to_string())
        .arg(&stand.key)
        .arg(CONNECTIONS.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(reader.stdout.take().unwrap()).lines();
    let mut next = || said.next().unwrap().unwrap();

    // SSH_OPEN_RESOURCE_SHORTAGE: what is answered and not read counts as open.
    let held = CONNECTIONS * 10;
    assert_eq!(next(), format!("{held}{}", " 4".repeat(CONNECTIONS)));
    let served = stand.ssh(&retrieve).ok();
    assert_eq!(served.stdout, format!("{PASSWORD}\n"));
    let grown = memory_kib(stand.server.pid()).saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB");

    reader.stdin.take().unwrap().write_all(b"\n").unwrap();
    for _ in 0..held {
        assert_eq!(next(), format!("{} 0", LINES + 1));
    }
    assert!(reader.wait().unwrap().success());
}
