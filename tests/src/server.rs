//! A true `claviger` process on a data directory of its own.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tempfile::TempDir;

use crate::log::Log;
use crate::process::{Ran, claviger_program, run_with_input, wait};
use crate::{Answer, Identity, PATIENCE, Wire, client_config, settings, xml};

/// What a test wants of its server before the first start.
#[derive(Clone, Debug, Default)]
pub struct SetUp {
    settings: Vec<(String, String, String)>,
    arguments: Vec<String>,
    data: Option<PathBuf>,
    listen: Option<String>,
    environment: Vec<(String, String)>,
}

impl SetUp {
    /// Sets `key = value` (TOML text) in `[section]` of `claviger.toml`.
    #[must_use]
    pub fn set(mut self, section: &str, key: &str, value: &str) -> Self {
        self.settings
            .push((section.to_owned(), key.to_owned(), value.to_owned()));
        self
    }

    /// One more word for `claviger serve`.
    #[must_use]
    pub fn argument(mut self, word: &str) -> Self {
        self.arguments.push(word.to_owned());
        self
    }

    /// Where the XML-RPC door listens, in place of a free port of 127.0.0.1.
    #[must_use]
    pub fn listen(mut self, address: &str) -> Self {
        self.listen = Some(address.to_owned());
        self
    }

    /// A variable in the server's environment.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The data directory, in place of a fresh temporary one: for a small file system.
    #[must_use]
    pub fn data(mut self, dir: &Path) -> Self {
        self.data = Some(dir.to_owned());
        self
    }
}

/// A running server. Dropping it kills the process and removes its files.
#[derive(Debug)]
pub struct Server {
    running: Option<Running>,
    set_up: SetUp,
    data: PathBuf,
    outside: TempDir,
    log: Arc<Log>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Each open door and its address.
    doors: Doors,
}

type Doors = Vec<(String, SocketAddr)>;

impl Server {
    /// Makes a data directory, changes its settings and serves it on a free loopback port.
    ///
    /// # Panics
    /// When the server is not ready within [`PATIENCE`], with all it said.
    #[track_caller]
    #[must_use]
    pub fn start(set_up: SetUp) -> Self {
        let outside = tempfile::tempdir().expect("a temporary directory");
        let data = set_up
            .data
            .clone()
            .unwrap_or_else(|| outside.path().join("data"));
        let mut server = Self {
            running: None,
            set_up,
            data,
            outside,
            log: Arc::default(),
        };
        server.claviger(&["init"]).ok();
        server.write_settings();
        server.restart();
        server
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A place for the test's own files, outside the data directory.
    #[must_use]
    pub fn outside(&self) -> &Path {
        self.outside.path()
    }

    /// Where the XML-RPC door listens.
    ///
    /// # Panics
    /// When the server is stopped.
    #[track_caller]
    #[must_use]
    pub fn xmlrpc(&self) -> SocketAddr {
        self.door("xmlrpc")
    }

    /// Where the door of that name listens.
    ///
    /// # Panics
    /// When the server is stopped, or the door closed.
    #[track_caller]
    #[must_use]
    pub fn door(&self, name: &str) -> SocketAddr {
        let running = self.running.as_ref().expect("the server runs");
        let mut doors = running.doors.iter();
        let found = doors.find(|(door, _)| door == name);
        found.expect("the door is open").1
    }

    /// The URL that clients use.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}/xmlrpc", self.xmlrpc())
    }

    /// The server's process id.
    ///
    /// # Panics
    /// When the server is stopped.
    #[track_caller]
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("the server runs").child.id()
    }

    /// Everything the server has written to its standard error, over all of its starts.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the server has written `words` to its standard error `times` times in all.
    ///
    /// # Panics
    /// When it has not within [`PATIENCE`], with all it said.
    #[track_caller]
    pub fn await_log(&self, words: &str, times: usize) {
        self.log.wait_for(words, times);
    }

    /// Runs `claviger WORDS… --data DIR`, whether the server runs or not.
    #[track_caller]
    pub fn claviger(&self, words: &[&str]) -> Ran {
        self.claviger_with_input(words, "")
    }

    /// The same with text on its standard input: `--password-stdin`.
    #[track_caller]
    pub fn claviger_with_input(&self, words: &[&str], input: &str) -> Ran {
        let mut command = Command::new(claviger_program());
        command.args(words).arg("--data").arg(&self.data);
        run_with_input(&mut command, input.as_bytes())
    }

    /// A resource with one account whose password is known.
    #[track_caller]
    pub fn resource(&self, resource: &str, account: &str, password: &str) {
        let words = [
            "resource",
            "add",
            resource,
            "--type",
            "Linux",
            "--account",
            account,
        ];
        self.claviger_with_input(&[&words[..], &["--password-stdin"]].concat(), password)
            .ok();
    }

    /// A password user `NAME@127.0.0.1` with a P-256 certificate from the server's own CA.
    #[track_caller]
    #[must_use]
    pub fn app(&self, name: &str) -> Identity {
        let identity = self.issue(name);
        self.register(&identity, "password-user");
        identity
    }

    /// A certificate from the server's own CA that belongs to nobody yet.
    #[track_caller]
    #[must_use]
    pub fn issue(&self, name: &str) -> Identity {
        let out = self.outside.path().join("issued");
        let secret = self.outside.path().join("p12-password");
        fs::write(&secret, crate::SEED_PASSPHRASE).expect("a writable directory");
        let (out_word, secret_word) = (out.to_string_lossy(), secret.to_string_lossy());
        let words = [
            "cert",
            "issue",
            name,
            "--out",
            &out_word,
            "--p12-password-file",
            &secret_word,
        ];
        self.claviger(&words).ok();
        Identity {
            name: name.to_owned(),
            cert: out.join(format!("{name}.crt")),
            key: out.join(format!("{name}.key")),
            p12: Some(out.join(format!("{name}.p12"))),
            p12_password: crate::SEED_PASSPHRASE.to_owned(),
        }
    }

    /// An API user `NAME@127.0.0.1` of this role, bound to this certificate.
    #[track_caller]
    pub fn register(&self, identity: &Identity, role: &str) {
        let user = format!("{}@127.0.0.1", identity.name);
        let cert = identity.cert.to_string_lossy();
        self.claviger(&[
            "user", "add", &user, "--api", "--role", role, "--cert", &cert,
        ])
        .ok();
    }

    /// Shares `RESOURCE` or `RESOURCE/ACCOUNT` with the user of this certificate.
    #[track_caller]
    pub fn share(&self, what: &str, identity: &Identity, level: &str) {
        let user = format!("{}@127.0.0.1", identity.name);
        self.claviger(&["share", what, &user, "--level", level])
            .ok();
    }

    /// The PEM file of the CA that signed the server's certificate.
    #[track_caller]
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        let path = self.outside.path().join("issued/ca.pem");
        if !path.exists() {
            let _ = self.issue("harness");
        }
        path
    }

    /// A TLS connection showing `identity`, if any.
    ///
    /// # Errors
    /// Whatever the socket or the handshake said.
    #[track_caller]
    pub fn connect(&self, identity: Option<&Identity>) -> std::io::Result<Wire> {
        let ca = CertificateDer::from_pem_file(self.ca()).expect("the CA's certificate");
        let config = client_config(&[ca], identity, rustls::ALL_VERSIONS);
        Wire::open(self.xmlrpc(), config)
    }

    /// One call with string parameters over a new connection.
    ///
    /// # Panics
    /// When there is no HTTP answer.
    #[track_caller]
    #[must_use]
    pub fn call(&self, identity: &Identity, method: &str, parameters: &[&str]) -> Answer {
        let mut wire = self.connect(Some(identity)).expect("a TLS connection");
        wire.post(&xml::call(method, parameters), &["Connection: close"])
            .expect("an answer")
    }

    /// Kills the server as a power cut would (SIGKILL) and waits until it is gone.
    pub fn kill9(&mut self) {
        if let Some(mut running) = self.running.take() {
            drop(running.child.kill());
            drop(running.child.wait());
        }
    }

    /// Asks the server to end (SIGTERM) and waits for it.
    ///
    /// # Panics
    /// When it does not end within [`PATIENCE`].
    #[track_caller]
    pub fn terminate(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("the server runs");
        let pid = i32::try_from(running.child.id())
            .ok()
            .and_then(Pid::from_raw);
        kill_process(pid.expect("a process id"), Signal::TERM).expect("the process is ours");
        let ended = wait(&mut running.child);
        if ended.is_none() {
            drop(running.child.kill());
            drop(running.child.wait());
        }
        ended.unwrap_or_else(|| panic!("still up {PATIENCE:?} after SIGTERM\n{}", self.log()))
    }

    /// Starts the server on its data directory, after [`Server::kill9`] if it still runs.
    ///
    /// # Panics
    /// When it is not ready within [`PATIENCE`], with all it said.
    #[track_caller]
    pub fn restart(&mut self) {
        self.try_restart()
            .unwrap_or_else(|why| panic!("{why}\n{}", self.log()));
    }

    /// The same, for a start that is expected to be refused.
    ///
    /// # Errors
    /// Why it is not ready: it ended, or said nothing in time.
    pub fn try_restart(&mut self) -> Result<(), String> {
        self.kill9();
        let mut child = self
            .serve()
            .spawn()
            .map_err(|why| format!("cannot serve: {why}"))?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        self.keep_log(stderr);
        match until_ready(&lines_of(stdout)) {
            Ok(doors) => {
                self.running = Some(Running { child, doors });
                Ok(())
            }
            Err(why) => {
                drop(child.kill());
                let status = child
                    .wait()
                    .map_or_else(|why| why.to_string(), |s| s.to_string());
                Err(format!("{why}; the server ended with {status}"))
            }
        }
    }

    fn serve(&self) -> Command {
        let mut command = Command::new(claviger_program());
        command
            .args(["serve", "--xmlrpc"])
            .arg(self.set_up.listen.as_deref().unwrap_or("127.0.0.1:0"))
            .args(["--rest", "127.0.0.1:0"])
            .args(["--ssh", "127.0.0.1:0"])
            .args(["--a2a", "127.0.0.1:0"])
            .args(&self.set_up.arguments);
        command.arg("--data").arg(&self.data);
        command.envs(self.set_up.environment.iter().cloned());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn keep_log(&self, stderr: ChildStderr) {
        let log = Arc::clone(&self.log);
        thread::spawn(move || log.keep(stderr));
    }

    fn write_settings(&self) {
        if self.set_up.settings.is_empty() {
            return;
        }
        let path = self.data.join("claviger.toml");
        let mut text = fs::read_to_string(&path).expect("init wrote the settings");
        for (section, key, value) in &self.set_up.settings {
            text = settings::set(&text, section, key, value);
        }
        fs::write(&path, text).expect("the settings are ours");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// Reads lines in a thread of its own, so that a silent server cannot hold the test, and goes on
/// reading after `ready`, so that a full pipe cannot hold the server.
fn lines_of(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|count| count > 0) {
            if sender.send(line.trim_end().to_owned()).is_err() {
                drop(reader.read_to_end(&mut Vec::new()));
                return;
            }
            line.clear();
        }
    });
    lines
}

fn until_ready(lines: &Receiver<String>) -> Result<Doors, String> {
    let end = std::time::Instant::now() + PATIENCE;
    let mut doors = Doors::new();
    loop {
        let left = end.saturating_duration_since(std::time::Instant::now());
        let line = lines
            .recv_timeout(left)
            .map_err(|why| format!("not ready: {why}"))?;
        if line == "ready" {
            return Ok(doors);
        }
        let door = line.split_once(" listening on ");
        doors.extend(door.and_then(|(name, at)| Some((name.to_owned(), at.parse().ok()?))));
    }
}
