//! The operator's socket, without the operator's program: one request, one connection.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;

use crate::PATIENCE;

/// What the admin API answered.
#[derive(Clone, Debug)]
pub struct Told {
    /// The status code.
    pub status: u16,
    /// By which the audit trail knows the request.
    pub request: String,
    /// Everything behind the head, as it came.
    pub body: String,
}

/// Sends `body` to `path` on the socket of the server on `data`.
///
/// # Errors
/// Whatever the socket said; `UnexpectedEof` when there was no whole answer.
pub fn tell(data: &Path, method: &str, path: &str, body: &Value) -> io::Result<Told> {
    let mut stream = UnixStream::connect(data.join("admin.sock"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    parse(&said).ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

fn parse(said: &str) -> Option<Told> {
    let (head, body) = said.split_once("\r\n\r\n")?;
    let named = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let wanted = name.eq_ignore_ascii_case("x-request-id");
        wanted.then(|| value.trim().to_owned())
    };
    Some(Told {
        status: head.get(9..12)?.parse().ok()?,
        request: head.lines().find_map(named)?,
        body: body.to_owned(),
    })
}
