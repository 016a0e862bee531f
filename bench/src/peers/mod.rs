//! The servers that are measured, each a process of its own, and the words each understands.

pub mod a2a;
pub mod audit;
pub mod bare;
pub mod certificates;
pub mod claviger;
pub mod openbao;
pub mod sshd;

use std::net::{SocketAddr, TcpListener};
use std::process::Child;
use std::sync::Arc;

use crate::load::Passport;
use crate::trouble::Trouble;

/// What a caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The password of an account.
    Retrieve,
    /// A new password for an account, durable before the answer.
    Change,
}

/// Ours has several; a load goes through one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// XML-RPC with a client certificate.
    XmlRpc,
    /// REST with a token.
    Rest,
    /// A2A with a client certificate and an API key.
    A2a,
}

/// How to say it to one kind of server.
pub trait Words: Send + Sync {
    /// Writes a request about account number `pick` (any number; the peer takes the remainder)
    /// to `out`, and to `needle` what a right answer's body contains.
    fn write(&self, verb: Verb, pick: u64, out: &mut Vec<u8>, needle: &mut Vec<u8>);

    /// The HTTP status of a right answer.
    fn status(&self, verb: Verb) -> u16 {
        let _ = verb;
        200
    }
}

/// A running server and how to talk to it.
#[derive(Clone)]
pub struct Peer {
    /// The column's title.
    pub name: &'static str,
    /// Which of our doors this is; none where the peer has but one.
    pub door: Option<Door>,
    /// Its process.
    pub pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
    /// What its callers show.
    pub passport: Passport,
    /// How to say it.
    pub words: Arc<dyn Words>,
}

/// A child process that does not outlive its owner.
#[derive(Debug)]
pub struct Process(pub Child);

impl Process {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// How every password of account `number` begins, on every peer: so an answer can be checked
/// although other callers change the rest.
pub fn password_head(number: u64) -> String {
    format!("Kx7#{number:07}-")
}

/// A loopback address that was free a moment ago.
///
/// # Errors
/// When there is none.
pub fn free_address() -> Result<SocketAddr, Trouble> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
