//! Commands before which somebody sits: a pseudo-terminal, as Python's standard library makes it.

use std::process::Command;

use harness::{Server, SetUp, claviger_program, run};

/// Starts the program on a terminal, types when it asks and hides, and tells how it ended, whether
/// the terminal shows what is typed again, and what stood on it.
const SITTING: &str = "
import fcntl, json, os, select, subprocess, sys, termios
keys, words = sys.argv[1].encode(), sys.argv[2:]
master, slave = os.openpty()
def own():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
child = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, preexec_fn=own)
echo = lambda: bool(termios.tcgetattr(slave)[3] & termios.ECHO)
def said(wait):
    ready, _, _ = select.select([master], [], [], wait)
    return os.read(master, 4096) if ready else b''
seen = b''
while b': ' not in seen or echo():
    seen += said(0.01)
os.write(master, keys)
status = child.wait(60)
while more := said(0):
    seen += more
print(json.dumps([status, echo(), seen.decode()]))
";

/// What `account add db NAME --password-stdin` does when `keys` are typed.
fn typed(server: &Server, name: &str, keys: &str) -> (i64, bool, String) {
    let mut command = Command::new("python3");
    command.args(["-c", SITTING, keys]).arg(claviger_program());
    command.args(["account", "add", "db", name, "--password-stdin", "--data"]);
    let ran = run(command.arg(server.data())).ok();
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"))
}

#[test]
fn ctrl_c_at_a_hidden_prompt_ends_the_command_and_gives_the_echo_back() {
    let server = Server::start(SetUp::default());
    server.resource("db", "root", "Tr0ub4dor-and-3");

    for keys in ["\u{3}", "half a pass\u{3}", "\u{1c}"] {
        let (status, echo, seen) = typed(&server, "app", keys);

        assert_eq!((status, echo), (1, true), "{seen}");
        assert!(seen.contains("interrupted"), "{seen}");
        assert!(!seen.contains("half"), "{seen}");
    }
    let listed = server.claviger(&["account", "list", "db", "--json"]).ok();
    assert!(!listed.stdout.contains("\"app\""), "{listed}");
}

#[test]
fn a_password_that_is_typed_is_taken_and_not_shown() {
    let server = Server::start(SetUp::default());
    server.resource("db", "root", "Tr0ub4dor-and-3");
    let app = server.app("reader");
    server.share("db", &app, "view");

    let (status, echo, seen) = typed(&server, "app", "Typed-by-Hand-7\n");

    assert_eq!((status, echo), (0, true), "{seen}");
    assert!(!seen.contains("Typed"), "{seen}");
    let got = server.call(&app, "retrievePassword", &["db", "app"]);
    let got = harness::xml::value(&got.text());
    assert_eq!(got.as_deref(), Some("Typed-by-Hand-7"));
}
