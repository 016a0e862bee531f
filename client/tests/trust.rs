//! Who the client is, whom it trusts, and how it is told so.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::fs;

use certs::{Anchors, CertificateAuthority, CommonName, Identity, certificate_pem, self_signed};
use claviger_client::{Builder, Client, Error, SetupError};
use support::{TestServer, World, now, quick, term, value};

/// A server with a self-signed certificate for that host.
async fn self_signed_server(world: &World, host: &str) -> (TestServer, Identity) {
    let name = CommonName::parse("vault").unwrap();
    let identity = self_signed(&name, &[host.to_owned()], term()).unwrap();
    let roots = vec![world.authority.certificate().clone()];
    let anchors = Anchors {
        roots,
        ..Anchors::default()
    };
    (
        TestServer::start(&identity, anchors, |_, _| value("p")).await,
        identity,
    )
}

/// A client with the world's identity that trusts nobody yet.
fn untrusting(world: &World, server: &TestServer) -> Builder {
    quick(Client::builder())
        .server("127.0.0.1", server.address.port())
        .identity_pem(
            world.certificate_pem(),
            world.client.key().expose_pem().as_bytes(),
        )
}

async fn refusal_of(builder: Builder) -> Error {
    let client = builder.retries(0).build().unwrap();
    client.retrieve_password("a", "b").send().await.unwrap_err()
}

#[tokio::test]
async fn the_key_exchange_is_the_post_quantum_hybrid() {
    let world = World::new();
    let server = world.server(|_, _| value("p")).await;

    world
        .client(&server)
        .retrieve_password("a", "b")
        .send()
        .await
        .unwrap();

    assert_eq!(server.seen().key_exchanges, ["X25519MLKEM768"]);
}

#[tokio::test]
async fn a_server_of_another_ca_is_refused() {
    let world = World::new();
    let server = world.server(|_, _| value("p")).await;
    let other = CertificateAuthority::create("Test CA", now() - 60).unwrap();

    let error = refusal_of(untrusting(&world, &server).ca_pem(other.certificate_pem())).await;

    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    assert!(!error.is_unavailable() && !error.is_refused() && !error.is_outcome_unknown());
    assert_eq!(server.seen().calls.len(), 0);
}

#[tokio::test]
async fn a_server_with_a_certificate_for_another_name_is_refused() {
    let world = World::new();
    let identity = world
        .authority
        .issue_server(&["vault.example.org".to_owned()], term())
        .unwrap();
    let roots = vec![world.authority.certificate().clone()];
    let anchors = Anchors {
        roots,
        ..Anchors::default()
    };
    let server = TestServer::start(&identity, anchors, |_, _| value("p")).await;

    let error = refusal_of(world.builder(server.address)).await;

    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    assert_eq!(server.seen().calls.len(), 0);
}

#[tokio::test]
async fn a_pinned_server_is_trusted_whatever_its_name() {
    let world = World::new();
    let (server, identity) = self_signed_server(&world, "elsewhere.example.org").await;

    let client = untrusting(&world, &server)
        .pinned_server_pem(certificate_pem(identity.certificate()))
        .build()
        .unwrap();

    assert_eq!(
        client
            .retrieve_password("a", "b")
            .send()
            .await
            .unwrap()
            .expose(),
        "p"
    );
}

#[tokio::test]
async fn a_server_that_is_alike_but_not_the_pinned_one_is_refused() {
    let world = World::new();
    let (server, _) = self_signed_server(&world, "127.0.0.1").await;
    let (_other, alike) = self_signed_server(&world, "127.0.0.1").await;

    let pinned = certificate_pem(alike.certificate());
    let error = refusal_of(untrusting(&world, &server).pinned_server_pem(pinned)).await;

    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    assert_eq!(server.seen().calls.len(), 0);
}

#[tokio::test]
async fn a_client_whose_certificate_is_not_accepted_is_told_so() {
    let world = World::new();
    let server = world.server(|_, _| value("p")).await;
    let stranger = World::new();

    let retrieval =
        refusal_of(untrusting(&stranger, &server).ca_pem(world.authority.certificate_pem()));
    let retrieval = retrieval.await;
    let client = untrusting(&stranger, &server).ca_pem(world.authority.certificate_pem());
    let change = client
        .build()
        .unwrap()
        .change_password("a", "b")
        .send()
        .await
        .unwrap_err();

    for error in [retrieval, change] {
        assert!(matches!(error, Error::Rejected { .. }), "{error:?}");
        assert!(error.is_refused() && !error.is_outcome_unknown());
    }
    assert_eq!(server.seen().calls.len(), 0);
}

#[tokio::test]
async fn an_identity_comes_from_pem_files_or_pkcs12() {
    let world = World::new();
    let server = world.server(|_, _| value("p")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.crt"), world.certificate_pem()).unwrap();
    fs::write(path("a.key"), world.client.key().expose_pem().as_bytes()).unwrap();
    fs::write(path("ca.pem"), world.authority.certificate_pem()).unwrap();
    fs::write(
        path("a.p12"),
        certs::write_pkcs12(&world.client, "pass", "a").unwrap(),
    )
    .unwrap();
    let builder = || {
        let builder = quick(Client::builder()).server("localhost", server.address.port());
        builder.ca_file(path("ca.pem"))
    };

    for builder in [
        builder().identity_files(path("a.crt"), path("a.key")),
        builder().pkcs12_file(path("a.p12"), "pass"),
        builder().pkcs12(fs::read(path("a.p12")).unwrap(), "pass"),
    ] {
        let client = builder.build().unwrap();
        assert_eq!(
            client
                .retrieve_password("a", "b")
                .send()
                .await
                .unwrap()
                .expose(),
            "p"
        );
    }
    let wrong = builder()
        .pkcs12_file(path("a.p12"), "canary")
        .build()
        .unwrap_err();
    assert!(matches!(&wrong, SetupError::Certificate { what, .. } if what.ends_with("a.p12")));
    assert!(!format!("{wrong:?}").contains("canary"));
}

#[tokio::test]
async fn an_encrypted_key_is_opened_by_its_password() {
    let world = World::new();
    let identity = Identity::new(
        certs::load_certificates(ENCRYPTED_CRT).unwrap(),
        certs::load_private_key(ENCRYPTED_KEY, Some("passtrix")).unwrap(),
    )
    .unwrap();
    let hosts = ["127.0.0.1".to_owned()];
    let server = world.authority.issue_server(&hosts, term()).unwrap();
    let pins = vec![identity.certificate().clone()];
    let anchors = Anchors {
        pins,
        ..Anchors::default()
    };
    let server = TestServer::start(&server, anchors, |_, _| value("p")).await;
    let builder = || {
        quick(Client::builder())
            .server("127.0.0.1", server.address.port())
            .identity_pem(ENCRYPTED_CRT, ENCRYPTED_KEY)
            .ca_pem(world.authority.certificate_pem())
    };

    let client = builder().key_password("passtrix").build().unwrap();

    assert_eq!(
        client
            .retrieve_password("a", "b")
            .send()
            .await
            .unwrap()
            .expose(),
        "p"
    );
    assert!(matches!(
        builder().build(),
        Err(SetupError::Certificate { .. })
    ));
    assert!(matches!(
        builder().key_password("x").build(),
        Err(SetupError::Certificate { .. })
    ));
}

#[tokio::test]
async fn the_java_wrappers_configuration_is_enough() {
    let world = World::new();
    let server = world.server(|_, _| value("p")).await;
    let chain = [
        world.client.chain(),
        &[world.authority.certificate().clone()],
    ]
    .concat();
    let with_issuer = Identity::new(chain, world.client.key().clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("ca.pem"), world.authority.certificate_pem()).unwrap();
    fs::write(
        path("a.p12"),
        certs::write_pkcs12(&world.client, "p@ss w=rd", "a").unwrap(),
    )
    .unwrap();
    fs::write(
        path("b.p12"),
        certs::write_pkcs12(&with_issuer, "p@ss w=rd", "b").unwrap(),
    )
    .unwrap();
    let conf = |store: &str, more: &str| {
        let port = server.address.port();
        let text = format!(
            "# made by hand\nServerName=localhost\nServerPort={port}\nSecondaryServerName=\n\
             SecondaryServerPort=\nKeyStorePath={store}\nKeyStorePassword=p@ss\\ w=rd\n{more}\n"
        );
        fs::write(path("JAVA_API.conf"), text).unwrap();
        path("JAVA_API.conf")
    };

    let by_path = Client::from_java_conf(conf("a.p12", "CAPath=ca.pem")).unwrap();
    let by_issuer = Client::from_java_conf(conf("b.p12", "")).unwrap();
    let nobody = Client::from_java_conf(conf("a.p12", "")).unwrap_err();

    for client in [by_path, by_issuer] {
        assert_eq!(
            client
                .retrieve_password("a", "b")
                .send()
                .await
                .unwrap()
                .expose(),
            "p"
        );
    }
    assert!(matches!(nobody, SetupError::Missing { .. }), "{nobody:?}");
}

#[test]
fn what_is_missing_or_wrong_is_said_when_it_is_built() {
    let world = World::new();
    let identity = || {
        let key = world.client.key().expose_pem();
        Client::builder().identity_pem(world.certificate_pem(), key.as_bytes())
    };
    let ca = world.authority.certificate_pem();
    for (builder, error) in [
        (
            identity().ca_pem(&ca),
            "the server's name (server, ServerName) is missing",
        ),
        (Client::builder().server("a", 1).ca_pem(&ca), {
            "the client's certificate (identity_files, pkcs12_file, KeyStorePath) is missing"
        }),
        (identity().server("a", 1), {
            "whom to trust (ca_file, pinned_server_file, CAPath) is missing"
        }),
        (
            identity().server("a b", 1).ca_pem(&ca),
            "`a b` is neither a host name nor an address",
        ),
        (
            identity().server("", 1).ca_pem(&ca),
            "`` is neither a host name nor an address",
        ),
        (
            identity().server("a", 1).ca_file("/nowhere/ca.pem"),
            "cannot use /nowhere/ca.pem",
        ),
        (
            identity().server("a", 1).ca_pem("x"),
            "cannot use the certificate to trust",
        ),
    ] {
        assert_eq!(builder.build().unwrap_err().to_string(), error);
    }
}

#[test]
fn hosts_may_be_names_or_addresses() {
    let world = World::new();
    for host in [
        "vault.example.org",
        "test_workstation_secondary",
        "192.0.2.1",
        "2001:db8::1",
        "[::1]",
    ] {
        let key = world.client.key().expose_pem();
        let builder = Client::builder()
            .identity_pem(world.certificate_pem(), key.as_bytes())
            .ca_pem(world.authority.certificate_pem());

        assert!(builder.server(host, 7070).build().is_ok(), "{host}");
    }
}

const ENCRYPTED_CRT: &[u8] = include_bytes!("data/encrypted.crt");
const ENCRYPTED_KEY: &[u8] = include_bytes!("data/encrypted.key");
