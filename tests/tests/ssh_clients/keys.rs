//! Keys that are registered, and those that are not.

use std::fs;
use std::process::Command;

use harness::run;

use crate::{PASSWORD, Stand, new_key};

#[test]
fn keys_of_every_accepted_kind_work_and_sha_1_does_not() {
    let stand = Stand::seeded();
    let retrieve = ["RETRIEVE", "--resource=test-server", "--account=root"];

    for kind in [
        &["-t", "ecdsa", "-b", "256"][..],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "rsa", "-b", "2048"],
    ] {
        let key = new_key(&stand.server, &kind.concat(), kind);
        let before = stand.as_user(&key, "test", &retrieve).ended(255);
        assert!(
            before.stderr.contains("Permission denied (publickey)"),
            "{before}"
        );
        stand.register(&key).ok();
        let said = stand.as_user(&key, "test", &retrieve).ok();
        assert_eq!(said.stdout, format!("{PASSWORD}\n"), "{kind:?}");
    }
    let rsa = stand.server.outside().join("-trsa-b2048");
    for (algorithm, code) in [("rsa-sha2-256", 0), ("rsa-sha2-512", 0), ("ssh-rsa", 255)] {
        let only = format!("PubkeyAcceptedAlgorithms={algorithm}");
        let words = [&["-o", &only][..], &retrieve].concat();
        stand.as_user(&rsa, "test", &words).ended(code);
    }
    let short = new_key(&stand.server, "short", &["-t", "rsa", "-b", "1024"]);
    assert!(
        stand
            .register(&short)
            .ended(1)
            .stderr
            .contains("2048 to 8192 bits")
    );
}

#[test]
fn a_certificate_over_a_registered_key_opens_nothing() {
    let stand = Stand::seeded();
    let authority = new_key(&stand.server, "ca", &["-t", "ed25519"]);
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-I", "x", "-n", "test", "-s"])
        .arg(&authority);
    run(sign.arg(format!("{}.pub", stand.key.display()))).ok();
    let certificate = format!("CertificateFile={}-cert.pub", stand.key.display());
    let only = "PubkeyAcceptedAlgorithms=ssh-ed25519-cert-v01@openssh.com";

    let refused = stand
        .ssh(&["-o", &certificate, "-o", only, "HELP"])
        .ended(255);

    assert!(
        refused.stderr.contains("Permission denied (publickey)"),
        "{refused}"
    );
}

#[test]
fn keys_are_registered_listed_and_removed_and_bite_at_once() {
    let stand = Stand::seeded();
    let user = "test@127.0.0.1";
    let claviger = |words: &[&str]| {
        stand
            .server
            .claviger(&[&["user", "ssh-key"], words].concat())
    };
    let print = run(Command::new("ssh-keygen").arg("-lf").arg(&stand.key))
        .ok()
        .stdout;
    let print = print.split(' ').nth(1).unwrap();

    let listed = claviger(&["list", user]).ok().stdout;
    assert!(
        listed.contains(print) && listed.contains("test@one"),
        "{listed}"
    );
    let twice = stand.register(&stand.key).ended(1);
    assert!(twice.stderr.contains("SSH key of this user"), "{twice}");
    let private = stand.key.to_string_lossy().into_owned();
    let private = claviger(&["add", user, &private]).ended(1);
    assert!(private.stderr.contains("private key"), "{private}");
    let master = stand.server.outside().join("master");
    let path = format!("ControlPath={}", master.display());
    stand
        .ssh(&[
            "-o",
            "ControlMaster=auto",
            "-o",
            &path,
            "-o",
            "ControlPersist=30",
            "HELP",
        ])
        .ok();
    let kept = |words: &[&str]| stand.ssh(&[&["-o", &path], words].concat());
    kept(&["RETRIEVE", "--resource=test-server", "--account=root"]).ok();

    claviger(&["remove", user, print]).ok();

    kept(&["RETRIEVE", "--resource=test-server", "--account=root"]).ended(1);
    let fresh = stand.ssh(&["HELP"]).ended(255);
    assert!(
        fresh.stderr.contains("Permission denied (publickey)"),
        "{fresh}"
    );
    let none = claviger(&["remove", user, print]).ended(1);
    assert!(none.stderr.contains("no such SSH key"), "{none}");
    let tail = stand.server.claviger(&["audit", "tail"]).ok().stdout;
    assert!(
        tail.contains("unknown-user") && tail.contains(print),
        "{tail}"
    );
}

#[test]
fn a_locked_user_and_one_of_another_host_stay_out() {
    let stand = Stand::seeded();
    let add = [
        "user",
        "add",
        "far@192.0.2.9",
        "--api",
        "--role",
        "password-user",
    ];
    stand.server.claviger(&add).ok();
    let public = format!("{}.pub", stand.key.display());
    stand
        .server
        .claviger(&["user", "ssh-key", "add", "far@192.0.2.9", &public])
        .ok();

    stand.as_user(&stand.key, "far", &["HELP"]).ended(255);
    stand.ssh(&["HELP"]).ok();
    stand
        .server
        .claviger(&["user", "lock", "test@127.0.0.1"])
        .ok();
    stand.ssh(&["HELP"]).ended(255);

    let tail = stand.server.claviger(&["audit", "tail"]).ok().stdout;
    assert!(
        tail.contains("wrong-host") && tail.contains("locked"),
        "{tail}"
    );
}

#[test]
fn an_organisation_stands_before_the_login() {
    let stand = Stand::seeded();
    let org = ["--org", "MANAGEENGINE"];
    let claviger = |words: &[&str]| stand.server.claviger(&[words, &org[..]].concat());
    stand.server.claviger(&["org", "add", "MANAGEENGINE"]).ok();
    claviger(&[
        "user",
        "add",
        "test@127.0.0.1",
        "--api",
        "--role",
        "password-administrator",
    ])
    .ok();
    let key = new_key(&stand.server, "other", &["-t", "ed25519"]);
    let public = format!("{}.pub", key.display());
    claviger(&["user", "ssh-key", "add", "test@127.0.0.1", &public]).ok();
    let there = |words: &[&str]| stand.as_user(&key, "MANAGEENGINE/test", words);

    there(&[
        "CREATE",
        "--resource=test-server",
        "--account=root",
        "--newpassword=Its-Own1!word",
    ])
    .ok();

    let read = there(&["RETRIEVE", "--resource=test-server", "--account=root"]).ok();
    assert_eq!(read.stdout, "Its-Own1!word\n");
    stand.as_user(&key, "test", &["HELP"]).ended(255);
    stand
        .as_user(&stand.key, "MANAGEENGINE/test", &["HELP"])
        .ended(255);
}

#[test]
fn keys_of_a_file_are_registered_all_of_them_or_none() {
    let stand = Stand::seeded();
    let listed = || {
        let words = ["user", "ssh-key", "list", "test@127.0.0.1", "--json"];
        let list = stand.server.claviger(&words).ok().stdout;
        list.matches("SHA256:").count()
    };
    let file = stand.server.outside().join("many.pub");
    let line = |name: &str| {
        let key = new_key(&stand.server, name, &["-t", "ed25519"]);
        fs::read_to_string(key.with_extension("pub")).unwrap()
    };
    let (one, two) = (line("one"), line("two"));
    let add = |text: &str| {
        fs::write(&file, text).unwrap();
        let file = file.display().to_string();
        let words = ["user", "ssh-key", "add", "test@127.0.0.1", &file];
        stand.server.claviger(&words)
    };

    let broken = "ssh-ed25519 AAAA\n";
    let own = fs::read_to_string(stand.key.with_extension("pub")).unwrap();
    for last in [broken, &one, &own] {
        add(&format!("# three\n{one}{two}{last}")).ended(1);
        assert_eq!(listed(), 1, "{last}");
    }
    let many: String = (0..10).map(|number| line(&format!("n{number}"))).collect();
    let refused = add(&many).ended(1);
    assert!(refused.stderr.contains("may have 10"), "{refused}");
    assert_eq!(listed(), 1);
    let private = fs::read_to_string(&stand.key).unwrap();
    for text in [private.as_str(), "Private-Lines: 1\nAAAA\n"] {
        let refused = add(text).ended(1);
        assert!(refused.stderr.contains("private key"), "{refused}");
    }

    let said = add(&format!("{one}\n{two}")).ok().stdout;

    assert_eq!(said.matches(" proves test@127.0.0.1 now").count(), 2);
    assert_eq!(listed(), 3);
}
