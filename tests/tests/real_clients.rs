//! Clients that nobody here wrote, with certificates that openssl made, doing what they are for.

use harness::{Identity, Openssl, Server, SetUp, xml};

/// Create, retrieve, change, retrieve; prints the answers as JSON.
const STORY: &str = "
created = server.pmp.resource.create('db1', 'Linux', 'root', 'First-1', 'made by a test')
first = server.pmp.password.retrieve('db1', 'root', 'a reason')
changed = server.pmp.password.change('db1', 'root', 'S\u{e9}cond <&> 2', 'rotation', 'false')
second = server.retrievePassword('db1', 'root')
generated = server.changePassword('db1', 'root', 'rotation', False)
third = server.retrievePassword('db1', 'root')
try:
    server.retrievePassword('db1', 'nobody')
    refused = None
except xmlrpc.client.Fault as fault:
    refused = fault.faultCode
print(json.dumps([created, first, changed, second, generated == third, refused]))
";

fn administrator(server: &Server, identity: &Identity) {
    server.register(identity, "password-administrator");
}

fn python_does_everything(server: &Server, identity: &Identity) {
    let ran = harness::python(&server.url(), &server.ca(), identity, STORY).ok();
    let answers: serde_json::Value = serde_json::from_str(ran.stdout.trim()).unwrap();

    let success = |password: Option<&str>| match password {
        Some(text) => serde_json::json!({"resultCode": 0, "message": "SUCCESS", "password": text}),
        None => serde_json::json!({"resultCode": 0, "message": "SUCCESS"}),
    };
    let expected = serde_json::json!([
        success(None),
        success(Some("First-1")),
        success(None),
        "S\u{e9}cond <&> 2",
        true,
        2
    ]);
    assert_eq!(answers, expected);
}

#[test]
fn python_uses_a_self_signed_certificate_once_it_is_imported() {
    let server = Server::start(SetUp::default());
    let identity = Openssl::new()
        .self_signed("billing")
        .kept_in(server.outside());
    administrator(&server, &identity);
    let early = harness::python(&server.url(), &server.ca(), &identity, STORY);
    assert_ne!(early.code(), 0, "registered, and not trusted yet");

    server
        .claviger(&["cert", "import", &identity.cert.to_string_lossy()])
        .ok();

    python_does_everything(&server, &identity);
}

#[test]
fn python_uses_a_certificate_of_a_ca_that_was_imported() {
    let server = Server::start(SetUp::default());
    let openssl = Openssl::new();
    let root = openssl.ca("corporate-root");
    let identity = openssl.signed("corporate-root", "billing", &[]);
    administrator(&server, &identity);

    server
        .claviger(&["cert", "import", "--ca", &root.to_string_lossy()])
        .ok();

    python_does_everything(&server, &identity);
}

#[test]
fn curl_creates_retrieves_changes_and_retrieves() {
    let server = Server::start(SetUp::default());
    let identity = server.issue("billing");
    administrator(&server, &identity);
    let call = |method: &str, parameters: &[&str]| {
        let body = xml::call(method, parameters);
        harness::curl(&server.url(), &server.ca(), Some(&identity), &body)
            .ok()
            .stdout
    };

    let created = call(
        "pmp.resources.create",
        &["db1", "Linux", "root", "First-1", "notes"],
    );
    assert_eq!(
        xml::member(&created, "resultCode").as_deref(),
        Some("0"),
        "{created}"
    );
    let first = call("pmp.password.retrieve", &["db1", "root"]);
    assert_eq!(xml::member(&first, "password").as_deref(), Some("First-1"));
    let changed = call(
        "pam360.password.change",
        &["db1", "root", "Second-2", "why", "FALSE"],
    );
    assert_eq!(
        xml::member(&changed, "message").as_deref(),
        Some("SUCCESS"),
        "{changed}"
    );
    let second = call("pmp.password.retrieve", &["db1", "root", "why", "CHG-1"]);
    assert_eq!(
        xml::member(&second, "password").as_deref(),
        Some("Second-2")
    );

    let again = call("pmp.resource.create", &["db1", "Linux", "root", "notes"]);
    assert_eq!(xml::member(&again, "resultCode").as_deref(), Some("1"));
    let words = "Resource with the given resource name already exists.";
    assert_eq!(xml::member(&again, "message").as_deref(), Some(words));
}

#[test]
fn curl_without_a_certificate_or_with_a_strangers_gets_no_answer() {
    let server = Server::start(SetUp::default());
    let stranger = Openssl::new()
        .self_signed("billing")
        .kept_in(server.outside());
    let body = xml::call("system.listMethods", &[]);

    for identity in [None, Some(&stranger)] {
        let ran = harness::curl(&server.url(), &server.ca(), identity, &body);
        assert_ne!(ran.code(), 0, "{}", ran.stdout);
        assert_eq!(ran.stdout, "");
    }
}
