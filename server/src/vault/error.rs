//! Why the vault says no.

use std::error::Error as _;

use thiserror::Error;

use crate::crypto::CryptoError;
use crate::domain::PolicyViolation;
use crate::ledger::LedgerError;
use crate::store::StoreError;
use crate::store::archive::ArchiveError;
use crate::vault::AnchorState;
use crate::vault::clock::NoChance;

/// Why the vault says no. The caller's fault, unless it is [`Self::Unavailable`] or
/// [`Self::RemoteReset`].
#[derive(Debug, Error)]
pub enum VaultError {
    /// Whoever calls is not somebody who may come in; why, in words for the caller.
    #[error("{0}")]
    Unidentified(String),
    /// No such resource or account, or none this caller may know of.
    #[error("no such resource or account, or it is not shared with you")]
    Refused,
    /// The caller may know of it, and may not do this with it.
    #[error("you are not allowed to do this")]
    NotAllowed,
    /// A reason must be given.
    #[error("a reason must be given")]
    ReasonRequired,
    /// A ticket must be given.
    #[error("a ticket id must be given")]
    TicketRequired,
    /// It is under access control, and something is still to be done before it is given out.
    #[error("{0}")]
    Waiting(Hurdle),
    /// Somebody else holds it: who.
    #[error("it is in use: {0} holds it")]
    InUse(String),
    /// The caller holds it already.
    #[error("it is in use: you hold it already")]
    Held,
    /// Nobody decides about a request of its own.
    #[error("nobody decides about a request of their own")]
    OwnRequest,
    /// The new password breaks its policy.
    #[error("the password does not keep its policy: {0}")]
    Policy(#[from] PolicyViolation),
    /// What was asked for makes no sense; why, in words for the caller.
    #[error("{0}")]
    Invalid(String),
    /// A resource with this name, in whatever case, is there already.
    #[error("a resource with this name exists already")]
    ResourceExists,
    /// Something else, of which there may be one, is there already: what, as in `a user with this
    /// name`.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// There is no such thing; said only to those who may see all of its kind.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Somebody else changed the same thing at the same time, more often than was tried again.
    #[error("somebody else is changing the same thing: try again")]
    Conflict,
    /// This server answers retrievals only.
    #[error("this server is a secondary: it answers retrievals only")]
    ReadOnly,
    /// The target machine could not be told; why, in words for the caller.
    #[error("{0}")]
    RemoteReset(String),
    /// The house itself cannot do it now.
    #[error("the server cannot do this now: {0}")]
    Unavailable(#[from] Outage),
}

/// What is still to be done before a password under access control is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Hurdle {
    /// It must be requested.
    #[error("it is given out on request only: request it first")]
    Request,
    /// The request waits for approval.
    #[error("its request is waiting for approval")]
    Approval,
    /// The request is approved.
    #[error("its request is approved: check it out first")]
    CheckOut,
    /// The request is for later.
    #[error("its request is for later: its time has not come")]
    Time,
}

/// What is broken in the house.
#[derive(Debug, Error)]
pub enum Outage {
    /// The safe.
    #[error("store")]
    Store(#[source] StoreError),
    /// The audit trail: what cannot be recorded does not happen.
    #[error("audit trail")]
    Ledger(#[source] LedgerError),
    /// The locks.
    #[error("keys")]
    Keys(#[source] CryptoError),
    /// Random numbers.
    #[error("random numbers")]
    Chance(#[source] NoChance),
    /// A backup could not be written.
    #[error("backup")]
    Backup(#[source] ArchiveError),
    /// Store and audit trail are not of one time.
    #[error("{0}")]
    Anchor(AnchorState),
    /// Something was asked of a part that is not there.
    #[error("{0}")]
    Part(&'static str),
}

impl Outage {
    /// What is broken, and each cause behind it, for the log.
    #[must_use]
    pub fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(deeper) = cause {
            text.push_str(": ");
            text.push_str(&deeper.to_string());
            cause = deeper.source();
        }
        text
    }
}

impl From<StoreError> for VaultError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            other => Self::Unavailable(Outage::Store(other)),
        }
    }
}

impl From<ArchiveError> for VaultError {
    fn from(error: ArchiveError) -> Self {
        Self::Unavailable(Outage::Backup(error))
    }
}

impl From<LedgerError> for VaultError {
    fn from(error: LedgerError) -> Self {
        Self::Unavailable(Outage::Ledger(error))
    }
}

impl From<CryptoError> for VaultError {
    fn from(error: CryptoError) -> Self {
        Self::Unavailable(Outage::Keys(error))
    }
}

impl From<NoChance> for VaultError {
    fn from(error: NoChance) -> Self {
        Self::Unavailable(Outage::Chance(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_tells_every_cause() {
        let disk = std::io::Error::other("sector 7");
        let outage = Outage::Store(StoreError::Engine(disk.into()));

        assert_eq!(
            outage.in_full(),
            "store: the store's engine reported an error: sector 7"
        );
    }
}
