//! Programs that run as long as a test does.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A program under way, and where it keeps its things.
pub struct Daemon {
    child: Child,
    pub port: u16,
    pub home: TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // What it started goes with it.
        let group = format!("-{}", self.child.id());
        let _gone = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _gone = self.child.wait();
    }
}

/// A directory that other users may pass through, and a port that was free a moment ago.
pub fn place() -> (TempDir, u16) {
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    (home, listener.local_addr().unwrap().port())
}

/// Starts `command`, and waits until somebody listens on `port`.
#[track_caller]
pub fn start(command: &mut Command, home: TempDir, port: u16) -> Daemon {
    use std::os::unix::process::CommandExt;
    let log = std::fs::File::create(home.path().join("log")).unwrap();
    let child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .process_group(0)
        .spawn()
        .unwrap();
    let mut daemon = Daemon { child, port, home };
    let end = Instant::now() + harness::PATIENCE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        let ended = daemon.child.try_wait().unwrap();
        if ended.is_some() || Instant::now() > end {
            let log = std::fs::read_to_string(daemon.home.path().join("log"));
            panic!("{command:?}: {ended:?} {}", log.unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    daemon
}

/// Runs `command` to its end.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// Runs `command` to its end, with something to read.
#[track_caller]
pub fn feed(command: &mut Command, input: &str) {
    use std::io::Write;
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success(), "{command:?}");
}

/// The program at the first of these places where there is one; where there is none, `./test` says
/// that `name` was not run.
pub fn program(name: &str, places: &[&str]) -> Option<PathBuf> {
    let found = places.iter().map(PathBuf::from).find(|path| path.exists());
    if found.is_none() {
        harness::not_run(name, "the program is not installed");
    }
    found
}

/// Whether this test may act as other users; where not, `./test` says that it was not run.
pub fn is_root(name: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        harness::not_run(name, "it needs root");
    }
    root
}

/// A command that another user runs, where this is root; who that is must own `home`.
pub fn as_user(user: &str, program: &Path, home: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    run(Command::new("chown").args(["-R", user]).arg(home));
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", user, "--regid", user, "--clear-groups", "--"])
        .arg(program);
    command
}

/// A key and a certificate for TLS, `key.pem` and `cert.pem`.
pub fn certificate(home: &Path) {
    run(Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=target", "-keyout"])
        .arg(home.join("key.pem"))
        .arg("-out")
        .arg(home.join("cert.pem")));
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(home.join("key.pem"), private).unwrap();
}
