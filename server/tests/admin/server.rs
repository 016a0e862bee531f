//! A server in this process, on a data directory of its own, and a visitor to its socket that
//! checks every answer against the document.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use claviger::admin::socket;
use claviger::app::{self, Announcement, DataFolder, Orders};
use claviger::config::{Config, Listen};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::document::{DOCUMENT, differences};

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; dropping it stops it.
pub(crate) struct Server {
    data: TempDir,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Server {
    /// Makes a vault and serves it with settings that `change` has changed.
    pub(crate) fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .tempdir()
            .unwrap();
        let folder = DataFolder::new(data.path());
        let runtime = Runtime::new().unwrap();
        runtime.block_on(app::init(&folder, &[])).unwrap();
        let mut config = Config::load(data.path()).unwrap();
        config.doors.xmlrpc.listen = Listen::Off;
        config.doors.rest.listen = Listen::Off;
        config.doors.ssh.listen = Listen::Off;
        config.doors.a2a.listen = Listen::Off;
        config.limits.drain_timeout = "1s".parse().unwrap();
        change(&mut config);
        let (stop, stopped) = oneshot::channel();
        let (ready, told) = channel();
        let serving = thread::spawn(move || {
            let mut announce = |told: Announcement<'_>| {
                if told == Announcement::Ready {
                    ready.send(()).unwrap();
                }
            };
            let stop = Box::pin(async { drop(stopped.await) });
            let orders = Orders {
                announce: &mut announce,
                stop,
            };
            runtime
                .block_on(app::serve(&folder, config, orders))
                .unwrap();
        });
        told.recv_timeout(PATIENCE)
            .expect("the server is ready in time");
        Self {
            data,
            stop: Some(stop),
            serving: Some(serving),
        }
    }

    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// A connection to its socket.
    pub(crate) fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(socket::path(self.data())).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None)
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, None)
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "called with json!() literals"
    )]
    pub(crate) fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.ask(method, path, Some(("application/json", body.to_string())))
    }

    /// One request on a connection of its own; the answer is checked against the document.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<(&str, String)>) -> Answer {
        let mut stream = self.connect();
        let (kind, body) = body.unwrap_or(("application/json", String::new()));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        // In one piece: the server may answer, and close, before it has read a body it needs not.
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        // A refused body may be answered by a reset behind the answer.
        let _reset = stream.read_to_end(&mut bytes);
        let answer = Answer::parse(&String::from_utf8(bytes).unwrap());
        check(method, path, &answer);
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take()
            && serving.join().is_err()
            && !thread::panicking()
        {
            panic!("the server ended badly");
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let head = head.to_ascii_lowercase();
        let chunked = head.contains("transfer-encoding: chunked");
        let body = if chunked {
            whole(body)
        } else {
            body.to_owned()
        };
        Self { status, head, body }
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Its lines, each JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let lines = self.body.lines().filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[track_caller]
    pub(crate) fn with(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The kind of problem it names.
    pub(crate) fn problem(&self) -> String {
        let kind = self.json()["type"].as_str().unwrap().to_owned();
        kind.strip_prefix("tag:claviger,2026:").unwrap().to_owned()
    }
}

/// RFC 9112 §7.1, without extensions and trailers.
fn whole(mut rest: &str) -> String {
    let mut whole = String::new();
    while let Some((length, more)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            break;
        }
        whole.push_str(&more[..length]);
        rest = &more[length + 2..];
    }
    whole
}

/// Whether the document knows an answer like this.
fn check(method: &str, path: &str, answer: &Answer) {
    if answer.status >= 400 && path.starts_with("/v1") {
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{answer:?}"
        );
        let wrong = differences(&answer.json(), crate::document::schema("Problem"));
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(
            answer.json()["request"].as_str(),
            answer.header("x-request-id")
        );
        return;
    }
    let operation = operation(method, path);
    let responses = &operation["responses"];
    let response = responses
        .get(answer.status.to_string())
        .unwrap_or_else(|| panic!("{method} {path}: {} is not documented", answer.status));
    let Some(content) = response.get("content") else {
        assert_eq!(answer.body, "", "{method} {path}");
        return;
    };
    let kind = answer
        .header("content-type")
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let schema = &content
        .get(kind)
        .unwrap_or_else(|| panic!("{path}: {kind}"))["schema"];
    let values = match kind {
        "application/json" => vec![answer.json()],
        "application/x-ndjson" => answer.lines(),
        _ => Vec::new(),
    };
    for value in values {
        let wrong = differences(&value, schema);
        assert!(wrong.is_empty(), "{method} {path}: {wrong:?}");
    }
}

fn operation(method: &str, path: &str) -> &'static Value {
    let path = path.split('?').next().unwrap();
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    // Where both fit, the one with a word of its own is meant.
    let mut fitting: Vec<_> = paths.filter(|(template, _)| fits(template, path)).collect();
    fitting.sort_by_key(|(template, _)| template.matches('{').count());
    let (_, item) = fitting
        .first()
        .unwrap_or_else(|| panic!("{path} is not documented"));
    &item[method.to_lowercase()]
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len()
        && wanted
            .iter()
            .zip(given)
            .all(|(wanted, given)| wanted.starts_with('{') || *wanted == given)
}
