//! Applications, as an operator registers them.

use harness::{Server, SetUp};
use serde_json::Value;

use crate::{claviger, error_of};

const USER: &str = "billing@10.0.0.0/8";

#[test]
fn an_application_is_registered_shown_changed_and_removed() {
    let server = Server::start(SetUp::default());
    let add = ["user", "add", USER, "--api", "--role", "password-user"];
    server.claviger(&add).ok();
    let identity = server.issue("nightly");
    let cert = identity.cert.to_string_lossy();
    let app = |words: &[&str]| server.claviger(&[&["app"], words].concat());
    let words = [
        "add",
        "nightly",
        "--host",
        "app1.example",
        "--type",
        "linux",
        "--allow",
        "reset,retrieve",
        "--inherit",
        USER,
        "--cert",
        &cert,
    ];

    let made = app(&words).ok();
    let told = format!("application nightly made: it may retrieve, reset for {USER}\n");
    assert_eq!((made.stdout, made.stderr.as_str()), (told, ""));
    let again = app(&words).ended(1);
    let taken = "an application with this name exists already";
    assert_eq!(error_of(&again), taken);

    let shown = app(&["show", "nightly", "--json"]).ok();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["inherit"], USER);
    assert_eq!(shown["type"], "Linux");
    let print = shown["certificates"][0].as_str().unwrap();
    let listed = app(&["list"]).ok();
    assert!(listed.stdout.contains("retrieve,reset"), "{listed}");

    let edit = ["edit", "nightly", "--allow", "create", "--lock"];
    let edited = app(&[&edit[..], &["--remove-cert", print]].concat()).ok();
    assert_eq!(edited.stdout, "application nightly changed\n");
    let shown = app(&["show", "nightly"]).ok();
    assert!(!shown.stdout.contains(print), "{shown}");
    assert!(shown.stdout.contains("create"), "{shown}");
    let nothing = app(&["edit", "nightly"]).ended(2);
    assert_eq!(error_of(&nothing), "say what shall be different");
    app(&["edit", "nightly", "--add-cert", &cert, "--unlock"]).ok();

    let removed = app(&["remove", "nightly", "--yes"]).ok();
    assert_eq!(removed.stdout, "application nightly removed\n");
    let gone = app(&["show", "nightly"]).ended(1);
    assert_eq!(error_of(&gone), "there is no such application");
}

#[test]
fn an_application_without_a_certificate_is_told_that_nothing_proves_it() {
    let server = Server::start(SetUp::default());
    let add = ["user", "add", USER, "--api", "--role", "password-user"];
    server.claviger(&add).ok();
    let who = ["app", "add", "nightly", "--host", "app1.example"];
    let what = ["--type", "linux", "--allow", "retrieve", "--inherit", USER];

    let made = server.claviger(&[&who[..], &what].concat()).ok();

    let told = format!(
        "application nightly made: it may retrieve for {USER}\n\
         nothing proves it yet: claviger app edit nightly --add-cert FILE\n"
    );
    assert_eq!((made.stdout, made.stderr.as_str()), (told, ""));
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_when_it_is_registered() {
    let server = Server::start(SetUp::default());
    let add = ["user", "add", USER, "--api", "--role", "password-user"];
    server.claviger(&add).ok();
    let bench = harness::Openssl::new();
    let identity = bench.self_signed("nightly");
    let cert = identity.cert.to_string_lossy();

    let made = server.claviger(&[
        "app",
        "add",
        "nightly",
        "--host",
        "app1.example",
        "--type",
        "Windows",
        "--allow",
        "retrieve",
        "--inherit",
        USER,
        "--cert",
        &cert,
    ]);

    let made = made.ok();
    assert!(made.stderr.contains("claviger cert import"), "{made}");
    assert!(!made.stderr.contains("CN"), "its name does not matter");
}

#[test]
fn an_application_needs_something_that_it_may_do() {
    let words = ["app", "add", "x", "--host", "h", "--type", "Linux"];
    let more = ["--inherit", USER];
    claviger(&[&words[..], &more].concat()).ended(2);
    let share = ["--inherit", USER, "--allow", "share"];
    claviger(&[&words[..], &share].concat()).ended(2);
}
