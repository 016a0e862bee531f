//! The words of the A2A door, and the registration of the program that speaks them.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};

use super::claviger::{Claviger, USER};
use super::{Verb, Words, password_head};
use crate::trouble::Trouble;

/// A program's API keys, one an account.
pub struct A2a {
    keys: Vec<String>,
}

/// So many accounts a program has.
const ACCOUNTS: u64 = 64;
/// Whoever registers it.
const BOSS: &str = "boss@127.0.0.1";

impl A2a {
    /// Registers the program for the first accounts of the vault; the server must run.
    ///
    /// # Errors
    /// When a command fails, or the server refuses.
    pub fn register(ours: &Claviger, at: SocketAddr, accounts: u64) -> Result<Self, Trouble> {
        let role = ["--role", "administrator", "--scope", "all"];
        ours.command(&[&["user", "add", BOSS, "--api"][..], &role].concat())?;
        let token = ours.command(&["user", "token", "issue", BOSS])?;
        let clerk = Clerk {
            ours,
            at,
            token: token.trim().to_owned(),
        };
        let shown = ours.command(&["user", "show", USER, "--json"])?;
        let user = serde_json::from_str::<Value>(&shown).ok();
        let user = user.and_then(|user| user["id"].as_str()?.parse::<u64>().ok());
        let user = user.ok_or_else(|| Trouble::new("the user has no id"))?;
        let new = json!({ "AppName": "bench", "CertificateUserId": user });
        let registration = clerk.post("A2ARegistrations", &new)?;
        let path = format!(
            "A2ARegistrations/{}/RetrievableAccounts",
            registration["Id"]
        );
        let mut keys = Vec::new();
        for number in 0..ACCOUNTS.min(accounts) {
            let had = clerk.post(&path, &json!({ "AccountId": number + 1 }))?;
            let key = had["ApiKey"].as_str().map(str::to_owned);
            keys.push(key.ok_or_else(|| Trouble::new("no API key was given"))?);
        }
        Ok(Self { keys })
    }
}

/// Speaks to the service that registers programs.
struct Clerk<'a> {
    ours: &'a Claviger,
    at: SocketAddr,
    token: String,
}

impl Clerk<'_> {
    fn post(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        let url = format!(
            "https://localhost:{}/service/core/v4/{path}",
            self.at.port()
        );
        let said = Command::new("curl")
            .args(["--silent", "--show-error", "--cacert"])
            .arg(self.ours.ca())
            .args(["--header", "Content-Type: application/json", "--header"])
            .arg(format!("Authorization: Bearer {}", self.token))
            .args(["--data", &body.to_string(), &url])
            .output()?;
        let text = String::from_utf8_lossy(&said.stdout);
        let answer: Option<Value> = serde_json::from_str(&text).ok();
        answer
            .filter(|answer| answer["Code"].is_null())
            .ok_or_else(|| Trouble::new(format!("{url} says {text}")))
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
