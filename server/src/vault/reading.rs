//! The audit trail from the counter's side: its anchor in the store, and who may read it.

use std::fmt;
use std::io::Write;

use crate::domain::{Action, Decision, Door, Operation, Outcome, RefusalReason, decide};
use crate::ledger::{self, Export, Follower, Head, LedgerError, Page, Progress, Query, Report};
use crate::store::rows::AnchorRow;
use crate::vault::book::Deed;
use crate::vault::error::Outage;
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
    /// It goes on behind a clean stop, at which the store would have remembered more: the store was
    /// put back from an old copy.
    StoreBehind {
        /// The last record that is remembered.
        remembered: u64,
        /// The last record that was there when the store was opened.
        found: u64,
    },
}

impl fmt::Display for AnchorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("the audit trail has all that the store remembers"),
            Self::Cut { remembered, found } => write!(
                f,
                "the audit trail ends at record {found}, but had {remembered}: it was cut or put \
                 back"
            ),
            Self::StoreBehind { remembered, found } => write!(
                f,
                "the store was put back from an old copy: it is from record {remembered} of the \
                 audit trail, which is whole and had {found}; what was changed between is lost"
            ),
        }
    }
}

impl Vault {
    /// A page of the audit trail.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Unavailable`] when it cannot be read.
    pub async fn audit(&self, query: Query, caller: &Caller) -> Result<Page, VaultError> {
        self.may_read_audit("page", caller).await?;
        let ledger = self.ledger.clone();
        Ok(blocking(move || ledger.read(&query)).await??)
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
        self.may_read_audit("follow", caller).await?;
        Ok(self.ledger.subscribe())
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
            AnchorState::Whole | AnchorState::Cut { .. } => Ok(report),
            behind @ AnchorState::StoreBehind { .. } => Err(Outage::Anchor(behind).into()),
        }
    }

    /// Writes the trail to `sink`, oldest first, and returns how many records.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Unavailable`] at the first record that is not as
    /// it was written, or what the sink said.
    pub async fn export_audit(
        &self,
        what: Export,
        mut sink: impl Write + Send + 'static,
        caller: &Caller,
    ) -> Result<u64, VaultError> {
        self.may_read_audit("export", caller).await?;
        let ledger = self.ledger.clone();
        let written = blocking(move || ledger::export(&ledger.dir, &ledger.keys, &what, &mut sink));
        Ok(written.await??)
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
        if let Some(behind) = self.behind.get() {
            return Ok(*behind);
        }
        let found = self.ledger.head().seq;
        Ok(match self.anchor().await? {
            Some(head) if head.seq > found => AnchorState::Cut {
                remembered: head.seq,
                found,
            },
            Some(_) | None => AnchorState::Whole,
        })
    }

    /// Looks, when the house is opened, whether the store is older than the trail. Later the store
    /// remembers the end again, and nothing would show.
    pub(super) async fn look_back(&self) -> Result<(), VaultError> {
        let Some(anchor) = self.anchor().await? else {
            return Ok(());
        };
        let found = self.ledger.head().seq;
        if anchor.seq >= found || self.secondary {
            return Ok(());
        }
        let stops = Query {
            after: Some(anchor.seq),
            operation: Some(Operation::Stop),
            limit: 1,
            examine: LOOK_BACK,
            ..Query::default()
        };
        let ledger = self.ledger.clone();
        // A trail that cannot be read has trouble of its own, which is told elsewhere.
        let Ok(page) = blocking(move || ledger.read(&stops)).await? else {
            return Ok(());
        };
        if page
            .entries
            .iter()
            .any(|stop| !stop.detail.starts_with(SECONDARY))
        {
            let remembered = anchor.seq;
            // It is asked once, when the house is opened.
            let _ = self
                .behind
                .set(AnchorState::StoreBehind { remembered, found });
        }
        Ok(())
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

/// Reads on a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<Result<T, LedgerError>, VaultError> {
    let stopped = |_| VaultError::Unavailable(Outage::Part("reading was stopped"));
    tokio::task::spawn_blocking(read).await.map_err(stopped)
}

/// What a secondary's own records begin with: it writes no anchor.
const SECONDARY: &str = "secondary: ";
/// How many of the last records are looked at for a clean stop.
const LOOK_BACK: usize = 100_000;
