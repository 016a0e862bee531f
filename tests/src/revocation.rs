//! A CA of openssl's that takes certificates back, by a list or by a responder.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::{Identity, Openssl, PATIENCE};

impl Openssl {
    /// A revocation list of the CA made as `ca`, good for a week, with these certificates in it.
    #[track_caller]
    #[must_use]
    pub fn revocation_list(&self, ca: &str, revoked: &[&Identity]) -> PathBuf {
        self.write_index(ca, &[], revoked);
        let config = format!(
            "[ca]\ndefault_ca=own\n[own]\ndatabase={ca}.index\ncertificate={ca}.crt\n\
             private_key={ca}.plain.key\ndefault_md=sha256\ndefault_crl_days=7\n\
             crlnumber={ca}.number\n"
        );
        self.put(&format!("{ca}.cnf"), &config);
        if !self.path(&format!("{ca}.number")).exists() {
            self.put(&format!("{ca}.number"), "01\n");
        }
        self.run(&format!("ca -config {ca}.cnf -gencrl -out {ca}.crl"))
            .ok();
        self.path(&format!("{ca}.crl"))
    }

    /// What the responder of that CA says from now on: these are good, those revoked, and all
    /// others unknown.
    #[track_caller]
    pub fn write_index(&self, ca: &str, good: &[&Identity], revoked: &[&Identity]) {
        let mut lines = String::new();
        for identity in good {
            let serial = self.serial(identity);
            lines.push_str(&format!(
                "V\t491231235959Z\t\t{serial}\tunknown\t/CN=good\n"
            ));
        }
        for identity in revoked {
            let serial = self.serial(identity);
            lines.push_str(&format!(
                "R\t491231235959Z\t250101000000Z\t{serial}\tunknown\t/CN=revoked\n"
            ));
        }
        // In one step: the responder reads it again whenever it is another file.
        self.put(&format!("{ca}.new"), &lines);
        let (new, index) = (format!("{ca}.new"), format!("{ca}.index"));
        fs::rename(self.path(&new), self.path(&index)).expect("a writable directory");
    }

    /// The OCSP responder of the CA made as `ca`, which knows nobody yet.
    ///
    /// # Panics
    /// When openssl does not say where it listens.
    #[track_caller]
    #[must_use]
    pub fn responder(&self, ca: &str) -> Responder {
        self.write_index(ca, &[], &[]);
        let words = format!(
            "ocsp -port 0 -index {ca}.index -CA {ca}.crt -rsigner {ca}.crt -rkey {ca}.plain.key"
        );
        let mut child = Command::new("openssl")
            .args(words.split_whitespace())
            .current_dir(self.dir())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        let mut said = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut line = String::new();
        // `ACCEPT [::]:43239 PID=23301`, when the socket listens.
        said.read_line(&mut line).expect("openssl speaks");
        // It says something about every question, and must not wait for a reader.
        thread::spawn(move || drop(said.read_to_end(&mut Vec::new())));
        let address = line.split_whitespace().nth(1).unwrap_or_default();
        let port = address
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        Responder {
            child,
            port: port.unwrap_or_else(|| panic!("no address in {line:?}")),
        }
    }

    fn serial(&self, identity: &Identity) -> String {
        let cert = identity.cert.to_string_lossy();
        let said = self.run(&format!("x509 -in {cert} -noout -serial")).ok();
        let serial = said.stdout.trim().strip_prefix("serial=");
        serial.expect("openssl prints the number").to_owned()
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a writable directory");
    }
}

/// `openssl ocsp`, ended with its owner.
#[derive(Debug)]
pub struct Responder {
    child: Child,
    port: u16,
}

impl Responder {
    /// The line of an extension file that names it.
    #[must_use]
    pub fn extension(&self) -> String {
        format!(
            "authorityInfoAccess=OCSP;URI:http://127.0.0.1:{}",
            self.port
        )
    }

    /// An HTTP proxy that takes questions for the host `name`, and asks this responder.
    ///
    /// # Panics
    /// When there is no port for it.
    #[track_caller]
    #[must_use]
    pub fn proxy_for(&self, name: &str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (port, begin) = (self.port, format!("POST http://{name}/"));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A question that goes wrong stays without an answer, as with a true proxy.
                drop(pass_on(client, &begin, port));
            }
        });
        address
    }
}

/// One question to the responder on `port`, and its answer back.
fn pass_on(mut client: TcpStream, begin: &str, port: u16) -> io::Result<()> {
    let asked = message(&mut client)?;
    let Some(rest) = asked.strip_prefix(begin.as_bytes()) else {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    };
    let mut responder = TcpStream::connect(("127.0.0.1", port))?;
    responder.write_all(&[b"POST /", rest].concat())?;
    let answer = message(&mut responder)?;
    client.write_all(&answer)
}

/// A whole HTTP message that says its length.
fn message(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    from.set_read_timeout(Some(PATIENCE))?;
    let mut message = Vec::new();
    let mut room = [0; 4096];
    while !is_whole(&message).unwrap_or(false) {
        match from.read(&mut room)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => message.extend(&room[..count]),
        }
    }
    Ok(message)
}

fn is_whole(message: &[u8]) -> Option<bool> {
    let end = message.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&message[..end]).to_ascii_lowercase();
    let (_, rest) = head.split_once("content-length:")?;
    let body: usize = rest.lines().next()?.trim().parse().ok()?;
    Some(message.len() >= end + body)
}

impl Drop for Responder {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
