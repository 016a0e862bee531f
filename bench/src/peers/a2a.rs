//! The words of the A2A door, and the registration of the program that speaks them.

use std::io::Write as _;

use super::claviger::{Claviger, USER};
use super::{Verb, Words, password_head};
use crate::trouble::Trouble;

/// A program's API keys, one an account.
pub struct A2a {
    keys: Vec<String>,
}

/// So many accounts a program has.
const ACCOUNTS: u64 = 64;

impl A2a {
    /// Registers the program for the first accounts of the vault; the server must run.
    ///
    /// # Errors
    /// When a command fails.
    pub fn register(ours: &Claviger, accounts: u64) -> Result<Self, Trouble> {
        ours.command(&["a2a", "add", "bench", "--user", USER])?;
        let mut keys = Vec::new();
        for number in 0..ACCOUNTS.min(accounts) {
            let account = format!("server-{number:07}/root");
            ours.command(&["a2a", "account", "add", "bench", &account])?;
            let key = ours.command(&["a2a", "account", "key", "bench", &account])?;
            keys.push(key.trim().to_owned());
        }
        Ok(Self { keys })
    }
}

impl Words for A2a {
    fn write(&self, _: Verb, pick: u64, out: &mut Vec<u8>, needle: &mut Vec<u8>) {
        let number = pick % self.keys.len().max(1) as u64;
        let key = usize::try_from(number)
            .ok()
            .and_then(|at| self.keys.get(at));
        needle.extend_from_slice(password_head(number).as_bytes());
        // Writing to a vector cannot fail.
        drop(write!(
            out,
            "GET /service/a2a/v4/Credentials?type=Password HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: A2A {}\r\n\r\n",
            key.map_or("", String::as_str)
        ));
    }
}
