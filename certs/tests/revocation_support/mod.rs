//! A certification authority made of openssl's own commands, its responder, and a server on loopback
//! that answers as a test tells it.

#![expect(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared by several test programs; a fixture that fails must fail the test"
)]

use std::fs;
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::interval;

/// The time, in seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "openssl dates certificates and answers by the machine's clock"
)]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// Runs openssl in `directory` and hands back what it prints.
pub(crate) fn openssl(directory: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "openssl {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// An authority: `ca.pem`, `ca.key`, `index.txt` in a directory of its own.
pub(crate) struct Authority {
    directory: TempDir,
}

impl Authority {
    /// An authority with an index in which 1001 is valid and 1002 is revoked.
    pub(crate) fn new() -> Self {
        Self::with_key(&["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
    }

    /// The same with another kind of key, as `openssl req -newkey` takes it.
    pub(crate) fn with_key(newkey: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut arguments = vec![
            "req", "-x509", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
        ];
        arguments.extend(["-subj", "/O=Test/CN=Authority", "-days", "30", "-newkey"]);
        arguments.extend(newkey);
        openssl(directory.path(), &arguments);
        let authority = Self { directory };
        authority.write_index(
            "V\t491231235959Z\t\t1001\tunknown\t/CN=good\n\
             R\t491231235959Z\t250101000000Z,keyCompromise\t1002\tunknown\t/CN=revoked\n",
        );
        authority
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        read(&self.path().join("ca.pem"))
    }

    pub(crate) fn write_index(&self, lines: &str) {
        fs::write(self.path().join("index.txt"), lines).unwrap();
    }

    /// A client certificate with this serial (hexadecimal), naming these responders.
    pub(crate) fn leaf(&self, serial: &str, responders: &[&str]) -> CertificateDer<'static> {
        let mut extensions = "basicConstraints=CA:FALSE\n".to_owned();
        if !responders.is_empty() {
            let access: Vec<String> = responders
                .iter()
                .map(|url| format!("OCSP;URI:{url}"))
                .collect();
            extensions += &format!("authorityInfoAccess={}\n", access.join(","));
        }
        read(&self.issue(&format!("leaf{serial}"), serial, &extensions))
    }

    /// A certificate `NAME.pem` with key `NAME.key` and these extensions.
    pub(crate) fn issue(&self, name: &str, serial: &str, extensions: &str) -> PathBuf {
        let (key, request) = (format!("{name}.key"), format!("{name}.csr"));
        let (file, pem) = (format!("{name}.ext"), format!("{name}.pem"));
        fs::write(self.path().join(&file), extensions).unwrap();
        let subject = format!("/CN={name}");
        let mut arguments = vec!["req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt"];
        arguments.extend(["ec_paramgen_curve:P-256", "-subj", &subject]);
        arguments.extend(["-keyout", &key, "-out", &request]);
        openssl(self.path(), &arguments);
        let serial = format!("0x{serial}");
        let mut arguments = vec!["x509", "-req", "-in", &request, "-out", &pem, "-days", "20"];
        arguments.extend(["-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", &serial]);
        arguments.extend(["-extfile", &file]);
        openssl(self.path(), &arguments);
        self.path().join(pem)
    }

    /// What `openssl ocsp` answers to `request`, signed by `signer` (`ca`, or a certificate made by
    /// [`Self::issue`], or a path to one without its ending).
    pub(crate) fn answer(&self, request: &[u8], signer: &str, more: &[&str]) -> Vec<u8> {
        let question = tempfile::NamedTempFile::new().unwrap();
        let answer = tempfile::NamedTempFile::new().unwrap();
        fs::write(question.path(), request).unwrap();
        let (certificate, key) = (format!("{signer}.pem"), format!("{signer}.key"));
        let mut arguments = vec!["ocsp", "-index", "index.txt", "-CA", "ca.pem"];
        arguments.extend(["-rsigner", &certificate, "-rkey", &key]);
        arguments.extend(["-reqin", question.path().to_str().unwrap()]);
        arguments.extend(["-respout", answer.path().to_str().unwrap()]);
        arguments.extend(more);
        openssl(self.path(), &arguments);
        fs::read(answer.path()).unwrap()
    }

    /// Starts `openssl ocsp -port 0`, which says itself when it listens.
    pub(crate) fn responder(&self, signer: &str) -> OpensslResponder {
        let mut child = Command::new("openssl")
            .args(["ocsp", "-port", "0", "-index", "index.txt", "-CA", "ca.pem"])
            .args(["-rsigner", &format!("{signer}.pem")])
            .args(["-rkey", &format!("{signer}.key"), "-nmin", "60"])
            .current_dir(self.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        // `ACCEPT [::]:43239 PID=23301`; the line comes when the socket listens, or the pipe ends.
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.split_whitespace().nth(1).unwrap_or_default();
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        OpensslResponder { child, port }
    }
}

fn read(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

/// `openssl ocsp -port`, ended with the test.
pub(crate) struct OpensslResponder {
    child: Child,
    port: u16,
}

impl OpensslResponder {
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for OpensslResponder {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// From a request's body to what is sent back.
type Answering = Arc<dyn Fn(&[u8]) -> Reply + Send + Sync>;

/// What a [`Server`] sends back.
pub(crate) enum Reply {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// These bytes, one every few milliseconds.
    Slowly(Vec<u8>),
    /// Nothing, with the connection kept open.
    Silence,
}

impl Reply {
    /// A proper OCSP answer over HTTP.
    pub(crate) fn ocsp(body: &[u8]) -> Self {
        Self::http("200 OK", body)
    }

    pub(crate) fn http(status: &str, body: &[u8]) -> Self {
        let length = body.len();
        let mut bytes = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/ocsp-response\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        .into_bytes();
        bytes.extend(body);
        Self::Bytes(bytes)
    }
}

/// A server on loopback that answers each request as a closure tells it.
pub(crate) struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&[u8]) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let answer: Answering = Arc::new(answer);
        let seen = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(serve(stream, Arc::clone(&answer), Arc::clone(&seen)));
            }
        });
        Self { port, heads, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/ocsp", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The heads of the requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// How many requests have come.
    pub(crate) fn count(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, answer: Answering, heads: Arc<Mutex<Vec<String>>>) {
    let Some((head, body)) = request(&mut stream).await else {
        return;
    };
    heads.lock().unwrap().push(head);
    // A peer that hangs up early is part of these tests.
    match answer(&body) {
        Reply::Bytes(bytes) => drop(stream.write_all(&bytes).await),
        Reply::Slowly(bytes) => {
            let mut tick = interval(Duration::from_millis(20));
            for byte in bytes {
                tick.tick().await;
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
        }
        Reply::Silence => drop(stream.read(&mut [0]).await),
    }
}

async fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some((head, bytes[end + 4..].to_vec()));
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Bounds a test: nothing here may ever hang.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => panic!("took longer than {limit:?}"),
    }
}

/// Writes `bytes` as `directory/name`.
pub(crate) fn put(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.join(name);
    fs::File::create(&path).unwrap().write_all(bytes).unwrap();
    path
}
