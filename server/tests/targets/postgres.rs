//! PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Command;

use claviger::domain::{Connector, Wire};
use claviger::vault::NewTarget;

use crate::daemon::{Daemon, as_user, certificate, place, program, run, start};
use crate::scene::{METACHARACTERS, UNICODE, admin, assert_failed, scene, target};

fn programs() -> Vec<PathBuf> {
    let found = std::fs::read_dir("/usr/lib/postgresql");
    let versions = found.into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).collect()
}

pub fn postgres(name: &str) -> Option<Daemon> {
    let Some(bin) = programs().pop() else {
        program(name, &[]);
        return None;
    };
    let (home, port) = place();
    certificate(home.path());
    std::fs::write(home.path().join("password"), "adm1n").unwrap();
    let data = home.path().join("data");
    let path = |name: &str| home.path().join(name).display().to_string();
    run(as_user("postgres", &bin.join("initdb"), home.path())
        .args(["-U", "postgres", "-A", "scram-sha-256", "-N", "--pwfile"])
        .args([&path("password"), "-D"])
        .arg(&data));
    let mut command = as_user("postgres", &bin.join("postgres"), home.path());
    command
        .arg("-D")
        .arg(&data)
        .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""])
        .args(["-c", "ssl=on", "-c", "fsync=off", "-c", "log_statement=all"])
        .args(["-c", &format!("ssl_cert_file={}", path("cert.pem"))])
        .args(["-c", &format!("ssl_key_file={}", path("key.pem"))]);
    let daemon = start(&mut command, home, port);
    let end = std::time::Instant::now() + harness::PATIENCE;
    while !psql(&daemon, "SELECT 1") {
        assert!(std::time::Instant::now() < end, "it never takes anybody in");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Some(daemon)
}

/// Says something as the superuser.
pub fn psql(daemon: &Daemon, sentence: &str) -> bool {
    let output = Command::new("psql")
        .args([
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-p",
            &daemon.port.to_string(),
        ])
        .args(["-c", sentence])
        .env("PGPASSWORD", "adm1n")
        .output();
    output.unwrap().status.success()
}

pub fn connector() -> Connector {
    Connector::Postgres {
        database: "postgres".to_owned(),
    }
}

fn log(home: &Path) -> String {
    std::fs::read_to_string(home.join("log")).unwrap()
}

#[tokio::test]
async fn a_role_changes_its_own_password_and_the_log_never_has_it() {
    let Some(postgres) = postgres("a_role_changes_its_own_password_and_the_log_never_has_it")
    else {
        return;
    };
    let role = r#"odd "role" 'x"#;
    assert!(psql(
        &postgres,
        "CREATE ROLE \"odd \"\"role\"\" 'x\" LOGIN PASSWORD 'old'"
    ));
    let scene = scene(role, "old").await;
    let tested = scene.reach(&target(connector(), postgres.port)).await;
    assert_eq!(tested.login, Some(true), "{tested:?}");

    for password in [METACHARACTERS, UNICODE, &"x".repeat(200), "x"] {
        scene.changes(role, password).await;
    }

    let log = log(postgres.home.path());
    assert!(log.contains("ALTER ROLE"), "{log}");
    assert!(
        !log.contains("密码") && !log.contains(&"x".repeat(200)),
        "{log}"
    );
}

#[tokio::test]
async fn an_administrative_role_changes_what_nobody_knows_any_more() {
    let Some(postgres) = postgres("an_administrative_role_changes_what_nobody_knows_any_more")
    else {
        return;
    };
    assert!(psql(&postgres, "CREATE ROLE app LOGIN PASSWORD 'lost'"));
    let scene = scene("app", "wrong").await;
    scene
        .house
        .create("boss", "postgres", "adm1n", &scene.owner)
        .await;
    let new = NewTarget {
        admin: admin("boss", "postgres"),
        ..target(connector(), postgres.port)
    };
    scene.reach(&new).await;

    scene.puts_right("app", "f1rst-s3cret").await;
    for password in [METACHARACTERS, UNICODE, &"y".repeat(200), "y"] {
        scene.changes("app", password).await;
    }
}

#[tokio::test]
async fn an_oddly_named_role_is_changed_and_no_other() {
    let Some(postgres) = postgres("an_oddly_named_role_is_changed_and_no_other") else {
        return;
    };
    let odd = r#"x" PASSWORD 'p'; ALTER ROLE "postgres" -- \"#;
    assert!(psql(
        &postgres,
        r#"CREATE ROLE "x"" PASSWORD 'p'; ALTER ROLE ""postgres"" -- \" LOGIN PASSWORD 'old'"#
    ));
    let scene = scene(odd, "lost").await;
    scene
        .house
        .create("boss", "postgres", "adm1n", &scene.owner)
        .await;
    let new = NewTarget {
        admin: admin("boss", "postgres"),
        ..target(connector(), postgres.port)
    };
    scene.reach(&new).await;

    scene.puts_right(odd, "f1rst-s3cret").await;
    scene.changes(odd, METACHARACTERS).await;

    assert!(psql(&postgres, "SELECT 1"));
}

#[tokio::test]
async fn a_certificate_that_has_changed_is_a_refusal() {
    let Some(postgres) = postgres("a_certificate_that_has_changed_is_a_refusal") else {
        return;
    };
    let scene = scene("postgres", "adm1n").await;
    let other = Some(claviger::domain::Pin([7; 32]));
    scene
        .expect(target(connector(), postgres.port), other)
        .await;

    let answer = scene.change("postgres", "n3w").await;

    assert_failed(&answer, "host key or certificate has changed");
    assert_eq!(scene.stored("postgres").await, "adm1n");
}

#[tokio::test]
async fn without_encryption_it_works_only_where_the_operator_says_so() {
    let Some(postgres) = postgres("without_encryption_it_works_only_where_the_operator_says_so")
    else {
        return;
    };
    let scene = scene("postgres", "adm1n").await;
    let new = NewTarget {
        wire: Wire::DangerPlain,
        ..target(connector(), postgres.port)
    };
    let tested = scene.reach(&new).await;

    assert_eq!((tested.shown, tested.login), (None, Some(true)));
    scene.changes("postgres", "n3w").await;
}

#[tokio::test]
async fn a_role_that_may_not_change_others_is_refused_in_the_targets_words() {
    let Some(postgres) =
        postgres("a_role_that_may_not_change_others_is_refused_in_the_targets_words")
    else {
        return;
    };
    assert!(psql(&postgres, "CREATE ROLE app LOGIN PASSWORD 'old'"));
    assert!(psql(&postgres, "CREATE ROLE low LOGIN PASSWORD 'low'"));
    let scene = scene("app", "old").await;
    scene.house.create("boss", "low", "low", &scene.owner).await;
    let new = NewTarget {
        admin: admin("boss", "low"),
        ..target(connector(), postgres.port)
    };
    scene.reach(&new).await;

    let answer = scene.change("app", "n3w").await;

    assert_failed(&answer, "the target refuses: ");
    assert!(scene.opens("app").await);
    assert_eq!(
        (scene.stored("app").await.as_str(), scene.pending().await),
        ("old", 0)
    );
}
