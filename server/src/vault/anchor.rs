//! The audit trail's anchor: what the store remembers of it, so that a trail that was cut or put back
//! from an old copy is seen, and a store that was, too.

use std::fmt;
use std::sync::PoisonError;

use crate::domain::Operation;
use crate::ledger::{Head, LedgerError, Query};
use crate::store::rows::AnchorRow;
use crate::vault::reading::blocking;
use crate::vault::{Vault, VaultError};

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
    /// It has another record in the place of what is remembered: it was cut, replaced or put back
    /// from an old copy, and has grown since.
    Replaced {
        /// The last record that is remembered.
        remembered: u64,
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
            Self::Replaced { remembered } => write!(
                f,
                "record {remembered} of the audit trail is not the one that the store remembers: \
                 it was cut or put back"
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

    /// Makes the store remember where the ledger stands now; not while the ledger does not hold what
    /// is remembered, for that would be forgotten.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn drop_anchor(&self) -> Result<(), VaultError> {
        if self.secondary || self.contradiction().is_some() {
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
        if let Some(state) = self.anchored() {
            return Ok(state);
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

    /// Looks, when the house is opened, whether the store is older than the trail or the trail is
    /// not the one that the store remembers. Later the store remembers the end again, and nothing
    /// would show.
    pub(super) async fn look_back(&self) -> Result<(), VaultError> {
        let Some(anchor) = self.anchor().await? else {
            return Ok(());
        };
        let found = self.ledger.head().seq;
        if self.secondary {
            return Ok(());
        }
        let ledger = self.ledger.clone();
        // A trail that cannot be read has trouble of its own, which is told elsewhere.
        if let Err(LedgerError::Damaged(_)) = blocking(move || ledger.holds(anchor)).await? {
            let remembered = anchor.seq;
            self.note_anchor(Some(if remembered > found {
                AnchorState::Cut { remembered, found }
            } else {
                AnchorState::Replaced { remembered }
            }));
        } else if anchor.seq < found && self.stopped_behind(anchor.seq).await? {
            let remembered = anchor.seq;
            self.note_anchor(Some(AnchorState::StoreBehind { remembered, found }));
        }
        Ok(())
    }

    /// Whether the server was stopped in order behind record `seq`, and not as a secondary.
    async fn stopped_behind(&self, seq: u64) -> Result<bool, VaultError> {
        let stops = Query {
            after: Some(seq),
            operation: Some(Operation::Stop),
            limit: 1,
            examine: LOOK_BACK,
            ..Query::default()
        };
        let ledger = self.ledger.clone();
        let Ok(page) = blocking(move || ledger.read(&stops)).await? else {
            return Ok(false);
        };
        let mut stops = page.entries.iter();
        Ok(stops.any(|stop| !stop.detail.starts_with(SECONDARY)))
    }

    /// What was found when the house was opened, unless that was settled since.
    fn anchored(&self) -> Option<AnchorState> {
        *self.anchored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note_anchor(&self, state: Option<AnchorState>) {
        *self.anchored.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// That the trail does not hold what the store remembers, if so.
    pub(super) fn contradiction(&self) -> Option<AnchorState> {
        self.anchored().filter(|state| match state {
            AnchorState::Cut { .. } | AnchorState::Replaced { .. } => true,
            AnchorState::Whole | AnchorState::StoreBehind { .. } => false,
        })
    }
}

/// What a secondary's own records begin with: it writes no anchor.
pub(super) const SECONDARY: &str = "secondary: ";
/// How many of the last records are looked at for a clean stop.
const LOOK_BACK: usize = 100_000;
