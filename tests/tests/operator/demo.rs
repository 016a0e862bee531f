//! The demonstration, as a newcomer meets it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use harness::{claviger_program, run};
use rustix::process::{Pid, Signal, kill_process};

/// A demonstration that stays up; killed with its owner.
struct Demo {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Demo {
    /// What it says up to, and without, the line that begins so.
    fn until(&mut self, begin: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "{lines:?}");
            if line.starts_with(begin) {
                return lines;
            }
            lines.push(line);
        }
    }
}

#[test]
fn what_the_demonstration_prints_can_be_pasted_until_ctrl_c_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(claviger_program());
    command
        .arg("demo")
        .current_dir(dir.path())
        .env_remove("CLAVIGER_DATA")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut demo = Demo { child, stdout };
    let bash = |text: &str| run(Command::new("bash").args(["-c", text])).ok().stdout;

    demo.until("The application ");
    let password = demo.until("The same with curl:").concat();
    let curl = demo.until("by SSH, ").concat();
    let ssh = demo.until("with Python:").concat();
    let python = demo.until("with Rust ").concat();
    demo.until("and what the audit trail says of it:");
    let tail = demo.until("The server stays up").concat();

    let password = password.trim();
    assert!(password.len() >= 16, "{password}");
    assert!(bash(&curl).contains(password), "{curl}");
    assert!(bash(&ssh).trim_end().ends_with(password), "{ssh}");
    assert_eq!(bash(&ssh).trim_end(), password, "with the same key");
    assert_eq!(bash(&python).trim_end(), password);
    assert!(
        bash(&tail).contains("retrieve  demo-database/app"),
        "{tail}"
    );
    let pid = Pid::from_raw(i32::try_from(demo.child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let mut rest = String::new();
    demo.stdout.read_to_string(&mut rest).unwrap();
    assert!(demo.child.wait().unwrap().success(), "{rest}");
}
