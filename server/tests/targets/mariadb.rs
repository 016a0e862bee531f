//! MariaDB.

use claviger::domain::Connector;
use claviger::vault::NewTarget;

use crate::daemon::{Daemon, as_user, certificate, place, program, run, start};
use crate::scene::{METACHARACTERS, UNICODE, admin, assert_failed, scene, target};

/// A server with `app` of this password, and `boss`.
pub fn mariadb(name: &str, password: &str) -> Option<Daemon> {
    let server = program(name, &["/usr/sbin/mariadbd"])?;
    let install = program(name, &["/usr/bin/mariadb-install-db"])?;
    let (home, port) = place();
    certificate(home.path());
    let path = |name: &str| home.path().join(name).display().to_string();
    std::fs::create_dir(home.path().join("data")).unwrap();
    let users = format!(
        "CREATE USER 'app'@'%' IDENTIFIED BY '{password}';\n\
         CREATE USER 'boss'@'%' IDENTIFIED BY 'adm1n';\n\
         GRANT ALL ON *.* TO 'boss'@'%' WITH GRANT OPTION;\n"
    );
    std::fs::write(home.path().join("users.sql"), users).unwrap();
    run(as_user("mysql", &install, home.path())
        .args(["--no-defaults", "--auth-root-authentication-method=normal"])
        .args(["--skip-test-db", &format!("--datadir={}", path("data"))]));
    let mut command = as_user("mysql", &server, home.path());
    command
        .args([
            "--no-defaults",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
        ])
        .args(["--innodb-flush-log-at-trx-commit=0", "--general-log=1"])
        .arg(format!("--general-log-file={}", path("general.log")))
        .arg(format!("--port={port}"))
        .arg(format!("--datadir={}", path("data")))
        .arg(format!("--socket={}", path("socket")))
        .arg(format!("--pid-file={}", path("pid")))
        .arg(format!("--init-file={}", path("users.sql")))
        .arg(format!("--ssl-cert={}", path("cert.pem")))
        .arg(format!("--ssl-key={}", path("key.pem")));
    Some(start(&mut command, home, port))
}

pub fn connector() -> Connector {
    Connector::Mysql {
        from: "%".to_owned(),
    }
}

#[tokio::test]
async fn mariadb_changes_passwords_for_their_owner_and_for_an_administrator() {
    let Some(mariadb) = mariadb(
        "mariadb_changes_passwords_for_their_owner_and_for_an_administrator",
        "old",
    ) else {
        return;
    };
    let scene = scene("app", "old").await;
    let tested = scene.reach(&target(connector(), mariadb.port)).await;
    assert_eq!(tested.login, Some(true), "{tested:?}");
    for password in [METACHARACTERS, UNICODE, &"x".repeat(200), "x"] {
        scene.changes("app", password).await;
    }
    scene
        .house
        .create("boss", "boss", "adm1n", &scene.owner)
        .await;
    let new = NewTarget {
        admin: admin("boss", "boss"),
        ..target(connector(), mariadb.port)
    };
    scene.reach(&new).await;

    // Another way to the target: what was changed by the first one vouches for nothing.
    scene.store("app", "forgotten").await;
    let owner = scene.change("app", METACHARACTERS).await;
    assert_failed(&owner, "the stored password does not open the target");
    scene.puts_right("app", "f1rst-s3cret").await;
    for password in [METACHARACTERS, UNICODE, &"y".repeat(200), "y"] {
        scene.changes("app", password).await;
    }

    let log = std::fs::read(mariadb.home.path().join("general.log")).unwrap();
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains("ALTER USER"), "{log}");
    assert!(
        !log.contains("密码") && !log.contains(&"y".repeat(200)),
        "{log}"
    );
}

#[tokio::test]
async fn mariadb_with_another_certificate_or_a_wrong_password_is_a_refusal() {
    let Some(mariadb) = mariadb(
        "mariadb_with_another_certificate_or_a_wrong_password_is_a_refusal",
        "old",
    ) else {
        return;
    };
    let scene = scene("app", "wrong").await;
    let tested = scene.reach(&target(connector(), mariadb.port)).await;
    assert_eq!(tested.login, Some(false), "{tested:?}");
    assert_failed(
        &scene.change("app", "n3w").await,
        "cannot log in to the target",
    );
    let other = Some(claviger::domain::Pin([7; 32]));
    scene.expect(target(connector(), mariadb.port), other).await;

    let answer = scene.change("app", "n3w").await;

    assert_failed(&answer, "host key or certificate has changed");
    assert_eq!(
        (scene.stored("app").await.as_str(), scene.pending().await),
        ("wrong", 0)
    );
}

#[tokio::test]
async fn mariadb_changes_the_password_of_an_oddly_named_user_and_of_nobody_else() {
    let name = "mariadb_changes_the_password_of_an_oddly_named_user_and_of_nobody_else";
    let Some(mariadb) = mariadb(name, "old") else {
        return;
    };
    let odd = r#"a'b"c`d\e;f@g -- h"#;
    let scene = scene(odd, "old").await;
    scene
        .house
        .create("boss", "boss", "adm1n", &scene.owner)
        .await;
    let new = NewTarget {
        admin: admin("boss", "boss"),
        ..target(connector(), mariadb.port)
    };
    let user = r#"CREATE USER 'a''b"c`d\\e;f@g -- h'@'%' IDENTIFIED BY 'old'"#;
    sql(&mariadb, ("boss", "adm1n"), user);
    scene.reach(&new).await;
    scene.changes(odd, "by-the-boss").await;

    scene.reach(&target(connector(), mariadb.port)).await;
    scene.changes(odd, "by-itself").await;

    // It is who it was.
    sql(&mariadb, ("app", "old"), "SELECT 1");
}

/// Says something as this user.
#[track_caller]
pub fn sql(daemon: &Daemon, (user, password): (&str, &str), sentence: &str) {
    run(std::process::Command::new("mariadb")
        .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1"])
        .args(["--ssl-verify-server-cert=off", "-e", sentence])
        .args([format!("--user={user}"), format!("--password={password}")])
        .arg(format!("--port={}", daemon.port)));
}
