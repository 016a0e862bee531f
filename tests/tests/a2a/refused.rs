//! Certificates, addresses and headers that prove nothing at this door: it judges certificates after
//! the hand-shake, and knows its users by them alone.

use std::process::Command;

use harness::{Identity, Openssl, SetUp, run, run_with_input};

use crate::scene::{Furnished, PASSWORD, USER};

const RETRIEVE: &str = "/service/a2a/v4/Credentials?type=Password";
const UNKNOWN: &str = "6A4psUnrLv1hvoWSB3jsm2V50eFT62vwAI9Zlj/dDWw=";

impl Furnished {
    /// The status and the body that whoever shows this certificate and this key gets.
    fn shown(&self, identity: &Identity, key: &str, more: &[&str]) -> (u16, String) {
        let key = format!("Authorization: A2A {key}");
        let ran = self.curl(Some(identity), &[more, &["-H", &key]].concat(), RETRIEVE);
        let (body, status) = ran.stdout.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    /// Lets this very certificate prove the program's user.
    fn bind(&self, identity: &Identity) {
        let cert = identity.cert.to_string_lossy();
        self.server
            .claviger(&["user", "cert", "add", USER, &cert])
            .ok();
    }

    #[track_caller]
    fn assert_unknown(&self, identity: &Identity, what: &str) {
        let (status, body) = self.shown(identity, &self.key, &[]);
        assert!(
            status == 401 && body.contains("60094"),
            "{what}: {status} {body}"
        );
    }
}

#[test]
fn what_a_trusted_ca_issued_for_something_else_is_401_though_it_is_bound() {
    let openssl = Openssl::new();
    let furnished = Furnished::of_one_ca(SetUp::default(), &openssl);
    let issued = |ca: &str, name: &str, extensions: &[&str]| {
        let identity = openssl.signed_subject(ca, name, "/CN=billing", extensions);
        furnished.bind(&identity);
        identity
    };
    let renewed = issued("root", "renewed", &[]);
    assert_eq!(furnished.shown(&renewed, &furnished.key, &[]).0, 200);

    for (name, extension) in [
        ("server", "extendedKeyUsage=serverAuth"),
        ("signs", "keyUsage=critical,keyCertSign"),
        ("ca", "basicConstraints=critical,CA:TRUE"),
    ] {
        furnished.assert_unknown(&issued("root", name, &[extension]), extension);
    }
    openssl.ca("stranger");
    furnished.assert_unknown(&issued("stranger", "forged", &[]), "another CA");
    let sha1 = openssl.signed_subject("root", "sha1", "/CN=billing", &[]);
    let words = "-CA root.crt -CAkey root.plain.key -CAcreateserial -days 30 -extfile sha1.ext";
    let line = format!("x509 -req -in sha1.csr {words} -sha1 -out sha1.crt");
    openssl.run(&line).ok();
    furnished.bind(&sha1);
    // curl itself would not show it.
    let key = &furnished.key;
    let request = format!(
        "GET {RETRIEVE} HTTP/1.1\r\nHost: a\r\nAuthorization: A2A {key}\r\nConnection: close\r\n\r\n"
    );
    let mut client = Command::new("openssl");
    client.args([
        "s_client",
        "-quiet",
        "-cipher",
        "DEFAULT@SECLEVEL=0",
        "-connect",
    ]);
    client.arg(furnished.server.door("a2a").to_string());
    client
        .arg("-cert")
        .arg(&sha1.cert)
        .arg("-key")
        .arg(&sha1.key);
    let said = run_with_input(&mut client, request.as_bytes()).stdout;
    assert!(said.starts_with("HTTP/1.1 401 "), "{said}");
}

#[test]
fn a_namesake_and_another_registrations_program_open_nothing() {
    let furnished = Furnished::new(false);
    let (server, openssl) = (&furnished.server, Openssl::new());
    let (status, words) = furnished.shown(&furnished.program, UNKNOWN, &[]);
    assert_eq!(status, 403);
    let root = openssl.ca("root").to_string_lossy().into_owned();
    server.claviger(&["cert", "import", "--ca", &root]).ok();
    let namesake = openssl.signed("root", "billing", &[]);
    let pinned = openssl.self_signed("pinned");
    server
        .claviger(&["cert", "import", &pinned.cert.to_string_lossy()])
        .ok();
    server.register(&pinned, "password-user");
    server
        .claviger(&["a2a", "add", "Other", "--user", "pinned@127.0.0.1"])
        .ok();
    let account = ["Other", "db1/root"];
    server
        .claviger(&[&["a2a", "account", "add"][..], &account].concat())
        .ok();
    let key = server
        .claviger(&[&["a2a", "account", "key"][..], &account].concat())
        .ok();
    let key = key.stdout.trim();
    assert_eq!(furnished.shown(&pinned, key, &[]).0, 200);

    for (identity, key) in [
        (&namesake, furnished.key.as_str()),
        (&pinned, &furnished.key),
        (&furnished.program, key),
        (&namesake, UNKNOWN),
    ] {
        assert_eq!(furnished.shown(identity, key, &[]), (403, words.clone()));
    }
    // What a pinned certificate has signed is nobody's, whatever its name.
    let signed = openssl.signed_subject("pinned", "signed", "/CN=pinned", &[]);
    furnished.assert_unknown(&signed, "signed by a pinned one");
}

#[test]
fn no_header_moves_a_caller_and_networks_hold_to_their_edges() {
    let furnished = Furnished::new(false);
    let (_, words) = furnished.shown(&furnished.program, UNKNOWN, &[]);
    let from = |network: &str| {
        let change = [
            "a2a", "account", "add", "Billing", "db1/root", "--from", network,
        ];
        furnished.server.claviger(&change).ok();
    };
    let told = |more: &[&str]| furnished.shown(&furnished.program, &furnished.key, more);

    for (network, open) in [
        ("127.0.0.0/31", true),
        ("127.0.0.2/31", false),
        ("127.0.0.1/32", true),
        ("::1", false),
        ("::ffff:127.0.0.1", true),
        ("192.0.2.7", false),
    ] {
        from(network);
        let expected = if open {
            (200, format!("\"{PASSWORD}\""))
        } else {
            (403, words.clone())
        };
        assert_eq!(told(&[]), expected, "{network}");
    }
    for header in [
        "X-Forwarded-For: 192.0.2.7",
        "Forwarded: for=192.0.2.7",
        "X-Real-IP: 192.0.2.7",
        "X-Client-IP: 192.0.2.7",
        "Host: 192.0.2.7",
    ] {
        assert_eq!(told(&["-H", header]), (403, words.clone()), "{header}");
    }
    let line = ["--haproxy-protocol", "--haproxy-clientip", "192.0.2.7"];
    let key = format!("Authorization: A2A {}", furnished.key);
    let url = format!("https://{}{RETRIEVE}", furnished.server.door("a2a"));
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "30", "--noproxy", "*", "--cacert"]);
    command
        .arg(furnished.server.ca())
        .args(line)
        .args(["-H", &key]);
    command.arg("--cert").arg(&furnished.program.cert);
    command.arg("--key").arg(&furnished.program.key).arg(url);
    let ran = run(&mut command);
    assert!(ran.code() != 0 && ran.stdout.is_empty(), "{ran}");
    from("127.0.0.1");
    for host in ["Host: elsewhere.example", "Host: localhost:1"] {
        assert_eq!(told(&["-H", host]).0, 200, "{host}");
    }
}

#[test]
fn whom_a_responder_takes_back_or_does_not_know_is_401() {
    let set_up = SetUp::default().set("tls", "ocsp", "\"hard\"");
    let openssl = Openssl::new();
    openssl.ca("root");
    let responder = openssl.responder("root");
    let furnished = Furnished::under_one_ca(set_up, &openssl, &[&responder.extension()]);
    let [revoked, unknown] = ["revoked", "unknown"].map(|name| {
        let extension = responder.extension();
        let identity = openssl.signed_subject("root", name, "/CN=billing", &[&extension]);
        furnished.bind(&identity);
        identity
    });
    openssl.write_index("root", &[&furnished.program], &[&revoked]);

    // The responder answers once by what it knew before; and the good one shows that it is asked.
    furnished.assert_unknown(&unknown, "unknown");
    furnished.assert_unknown(&revoked, "revoked");
    let good = furnished.shown(&furnished.program, &furnished.key, &[]);
    assert_eq!(good.0, 200);
}
