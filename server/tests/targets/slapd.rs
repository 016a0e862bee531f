//! OpenLDAP's slapd.

use std::path::Path;
use std::process::Command;

use claviger::domain::{Connector, Directory, Wire};
use claviger::vault::NewTarget;

use crate::daemon::{Daemon, certificate, place, program, run, start};
use crate::scene::{METACHARACTERS, UNICODE, admin, assert_failed, scene, target};

/// A directory with `joe` and `a,b` of this password; LDAPS on its port, LDAP with StartTLS on the
/// second one.
pub fn slapd(name: &str, password: &str) -> Option<(Daemon, u16)> {
    let server = program(name, &["/usr/sbin/slapd"])?;
    let adder = program(name, &["/usr/sbin/slapadd"])?;
    let ((home, port), (_, second)) = (place(), place());
    certificate(home.path());
    let path = |name: &str| home.path().join(name).display().to_string();
    std::fs::create_dir(home.path().join("data")).unwrap();
    let config = format!(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\n\
         moduleload back_mdb\nTLSCertificateFile {}\nTLSCertificateKeyFile {}\n\
         database mdb\nsuffix dc=example\nrootdn cn=admin,dc=example\nrootpw adm1n\n\
         directory {}\naccess to attrs=userPassword by self write by anonymous auth by * none\n\
         access to * by * read\n",
        path("cert.pem"),
        path("key.pem"),
        path("data"),
    );
    std::fs::write(home.path().join("config"), config).unwrap();
    let people = format!(
        "dn: dc=example\nobjectClass: dcObject\nobjectClass: organization\ndc: example\n\
         o: x\n\ndn: uid=joe,dc=example\nobjectClass: inetOrgPerson\nuid: joe\ncn: joe\n\
         sn: joe\nuserPassword: {password}\n\ndn: uid=a\\2Cb,dc=example\n\
         objectClass: inetOrgPerson\nuid: a,b\ncn: odd\nsn: odd\nuserPassword: {password}\n"
    );
    std::fs::write(home.path().join("people"), people).unwrap();
    run(Command::new(adder).args(["-f", &path("config"), "-l", &path("people")]));
    let urls = format!("ldaps://127.0.0.1:{port} ldap://127.0.0.1:{second}");
    let mut command = Command::new(server);
    command.args(["-f", &path("config"), "-h", &urls, "-d", "0"]);
    Some((start(&mut command, home, port), second))
}

/// Somebody gives the entry this password, beside the vault.
#[track_caller]
pub fn set(ldappasswd: &Path, port: u16, (entry, password): (&str, &str)) {
    let url = format!("ldaps://127.0.0.1:{port}");
    run(Command::new(ldappasswd)
        .args(["-x", "-H", &url, "-D", "cn=admin,dc=example", "-w", "adm1n"])
        .args(["-s", password, entry])
        .env("LDAPTLS_REQCERT", "never"));
}

pub fn connector() -> Connector {
    Connector::Ldap {
        dn: "uid={account},dc=example".to_owned(),
        directory: Directory::Rfc3062,
    }
}

#[tokio::test]
async fn a_directory_changes_passwords_for_their_owner_over_ldaps_and_starttls() {
    let Some((slapd, second)) = slapd(
        "a_directory_changes_passwords_for_their_owner_over_ldaps_and_starttls",
        "old",
    ) else {
        return;
    };
    let scene = scene("joe", "old").await;
    let tested = scene.reach(&target(connector(), slapd.port)).await;
    assert_eq!(tested.login, Some(true), "{tested:?}");
    for password in [METACHARACTERS, UNICODE, &"x".repeat(200), "x"] {
        scene.changes("joe", password).await;
    }
    let new = NewTarget {
        wire: Wire::StartTls,
        ..target(connector(), second)
    };
    scene.reach(&new).await;

    scene.changes("joe", "by-starttls").await;
}

#[tokio::test]
async fn a_directory_changes_passwords_for_an_administrator_and_odd_names() {
    let Some((slapd, _)) = slapd(
        "a_directory_changes_passwords_for_an_administrator_and_odd_names",
        "old",
    ) else {
        return;
    };
    let scene = scene("a,b", "forgotten").await;
    let boss = "cn=admin,dc=example";
    scene
        .house
        .create("boss", boss, "adm1n", &scene.owner)
        .await;
    let new = NewTarget {
        admin: admin("boss", boss),
        ..target(connector(), slapd.port)
    };
    scene.reach(&new).await;

    scene.puts_right("a,b", "f1rst-s3cret").await;
    for password in [METACHARACTERS, UNICODE, &"y".repeat(200), "y"] {
        scene.changes("a,b", password).await;
    }
}

#[tokio::test]
async fn a_directory_with_another_certificate_or_a_wrong_password_is_a_refusal() {
    let Some((slapd, second)) = slapd(
        "a_directory_with_another_certificate_or_a_wrong_password_is_a_refusal",
        "old",
    ) else {
        return;
    };
    let scene = scene("joe", "wrong").await;
    let tested = scene.reach(&target(connector(), slapd.port)).await;
    assert_eq!(tested.login, Some(false), "{tested:?}");
    assert_failed(
        &scene.change("joe", "n3w").await,
        "cannot log in to the target",
    );
    let other = Some(claviger::domain::Pin([7; 32]));
    let starttls = NewTarget {
        wire: Wire::StartTls,
        ..target(connector(), second)
    };
    for new in [target(connector(), slapd.port), starttls] {
        scene.expect(new, other).await;

        let answer = scene.change("joe", "n3w").await;

        assert_failed(&answer, "host key or certificate has changed");
        assert_eq!(
            (scene.stored("joe").await.as_str(), scene.pending().await),
            ("wrong", 0)
        );
    }
}

#[tokio::test]
async fn a_reconcile_account_puts_right_what_nobody_here_knows() {
    let Some((slapd, _)) = slapd(
        "a_reconcile_account_puts_right_what_nobody_here_knows",
        "old",
    ) else {
        return;
    };
    let scene = scene("joe", "forgotten").await;
    let boss = "cn=admin,dc=example";
    scene
        .house
        .create("boss", boss, "adm1n", &scene.owner)
        .await;
    scene.reach(&target(connector(), slapd.port)).await;
    assert_failed(
        &scene.change("joe", "n3w").await,
        "cannot log in to the target",
    );
    assert_eq!(scene.stored("joe").await, "forgotten");
    let new = NewTarget {
        reconcile: admin("boss", boss),
        ..target(connector(), slapd.port)
    };
    scene.reach(&new).await;

    scene.puts_right("joe", "known-again").await;
    scene.changes("joe", "by-itself").await;
}
