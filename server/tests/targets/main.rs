//! Changing passwords on true targets, started here on the loopback interface: OpenSSH's sshd,
//! PostgreSQL, MariaDB, slapd, and programs. What is not installed is named by `./test` at its end.

#![expect(unreachable_pub, reason = "modules of one test program")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a step that fails stops the test"
)]

mod command;
mod cut;
mod daemon;
#[expect(dead_code, reason = "shared with the vault's other tests")]
#[path = "../vault/fixture.rs"]
mod fixture;
mod machine;
mod mariadb;
mod postgres;
mod reconcile;
mod scene;
mod slapd;
mod sshd;
mod stalled;
mod sudo;
mod unsaid;
