//! The bare peer: rustls, tokio, a fixed reply, and the same durable audit as ours. What it does
//! is the least that mutual TLS, HTTP and a record before the answer can cost.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::audit::Audit;
use super::certificates::Certificates;
use super::claviger::XmlRpc;
use super::{Peer, Process, Verb, Words};
use crate::load::{find, read_chain};
use crate::trouble::Trouble;

/// The hidden word that makes this program the bare peer.
pub const SUBCOMMAND: &str = "serve-bare";

const RECORD: [u8; 250] = [b'r'; 250];
const BODY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><methodResponse><params><param><value><struct>\
<member><name>resultCode</name><value><int>0</int></value></member>\
<member><name>message</name><value><string>SUCCESS</string></value></member>\
<member><name>password</name><value><string>Kx7#0000001-wQ</string></value></member>\
</struct></value></param></params></methodResponse>";

/// Starts this program again as the bare peer, its audit in `dir`.
///
/// # Errors
/// When it does not come up.
pub fn start(dir: &Path, certificates: &Certificates) -> Result<(Process, Peer), Trouble> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(SUBCOMMAND).arg(dir.join("bare-audit"));
    command
        .arg(&certificates.cert)
        .arg(&certificates.key)
        .arg(&certificates.passport.ca);
    let mut child = Process(command.stdout(Stdio::piped()).spawn()?);
    let stdout = child
        .0
        .stdout
        .take()
        .ok_or_else(|| Trouble::new("no pipe"))?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let peer = Peer {
        name: "bare",
        door: None,
        pid: child.pid(),
        address: line
            .trim()
            .parse()
            .map_err(|_| Trouble::new("the bare peer did not start"))?,
        passport: certificates.passport.clone(),
        words: Arc::new(Fixed(XmlRpc::new(1))),
    };
    Ok((child, peer))
}

/// The words of the XML-RPC door, answered by the fixed reply.
struct Fixed(XmlRpc);

impl Words for Fixed {
    fn write(&self, verb: Verb, pick: u64, out: &mut Vec<u8>, needle: &mut Vec<u8>) {
        self.0.write(verb, pick, out, needle);
        needle.clear();
        needle.extend_from_slice(b"SUCCESS");
    }
}

/// The bare peer itself: audit file, certificate, key and CA are its arguments.
///
/// # Errors
/// When it cannot start.
pub fn serve(arguments: &[String]) -> Result<(), Trouble> {
    let [audit, cert, key, ca] = arguments else {
        return Err(Trouble::new("four files expected"));
    };
    let audit = Audit::open(Path::new(audit))?;
    let tls = TlsAcceptor::from(Arc::new(server_config(cert, key, ca)?));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
        loop {
            let (socket, _) = listener.accept().await?;
            let (tls, audit) = (tls.clone(), audit.clone());
            tokio::spawn(async move { drop(converse(socket, tls, audit).await) });
        }
    })
}

fn server_config(cert: &str, key: &str, ca: &str) -> Result<ServerConfig, Trouble> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            read_chain(Path::new(cert))?,
            PrivateKeyDer::from_pem_file(key)?,
        )?;
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

async fn converse(socket: TcpStream, tls: TlsAcceptor, audit: Audit) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut stream = tls.accept(socket).await?;
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let mut request = Vec::with_capacity(4096);
    loop {
        request.clear();
        while !is_whole(&request) {
            if stream.read_buf(&mut request).await? == 0 {
                return stream.shutdown().await;
            }
        }
        audit.record(&RECORD).await;
        stream.write_all(reply.as_bytes()).await?;
    }
}

/// Whether the call has come to its end. Nothing else comes in here, so nothing else is understood.
fn is_whole(request: &[u8]) -> bool {
    request.ends_with(b"</methodCall>") && find(request, b"\r\n\r\n").is_some()
}
