//! HANDS: what changes a password where it opens something. May use `domain`.
//!
//! One file a kind of target, each of which can *change* a password and *verify* one. None decides
//! anything: the vault says what is done, seals what may be needed afterwards, checks to which
//! addresses a connector may go, and sets the time that it may take.

mod command;
mod dial;
mod error;
mod ldap;
mod login;
mod mysql;
mod passwd;
mod postgres;
mod ssh;
mod sudo;

pub use error::{ConnectorError, Trouble};

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{ConnectorKind, Password, Pin, ResetTarget};

/// A target, and where it is: a connector goes to these addresses and to no others.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// How it is reached.
    pub target: &'a ResetTarget,
    /// The addresses of its host, checked; tried one after the other.
    pub addresses: &'a [SocketAddr],
    /// How long one conversation is waited for: what is not done by then, the target should not do
    /// later. What leads up to telling it gets a part of that only, so that a target that is slow
    /// to let somebody in is known not to have been told. Nor is a line silent for longer than that
    /// which lives on although nobody waits for it any more.
    pub patience: Duration,
}

/// Who changes the passwords of others.
#[derive(Clone, Copy, Debug)]
pub struct Admin<'a> {
    /// Its name on the target.
    pub name: &'a str,
    /// What it logs in with.
    pub proof: Proof<'a>,
}

impl<'a> Admin<'a> {
    /// Whoever logs in by a password.
    #[must_use]
    pub fn by(name: &'a str, password: &'a Password) -> Self {
        let proof = Proof::Password(password);
        Self { name, proof }
    }
}

/// What somebody logs in with.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// A password.
    Password(&'a Password),
    /// A private key for SSH, without a passphrase.
    SshKey(&'a str),
}

/// A change that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The account's name on the target.
    pub account: &'a str,
    /// The password that it has, as far as is known.
    pub old: &'a Password,
    /// The one that it is to have.
    pub new: &'a Password,
    /// Who changes it; `None` is the account itself, which logs in with the old one.
    pub admin: Option<Admin<'a>>,
}

impl<'a> Order<'a> {
    /// Who logs in to change it.
    #[must_use]
    pub fn login(&self) -> Admin<'a> {
        self.admin
            .unwrap_or_else(|| Admin::by(self.account, self.old))
    }
}

/// Changes passwords on one kind of target. Whoever drops what it does half-way, because it takes
/// too long, leaves nothing behind on this side.
#[async_trait]
pub trait Connector: Send + Sync + fmt::Debug {
    /// Whether a target of this kind could take `password` at all; why not, in words.
    ///
    /// # Errors
    /// [`Trouble::Unfit`].
    fn suits(&self, password: &Password) -> Result<(), Trouble>;

    /// Gives the account its new password.
    ///
    /// # Errors
    /// [`ConnectorError`], which says whether the target may have it all the same.
    async fn change(&self, site: &Site<'_>, order: &Order<'_>) -> Result<(), ConnectorError>;

    /// Whether `account` can log in with `password`.
    ///
    /// # Errors
    /// [`ConnectorError`] when the target says neither yes nor no.
    async fn verify(
        &self,
        site: &Site<'_>,
        account: &str,
        password: &Password,
    ) -> Result<bool, ConnectorError>;

    /// The host key or certificate that the target shows now, whatever is pinned; `None` where
    /// there is none to show.
    ///
    /// # Errors
    /// [`ConnectorError`] when it shows none.
    async fn shown(&self, site: &Site<'_>) -> Result<Option<Pin>, ConnectorError>;
}

/// Every connector there is.
pub trait Connectors: Send + Sync + fmt::Debug {
    /// The connector for targets of this kind.
    fn of(&self, kind: ConnectorKind) -> Arc<dyn Connector>;
}

/// The connectors to real targets.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllConnectors;

impl Connectors for AllConnectors {
    fn of(&self, kind: ConnectorKind) -> Arc<dyn Connector> {
        match kind {
            ConnectorKind::Ssh => Arc::new(ssh::Ssh),
            ConnectorKind::Postgres => Arc::new(postgres::Postgres),
            ConnectorKind::Mysql => Arc::new(mysql::Mysql),
            ConnectorKind::Ldap => Arc::new(ldap::Ldap),
            ConnectorKind::Command => Arc::new(command::Command),
        }
    }
}

/// That a password is one line of at most `longest` bytes; otherwise what is said of control
/// characters, or of its length.
fn one_line(
    password: &Password,
    (control, too_long): (&'static str, &'static str),
    longest: usize,
) -> Result<(), Trouble> {
    let text = password.expose();
    if text.chars().any(char::is_control) {
        return Err(Trouble::Unfit(control));
    }
    match text.len() > longest {
        true => Err(Trouble::Unfit(too_long)),
        false => Ok(()),
    }
}
