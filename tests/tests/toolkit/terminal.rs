//! A password that somebody types: a pseudo-terminal, as Python's standard library makes it.

use std::process::Command;

use harness::run;

use super::{House, PASSWORD, house};

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
while (b': ' not in seen or echo()) and child.poll() is None:
    seen += said(0.01)
os.write(master, keys)
status = child.wait(60)
while more := said(0):
    seen += more
print(json.dumps([status, echo(), seen.decode()]))
";

/// What `RESET_LOCAL db1 root -` does when `keys` are typed.
fn typed(house: &House, keys: &str) -> (i64, bool, String) {
    let mut command = Command::new("python3");
    command.args(["-c", SITTING, keys]);
    command.arg(house.toolkit.join("PMP_API.sh"));
    command.args(["RESET_LOCAL", "db1", "root", "-"]);
    let ran = run(command.env("CLAVIGER_CONNECT_TIMEOUT", "1m")).ok();
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"))
}

#[test]
fn a_password_typed_for_a_script_is_taken_and_not_shown() {
    let house = house("retrieve,reset");

    for keys in ["\u{3}", "half a pass\u{3}", "\u{1c}"] {
        let (status, echo, seen) = typed(&house, keys);
        assert_eq!((status, echo), (2, true), "{seen}");
        assert!(seen.contains("interrupted: nothing was done"), "{seen}");
        assert!(!seen.contains("half"), "{seen}");
    }
    let got = house.api(&["RETRIEVE", "db1", "root"]).ok();
    assert_eq!(got.stdout, format!("{PASSWORD}\n"));
    let (status, echo, seen) = typed(&house, "Typed-by-Hand-7\n");

    assert_eq!((status, echo), (0, true), "{seen}");
    assert!(!seen.contains("Typed"), "{seen}");
    let got = house.api(&["RETRIEVE", "db1", "root"]).ok();
    assert_eq!(got.stdout, "Typed-by-Hand-7\n");
}
