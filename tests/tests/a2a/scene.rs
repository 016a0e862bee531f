//! A furnished server, and the clients that come to it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use harness::{Identity, Openssl, Ran, Server, SetUp, run};
use serde_json::Value;

/// A server with a program that is registered for the account `root` of the resource `db1`.
pub(crate) struct Furnished {
    pub(crate) server: Server,
    pub(crate) program: Identity,
    /// The program's API key.
    pub(crate) key: String,
}

pub(crate) const PASSWORD: &str = "First-Pass1!word";
pub(crate) const USER: &str = "billing@127.0.0.1";

impl Furnished {
    pub(crate) fn new(bidirectional: bool) -> Self {
        Self::set_up(SetUp::default(), bidirectional)
    }

    /// The same, with these settings.
    pub(crate) fn set_up(set_up: SetUp, bidirectional: bool) -> Self {
        let server = Server::start(set_up);
        let program = server.app("billing");
        Self::of((server, program), bidirectional)
    }

    /// The program's certificate is of a CA that is not the server's own, made as `root`.
    pub(crate) fn of_one_ca(set_up: SetUp, openssl: &Openssl) -> Self {
        openssl.ca("root");
        Self::under_one_ca(set_up, openssl, &[])
    }

    /// The same, of the CA that is made already, with these extensions.
    pub(crate) fn under_one_ca(set_up: SetUp, openssl: &Openssl, extensions: &[&str]) -> Self {
        let server = Server::start(set_up);
        let root = openssl.path("root.crt");
        let import = ["cert", "import", "--ca", &root.to_string_lossy()];
        server.claviger(&import).ok();
        let program = openssl.signed("root", "billing", extensions);
        server.register(&program, "password-user");
        Self::of((server, program), false)
    }

    fn of((server, program): (Server, Identity), bidirectional: bool) -> Self {
        server.resource("db1", "root", PASSWORD);
        let add = ["a2a", "add", "Billing", "--user", USER, "--visible"];
        let more: &[&str] = if bidirectional {
            &["--bidirectional"]
        } else {
            &[]
        };
        server.claviger(&[&add[..], more].concat()).ok();
        let account = ["Billing", "db1/root"];
        server
            .claviger(&[&["a2a", "account", "add"][..], &account].concat())
            .ok();
        let key = server
            .claviger(&[&["a2a", "account", "key"][..], &account].concat())
            .ok();
        Self {
            key: key.stdout.trim().to_owned(),
            server,
            program,
        }
    }

    /// An SSH key and an API key beside the account.
    pub(crate) fn add_keys(&self) {
        let path = self.server.outside().join("beside");
        std::fs::write(&path, ssh_key(&self.server, "")).unwrap();
        let words = ["account", "add", "db1", "root [SSH key]", "--ssh-key"];
        self.server
            .claviger(&[&words[..], &[&path.to_string_lossy()]].concat())
            .ok();
        let words = ["account", "add", "db1", "root [API key 1]"];
        let pair = ["--api-key", "AKIA1", "--notes", "cloud"];
        self.server
            .claviger_with_input(&[words, pair].concat(), "s3cret")
            .ok();
    }

    /// The status and the body of a request with the program's certificate and `key`.
    pub(crate) fn a2a(&self, key: &str, words: &[&str], path: &str) -> (u16, String) {
        let key = format!("Authorization: A2A {key}");
        let words = [words, &["-H", &key]].concat();
        let ran = self.curl(Some(&self.program), &words, path);
        let (body, status) = ran.stdout.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    pub(crate) fn curl(&self, identity: Option<&Identity>, words: &[&str], path: &str) -> Ran {
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "30", "--noproxy", "*", "--cacert"]);
        command.arg(self.server.ca()).args(["-w", "\n%{http_code}"]);
        if let Some(identity) = identity {
            command.arg("--cert").arg(&identity.cert);
            command.arg("--key").arg(&identity.key);
        }
        let url = format!("https://{}{path}", self.server.door("a2a"));
        run(command.args(words).arg(url)).ok()
    }

    /// A Python script with one of the vendor's packages, which prints one line of JSON; it sees
    /// `host`, `ca`, `cert`, `key`, `api_key` and `more`.
    #[track_caller]
    pub(crate) fn python(&self, python: &Path, script: &str, more: &Value) -> Value {
        let ran = run(&mut self.python_command(python, script, more)).ok();
        serde_json::from_str(ran.stdout.trim()).unwrap_or_else(|why| panic!("{why}: {ran}"))
    }

    /// The same, to be run; who verifies by what the machine trusts finds the server's CA there.
    pub(crate) fn python_command(&self, python: &Path, script: &str, more: &Value) -> Command {
        let prelude = "import json, sys\nhost, ca, cert, key, api_key = sys.argv[1:6]\n\
                       more = json.loads(sys.argv[6])\n";
        let mut command = Command::new(python);
        command.args(["-W", "ignore", "-c", &format!("{prelude}{script}")]);
        command.arg(self.server.door("a2a").to_string());
        command.arg(self.server.ca());
        command.arg(&self.program.cert).arg(&self.program.key);
        command.arg(&self.key).arg(more.to_string());
        command
            .env("NO_PROXY", "*")
            .env("SSL_CERT_FILE", self.server.ca());
        for others in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
            command.env_remove(others);
        }
        command
    }
}

/// An SSH private key that ssh-keygen has made, with this passphrase.
pub(crate) fn ssh_key(server: &Server, passphrase: &str) -> String {
    let path = server.outside().join(format!("id{}", passphrase.len()));
    drop(std::fs::remove_file(&path));
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", passphrase, "-C", "app", "-f"]);
    run(command.arg(&path)).ok();
    std::fs::read_to_string(path).unwrap()
}

pub(crate) const NO_PACKAGE: &str = "pip cannot install pysafeguard here";

/// Python with this version of the vendor's package and what it listens with, made once and kept beside the test programs.
pub(crate) fn python_with(version: &str) -> Option<PathBuf> {
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let programs = harness::claviger_program().parent()?.to_owned();
    let home = programs.join(format!("pysafeguard-{version}-venv"));
    let python = home.join("bin/python");
    let has_it =
        || run(Command::new(&python).args(["-c", "import pysafeguard, signalrcore"])).code() == 0;
    if python.exists() && has_it() {
        return Some(python);
    }
    let mut make = Command::new("python3");
    if run(make.args(["-m", "venv", "--clear"]).arg(&home)).code() != 0 {
        return None;
    }
    let mut install = Command::new(home.join("bin/pip"));
    let pinned = format!("pysafeguard[signalr]=={version}");
    install.args([
        "install",
        "--quiet",
        "--timeout",
        "15",
        "--retries",
        "1",
        &pinned,
    ]);
    let installed = harness::run_for(&mut install, Duration::from_secs(180));
    (installed.code() == 0 && has_it()).then_some(python)
}
