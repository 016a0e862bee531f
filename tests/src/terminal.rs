//! Somebody who sits at a terminal: a pseudo-terminal, as Python's standard library makes it.

use std::process::Command;

use crate::run;

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

/// What `program` does on a terminal when `keys` are typed as soon as it asks and hides: how it ended,
/// whether the terminal shows what is typed again, and what stood on it.
#[track_caller]
#[must_use]
pub fn typed(program: &Command, keys: &str) -> (i64, bool, String) {
    let mut command = Command::new("python3");
    command
        .args(["-c", SITTING, keys])
        .arg(program.get_program());
    command.args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let ran = run(&mut command).ok();
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"))
}
