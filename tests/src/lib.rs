//! The harness: what every test of a running server needs, and nothing that judges.
//!
//! - [`Server`]: a true `claviger` process on its own data directory, with its commands
//! - [`Openssl`]: keys and certificates as the users' own `openssl` commands make them
//! - [`Wire`]: a mutual-TLS connection that can say anything, well formed or not
//! - [`on_a_small_disk`]: a disk that can be filled, or says in [`not_run`] that there is none
//! - [`tell`]: the operator's socket
//! - [`curl`] and [`python`]: the clients that users really have
//! - [`xml`]: just enough XML-RPC text to ask and to read answers, independent of our own codec
//!
//! Every wait here has an end ([`PATIENCE`]), every process is killed with its owner, and nothing
//! leaves the loopback interface. A step that fails stops the test with what the programs said.

mod admin;
mod clients;
mod identity;
mod log;
mod openssl;
mod process;
mod revocation;
mod server;
mod settings;
mod small_disk;
mod terminal;
mod wire;
pub mod xml;

pub use admin::{Told, tell};
pub use clients::{curl, get, python};
pub use identity::Identity;
pub use openssl::{Openssl, SEED_PASSPHRASE};
pub use process::{
    Ran, claviger_program, client_program, repository, run, run_for, run_with_input,
};
pub use revocation::Responder;
pub use server::{Server, SetUp};
pub use small_disk::{mount, not_run, on_a_small_disk};
pub use terminal::typed;
pub use wire::{Answer, Wire, client_config};

/// The longest that any single step may take, on the slowest machine we accept.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
