//! Files that commands read and write: certificates, imports, exports, completions.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use harness::{Openssl, Server, SetUp, repository, run};
use serde_json::Value;

use crate::{claviger, error_of};

const PASSWORD: &str = "Tr0ub4dor, \"and\" 3";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn accounts(server: &Server, resource: &str) -> Vec<Value> {
    let ran = server
        .claviger(&["account", "list", resource, "--json"])
        .ok();
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn an_issued_certificate_comes_in_four_files_of_which_the_secret_ones_are_private() {
    let server = Server::start(SetUp::default());
    let out = server.outside().join("billing");
    let secret = server.outside().join("secret");
    fs::write(&secret, "p12 password\n").unwrap();
    let out_word = out.to_string_lossy().into_owned();
    let secret_word = secret.to_string_lossy().into_owned();
    let words = ["cert", "issue", "billing", "--out", &out_word];
    let words = [&words[..], &["--p12-password-file", &secret_word]].concat();

    server.claviger(&words).ok();
    let again = server.claviger(&words).ended(1);
    let outside = server
        .claviger(&["cert", "issue", "../x", "--out", &out_word])
        .ended(2);

    assert!(error_of(&again).contains("is there already"), "{again}");
    assert!(
        error_of(&outside).contains("cannot be the name of a file"),
        "{outside}"
    );
    for (name, wanted) in [
        ("billing.crt", 0o644),
        ("billing.key", 0o600),
        ("billing.p12", 0o600),
    ] {
        assert_eq!(mode(&out.join(name)), wanted, "{name}");
    }
    let read = run(Command::new("openssl")
        .args(["pkcs12", "-noenc", "-passin", "pass:p12 password", "-in"])
        .arg(out.join("billing.p12")));
    assert!(read.ok().stdout.contains("PRIVATE KEY"));
    let checked = run(Command::new("openssl")
        .args(["verify", "-purpose", "sslclient", "-CAfile"])
        .arg(out.join("ca.pem"))
        .arg(out.join("billing.crt")));
    checked.ok();
    server.claviger(&[&words[..], &["--force"]].concat()).ok();
}

#[test]
fn a_password_for_the_pkcs12_file_is_generated_where_none_is_given() {
    let server = Server::start(SetUp::default());
    let out = server.outside().join("shop");
    let out_word = out.to_string_lossy().into_owned();
    let words = ["cert", "issue", "shop", "--out", &out_word];

    let done = server.claviger(&words).ok();
    let kept = fs::read_to_string(out.join("shop.p12.password")).unwrap();
    server.claviger(&words).ended(1);

    let secret = out.join("shop.p12.password");
    assert!(
        done.stdout.contains(&format!(
            "the password of {} is in {}\n",
            out.join("shop.p12").display(),
            secret.display()
        )),
        "{done}"
    );
    assert!(!format!("{done}").contains(kept.trim_end()), "{done}");
    assert_eq!(mode(&secret), 0o600);
    assert_eq!(fs::read_to_string(&secret).unwrap(), kept);
    let read = run(Command::new("openssl")
        .args(["pkcs12", "-noenc", "-passin"])
        .arg(format!("file:{}", secret.display()))
        .arg("-in")
        .arg(out.join("shop.p12")));
    assert!(read.ok().stdout.contains("PRIVATE KEY"));
}

#[test]
fn what_keeps_a_certificate_from_being_accepted_is_said_when_it_is_given() {
    let server = Server::start(SetUp::default());
    let openssl = Openssl::new();
    let ca = openssl.ca("company").to_string_lossy().into_owned();
    openssl
        .run("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=old -keyout old.key -out old.csr")
        .ok();
    openssl
        .run("x509 -req -in old.csr -CA company.crt -CAkey company.plain.key -CAcreateserial -out old.crt -days 365")
        .ok();
    let old = openssl.path("old.crt").to_string_lossy().into_owned();
    let new = openssl.signed("company", "new", &["extendedKeyUsage=clientAuth"]);
    let new = new.cert.to_string_lossy().into_owned();
    let add = |login: &str, cert: &str| {
        let words = ["user", "add", login, "--api", "--role", "password-user"];
        let ran = server.claviger(&[&words[..], &["--cert", cert]].concat());
        ran.ok().stderr
    };

    let untrusted = add("new@127.0.0.1", &new);
    server.claviger(&["cert", "import", "--ca", &ca]).ok();
    let trusted = add("new@127.0.0.2", &new);
    let version_1 = add("old@127.0.0.1", &old);
    let pinned = server.claviger(&["cert", "import", &old]).ok().stderr;
    let then = add("old@127.0.0.2", &old);

    assert!(untrusted.contains("not trusted yet"), "{untrusted}");
    assert_eq!(trusted, "");
    for warning in [&version_1, &pinned] {
        assert!(warning.contains("X.509 version 1"), "{warning}");
        assert_eq!(warning.lines().count(), 1, "{warning}");
    }
    assert_eq!(then, "");
}

#[test]
fn import_cert_sh_trusts_a_self_signed_certificate_as_its_users_know_it() {
    let server = Server::start(SetUp::default());
    let openssl = Openssl::new();
    let app = openssl.self_signed("billing");
    let script = |file: &Path| {
        let mut command = Command::new("sh");
        command
            .arg(repository().join("scripts/importCert.sh"))
            .arg(file);
        let path = harness::claviger_program();
        let path = path.parent().unwrap().to_string_lossy().into_owned();
        command.env("CLAVIGER_DATA", server.data()).env(
            "PATH",
            format!("{path}:{}", std::env::var("PATH").unwrap_or_default()),
        );
        run(&mut command)
    };

    let done = script(&app.cert).ok();
    let twice = script(&app.cert);
    let missing = script(Path::new("/nonexistent"));

    assert!(done.stdout.contains("SHA-256"), "{done}");
    twice.ended(1);
    missing.ended(1);
    let listed = server.claviger(&["cert", "list", "--json"]).ok();
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert!(
        listed
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["kind"] == "pin")
    );
    let print = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["kind"] == "pin")
        .unwrap();
    server
        .claviger(&["cert", "remove", print["fingerprint"].as_str().unwrap()])
        .ok();
}

#[test]
fn an_import_is_only_tried_until_somebody_says_yes() {
    let server = Server::start(SetUp::default());
    let file = server.outside().join("accounts.csv");
    let text = format!(
        "resource,type,account,password,notes\n\
         db1,MySQL,root,\"{}\",first\n\
         db1,MySQL,app,,\n\
         ,MySQL,x,y,\n\
         db1,MySQL,root,again,\n\
         db2,Linux,root,Other-Secret-9,\n",
        PASSWORD.replace('"', "\"\"")
    );
    fs::write(&file, text).unwrap();
    let file = file.to_string_lossy().into_owned();

    let refused = server.claviger(&["import", &file, "--yes"]).ended(1);
    assert!(refused.stderr.contains("line 4: "), "{refused}");
    assert!(
        refused
            .stderr
            .contains("line 5: the file names this account twice"),
        "{refused}"
    );
    let unsaid = server.claviger(&["import", &file, "--skip-bad"]).ended(1);
    assert!(unsaid.stderr.contains("give --yes"), "{unsaid}");
    assert!(
        server
            .claviger(&["resource", "list", "--json"])
            .stdout
            .starts_with("[]")
    );
    let done = server
        .claviger(&["import", &file, "--skip-bad", "--yes"])
        .ok();
    assert!(
        done.stdout
            .contains("3 accounts made, 1 of them with a generated"),
        "{done}"
    );
    for ran in [&refused, &unsaid, &done] {
        assert!(!format!("{ran}").contains("Other-Secret"), "{ran}");
    }
    assert_eq!(accounts(&server, "db1").len(), 2);
    let again = server
        .claviger(&["import", &file, "--skip-bad", "--yes"])
        .ended(1);
    assert!(
        again.stderr.contains("there is nothing to import"),
        "{again}"
    );
}

#[test]
fn an_export_is_sealed_and_goes_into_another_vault() {
    let server = Server::start(SetUp::default());
    server.resource("db1", "root", PASSWORD);
    let secret = server.outside().join("passphrase");
    fs::write(&secret, "correct horse battery staple").unwrap();
    let wrong = server.outside().join("wrong");
    fs::write(&wrong, "incorrect horse battery").unwrap();
    let sealed = server.outside().join("all.claviger");
    let words = |path: &Path| path.to_string_lossy().into_owned();
    let (secret, wrong, sealed_word) = (words(&secret), words(&wrong), words(&sealed));
    let export = [
        "export",
        "--out",
        &sealed_word,
        "--passphrase-file",
        &secret,
    ];

    server.claviger(&export).ok();
    server.claviger(&export).ended(1);
    let bytes = fs::read(&sealed).unwrap();
    assert_eq!(mode(&sealed), 0o600);
    assert!(!String::from_utf8_lossy(&bytes).contains("Tr0ub4dor"));
    assert!(!String::from_utf8_lossy(&bytes).contains("db1"));

    let other = Server::start(SetUp::default());
    let import = ["import", &sealed_word, "--yes"];
    let import_with =
        |file: &str| other.claviger(&[&import[..], &["--passphrase-file", file]].concat());
    other.claviger(&import).ended(2);
    let refused = import_with(&wrong).ended(1);
    assert!(refused.stderr.contains("wrong passphrase"), "{refused}");
    import_with(&secret).ok();
    let clear = server.outside().join("all.csv");
    let clear_word = words(&clear);
    other
        .claviger(&[
            "export",
            "--out",
            &clear_word,
            "--in-clear",
            "--yes-in-clear",
        ])
        .ok();
    let text = fs::read_to_string(&clear).unwrap();
    assert!(
        text.contains("\"Tr0ub4dor, \"\"and\"\" 3\""),
        "what went in comes out"
    );
    assert_eq!(mode(&clear), 0o600);
}

#[test]
fn a_short_passphrase_seals_no_export_and_leaves_no_file() {
    let server = Server::start(SetUp::default());
    let out = server.outside().join("all.claviger");
    let words = ["export", "--out", &out.to_string_lossy()];

    let refused = server.claviger_with_input(&words, "short").ended(1);

    assert!(error_of(&refused).contains("too short"), "{refused}");
    assert!(!out.exists());
}

#[test]
fn completions_and_manual_pages_are_made_by_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_string_lossy().into_owned();

    for shell in ["bash", "zsh", "fish"] {
        let text = claviger(&["completions", shell]).ok().stdout;
        assert!(text.contains("password-stdin"), "{shell}");
    }
    assert!(claviger(&["man"]).ok().stdout.contains(".TH claviger 1"));
    claviger(&["man", "--out", &folder]).ok();

    for page in [
        "claviger.1",
        "claviger-user-add.1",
        "claviger-user-cert-remove.1",
    ] {
        let text = fs::read_to_string(dir.path().join(page)).unwrap();
        assert!(text.contains(".SH"), "{page}");
    }
}
