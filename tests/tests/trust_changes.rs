//! Trust that changes under a running server: what is taken back stops working at once, on open
//! connections and on resumed sessions; what is new works without a restart.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use harness::{Answer, Identity, Openssl, PATIENCE, Server, SetUp, Wire, client_config, xml};
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];
const LISTS_READ: &str = "the revocation lists were read again";

fn quick() -> SetUp {
    SetUp::default().set("tls", "poll_interval", "\"20ms\"")
}

fn ask(wire: &mut Wire) -> Answer {
    let body = xml::call("system.listMethods", &[]);
    wire.post(&body, &[]).expect("an answer")
}

fn code(answer: &Answer) -> Option<String> {
    xml::member(&answer.text(), "faultCode")
}

#[track_caller]
fn assert_served(wire: &mut Wire) {
    let answer = ask(wire);
    assert!(!xml::is_fault(&answer.text()), "{}", answer.text());
}

/// Refused as nobody, and the connection closed.
#[track_caller]
fn assert_turned_away(wire: &mut Wire) {
    assert_eq!(code(&ask(wire)).as_deref(), Some("11"));
    assert_eq!(wire.rest(), b"");
}

/// A client that keeps its sessions, and one connection of it that has been served.
fn session(server: &Server, identity: &Identity, at: usize) -> (ClientConfig, Wire) {
    let root = CertificateDer::from_pem_file(server.ca()).unwrap();
    let mut config = client_config(&[root], Some(identity), &[VERSIONS[at]]);
    config.resumption = Resumption::in_memory_sessions(8);
    let mut wire = Wire::open(server.xmlrpc(), config.clone()).unwrap();
    assert_served(&mut wire);
    let mut again = Wire::open(server.xmlrpc(), config.clone()).unwrap();
    assert_eq!(again.tls().handshake_kind(), Some(HandshakeKind::Resumed));
    assert_served(&mut again);
    (config, wire)
}

/// What `identity` had open stops when `take_back` is done, what it resumes is refused at the first
/// request, and `neighbour` is served as before.
fn bites(server: &Server, [identity, neighbour]: [&Identity; 2], take_back: impl FnOnce()) {
    let mut sessions = [session(server, identity, 0), session(server, identity, 1)];
    let (_, mut kept) = session(server, neighbour, 0);

    take_back();

    for (config, open) in &mut sessions {
        assert_turned_away(open);
        let mut resumed = Wire::open(server.xmlrpc(), config.clone()).unwrap();
        assert_eq!(resumed.tls().handshake_kind(), Some(HandshakeKind::Resumed));
        assert_turned_away(&mut resumed);
    }
    assert_served(&mut kept);
}

/// A full handshake shows no session, so TLS itself refuses.
#[track_caller]
fn assert_no_handshake(server: &Server, identity: &Identity) {
    let refused = server
        .connect(Some(identity))
        .and_then(|mut wire| wire.post(&xml::call("system.listMethods", &[]), &[]));
    assert!(refused.is_err(), "{refused:?}");
}

fn import(server: &Server, words: &[&str], file: &Path) {
    let file = file.to_string_lossy();
    let words = [&["cert", "import"], words, &[&file]].concat();
    server.claviger(&words).ok();
}

/// The SHA-256 of a certificate, as openssl tells it and our commands take it.
fn fingerprint(openssl: &Openssl, file: &str) -> String {
    let line = format!("x509 -in {file} -noout -fingerprint -sha256");
    let said = openssl.run(&line).ok().stdout;
    let (_, print) = said.trim().split_once('=').unwrap();
    print.replace(':', "").to_lowercase()
}

fn distrust(server: &Server, openssl: &Openssl, file: &str) {
    let print = fingerprint(openssl, file);
    server.claviger(&["cert", "remove", "--yes", &print]).ok();
}

fn user(server: &Server, identity: &Identity) {
    server.register(identity, "password-user");
}

/// Two users of one imported CA.
fn of_one_ca(server: &Server, openssl: &Openssl) -> [Identity; 2] {
    let root = openssl.ca("root");
    import(server, &["--ca"], &root);
    ["one", "two"].map(|name| {
        let identity = openssl.signed("root", name, &[]);
        user(server, &identity);
        identity
    })
}

#[test]
fn a_pin_that_is_removed_is_out_on_open_connections_and_resumed_sessions() {
    let (server, openssl) = (Server::start(SetUp::default()), Openssl::new());
    let [one, two] = ["one", "two"].map(|name| {
        let identity = openssl.self_signed_with(name, "-algorithm ed25519", "");
        import(&server, &[], &identity.cert);
        user(&server, &identity);
        identity
    });

    bites(&server, [&one, &two], || {
        distrust(&server, &openssl, "one.crt");
    });

    assert_no_handshake(&server, &one);
}

#[test]
fn the_users_of_a_root_that_is_removed_are_out_on_open_connections_and_resumed_sessions() {
    let (server, openssl) = (Server::start(SetUp::default()), Openssl::new());
    let [one, _] = of_one_ca(&server, &openssl);
    let other = server.app("other");

    bites(&server, [&one, &other], || {
        distrust(&server, &openssl, "root.crt");
    });

    assert_no_handshake(&server, &one);
}

#[test]
fn a_revocation_list_that_arrives_bites_on_open_connections_and_resumed_sessions() {
    let (server, openssl) = (Server::start(quick()), Openssl::new());
    let [one, two] = of_one_ca(&server, &openssl);
    let put = |revoked: &[&Identity], times| {
        let list = openssl.revocation_list("root", revoked);
        let (beside, place) = (
            server.outside().join("new"),
            server.data().join("crl/a.crl"),
        );
        fs::copy(list, &beside).unwrap();
        fs::rename(&beside, place).unwrap();
        server.await_log(LISTS_READ, times);
    };
    put(&[], 1);

    bites(&server, [&one, &two], || put(&[&one], 2));

    assert_no_handshake(&server, &one);
}

#[test]
fn a_list_that_cannot_be_read_is_told_and_the_last_good_one_counts() {
    let (server, openssl) = (Server::start(quick()), Openssl::new());
    let [one, two] = of_one_ca(&server, &openssl);
    let place = server.data().join("crl/a.crl");
    fs::copy(openssl.revocation_list("root", &[&one]), &place).unwrap();
    server.await_log(LISTS_READ, 1);

    fs::write(&place, "no list").unwrap();
    server.await_log(LISTS_READ, 2);

    assert_no_handshake(&server, &one);
    assert_served(&mut server.connect(Some(&two)).unwrap());
    let status = server.claviger(&["status"]).ok();
    assert!(status.stdout.contains("a.crl"), "{status}");
}

#[test]
fn a_responder_keeps_out_whom_it_takes_back_and_whom_it_does_not_know() {
    let set_up = SetUp::default()
        .set("tls", "ocsp", "\"hard\"")
        .set("tls", "ocsp_max_age", "\"1s\"")
        .set("tls", "ocsp_retry", "\"1s\"");
    let (server, openssl) = (Server::start(set_up), Openssl::new());
    import(&server, &["--ca"], &openssl.ca("root"));
    let responder = openssl.responder("root");
    let [good, revoked, unknown] = ["good", "revoked", "unknown"].map(|name| {
        let identity = openssl.signed("root", name, &[&responder.extension()]);
        user(&server, &identity);
        identity
    });
    openssl.write_index("root", &[&good], &[&revoked]);

    assert_turned_away(&mut server.connect(Some(&revoked)).unwrap());
    assert_turned_away(&mut server.connect(Some(&unknown)).unwrap());
    let mut wire = server.connect(Some(&good)).unwrap();
    assert_served(&mut wire);

    openssl.write_index("root", &[], &[&good]);
    let end = Instant::now() + PATIENCE;
    while code(&ask(&mut wire)).is_none() {
        assert!(Instant::now() < end, "served on an answer that has run out");
    }
    assert_eq!(wire.rest(), b"");
}

#[test]
fn a_responder_is_asked_through_the_proxy_that_is_set() {
    let openssl = Openssl::new();
    let root = openssl.ca("root");
    let responder = openssl.responder("root");
    let proxy = format!("\"http://{}\"", responder.proxy_for("ocsp.invalid"));
    let set_up = SetUp::default()
        .set("tls", "ocsp", "\"hard\"")
        .set("tls", "ocsp_proxy", &proxy);
    let server = Server::start(set_up);
    import(&server, &["--ca"], &root);
    // A name that only the proxy knows.
    let names = ["authorityInfoAccess=OCSP;URI:http://ocsp.invalid/"];
    let [unknown, good, revoked] = ["unknown", "good", "revoked"].map(|name| {
        let identity = openssl.signed("root", name, &names);
        user(&server, &identity);
        identity
    });
    openssl.write_index("root", &[&good], &[&revoked]);

    // The first question, too: openssl reads its index again behind the next one only.
    assert_turned_away(&mut server.connect(Some(&unknown)).unwrap());
    assert_served(&mut server.connect(Some(&good)).unwrap());
    assert_turned_away(&mut server.connect(Some(&revoked)).unwrap());
}

/// A certificate whose responder accepts connections and never says a word.
fn of_a_silent_responder(set_up: SetUp) -> (Server, Identity, std::net::TcpListener) {
    let (server, openssl) = (Server::start(set_up), Openssl::new());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    import(&server, &["--ca"], &openssl.ca("root"));
    let aia = format!("authorityInfoAccess=OCSP;URI:{url}");
    let identity = openssl
        .signed("root", "app", &[&aia])
        .kept_in(server.outside());
    user(&server, &identity);
    (server, identity, silent)
}

#[test]
fn a_responder_that_hangs_keeps_out_where_that_is_set_and_holds_up_nobody() {
    let set_up = |mode| {
        SetUp::default()
            .set("tls", "ocsp", mode)
            .set("tls", "ocsp_timeout", "\"300ms\"")
    };
    let (hard, kept_out, _silent) = of_a_silent_responder(set_up("\"hard\""));
    let other = hard.app("other");

    assert_turned_away(&mut hard.connect(Some(&kept_out)).unwrap());
    assert_served(&mut hard.connect(Some(&other)).unwrap());

    let (soft, let_in, _silent) = of_a_silent_responder(set_up("\"soft\""));
    assert_served(&mut soft.connect(Some(&let_in)).unwrap());
    soft.await_log("no word from the OCSP responder", 1);
}

#[test]
fn only_hosts_that_are_allowed_are_asked() {
    let set_up = SetUp::default().set("tls", "ocsp", "\"hard\"").set(
        "tls",
        "ocsp_hosts",
        "[\"ocsp.example\"]",
    );
    let (server, identity, silent) = of_a_silent_responder(set_up);

    assert_turned_away(&mut server.connect(Some(&identity)).unwrap());

    silent.set_nonblocking(true).unwrap();
    let nobody = silent.accept().map(drop).unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_new_certificate_of_the_server_s_own_is_shown_without_a_restart() {
    let (server, openssl) = (Server::start(quick()), Openssl::new());
    let app = server.app("app");
    let mut open = server.connect(Some(&app)).unwrap();
    assert_served(&mut open);
    let root = CertificateDer::from_pem_file(openssl.ca("other")).unwrap();
    let extensions = ["subjectAltName=IP:127.0.0.1", "extendedKeyUsage=serverAuth"];
    let new = openssl.signed("other", "server", &extensions);
    let replace = |from: &Path, name: &str| {
        // In place: the file keeps its owner and mode.
        fs::write(
            server.data().join("tls").join(name),
            fs::read(from).unwrap(),
        )
        .unwrap();
    };

    fs::write(server.data().join("tls/server.crt"), "no certificate").unwrap();
    server.await_log("cannot be used: the old one stays", 1);
    assert_served(&mut server.connect(Some(&app)).unwrap());
    let status = server.claviger(&["status"]).ok();
    assert!(
        status.stdout.contains("new certificate cannot be used"),
        "{status}"
    );

    replace(&new.key, "server.key");
    replace(&new.cert, "server.crt");
    server.await_log("own certificate read again", 1);

    let config = client_config(&[root], Some(&app), rustls::ALL_VERSIONS);
    assert_served(&mut Wire::open(server.xmlrpc(), config).unwrap());
    assert!(
        server.connect(Some(&app)).is_err(),
        "the old root still fits"
    );
    assert_served(&mut open);
    let status = server.claviger(&["status"]).ok();
    assert!(!status.stdout.contains("cannot be used"), "{status}");
}

#[test]
fn a_certificate_that_soon_ends_is_warned_of_in_status_health_and_log() {
    let openssl = Openssl::new();
    let mut server = Server::start(quick().argument("--health").argument("127.0.0.1:0"));
    let short = openssl.self_signed_with("short", "-algorithm ed25519", "-days 5");
    let long = openssl.self_signed_with("long", "-algorithm ed25519", "-days 500");
    for identity in [&short, &long] {
        import(&server, &[], &identity.cert);
    }

    // Of this one the server knows nothing but its fingerprint, until it comes in.
    import(&server, &["--ca"], &openssl.ca("root"));
    let issued = openssl.signed("root", "issued", &[]);
    user(&server, &issued);

    server.restart();

    // A watch before the restart may have warned of it too: only the names tell what was seen.
    server.await_log("CN=short", 1);
    assert!(!server.log().contains("CN=issued"), "{}", server.log());
    assert_served(&mut server.connect(Some(&issued)).unwrap());
    server.await_log("CN=issued", 1);
    let status = server.claviger(&["status"]).ok();
    for told in ["(CN=short) ends in 4 days", "(CN=issued) ends in 29 days"] {
        let told = format!("certificate of client {told}");
        assert!(status.stdout.contains(&told), "{status}");
    }
    let (code, report) = harness::get(server.door("health"), "/health");
    assert_eq!(code, 200, "{report}");
    assert!(report.contains("CN=short"), "{report}");
    for told in [status.stdout, report, server.log()] {
        assert!(!told.contains("CN=long"), "{told}");
    }
}

#[test]
fn a_renewed_certificate_works_beside_the_old_one_until_that_is_taken_away() {
    let (server, openssl) = (Server::start(quick()), Openssl::new());
    import(&server, &["--ca"], &openssl.ca("root"));
    let [old, new] = ["old", "new"].map(|name| {
        let identity = openssl.signed_subject("root", name, "/CN=app", &[]);
        let cert = identity.cert.to_string_lossy().into_owned();
        (identity, cert)
    });
    let login = "app@127.0.0.1";
    let add = ["user", "add", login, "--api", "--role", "password-user"];
    server
        .claviger(&[&add[..], &["--cert", &old.1]].concat())
        .ok();
    let (_, mut open) = session(&server, &old.0, 0);
    let unbound = ask(&mut server.connect(Some(&new.0)).unwrap());
    assert_eq!(code(&unbound).as_deref(), Some("11"));

    server
        .claviger(&["user", "cert", "add", login, &new.1])
        .ok();
    let (_, mut renewed) = session(&server, &new.0, 0);
    assert_served(&mut open);
    let print = fingerprint(&openssl, "old.crt");
    server
        .claviger(&["user", "cert", "remove", login, &print])
        .ok();

    assert_turned_away(&mut open);
    assert_turned_away(&mut server.connect(Some(&old.0)).unwrap());
    assert_served(&mut renewed);
}

#[test]
fn a_command_that_was_sent_is_done_though_whoever_sent_it_is_gone() {
    let server = Server::start(quick());
    let app = server.app("app");
    let (_, mut kept) = session(&server, &app, 0);
    let mut socket = UnixStream::connect(server.data().join("admin.sock")).unwrap();

    let lock = "POST /v1/users/app@127.0.0.1/lock HTTP/1.1\r\nHost: claviger\r\n\r\n";
    socket.write_all(lock.as_bytes()).unwrap();
    drop(socket);

    let end = Instant::now() + PATIENCE;
    while code(&ask(&mut kept)).as_deref() != Some("11") {
        assert!(Instant::now() < end, "still let in");
    }
}
