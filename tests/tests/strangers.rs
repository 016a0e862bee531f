//! Whom a certificate or an address does not prove, through the true server.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Instant;

use harness::{
    Answer, Identity, Openssl, PATIENCE, Server, SetUp, Wire, client_config, run_with_input, xml,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

fn ask(wire: &mut Wire) -> std::io::Result<Answer> {
    wire.post(&xml::call("system.listMethods", &[]), &[])
}

#[track_caller]
fn assert_nobody(server: &Server, identity: &Identity, what: &str) {
    let mut wire = server.connect(Some(identity)).unwrap();
    let answer = ask(&mut wire).unwrap().text();
    assert_eq!(
        xml::member(&answer, "faultCode").as_deref(),
        Some("11"),
        "{what}: {answer}"
    );
}

#[track_caller]
fn assert_no_handshake(server: &Server, identity: &Identity, what: &str) {
    let refused = server
        .connect(Some(identity))
        .and_then(|mut wire| ask(&mut wire));
    assert!(refused.is_err(), "{what}: {refused:?}");
}

#[track_caller]
fn assert_served(server: &Server, identity: &Identity) {
    let answer = ask(&mut server.connect(Some(identity)).unwrap())
        .unwrap()
        .text();
    assert!(!xml::is_fault(&answer), "{answer}");
}

/// A server whose user `billing` is whoever an imported CA calls so.
fn by_issuer(openssl: &Openssl) -> Server {
    let server = Server::start(SetUp::default());
    let root = openssl.ca("root").to_string_lossy().into_owned();
    server.claviger(&["cert", "import", "--ca", &root]).ok();
    let user = "billing@127.0.0.1";
    let add = ["user", "add", user, "--api", "--role", "password-user"];
    server.claviger(&add).ok();
    server
        .claviger(&["user", "cert", "add", user, &root, "--ca"])
        .ok();
    server
}

#[test]
fn a_name_that_is_not_the_user_s_to_the_letter_is_nobody() {
    let openssl = Openssl::new();
    let server = by_issuer(&openssl);
    assert_served(&server, &openssl.signed("root", "billing", &[]));

    for (number, subject) in [
        "/CN=Billing",
        "/CN=billing.",
        "/CN=billing*",
        "/CN=.*",
        "/CN=b\u{456}lling",
        "/CN=billing/CN=billing",
        "/CN=admin/CN=billing",
        "/CN=billing+CN=admin",
        "/O=billing",
        "/emailAddress=billing",
    ]
    .into_iter()
    .enumerate()
    {
        let san = ["subjectAltName=DNS:billing"];
        let name = format!("odd{number}");
        let identity = openssl.signed_subject("root", &name, subject, &san);
        assert_nobody(&server, &identity, subject);
    }
}

#[test]
fn what_a_trusted_ca_issued_for_something_else_shakes_no_hands() {
    let openssl = Openssl::new();
    let server = by_issuer(&openssl);

    for (number, extension) in [
        "extendedKeyUsage=serverAuth",
        "keyUsage=critical,keyCertSign",
        "basicConstraints=critical,CA:TRUE",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("other{number}");
        let identity = openssl.signed_subject("root", &name, "/CN=billing", &[extension]);
        assert_no_handshake(&server, &identity, extension);
    }
    let strangers = openssl.ca("stranger");
    assert!(strangers.exists());
    let forged = openssl.signed("stranger", "billing", &[]);
    assert_no_handshake(&server, &forged, "another CA");
}

/// Signs the request `NAME.csr` with more words for openssl.
fn sign(openssl: &Openssl, name: &str, more: &str) {
    let words = "-CA root.crt -CAkey root.plain.key -CAcreateserial -days 30";
    let line = format!("x509 -req -in {name}.csr {words} {more} -out {name}.crt");
    openssl.run(&line).ok();
}

/// What the server says to openssl's own client, which shows keys that rustls would not load.
fn openssl_client(server: &Server, openssl: &Openssl, name: &str) -> String {
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut client = Command::new("openssl");
    client.args(["s_client", "-quiet", "-cipher", "DEFAULT@SECLEVEL=0"]);
    client.arg("-connect").arg(server.xmlrpc().to_string());
    client
        .arg("-cert")
        .arg(openssl.path(&format!("{name}.crt")));
    client
        .arg("-key")
        .arg(openssl.path(&format!("{name}.plain.key")));
    run_with_input(&mut client, request.as_bytes()).stdout
}

#[test]
fn a_weak_key_or_signature_of_a_trusted_ca_shakes_no_hands() {
    let openssl = Openssl::new();
    let server = by_issuer(&openssl);
    let signed_again = |name: &str, more: &str| {
        let identity = openssl.signed_subject("root", name, "/CN=billing", &[]);
        sign(&openssl, name, &format!("-extfile {name}.ext {more}"));
        identity
    };
    assert_served(&server, &signed_again("sha256", "-sha256"));
    assert_no_handshake(&server, &signed_again("sha1", "-sha1"), "SHA-1");

    for (bits, served) in [(2048, true), (1024, false)] {
        let name = format!("rsa{bits}");
        openssl
            .run(&format!("genrsa -out {name}.plain.key {bits}"))
            .ok();
        let subject = "-subj /CN=billing";
        let line = format!("req -new -key {name}.plain.key -out {name}.csr {subject}");
        openssl.run(&line).ok();
        sign(&openssl, &name, "-extfile sha256.ext");

        let said = openssl_client(&server, &openssl, &name);

        assert_eq!(said.starts_with("HTTP/1.1 404"), served, "{bits}: {said}");
    }
}

#[test]
fn a_ca_that_may_sign_for_some_names_signs_for_no_others() {
    let openssl = Openssl::new();
    let server = by_issuer(&openssl);
    let line = "req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1095 \
                -subj /CN=inside -addext keyUsage=critical,keyCertSign,cRLSign \
                -addext nameConstraints=critical,permitted;DNS:inside.example \
                -keyout inside.plain.key -out inside.crt";
    openssl.run(line).ok();
    let root = openssl.path("inside.crt").to_string_lossy().into_owned();
    server.claviger(&["cert", "import", "--ca", &root]).ok();
    let bind = ["user", "cert", "add", "billing@127.0.0.1", &root, "--ca"];
    server.claviger(&bind).ok();
    let issued = |name: &str, host: &str| {
        let san = format!("subjectAltName=DNS:{host}");
        openssl.signed_subject("inside", name, "/CN=billing", &[&san])
    };

    assert_served(&server, &issued("within", "app.inside.example"));
    assert_no_handshake(&server, &issued("without", "app.example"), "outside");
}

#[test]
fn a_pin_makes_no_other_users_and_is_not_its_namesake() {
    let (server, openssl) = (Server::start(SetUp::default()), Openssl::new());
    // As users make it: CA:TRUE, so its owner can sign with it.
    let pinned = openssl.self_signed("billing");
    server
        .claviger(&["cert", "import", &pinned.cert.to_string_lossy()])
        .ok();
    server.register(&pinned, "password-user");
    assert_served(&server, &pinned);

    let child = openssl.signed_subject("billing", "admin", "/CN=admin", &[]);
    assert_no_handshake(&server, &child, "signed by a pin");
    let other = Openssl::new();
    let namesake = other.self_signed("billing");
    assert_no_handshake(&server, &namesake, "the same name in another certificate");
}

#[test]
fn an_address_counts_as_itself_through_a_socket_for_both_families() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        let name = "an_address_counts_as_itself_through_a_socket_for_both_families";
        return harness::not_run(name, "there is no IPv6 here");
    }
    let server = Server::start(SetUp::default().listen("[::]:0"));
    let app = server.app("app");
    let root = CertificateDer::from_pem_file(server.ca()).unwrap();
    let from = |address: SocketAddr| {
        let config = client_config(
            std::slice::from_ref(&root),
            Some(&app),
            rustls::ALL_VERSIONS,
        );
        ask(&mut Wire::open(address, config).unwrap())
            .unwrap()
            .text()
    };
    let port = server.xmlrpc().port();

    // The kernel says ::ffff:127.0.0.1; the user's host is 127.0.0.1.
    let mapped = from(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let other = from(SocketAddr::from((Ipv6Addr::LOCALHOST, port)));

    assert!(!xml::is_fault(&mapped), "{mapped}");
    assert_eq!(xml::member(&other, "faultCode").as_deref(), Some("11"));
    assert!(other.contains("may not come from this address"), "{other}");
}

#[test]
fn a_proxy_line_is_no_handshake_and_no_request() {
    let server = Server::start(SetUp::default());
    let app = server.app("app");
    let line = "PROXY TCP4 192.0.2.1 127.0.0.1 4000 7070\r\n";

    let mut socket = TcpStream::connect(server.xmlrpc()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(line.as_bytes()).unwrap();
    let mut said = Vec::new();
    // A reset is as good as an alert.
    drop(socket.read_to_end(&mut said));
    assert!(!String::from_utf8_lossy(&said).contains("HTTP"), "{said:?}");

    let mut wire = server.connect(Some(&app)).unwrap();
    wire.send(
        format!("{line}POST /xmlrpc HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").as_bytes(),
    )
    .unwrap();
    assert_eq!(wire.answer().unwrap().status, 400);
    assert_eq!(wire.rest(), b"");
}

/// Calls in all, turn by turn, so that a busy moment falls on every kind alike.
const ROUNDS: usize = 300;

#[test]
fn unknown_missing_and_not_shared_take_the_same_time() {
    let server = Server::start(SetUp::default());
    let app = server.app("app");
    for name in ["shared", "hidden"] {
        server.resource(name, "root", "First-Pass1!");
    }
    server.share("shared", &app, "view");
    let mut wire = server.connect(Some(&app)).unwrap();
    let kinds = [
        ["nowhere", "root"],
        ["shared", "nobody"],
        ["hidden", "root"],
        ["hidden", "nobody"],
    ];
    let mut times = [const { Vec::new() }; 4];

    for _ in 0..ROUNDS {
        for (words, times) in kinds.iter().zip(&mut times) {
            let body = xml::call("retrievePassword", words);
            let begun = Instant::now();
            let answer = wire.post(&body, &[]).unwrap();
            times.push(begun.elapsed());
            assert_eq!(
                xml::member(&answer.text(), "faultCode").as_deref(),
                Some("2")
            );
        }
    }

    let medians = times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2].as_secs_f64()
    });
    for (kind, median) in kinds.iter().zip(medians) {
        let ratio = median / medians[0];
        assert!(
            (0.7..1.4).contains(&ratio),
            "{kind:?}: {ratio} of {medians:?}"
        );
    }
}
