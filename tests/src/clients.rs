//! The clients that users have already: curl and Python.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use crate::process::{Ran, run, run_with_input};
use crate::{Identity, PATIENCE};

/// `curl` showing `identity` to a server signed by `ca`; it posts `body` to `url`.
///
/// Standard output is the body; the exit status is curl's own.
#[track_caller]
pub fn curl(url: &str, ca: &Path, identity: Option<&Identity>, body: &[u8]) -> Ran {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--show-error",
        "--max-time",
        "30",
        "--noproxy",
        "*",
    ]);
    command.arg("--cacert").arg(ca);
    if let Some(identity) = identity {
        command
            .arg("--cert")
            .arg(&identity.cert)
            .arg("--key")
            .arg(&identity.key);
    }
    command.args([
        "--header",
        "Content-Type: text/xml",
        "--data-binary",
        "@-",
        url,
    ]);
    run_with_input(&mut command, body)
}

/// Python's `xmlrpc.client` with an SSL context of `identity`, trusting `ca`.
///
/// `script` sees `server` (a `ServerProxy` of `url`), `xmlrpc`, `json` and `sys`, and prints what
/// the test wants to see.
#[track_caller]
pub fn python(url: &str, ca: &Path, identity: &Identity, script: &str) -> Ran {
    let prelude = "import json, ssl, sys, xmlrpc.client\n\
                   url, ca, cert, key = sys.argv[1:5]\n\
                   context = ssl.create_default_context(cafile=ca)\n\
                   context.load_cert_chain(cert, key)\n\
                   server = xmlrpc.client.ServerProxy(url, context=context, allow_none=True)\n";
    let mut command = Command::new("python3");
    command
        .arg("-c")
        .arg(format!("{prelude}{script}"))
        .arg(url)
        .arg(ca);
    command.arg(&identity.cert).arg(&identity.key);
    command.env_remove("https_proxy").env_remove("HTTPS_PROXY");
    run(&mut command)
}

/// `GET path` in plain HTTP: the status, and the body.
///
/// # Panics
/// When there is no HTTP answer.
#[track_caller]
#[must_use]
pub fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE).expect("an open door");
    socket
        .set_read_timeout(Some(PATIENCE))
        .expect("a bounded wait");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("a request");
    let mut said = String::new();
    socket.read_to_string(&mut said).expect("an answer");
    let (head, body) = said.split_once("\r\n\r\n").expect("a head");
    let status = head.get(9..12).and_then(|code| code.parse().ok());
    (status.expect("a status line"), body.to_owned())
}
