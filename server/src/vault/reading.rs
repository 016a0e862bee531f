//! The audit trail from the counter's side: its anchor in the store, and who may read it.

use crate::domain::{Action, Decision, Door, Operation, Outcome, RefusalReason, decide};
use crate::ledger::Head;
use crate::store::rows::AnchorRow;
use crate::vault::book::Deed;
use crate::vault::{Caller, Origin, Vault, VaultError};

/// How the ledger stands to what the store remembers of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnchorState {
    /// It has at least what is remembered.
    Whole,
    /// It ends before what is remembered: it was cut, replaced or put back from an old copy.
    Cut {
        /// The last record that is remembered.
        remembered: u64,
        /// The last record that is there.
        found: u64,
    },
}

impl Vault {
    /// Lets `caller` read the audit trail, and writes that down.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`].
    pub async fn may_read_audit(&self, what: &str, caller: &Caller) -> Result<(), VaultError> {
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

    /// What the store remembers of the ledger: what a whole ledger must at least have.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn anchor(&self) -> Result<Option<Head>, VaultError> {
        let kept = self
            .rows
            .get::<AnchorRow>(self.rows.places().anchor())
            .await?;
        Ok(kept.map(|kept| Head {
            seq: kept.record.seq,
            tag: kept.record.tag,
        }))
    }

    /// Makes the store remember where the ledger stands now.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn drop_anchor(&self) -> Result<(), VaultError> {
        if self.secondary {
            return Ok(());
        }
        let head = self.ledger.head();
        let key = self.rows.places().anchor();
        let kept = self.rows.get::<AnchorRow>(key.clone()).await?;
        if kept
            .as_ref()
            .is_some_and(|kept| kept.record.seq >= head.seq)
        {
            return Ok(());
        }
        let mut changes = self.rows.changes();
        changes.set(
            key,
            kept.as_ref(),
            &AnchorRow {
                seq: head.seq,
                tag: head.tag,
            },
        )?;
        Ok(changes.commit().await?)
    }

    /// Compares the ledger with what the store remembers of it.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn check_anchor(&self) -> Result<AnchorState, VaultError> {
        let found = self.ledger.head().seq;
        Ok(match self.anchor().await? {
            Some(head) if head.seq > found => AnchorState::Cut {
                remembered: head.seq,
                found,
            },
            Some(_) | None => AnchorState::Whole,
        })
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
        let deed = Deed::new(operation).detail(detail);
        self.write(&deed, Outcome::Allowed, ("server", ""), &origin)
            .await
    }
}
