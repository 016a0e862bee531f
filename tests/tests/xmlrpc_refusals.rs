//! What the XML-RPC door refuses, over the wire and in words of the test's own.

use harness::{Answer, Openssl, Server, SetUp, Wire, xml};

fn said(answer: &Answer) -> (u16, Option<String>, Option<String>) {
    let text = answer.text();
    (
        answer.status,
        xml::member(&text, "faultCode"),
        xml::member(&text, "faultString"),
    )
}

fn fault(code: i32, message: &str) -> (u16, Option<String>, Option<String>) {
    (200, Some(code.to_string()), Some(message.to_owned()))
}

fn ask(wire: &mut Wire, body: &[u8]) -> Answer {
    wire.post(body, &[]).expect("an answer, whatever was sent")
}

#[test]
fn a_malformed_document_is_answered_with_its_position_and_the_connection_lives_on() {
    let server = Server::start(SetUp::default());
    let app = server.app("app");
    let mut wire = server.connect(Some(&app)).unwrap();
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;&b;\">]><methodCall/>";
    let outside = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>\
                   <methodCall><methodName>&b;</methodName></methodCall>";
    let java = "<methodCall><methodName>a</methodName><params><param><value><ex:serializable \
                xmlns:ex=\"http://ws.apache.org/xmlrpc/namespaces/extensions\">rO0ABQ==\
                </ex:serializable></value></param></params></methodCall>";
    let cases: [(&[u8], &str); 9] = [
        (b"", "-32700"),
        (b"\xff\xfe\x00", "-32702"),
        (b"<methodCall><methodName>a</methodName>", "-32700"),
        (b"<methodCall><methodName>a</wrong></methodCall>", "-32700"),
        (b"{\"method\": \"a\"}", "-32700"),
        (bomb.as_bytes(), "-32600"),
        (outside.as_bytes(), "-32600"),
        (java.as_bytes(), "-32600"),
        (
            b"<methodCall><methodName>\xe4</methodName></methodCall>",
            "-32702",
        ),
    ];

    for (body, code) in cases {
        let (status, found, message) = said(&ask(&mut wire, body));
        let body = String::from_utf8_lossy(body);
        assert_eq!(
            (status, found.as_deref()),
            (200, Some(code)),
            "{body}: {message:?}"
        );
        assert!(message.is_some_and(|text| text.contains("line")), "{body}");
    }
    let answer = ask(&mut wire, &xml::call("system.listMethods", &[]));
    assert!(!xml::is_fault(&answer.text()));
}

#[test]
fn method_names_compare_to_the_letter() {
    let server = Server::start(SetUp::default());
    let app = server.app("app");
    let mut wire = server.connect(Some(&app)).unwrap();

    for name in [
        "PMP.password.retrieve",
        "retrievepassword",
        "System.listMethods",
        "a/b:c_d.e",
    ] {
        let answer = ask(&mut wire, &xml::call(name, &["db1", "root"]));
        assert_eq!(
            said(&answer),
            fault(-32601, &format!("No such handler: {name}"))
        );
    }
    let long = "a".repeat(5000);
    let (_, code, message) = said(&ask(&mut wire, &xml::call(&long, &[])));
    assert_eq!(code.as_deref(), Some("-32601"));
    assert!(message.is_some_and(|text| text.len() < 200));
}

#[test]
fn unknown_missing_and_not_shared_are_one_answer() {
    let server = Server::start(SetUp::default());
    let app = server.app("app");
    server.resource("shared", "root", "First-Pass1!");
    server.resource("hidden", "root", "First-Pass1!");
    server.share("shared", &app, "view");
    let mut wire = server.connect(Some(&app)).unwrap();
    let places = [
        ["nowhere", "root"],
        ["shared", "nobody"],
        ["hidden", "root"],
        ["hidden", "nobody"],
    ];
    let words = "No such resource or account, or it is not shared with you.";

    for place in places {
        let answer = ask(&mut wire, &xml::call("retrievePassword", &place));
        assert_eq!(said(&answer), fault(2, words), "{place:?}");
        let text = ask(&mut wire, &xml::call("pmp.password.retrieve", &place)).text();
        assert_eq!(xml::member(&text, "resultCode").as_deref(), Some("2"));
        assert_eq!(xml::member(&text, "message").as_deref(), Some(words));
        assert!(!text.contains("<name>password</name>"));
    }
}

#[test]
fn the_same_name_from_another_trusted_ca_is_nobody() {
    let server = Server::start(SetUp::default());
    let _app = server.app("billing");
    let openssl = Openssl::new();
    let root = openssl.ca("other-root");
    server
        .claviger(&["cert", "import", "--ca", &root.to_string_lossy()])
        .ok();
    let impostor = openssl.signed("other-root", "billing", &[]);
    let mut wire = server.connect(Some(&impostor)).unwrap();

    let answer = ask(&mut wire, &xml::call("system.listMethods", &[]));

    let words = "this certificate belongs to no API user that may come in.";
    assert_eq!(said(&answer), fault(11, words));
    assert_eq!(wire.rest(), b"", "the connection is closed");
}

#[test]
fn a_header_never_says_where_a_caller_comes_from() {
    let server = Server::start(SetUp::default());
    let away = server.issue("away");
    let cert = away.cert.to_string_lossy();
    let words = [
        "user",
        "add",
        "away@192.0.2.1",
        "--api",
        "--role",
        "password-user",
        "--cert",
        &cert,
    ];
    server.claviger(&words).ok();
    let mut wire = server.connect(Some(&away)).unwrap();
    let forwarded = [
        "X-Forwarded-For: 192.0.2.1",
        "X-Real-IP: 192.0.2.1",
        "Forwarded: for=192.0.2.1",
    ];

    let answer = wire
        .post(&xml::call("system.listMethods", &[]), &forwarded)
        .unwrap();

    let (_, code, message) = said(&answer);
    assert_eq!(code.as_deref(), Some("11"));
    assert!(message.is_some_and(|text| text.contains("may not come from this address")));
}

#[test]
fn a_removed_user_and_a_locked_one_are_out_at_once() {
    let server = Server::start(SetUp::default());
    for (name, words) in [("one", ["user", "lock"]), ("two", ["user", "remove"])] {
        let app = server.app(name);
        let mut wire = server.connect(Some(&app)).unwrap();
        let body = xml::call("system.listMethods", &[]);
        assert!(!xml::is_fault(&ask(&mut wire, &body).text()));

        let login = format!("{name}@127.0.0.1");
        server.claviger(&[words[0], words[1], &login]).ok();

        assert_eq!(
            said(&ask(&mut wire, &body)).1.as_deref(),
            Some("11"),
            "{name}"
        );
    }
}

#[test]
fn a_smuggled_request_is_answered_400_and_never_served() {
    let server = Server::start(SetUp::default());
    let app = server.app("app");
    let inner = "POST /xmlrpc HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";

    for fields in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 5\r\nContent-Length: 5",
    ] {
        let mut wire = server.connect(Some(&app)).unwrap();
        let head = format!("POST /xmlrpc HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n0\r\n\r\n{inner}");
        wire.send(head.as_bytes()).unwrap();
        let said = String::from_utf8_lossy(&wire.rest()).into_owned();
        assert!(said.starts_with("HTTP/1.1 400 "), "{fields}: {said}");
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{fields}: {said}");
    }
}

#[test]
fn nothing_else_is_there() {
    let server = Server::start(SetUp::default());
    let app = server.app("app");
    let mut wire = server.connect(Some(&app)).unwrap();

    for (line, status) in [
        ("GET /", 404),
        ("GET /health", 404),
        ("GET /metrics", 404),
        ("POST /xmlrpc/..", 404),
        ("GET /xmlrpc", 405),
        ("TRACE /xmlrpc", 405),
    ] {
        wire.send(format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
            .unwrap();
        let answer = wire.answer().unwrap();
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{line}");
    }
}

#[test]
fn a_secondary_retrieves_and_changes_nothing() {
    let mut server = Server::start(SetUp::default());
    let app = server.app("app");
    server.resource("db1", "root", "First-Pass1!");
    server.share("db1", &app, "modify");
    let settings = server.data().join("claviger.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let (before, after) = text.split_once("mode = \"primary\"").unwrap();
    let before = before.trim_end_matches(['#', ' ']);
    std::fs::write(&settings, format!("{before}mode = \"secondary\"{after}")).unwrap();
    server.restart();

    let got = server.call(&app, "retrievePassword", &["db1", "root"]);
    assert_eq!(xml::value(&got.text()).as_deref(), Some("First-Pass1!"));
    let words = "This server is a secondary: it answers retrievals only.";
    let changed = server.call(&app, "changePassword", &["db1", "root", "why", "false"]);
    assert_eq!(said(&changed), fault(9, words));
    let made = server.call(&app, "createResource", &["db2", "Linux", "root", ""]);
    assert_eq!(said(&made), fault(9, words));
}
