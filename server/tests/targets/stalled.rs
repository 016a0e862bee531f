//! Targets that take a connection and say no more, and ones that nobody answers at: nothing was
//! told, so nothing is pending.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use claviger::domain::{Connector, Pin};
use claviger::vault::NewTarget;

use crate::scene::{assert_failed, scene_with, target};
use crate::{mariadb, postgres, slapd};

const PATIENCE: Duration = Duration::from_secs(2);

/// Says `hello` to everybody who comes, and then nothing.
fn silent_after(hello: &'static [u8]) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // Ends with the test program.
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for mut line in listener.incoming().map_while(Result::ok) {
            line.write_all(hello).unwrap();
            held.push(line);
        }
    });
    port
}

async fn changes_nothing(name: &str, connector: Connector, port: u16) {
    let scene = scene_with("app", "old", PATIENCE).await;
    let pin = Some(Pin([7; 32]));
    scene.expect(target(connector, port), pin).await;

    let answer = scene.change("app", "n3w").await;

    assert_failed(&answer, "the target took too long");
    assert_eq!(scene.stored("app").await, "old", "{name}");
    assert_eq!(scene.pending().await, 0, "{name}");
}

#[tokio::test]
async fn a_key_exchange_or_handshake_that_stalls_is_a_refusal_and_nothing_is_pending() {
    for (name, connector, hello) in [
        ("ssh, before its banner", Connector::Ssh, &b""[..]),
        ("ssh", Connector::Ssh, b"SSH-2.0-OpenSSH_9.9\r\n"),
        ("postgres, before TLS", postgres::connector(), b""),
        ("postgres", postgres::connector(), b"S"),
        ("mysql", mariadb::connector(), b""),
        ("ldap", slapd::connector(), b""),
    ] {
        changes_nothing(name, connector, silent_after(hello)).await;
    }
}

/// An address that takes no connection and refuses none: its queue is full.
struct Full {
    _listener: tokio::net::TcpListener,
    _waiting: Vec<TcpStream>,
    address: SocketAddr,
}

impl Full {
    fn at(address: SocketAddr) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(line) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            waiting.push(line);
            assert!(waiting.len() < 100, "its queue never fills");
        }
        Self {
            _listener: listener,
            _waiting: waiting,
            address,
        }
    }
}

#[tokio::test]
async fn a_target_that_does_not_answer_was_not_told() {
    let full = Full::at(([127, 0, 0, 1], 0).into());
    let scene = scene_with("app", "old", PATIENCE).await;
    let new = target(slapd::connector(), full.address.port());
    scene.expect(new, None).await;

    let answer = scene.change("app", "n3w").await;

    assert_failed(&answer, "the target cannot be reached");
    assert_eq!(scene.stored("app").await, "old");
    assert_eq!(scene.pending().await, 0);
}

#[tokio::test]
async fn an_address_that_does_not_answer_leaves_time_for_the_next_one() {
    let name = "an_address_that_does_not_answer_leaves_time_for_the_next_one";
    let Some((slapd, _)) = slapd::slapd(name, "old") else {
        return;
    };
    let full = Full::at(([127, 0, 0, 2], slapd.port).into());
    let scene = scene_with("joe", "old", Duration::from_secs(20)).await;
    let addresses = [full.address.ip().to_string(), "127.0.0.1".to_owned()];
    let addresses = addresses.each_ref().map(String::as_str);
    scene.house.names.set("two.example", &addresses);
    let new = NewTarget {
        host: "two.example".to_owned(),
        ..target(slapd::connector(), slapd.port)
    };
    scene.reach(&new).await;

    scene.changes("joe", "n3w").await;
}
