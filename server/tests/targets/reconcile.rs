//! Somebody has changed the password of an account on its target; the reconcile account puts that
//! right, and one that cannot log in leaves everything as it was.

use std::time::Duration;

use claviger::domain::Connector;
use claviger::vault::{NewTarget, Reach};

use crate::daemon::program;
use crate::fixture::{given, wanted};
use crate::machine::{User, sshd};
use crate::scene::{Scene, admin, assert_failed, scene, target};
use crate::{mariadb, postgres, slapd};

const FIRST: &str = "0ld-S3cret-of-it";
const OWN: &str = "L0ng-riverside-walk";
const SOMEBODYS: &str = "S0mebody-elses-choice";
const WANTED: &str = "Qu1et-mountain-hut";
const ANOTHER: &str = "Br1ght-harbour-day";

/// The account on a target, who may put it right and with which password, and how somebody else
/// changes it.
struct Stand<'a> {
    account: &'a str,
    boss: (&'a str, &'a str),
    target: NewTarget,
    lock_out: &'a dyn Fn(&str),
}

impl Stand<'_> {
    async fn boss_has(&self, scene: &Scene, password: &str) {
        let place = wanted("boss", self.boss.0);
        let vault = &scene.house.vault;
        let change = vault.change(&place, given(password), Reach::Local, &scene.owner);
        change.await.unwrap();
    }

    /// Whether the account logs in with this, whatever the vault thinks.
    async fn opens_to(&self, password: &str) -> Option<bool> {
        let scene = scene(self.account, password).await;
        scene.reach(&self.target).await.login
    }

    async fn assert_put_right(self) {
        let scene = scene(self.account, FIRST).await;
        let (house, boss) = (&scene.house, self.boss.0);
        house.create("boss", boss, "wrong", &scene.owner).await;
        let reconciled = NewTarget {
            reconcile: admin("boss", boss),
            ..self.target.clone()
        };
        scene.reach(&reconciled).await;
        scene.changes(self.account, OWN).await;

        (self.lock_out)(SOMEBODYS);
        let answer = scene.change(self.account, WANTED).await;

        assert_failed(&answer, &format!("{boss} cannot log in to the target"));
        assert_eq!(scene.stored(self.account).await, OWN);
        assert_eq!(self.opens_to(SOMEBODYS).await, Some(true));

        self.boss_has(&scene, self.boss.1).await;
        house.clock.pass(Duration::from_secs(600));
        house.vault.heal(true).await.unwrap();
        assert_eq!(scene.pending().await, 0);
        (self.lock_out)(SOMEBODYS);
        scene.changes(self.account, ANOTHER).await;
        assert_eq!(self.opens_to(SOMEBODYS).await, Some(false));
    }
}

#[tokio::test]
async fn an_account_that_is_locked_out_of_a_machine_is_put_right() {
    let name = "an_account_that_is_locked_out_of_a_machine_is_put_right";
    let (Some(sshd), Some(_)) = (sshd(name), program(name, &["/usr/bin/sudo"])) else {
        return;
    };
    let (user, boss) = (User::with(FIRST), User::with("adm1n"));
    let rule = format!("{} ALL=(root) /usr/sbin/chpasswd\n", boss.0);
    std::fs::write(boss.rule(), rule).unwrap();

    let stand = Stand {
        account: &user.0,
        boss: (&boss.0, "adm1n"),
        target: target(Connector::Ssh, sshd.port),
        lock_out: &|password| user.set(password),
    };
    stand.assert_put_right().await;
}

#[tokio::test]
async fn a_role_that_is_locked_out_of_postgres_is_put_right() {
    let name = "a_role_that_is_locked_out_of_postgres_is_put_right";
    let Some(postgres) = postgres::postgres(name) else {
        return;
    };
    let role = format!("CREATE ROLE app LOGIN PASSWORD '{FIRST}'");
    assert!(postgres::psql(&postgres, &role));

    let stand = Stand {
        account: "app",
        boss: ("postgres", "adm1n"),
        target: target(postgres::connector(), postgres.port),
        lock_out: &|password| {
            let sentence = format!("ALTER ROLE app PASSWORD '{password}'");
            assert!(postgres::psql(&postgres, &sentence));
        },
    };
    stand.assert_put_right().await;
}

#[tokio::test]
async fn a_user_that_is_locked_out_of_mariadb_is_put_right() {
    let name = "a_user_that_is_locked_out_of_mariadb_is_put_right";
    let Some(mariadb) = mariadb::mariadb(name, FIRST) else {
        return;
    };

    let stand = Stand {
        account: "app",
        boss: ("boss", "adm1n"),
        target: target(mariadb::connector(), mariadb.port),
        lock_out: &|password| {
            let sentence = format!("ALTER USER 'app'@'%' IDENTIFIED BY '{password}'");
            mariadb::sql(&mariadb, ("boss", "adm1n"), &sentence);
        },
    };
    stand.assert_put_right().await;
}

#[tokio::test]
async fn an_entry_that_is_locked_out_of_a_directory_is_put_right() {
    let name = "an_entry_that_is_locked_out_of_a_directory_is_put_right";
    let Some((slapd, _)) = slapd::slapd(name, FIRST) else {
        return;
    };
    let Some(passwd) = program(name, &["/usr/bin/ldappasswd"]) else {
        return;
    };

    let stand = Stand {
        account: "joe",
        boss: ("cn=admin,dc=example", "adm1n"),
        target: target(slapd::connector(), slapd.port),
        lock_out: &|password| slapd::set(&passwd, slapd.port, ("uid=joe,dc=example", password)),
    };
    stand.assert_put_right().await;
}
