//! The same doors, and openssl's own client knocking.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use certs::{Refusal, ServerOptions};
use rustls::{Error, ServerConfig, ServerConnection};

use crate::{
    house::{House, PINS},
    workshop::{file, trusting},
};

/// What our server says of `openssl s_client` with that certificate.
fn openssl_client(
    server: &Arc<ServerConfig>,
    version: &str,
    name: &str,
    of: &str,
) -> Result<usize, Error> {
    let place = tempfile::tempdir().unwrap();
    for (path, bytes) in [
        ("own.crt", file(&format!("{name}.crt"))),
        ("own.key", file(&format!("{of}.key"))),
    ] {
        std::fs::write(place.path().join(path), bytes).unwrap();
    }
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut visitor = Command::new("openssl")
        .args([
            "s_client", "-quiet", version, "-cert", "own.crt", "-key", "own.key", "-connect",
        ])
        .arg(door.local_addr().unwrap().to_string())
        .current_dir(place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut stream, _) = door.accept().unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut connection = ServerConnection::new(Arc::clone(server)).unwrap();
    let mut end = Ok(());
    while connection.is_handshaking() && end.is_ok() {
        end = connection.complete_io(&mut stream).map(drop);
    }
    drop(stream);
    visitor.kill().unwrap();
    visitor.wait().unwrap();
    match end {
        Ok(()) => Ok(connection.peer_certificates().map_or(0, <[_]>::len)),
        Err(error) => Err(*error.into_inner().unwrap().downcast().unwrap()),
    }
}

#[test]
fn openssls_own_client_is_let_in_with_every_pin_and_no_other() {
    let house = House::new();
    for &(name, of) in PINS {
        let right = house.server(&trusting(&[name], &[]), ServerOptions::default());
        for version in ["-tls1_2", "-tls1_3"] {
            assert_eq!(
                openssl_client(&right, version, name, of),
                Ok(1),
                "{name} {version}"
            );
        }
    }
    let wrong = house.server(&trusting(&["own-san"], &["ca"]), ServerOptions::default());
    let refused = openssl_client(&wrong, "-tls1_3", "own-p256", "p256").unwrap_err();

    assert_eq!(Refusal::in_handshake(&refused), Some(&Refusal::CaAsLeaf));
}
