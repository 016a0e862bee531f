//! The socket itself.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use claviger::admin::{AdminDoor, AdminError, socket};
use claviger::config::{Count, Span};

use crate::server::Server;

fn entered() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn the_socket_is_its_owner_s_alone_and_goes_with_the_server() {
    let server = Server::start();
    let path = socket::path(server.data());

    let mode = fs::metadata(&path).unwrap().permissions().mode();
    let kept = tempfile::tempdir().unwrap();
    let beside = kept.path().join("link");
    fs::hard_link(&path, &beside).unwrap();
    drop(server);

    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        fs::metadata(&beside).unwrap().nlink_count(),
        1,
        "the first name is gone"
    );
}

trait Links {
    fn nlink_count(&self) -> u64;
}

impl Links for fs::Metadata {
    fn nlink_count(&self) -> u64 {
        std::os::unix::fs::MetadataExt::nlink(self)
    }
}

#[test]
fn what_a_killed_server_left_is_replaced_and_anything_else_is_not() {
    let runtime = entered();
    let _entered = runtime.enter();
    let dir = tempfile::tempdir().unwrap();
    let path = socket::path(dir.path());

    drop(UnixListener::bind(&path).unwrap());
    let door = AdminDoor::open(dir.path()).unwrap();
    assert!(fs::metadata(door.path()).unwrap().file_type().is_socket());
    drop(door);
    fs::write(&path, "a file of somebody's").unwrap();
    let refused = AdminDoor::open(dir.path());

    assert!(matches!(refused, Err(AdminError::NoSocket(at)) if at == path));
    assert_eq!(fs::read_to_string(&path).unwrap(), "a file of somebody's");
}

#[test]
fn a_path_longer_than_the_kernel_takes_is_no_obstacle() {
    let runtime = entered();
    let _entered = runtime.enter();
    let dir = tempfile::tempdir().unwrap();
    let deep: PathBuf = dir.path().join("d".repeat(90)).join("e".repeat(90));
    fs::create_dir_all(&deep).unwrap();

    let door = AdminDoor::open(&deep).unwrap();
    let address = socket::Address::of(&deep).unwrap();

    assert!(std::os::unix::net::UnixStream::connect(address.path()).is_ok());
    assert!(socket::path(&deep).exists());
    drop(door);
    assert!(!socket::path(&deep).exists());
}

#[test]
fn whoever_says_nothing_is_sent_away_and_others_are_served_meanwhile() {
    let server = Server::start_with(|config| {
        config.admin.read_timeout = Span::from_millis(300);
        config.admin.max_connections = Count::new(2);
    });
    let mut silent = server.connect();
    let mut stuck = server.connect();
    stuck
        .write_all(
            b"POST /v1/organisations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
              content-length: 100\r\n\r\n{",
        )
        .unwrap();

    // Waits for a place that only a time-out can free.
    server.get("/v1/status").with(200);

    let mut answer = String::new();
    stuck.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let mut nothing = String::new();
    silent.read_to_string(&mut nothing).unwrap();
    assert_eq!(
        nothing
            .lines()
            .next()
            .unwrap_or_default()
            .replace("HTTP/1.1 408 Request Timeout", ""),
        ""
    );
}
