//! Accounts that keep something else than a password.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use harness::{Server, SetUp};

use crate::{claviger, error_of};

const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n";

#[test]
fn files_and_keys_are_kept_given_out_and_changed() {
    let server = Server::start(SetUp::default());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("tls.p12"), b"\0\xff\n").unwrap();
    fs::write(path("id"), KEY).unwrap();
    let web = ["resource", "add", "web", "--type", "x", "--account", "root"];
    server.claviger(&web).ok();

    let add = ["account", "add", "web"];
    let with = |more: &[&str]| [&add[..], more].concat().join("\n");
    let run = |words: &str| server.claviger(&words.split('\n').collect::<Vec<_>>());
    run(&with(&["tls", "--file", &path("tls.p12")])).ok();
    run(&with(&["deploy", "--ssh-key", &path("id")])).ok();
    let api = ["account", "add", "web", "api", "--api-key", "AKIA1"];
    server.claviger_with_input(&api, "hunter2\n").ok();

    let get = ["account", "secret", "get", "web"];
    let got = server.claviger(&[&get[..], &["deploy"]].concat()).ok();
    assert_eq!(got.stdout, KEY);
    let got = server.claviger(&[&get[..], &["api"]].concat()).ok();
    assert_eq!(got.stdout, "hunter2\n");
    let out = path("out");
    let words = [&get[..], &["tls", "--out", &out]].concat();
    server.claviger(&words).ok();
    assert_eq!(fs::read(&out).unwrap(), b"\0\xff\n");
    let mode = fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = server.claviger(&words).ended(1);
    assert!(error_of(&again).contains("is there already"), "{again}");

    let set = [
        "account",
        "secret",
        "set",
        "web",
        "api",
        "--api-key",
        "AKIA2",
    ];
    server.claviger_with_input(&set, "hunter3").ok();
    let got = server.claviger(&[&get[..], &["api"]].concat()).ok();
    assert_eq!(got.stdout, "hunter3\n");
    let listed = server.claviger(&["account", "list", "web"]).ok();
    assert!(listed.stdout.contains("ssh-key"), "{listed}");
    assert!(!server.log().contains("hunter"));
}

#[test]
fn an_account_is_given_one_thing_to_keep() {
    let add = ["account", "add", "web", "a", "--file", "x"];
    for more in [&["--ssh-key", "x"][..], &["--password-stdin"]] {
        let words: Vec<&str> = add.iter().chain(more).copied().collect();
        claviger(&words).ended(2);
    }
}
