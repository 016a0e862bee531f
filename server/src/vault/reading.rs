//! The audit trail from the counter's side: who may read it.

use std::io::Write;

use crate::domain::{Action, Decision, Door, Operation, OrgId, Outcome, RefusalReason, decide};
use crate::ledger::{
    self, Entry, Export, Follower, Head, LedgerError, Page, Progress, Query, Report,
};
use crate::vault::anchor::{AnchorState, SECONDARY};
use crate::vault::book::Deed;
use crate::vault::error::Outage;
use crate::vault::{Caller, Origin, Vault, VaultError};

impl Vault {
    /// A page of the audit trail.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Unavailable`] when it cannot be read.
    pub async fn audit(&self, query: Query, caller: &Caller) -> Result<Page, VaultError> {
        self.may_read_audit("page", caller).await?;
        let ledger = self.ledger.clone();
        let mut page = blocking(move || ledger.read(&query)).await??;
        page.entries.retain(|entry| concerns(entry, caller));
        Ok(page)
    }

    /// More of a page: for somebody who was let read the beginning, so that following the trail
    /// does not write it.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when it cannot be read.
    pub async fn more_audit(&self, query: Query) -> Result<Page, VaultError> {
        let ledger = self.ledger.clone();
        Ok(blocking(move || ledger.read(&query)).await??)
    }

    /// Where the trail grows: told of every new end, from now on.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`].
    pub async fn follow_audit(&self, caller: &Caller) -> Result<Follower, VaultError> {
        self.may_read_all("follow", caller).await?;
        Ok(self.ledger.subscribe())
    }

    /// Whoever was let follow the trail, as it is now: none where what it came in by counts no more,
    /// or what concerns every organisation is not for it any more. Nothing is written down.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn still_follows(&self, caller: &Caller) -> Result<Option<Caller>, VaultError> {
        let now = self.as_now(caller).await?;
        Ok(now.filter(|now| self.may_govern(now)))
    }

    /// Checks the whole trail against its chain, against what the store remembers of it, and
    /// against `expected`, an end that somebody kept elsewhere.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Unavailable`] with what is wrong with it, or with
    /// the store where that is older than the trail.
    pub async fn verify_audit(
        &self,
        expected: Option<Head>,
        progress: impl FnMut(Progress) + Send + 'static,
        caller: &Caller,
    ) -> Result<Report, VaultError> {
        self.may_read_audit("verify", caller).await?;
        let anchor = self.anchor().await?;
        let ledger = self.ledger.clone();
        let checked = blocking(move || {
            let mut progress = progress;
            if let Some(expected) = expected {
                ledger::verify(&ledger.dir, &ledger.keys, Some(expected), |_| {})?;
            }
            ledger::verify(&ledger.dir, &ledger.keys, anchor, &mut progress)
        });
        let report = checked.await??;
        match self.check_anchor().await? {
            // A trail that was cut has not come so far.
            AnchorState::Whole | AnchorState::Cut { .. } | AnchorState::Replaced { .. } => {
                Ok(report)
            }
            behind @ AnchorState::StoreBehind { .. } => Err(Outage::Anchor(behind).into()),
        }
    }

    /// Writes the trail to `sink`, oldest first, past what is lost, and returns how many records.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Unavailable`] at the end where records are lost or
    /// not as they were written and nobody ordered to go on, or what the sink said.
    pub async fn export_audit(
        &self,
        what: Export,
        mut sink: impl Write + Send + 'static,
        caller: &Caller,
    ) -> Result<u64, VaultError> {
        self.may_read_all("export", caller).await?;
        let ledger = self.ledger.clone();
        let written = blocking(move || ledger::export(&ledger.dir, &ledger.keys, &what, &mut sink));
        Ok(written.await??)
    }

    /// The same, of what tells every organisation's records.
    async fn may_read_all(&self, what: &str, caller: &Caller) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::ReadAudit).detail(what);
        self.govern(&deed, caller).await?;
        self.allow(&deed, caller).await
    }

    /// Lets `caller` read the audit trail, and writes that down.
    async fn may_read_audit(&self, what: &str, caller: &Caller) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::ReadAudit).detail(what);
        if decide(Action::ReadAudit, caller.standing(None, None)) == Decision::Allowed {
            return self.allow(&deed, caller).await;
        }
        Err(self
            .refuse(
                &deed,
                RefusalReason::NotAllowed,
                VaultError::NotAllowed,
                caller,
            )
            .await)
    }

    /// Writes down what the server itself did: it started, it stopped.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn note(&self, operation: Operation, detail: &str) -> Result<(), VaultError> {
        let origin = Origin {
            door: Door::Server,
            peer: None,
            request: self.next_request(),
        };
        let who = if self.secondary { SECONDARY } else { "" };
        let deed = Deed::new(operation).detail(format!("{who}{detail}"));
        self.write(&deed, Outcome::Allowed, ("server", ""), &origin)
            .await
            .map(drop)
    }
}

/// Whether a record is one that `caller` may read: of its own organisation. What is of none, by the
/// operator or by strangers, is told in the default one.
fn concerns(entry: &Entry, caller: &Caller) -> bool {
    caller.user().is_none()
        || entry.org == caller.organisation()
        || (entry.org.is_empty() && caller.org() == OrgId::DEFAULT)
}

/// Reads on a thread that may wait for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<Result<T, LedgerError>, VaultError> {
    let stopped = |_| VaultError::Unavailable(Outage::Part("reading was stopped"));
    tokio::task::spawn_blocking(read).await.map_err(stopped)
}
