//! A line to a true target that is cut anywhere.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use claviger::domain::Connector;
use claviger::vault::NewTarget;

use crate::daemon::program;
use crate::scene::{Scene, admin, scene, target};
use crate::{machine, mariadb, postgres, slapd};

/// Passes bytes on to `to`; the next connection is cut after so many of the target's bytes.
pub struct Proxy {
    pub port: u16,
    cut_after: Arc<AtomicUsize>,
}

impl Proxy {
    pub fn to(to: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut_after = Arc::new(AtomicUsize::new(usize::MAX));
        let cut = cut_after.clone();
        // Ends with the test program: nobody connects any more then.
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let far = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).unwrap();
                let most = cut.swap(usize::MAX, Ordering::SeqCst);
                pass(
                    near.try_clone().unwrap(),
                    far.try_clone().unwrap(),
                    usize::MAX,
                );
                pass(far, near, most);
            }
        });
        Self { port, cut_after }
    }

    pub fn cut_next_after(&self, bytes: usize) {
        self.cut_after.store(bytes, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut most: usize) {
    std::thread::spawn(move || {
        let mut room = [0; 512];
        while let Ok(count @ 1..) = from.read(&mut room) {
            let passed = count.min(most);
            most -= passed;
            let some = room.get(..passed).unwrap_or_default();
            if to.write_all(some).is_err() || most == 0 {
                break;
            }
        }
        let _gone = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}

/// Cuts the line after `stride` bytes of the target's, twice that, … in `steps` changes, some of
/// which come to nothing: each time the vault knows in the end what logs in.
async fn cut_anywhere(
    connector: Connector,
    port: u16,
    account: &str,
    (steps, stride): (usize, usize),
) {
    let scene = scene(account, "0ld-S3cret-of-it").await;
    let new = target(connector, port);
    cut_anywhere_in(&scene, new, account, (steps, stride)).await;
}

async fn cut_anywhere_in(
    scene: &Scene,
    new: NewTarget,
    account: &str,
    (steps, stride): (usize, usize),
) {
    let proxy = Proxy::to(new.port.unwrap());
    let port = Some(proxy.port);
    scene.reach(&NewTarget { port, ..new }).await;
    let mut outcomes = (0, 0);

    for step in 0..steps {
        proxy.cut_next_after(1 + step * stride);
        match scene.change(account, &format!("N3w-S3cret-{step}")).await {
            Ok(()) => outcomes.0 += 1,
            Err(_) => outcomes.1 += 1,
        }
        proxy.cut_next_after(usize::MAX);
        scene.house.clock.pass(Duration::from_secs(600));
        scene.house.vault.heal(true).await.unwrap();

        assert!(scene.opens(account).await, "{step}");
        assert_eq!(scene.pending().await, 0, "{step}");
    }

    assert!(outcomes.0 > 0 && outcomes.1 > 0, "{outcomes:?}");
}

#[tokio::test]
async fn wherever_the_line_is_cut_the_vault_knows_a_password_that_logs_in() {
    let name = "wherever_the_line_is_cut_the_vault_knows_a_password_that_logs_in";
    let Some(target) = postgres::postgres(name) else {
        return;
    };
    let role = "CREATE ROLE app LOGIN PASSWORD '0ld-S3cret-of-it'";
    assert!(postgres::psql(&target, role));

    cut_anywhere(postgres::connector(), target.port, "app", (40, 64)).await;
}

#[tokio::test]
async fn wherever_the_line_to_sshd_is_cut_a_known_password_logs_in() {
    let Some(target) = machine::sshd("wherever_the_line_to_sshd_is_cut_a_known_password_logs_in")
    else {
        return;
    };
    let user = machine::User::with("0ld-S3cret-of-it");

    cut_anywhere(Connector::Ssh, target.port, &user.0, (24, 160)).await;
}

#[tokio::test]
async fn wherever_the_line_to_mariadb_is_cut_a_known_password_logs_in() {
    let name = "wherever_the_line_to_mariadb_is_cut_a_known_password_logs_in";
    let Some(target) = mariadb::mariadb(name, "0ld-S3cret-of-it") else {
        return;
    };

    cut_anywhere(mariadb::connector(), target.port, "app", (30, 64)).await;
}

#[tokio::test]
async fn wherever_the_line_to_a_directory_is_cut_a_known_password_logs_in() {
    let name = "wherever_the_line_to_a_directory_is_cut_a_known_password_logs_in";
    let Some((target, _)) = slapd::slapd(name, "0ld-S3cret-of-it") else {
        return;
    };

    cut_anywhere(slapd::connector(), target.port, "joe", (30, 64)).await;
}

#[tokio::test]
async fn wherever_the_line_to_an_administrator_is_cut_a_known_password_logs_in() {
    let name = "wherever_the_line_to_an_administrator_is_cut_a_known_password_logs_in";
    let (Some(sshd), Some(_)) = (machine::sshd(name), program(name, &["/usr/bin/sudo"])) else {
        return;
    };
    let first = "0ld-S3cret-of-it";
    let (user, boss) = (machine::User::with(first), machine::User::with(first));
    let rule = format!("{} ALL=(root) /usr/sbin/chpasswd\n", boss.0);
    std::fs::write(boss.rule(), rule).unwrap();
    let scene = scene(&user.0, first).await;
    let (house, owner) = (&scene.house, &scene.owner);
    house.create("boss", &boss.0, first, owner).await;
    let new = NewTarget {
        admin: admin("boss", &boss.0),
        ..target(Connector::Ssh, sshd.port)
    };

    cut_anywhere_in(&scene, new, &user.0, (24, 240)).await;
}
