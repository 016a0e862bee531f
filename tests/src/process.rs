//! Child processes that end in time and tell what they said.

use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::PATIENCE;

/// What a finished command left behind.
#[derive(Clone)]
pub struct Ran {
    /// The command line, for messages.
    pub line: String,
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Ran {
    /// The exit status; 128 + the signal when a signal ended it.
    #[must_use]
    pub fn code(&self) -> i32 {
        use std::os::unix::process::ExitStatusExt as _;
        self.status
            .code()
            .unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }

    /// The same, when the command succeeded.
    ///
    /// # Panics
    /// When it did not, with everything it said.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.success(), "{self}");
        self
    }

    /// The same, when the command ended with `code`.
    ///
    /// # Panics
    /// When it ended otherwise, with everything it said.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "{self}");
        self
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` ended with {}\n--- its output\n{}\n--- its errors\n{}",
            self.line,
            self.code(),
            self.stdout,
            self.stderr
        )
    }
}

impl fmt::Debug for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Runs `command` to its end.
///
/// # Panics
/// When it cannot be started, or takes longer than [`PATIENCE`].
#[track_caller]
pub fn run(command: &mut Command) -> Ran {
    run_with_input(command, b"")
}

/// Runs `command` to its end with `input` on its standard input.
///
/// # Panics
/// When it cannot be started, or takes longer than [`PATIENCE`].
#[track_caller]
pub fn run_with_input(command: &mut Command, input: &[u8]) -> Ran {
    run_to_end(command, input, PATIENCE)
}

/// Runs `command` to its end, for what may take longer than any step of a test.
///
/// # Panics
/// When it cannot be started, or takes longer than `patience`.
#[track_caller]
pub fn run_for(command: &mut Command, patience: Duration) -> Ran {
    run_to_end(command, b"", patience)
}

#[track_caller]
fn run_to_end(command: &mut Command, input: &[u8], patience: Duration) -> Ran {
    let line = format!("{command:?}");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|why| panic!("cannot start {line}: {why}"));
    let stdin = child.stdin.take();
    let input = input.to_vec();
    let writer = thread::spawn(move || {
        // A program that does not read its input closes the pipe: not this test's business.
        drop(stdin.map(|mut pipe| pipe.write_all(&input)));
    });
    let stdout = drain(child.stdout.take().expect("stdout is piped"));
    let stderr = drain(child.stderr.take().expect("stderr is piped"));
    let status = wait_for(&mut child, patience).unwrap_or_else(|| {
        drop(child.kill());
        drop(child.wait());
        panic!("{line} did not end within {patience:?}")
    });
    drop(writer.join());
    let said = |reader: JoinHandle<String>| reader.join().unwrap_or_default();
    Ran {
        line,
        status,
        stdout: said(stdout),
        stderr: said(stderr),
    }
}

/// Waits for `child` to end, for at most [`PATIENCE`].
pub(crate) fn wait(child: &mut Child) -> Option<ExitStatus> {
    wait_for(child, PATIENCE)
}

fn wait_for(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + patience;
    let mut pause = Duration::from_micros(200);
    while Instant::now() < end {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) => thread::sleep(pause),
            Err(_) => return None,
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    None
}

fn drain(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(pipe.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The `claviger` program that was built with these tests.
///
/// # Panics
/// When it was not built: Cargo builds a package's programs for its own tests only.
#[must_use]
pub fn claviger_program() -> PathBuf {
    program("claviger")
}

/// The `claviger-client` program that was built with these tests.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn client_program() -> PathBuf {
    program("claviger-client")
}

fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("tests lie in target/<profile>/deps");
    let program = profile.join(name);
    assert!(
        program.is_file(),
        "{} is missing: run `./test`, or `cargo build --workspace` first",
        program.display()
    );
    program
}

/// The repository's root.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the repository")
}
