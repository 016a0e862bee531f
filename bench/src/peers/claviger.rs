//! Ours: the true release program, set up by its own commands.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::a2a::A2a;
use super::certificates::CLIENT_NAME;
use super::{Door, Peer, Process, Verb, Words, password_head};
use crate::load::Passport;
use crate::proc::size_mib;
use crate::trouble::Trouble;

const PATIENCE: Duration = Duration::from_secs(120);
/// The API user that all callers are.
pub const USER: &str = "bench@127.0.0.0/8";

/// A data directory and the program that serves it.
#[derive(Clone, Debug)]
pub struct Claviger {
    program: PathBuf,
    data: PathBuf,
}

/// A program that serves.
pub struct Running {
    /// The process; dropping it ends it.
    pub process: Process,
    /// Where its XML-RPC door is.
    pub xmlrpc: SocketAddr,
    /// Where its REST door is.
    pub rest: SocketAddr,
    /// Where its SSH door is.
    pub ssh: SocketAddr,
    /// Where its A2A door is.
    pub a2a: SocketAddr,
    /// From its start until it was `ready`.
    pub seconds: f64,
}

/// What an import took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Import {
    /// From the command's start to its end, in seconds.
    pub seconds: f64,
    /// The server's peak, in MiB.
    pub server_mib: f64,
    /// The command's own peak, in MiB.
    pub command_mib: f64,
}

impl Claviger {
    /// Builds the release program with Cargo, unless the caller brings one.
    ///
    /// # Errors
    /// When it does not build.
    pub fn program(root: &Path, given: Option<&Path>) -> Result<PathBuf, Trouble> {
        if let Some(given) = given {
            return Ok(given.to_owned());
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args([
                "build",
                "--release",
                "--locked",
                "--package",
                "claviger",
                "--quiet",
            ])
            .current_dir(root)
            .status()?;
        if !built.success() {
            return Err(Trouble::new("cargo could not build claviger"));
        }
        let target = std::env::current_exe()?;
        let release = target.ancestors().find(|dir| dir.ends_with("release"));
        let release = release.map_or_else(|| root.join("target/release"), Path::to_owned);
        Ok(release.join("claviger"))
    }

    /// A fresh data directory at `data`.
    ///
    /// # Errors
    /// When `claviger init` fails.
    pub fn init(program: &Path, data: &Path) -> Result<Self, Trouble> {
        let ours = Self::left_at(program, data);
        ours.command(&["init"])?;
        Ok(ours)
    }

    /// The data directory at `data`, as an earlier run left it.
    pub fn left_at(program: &Path, data: &Path) -> Self {
        Self {
            program: program.to_owned(),
            data: data.to_owned(),
        }
    }

    /// Sets `key = value` in `[section]` of `claviger.toml`, where the key stands already, if only
    /// as a comment.
    ///
    /// # Errors
    /// When it does not.
    pub fn set(&self, section: &str, key: &str, value: &str) -> Result<(), Trouble> {
        let path = self.data.join("claviger.toml");
        let text = fs::read_to_string(&path)?;
        let (title, name) = (format!("[{section}]\n"), format!("{key} = "));
        let parts = text.split_once(&title).and_then(|(before, rest)| {
            let found = rest.split_once(&format!("\n{name}"));
            let (head, tail) = found.or_else(|| rest.split_once(&format!("\n# {name}")))?;
            let (_, after) = tail.split_once('\n')?;
            Some(format!("{before}{title}{head}\n{name}{value}\n{after}"))
        });
        let text = parts.ok_or_else(|| Trouble::new(format!("no {section}.{key}")))?;
        Ok(fs::write(path, text)?)
    }

    /// Starts serving.
    ///
    /// # Errors
    /// When it is not ready in time.
    pub fn serve(&self) -> Result<Running, Trouble> {
        let start = Instant::now();
        let log = fs::File::create(self.data.with_extension("log"))?;
        let mut command = Command::new(&self.program);
        command
            .args([
                "serve",
                "--xmlrpc",
                "127.0.0.1:0",
                "--rest",
                "127.0.0.1:0",
                "--ssh",
                "127.0.0.1:0",
                "--a2a",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(&self.data);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut process = Process(command.spawn()?);
        let stdout = process
            .0
            .stdout
            .take()
            .ok_or_else(|| Trouble::new("no pipe"))?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        let (mut xmlrpc, mut rest, mut ssh, mut a2a) = (None, None, None, None);
        loop {
            let line = lines
                .recv_timeout(PATIENCE.saturating_sub(start.elapsed()))
                .map_err(|_| Trouble::new("claviger serve did not become ready"))?;
            if let Some(shown) = line.strip_prefix("xmlrpc listening on ") {
                xmlrpc = Some(shown.parse()?);
            }
            if let Some(shown) = line.strip_prefix("rest listening on ") {
                rest = Some(shown.parse()?);
            }
            if let Some(shown) = line.strip_prefix("ssh listening on ") {
                ssh = Some(shown.parse()?);
            }
            if let Some(shown) = line.strip_prefix("a2a listening on ") {
                a2a = Some(shown.parse()?);
            }
            if let (Some(xmlrpc), Some(rest), Some(ssh), Some(a2a), "ready") =
                (xmlrpc, rest, ssh, a2a, line.as_str())
            {
                return Ok(Running {
                    process,
                    xmlrpc,
                    rest,
                    ssh,
                    a2a,
                    seconds: start.elapsed().as_secs_f64(),
                });
            }
        }
    }

    /// The API user, its certificate, and `accounts` of its own; the server must run.
    ///
    /// # Errors
    /// When a command fails.
    pub fn populate(&self, server: &Process, accounts: u64) -> Result<Import, Trouble> {
        let out = self.issued();
        self.command(&[
            "cert",
            "issue",
            CLIENT_NAME,
            "--out",
            &out.to_string_lossy(),
        ])?;
        let cert = out.join(format!("{CLIENT_NAME}.crt"));
        let role = ["--role", "password-administrator", "--scope", "owned"];
        let words = [
            "user",
            "add",
            USER,
            "--api",
            "--cert",
            &cert.to_string_lossy(),
        ];
        self.command(&[&words[..], &role].concat())?;
        let file = self.data.with_extension("csv");
        write_accounts(&file, accounts)?;
        let import = self.import(server, &file);
        fs::remove_file(&file)?;
        import
    }

    /// How to talk to its XML-RPC door.
    pub fn peer(&self, running: &Running, accounts: u64) -> Peer {
        self.peer_at(
            running,
            Door::XmlRpc,
            running.xmlrpc,
            Arc::new(XmlRpc::new(accounts)),
        )
    }

    /// How to talk to its REST door.
    ///
    /// # Errors
    /// When it gives no token.
    pub fn rest_peer(&self, running: &Running, accounts: u64) -> Result<Peer, Trouble> {
        let token = self.command(&["user", "token", "issue", USER])?;
        let words = Rest {
            accounts,
            token: token.trim().to_owned(),
        };
        Ok(self.peer_at(running, Door::Rest, running.rest, Arc::new(words)))
    }

    /// How to talk to its A2A door.
    ///
    /// # Errors
    /// When a program cannot be registered there.
    pub fn a2a_peer(&self, running: &Running, accounts: u64) -> Result<Peer, Trouble> {
        let words = Arc::new(A2a::register(self, accounts)?);
        Ok(self.peer_at(running, Door::A2a, running.a2a, words))
    }

    fn peer_at(
        &self,
        running: &Running,
        door: Door,
        address: SocketAddr,
        words: Arc<dyn Words>,
    ) -> Peer {
        let out = self.issued();
        let passport = Passport {
            ca: out.join("ca.pem"),
            cert: out.join(format!("{CLIENT_NAME}.crt")),
            key: out.join(format!("{CLIENT_NAME}.key")),
        };
        Peer {
            name: "claviger",
            door: Some(door),
            pid: running.process.pid(),
            address,
            passport,
            words,
        }
    }

    /// A file beside the data directory, with this ending.
    pub fn beside(&self, ending: &str) -> PathBuf {
        self.data.with_extension(ending)
    }

    /// The same as [`Self::command`], with what it says on its way shown.
    ///
    /// # Errors
    /// When it ends with anything but 0.
    pub fn shown(&self, words: &[&str]) -> Result<String, Trouble> {
        let mut command = Command::new(&self.program);
        let command = command.args(words).arg("--data").arg(&self.data);
        let ended = command
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        match ended.status.success() {
            true => Ok(said),
            false => Err(Trouble::new(said)),
        }
    }

    /// Runs `claviger WORDS… --data DIR` to its end; returns what it printed.
    ///
    /// # Errors
    /// When it ends with anything but 0, in its own words.
    pub fn command(&self, words: &[&str]) -> Result<String, Trouble> {
        let mut command = Command::new(&self.program);
        let ended = command
            .args(words)
            .arg("--data")
            .arg(&self.data)
            .stdin(Stdio::null())
            .output()?;
        if ended.status.success() {
            return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
        Err(Trouble::new(said).during(&format!("claviger {}", words.join(" "))))
    }

    /// Where it listens for its operator.
    pub fn socket(&self) -> PathBuf {
        self.data.join("admin.sock")
    }

    fn issued(&self) -> PathBuf {
        self.data.with_extension("issued")
    }

    /// Imports `file`, watching how large the command and the server become.
    /// Imports this file.
    ///
    /// # Errors
    /// When the command fails.
    pub fn import(&self, server: &Process, file: &Path) -> Result<Import, Trouble> {
        let start = Instant::now();
        let mut command = Command::new(&self.program);
        command
            .arg("import")
            .arg(file)
            .arg("--yes")
            .arg("--data")
            .arg(&self.data);
        let log = fs::File::create(self.data.with_extension("import.log"))?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut child = Process(command.spawn()?);
        let mut import = Import::default();
        let status = loop {
            if let Some(status) = child.0.try_wait()? {
                break status;
            }
            // Gone between the two looks: its last peak is known already.
            import.command_mib = size_mib(child.pid(), "VmHWM").unwrap_or(import.command_mib);
            std::thread::sleep(Duration::from_millis(5));
        };
        import.seconds = start.elapsed().as_secs_f64();
        import.server_mib = size_mib(server.pid(), "VmHWM")?;
        if status.success() {
            return Ok(import);
        }
        let said = fs::read_to_string(self.data.with_extension("import.log"))?;
        Err(Trouble::new(said.trim().to_owned()).during("claviger import"))
    }
}

fn write_accounts(path: &Path, accounts: u64) -> Result<(), Trouble> {
    let mut file = std::io::BufWriter::new(fs::File::create(path)?);
    writeln!(file, "resource,type,account,password,owner")?;
    for number in 0..accounts {
        writeln!(
            file,
            "server-{number:07},Linux,root,{}wQ,{USER}",
            password_head(number)
        )?;
    }
    Ok(file.flush()?)
}

/// The words of the XML-RPC door.
#[derive(Debug)]
pub struct XmlRpc {
    accounts: u64,
}

impl XmlRpc {
    /// For a server with so many accounts.
    pub fn new(accounts: u64) -> Self {
        Self { accounts }
    }
}

impl Words for XmlRpc {
    fn write(&self, verb: Verb, pick: u64, out: &mut Vec<u8>, needle: &mut Vec<u8>) {
        let number = pick % self.accounts;
        let head = password_head(number);
        let (method, rest) = match verb {
            Verb::Retrieve => ("pmp.password.retrieve", String::new()),
            Verb::Change => ("pmp.password.change", change_parameters(&head, pick)),
        };
        match verb {
            Verb::Retrieve => needle.extend_from_slice(head.as_bytes()),
            Verb::Change => needle.extend_from_slice(b"SUCCESS"),
        }
        let body = format!(
            "<?xml version=\"1.0\"?><methodCall><methodName>{method}</methodName><params>\
             <param><value><string>server-{number:07}</string></value></param>\
             <param><value><string>root</string></value></param>{rest}</params></methodCall>"
        );
        // Writing to a vector cannot fail.
        drop(write!(
            out,
            "POST /xmlrpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    }
}

fn change_parameters(head: &str, pick: u64) -> String {
    format!(
        "<param><value><string>{head}wQ{pick:020}</string></value></param>\
         <param><value><string>rotation</string></value></param>\
         <param><value><boolean>0</boolean></value></param>"
    )
}

/// The words of the REST door. The ids are those that an import into an empty vault gives.
struct Rest {
    accounts: u64,
    token: String,
}

impl Words for Rest {
    fn write(&self, verb: Verb, pick: u64, out: &mut Vec<u8>, needle: &mut Vec<u8>) {
        let number = pick % self.accounts;
        let (id, token, head) = (number + 1, &self.token, password_head(number));
        let (method, body) = match verb {
            Verb::Retrieve => ("GET", String::new()),
            Verb::Change => ("PUT", change_input(&head, pick)),
        };
        match verb {
            Verb::Retrieve => needle.extend_from_slice(head.as_bytes()),
            Verb::Change => needle.extend_from_slice(b"Success"),
        }
        // Writing to a vector cannot fail.
        drop(write!(
            out,
            "{method} /restapi/json/v1/resources/{id}/accounts/{id}/password HTTP/1.1\r\n\
             Host: localhost\r\nAUTHTOKEN: {token}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    }
}

fn change_input(head: &str, pick: u64) -> String {
    format!(
        "INPUT_DATA={{\"operation\":{{\"Details\":{{\"NEWPASSWORD\":\"{head}wQ{pick:020}\",\
         \"RESETTYPE\":\"LOCAL\",\"REASON\":\"rotation\"}}}}}}"
    )
}
