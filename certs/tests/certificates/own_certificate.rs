//! The server's own certificate: shown, reloaded, and believed by our client.

use std::{fs, path::Path, sync::Arc};

use certs::{
    Anchors, CertError, CertificateDer, ClientOptions, Clients, Identity, IdentityFiles,
    ServerIdentity, ServerOptions, ServerTrust, TrustStore, UnixTime, client_config,
    load_certificates, server_config,
};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, ServerConnection};

use crate::{
    house::Clock,
    workshop::{certificate, days_later, file, identity, key, today},
};

fn client(roots: &[&str], pins: &[&str], at: UnixTime) -> Arc<ClientConfig> {
    let named = |names: &[&str]| names.iter().map(|name| certificate(name)).collect();
    let trust = ServerTrust {
        roots: named(roots),
        pins: named(pins),
    };
    let mut config = client_config(&trust, None, ClientOptions::default()).unwrap();
    config.time_provider = Arc::new(Clock(at));
    Arc::new(config)
}

/// What a client that calls the server `name` sees: its certificate, or the reason against it.
fn seen(
    server: &ServerIdentity,
    client: &Arc<ClientConfig>,
    name: &'static str,
) -> Result<CertificateDer<'static>, Error> {
    let options = ServerOptions {
        clients: Clients::Anonymous,
        ..ServerOptions::default()
    };
    let nobody = TrustStore::new(Anchors::default()).unwrap();
    let config = server_config(server, &nobody, options).unwrap();
    let mut server = ServerConnection::new(Arc::new(config)).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name.try_into().unwrap()).unwrap();
    while client.is_handshaking() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
        }
        client.process_new_packets()?;
    }
    Ok(client.peer_certificates().unwrap()[0].clone())
}

fn write(place: &Path, certificate: &str, key: &str) -> IdentityFiles {
    let (crt, key_path) = (place.join("server.crt"), place.join("server.key"));
    fs::write(&crt, file(&format!("{certificate}.crt"))).unwrap();
    fs::write(&key_path, file(&format!("{key}.key"))).unwrap();
    IdentityFiles {
        certificate: crt,
        key: key_path,
        password: Some("passtrix".to_owned().into()),
    }
}

#[test]
fn a_new_certificate_is_shown_after_a_reload() {
    let place = tempfile::tempdir().unwrap();
    let server = ServerIdentity::from_files(write(place.path(), "seed", "seed")).unwrap();
    let client = client(&[], &["seed", "own-p256"], today());
    assert_eq!(seen(&server, &client, "x"), Ok(certificate("seed")));

    write(place.path(), "own-p256", "p256");
    assert_eq!(seen(&server, &client, "x"), Ok(certificate("seed")));
    let info = server.reload().unwrap();

    assert_eq!(info.subject, "CN=billing");
    assert_eq!(seen(&server, &client, "x"), Ok(certificate("own-p256")));
}

#[test]
fn a_reload_that_cannot_be_keeps_the_old_certificate() {
    let place = tempfile::tempdir().unwrap();
    let server = ServerIdentity::from_files(write(place.path(), "seed", "seed")).unwrap();
    let client = client(&[], &["seed"], today());

    write(place.path(), "own-p256", "p384");
    let mismatch = server.reload();
    fs::write(place.path().join("server.crt"), "").unwrap();
    let empty = server.reload();
    fs::remove_file(place.path().join("server.crt")).unwrap();
    let missing = server.reload();

    assert!(
        matches!(mismatch, Err(CertError::KeyMismatch)),
        "{mismatch:?}"
    );
    assert!(
        matches!(empty, Err(CertError::NoCertificate { .. })),
        "{empty:?}"
    );
    match missing {
        Err(CertError::File { path, .. }) => assert_eq!(path, place.path().join("server.crt")),
        other => panic!("{other:?}"),
    }
    assert_eq!(seen(&server, &client, "x"), Ok(certificate("seed")));
}

#[test]
fn a_self_signed_server_of_any_shape_can_be_pinned() {
    for (name, key) in [
        ("own-rsa2048", "rsa2048"),
        ("own-v1", "rsa2048"),
        ("own-keytool", "rsa2048"),
        ("own-p256", "p256"),
        ("own-ed25519", "ed25519"),
    ] {
        let server = ServerIdentity::new(&identity(name, key)).unwrap();

        let answer = seen(&server, &client(&[], &[name], today()), "any.example");

        assert_eq!(answer, Ok(certificate(name)), "{name}");
    }
}

#[test]
fn a_server_that_is_not_the_pinned_one_is_refused() {
    let server = ServerIdentity::new(&identity("own-rsa2048", "rsa2048")).unwrap();
    let refused = |client| seen(&server, &client, "billing.example").unwrap_err();

    assert_eq!(
        refused(client(&[], &["own-san"], today())),
        Error::InvalidCertificate(CertificateError::UnknownIssuer)
    );
    // A root is a CA: as in the verifier of clients, it does not vouch for itself as a server.
    assert!(matches!(
        refused(client(&["own-rsa2048"], &[], today())),
        Error::InvalidCertificate(_)
    ));
}

#[test]
fn a_pinned_server_is_believed_within_its_dates_only() {
    let server = ServerIdentity::new(&identity("own-p256", "p256")).unwrap();
    let at = |days| seen(&server, &client(&[], &["own-p256"], days_later(days)), "x");

    assert!(at(1094).is_ok());
    assert_eq!(
        at(1096),
        Err(Error::InvalidCertificate(CertificateError::Expired))
    );
    assert_eq!(
        at(-1),
        Err(Error::InvalidCertificate(CertificateError::NotValidYet))
    );
}

#[test]
fn an_issued_server_is_believed_by_its_name_only() {
    let server = ServerIdentity::new(&identity("client-inside", "p256")).unwrap();
    let client_only = seen(
        &server,
        &client(&["constrained"], &[], today()),
        "a.inside.example",
    );

    // Made for clients: no server, whatever its name.
    assert!(
        matches!(
            client_only,
            Err(Error::InvalidCertificate(
                CertificateError::InvalidPurposeContext { .. }
            ))
        ),
        "{client_only:?}"
    );
    let server = ServerIdentity::new(&identity("named-server", "p256")).unwrap();
    let by_name = |name| seen(&server, &client(&["ca"], &[], today()), name);
    assert_eq!(by_name("vault.example"), Ok(certificate("named-server")));
    assert_eq!(by_name("127.0.0.1"), Ok(certificate("named-server")));
    assert!(matches!(
        by_name("evil.example"),
        Err(Error::InvalidCertificate(
            CertificateError::NotValidForNameContext { .. }
        ))
    ));
}

#[test]
fn a_client_that_would_believe_nobody_is_not_made() {
    let answer = client_config(&ServerTrust::default(), None, ClientOptions::default());

    assert!(matches!(answer, Err(CertError::NoCertificate { .. })));
}

#[test]
fn a_bundle_in_any_order_is_put_in_order() {
    let mut bundle = load_certificates(file("chain.pem")).unwrap();
    bundle.reverse();

    let identity = Identity::assemble(bundle, key("p256")).unwrap();

    assert_eq!(
        identity.chain(),
        load_certificates(file("chain.pem")).unwrap()
    );
}

#[test]
fn a_foreign_key_makes_no_identity() {
    let answer = Identity::new(vec![certificate("own-p256")], key("p384"));

    assert!(matches!(answer, Err(CertError::KeyMismatch)), "{answer:?}");
}
