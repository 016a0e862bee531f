//! MariaDB.

use claviger::domain::Connector;
use claviger::vault::NewTarget;

use crate::daemon::{Daemon, as_user, certificate, place, program, run, start};
use crate::scene::{METACHARACTERS, UNICODE, admin, assert_failed, scene, target};

fn mariadb(name: &str) -> Option<Daemon> {
    let server = program(name, &["/usr/sbin/mariadbd"])?;
    let install = program(name, &["/usr/bin/mariadb-install-db"])?;
    let (home, port) = place();
    certificate(home.path());
    let path = |name: &str| home.path().join(name).display().to_string();
    std::fs::create_dir(home.path().join("data")).unwrap();
    let users = "CREATE USER 'app'@'%' IDENTIFIED BY 'old';\n\
                 CREATE USER 'boss'@'%' IDENTIFIED BY 'adm1n';\n\
                 GRANT ALL ON *.* TO 'boss'@'%' WITH GRANT OPTION;\n";
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

fn connector() -> Connector {
    Connector::Mysql {
        from: "%".to_owned(),
    }
}

#[tokio::test]
async fn mariadb_changes_passwords_for_their_owner_and_for_an_administrator() {
    let Some(mariadb) =
        mariadb("mariadb_changes_passwords_for_their_owner_and_for_an_administrator")
    else {
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

    scene.store("app", "forgotten").await;
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
    let Some(mariadb) =
        mariadb("mariadb_with_another_certificate_or_a_wrong_password_is_a_refusal")
    else {
        return;
    };
    let scene = scene("app", "wrong").await;
    let tested = scene.reach(&target(connector(), mariadb.port)).await;
    assert_eq!(tested.login, Some(false), "{tested:?}");
    assert_failed(
        &scene.change("app", "n3w").await,
        "cannot log in to the target",
    );
    let new = NewTarget {
        pin: Some(claviger::domain::Pin([7; 32])),
        ..target(connector(), mariadb.port)
    };
    let vault = &scene.house.vault;
    let set = vault.set_reset_target("it".into(), &new, &scene.operator);
    set.await.unwrap();

    let answer = scene.change("app", "n3w").await;

    assert_failed(&answer, "host key or certificate has changed");
    assert_eq!(
        (scene.stored("app").await.as_str(), scene.pending().await),
        ("wrong", 0)
    );
}
