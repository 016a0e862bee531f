//! How the house is.

use crate::ledger::{Head, Health, Trouble as LedgerTrouble};
use crate::store::{Status as StoreStatus, Trouble};
use crate::vault::{AnchorState, Vault, VaultError};

/// How the house is.
#[derive(Clone, Debug)]
pub struct HouseStatus {
    /// Whether it answers retrievals only.
    pub secondary: bool,
    /// The end of the audit trail.
    pub head: Head,
    /// The number of the data key that seals new rows.
    pub data_key: u32,
    /// How many data keys there are; more than one while a rotation is under way.
    pub data_keys: usize,
    /// Of how many accounts it is not clear which password their targets have; 256 at most.
    pub unclear_resets: usize,
    /// How the store does.
    pub store: StoreStatus,
    /// Whether it can do its work: records and rows can be written.
    pub working: bool,
    /// What is wrong, a line each; nothing when all is well.
    pub problems: Vec<String>,
}

impl Vault {
    /// How the house is; anybody inside may ask, and nothing is written down.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when the store cannot even be read.
    pub async fn status(&self) -> Result<HouseStatus, VaultError> {
        let store = self.rows.store().status();
        let mut problems = self.ledger_problems();
        if let Some(trouble) = store.trouble {
            problems.push(format!("the store cannot be written: {}", words(trouble)));
        }
        match self.check_anchor().await? {
            AnchorState::Whole => {}
            cut @ (AnchorState::Cut { .. } | AnchorState::Replaced { .. }) => problems.push(format!(
                "{cut}; run `claviger audit verify`, put the trail back with the server stopped, or go \
                 on without what is missing: `{RESUME}`"
            )),
            behind @ AnchorState::StoreBehind { .. } => problems.push(format!(
                "{behind}; see `claviger audit tail` for what that was"
            )),
        }
        problems.extend(self.standstill().await?);
        let unclear = self.unclear().await?;
        if unclear > 0 {
            problems.push(format!(
                "of {unclear} accounts it is not clear which password their targets have: see \
                 `claviger reset status`"
            ));
        }
        Ok(HouseStatus {
            unclear_resets: unclear,
            secondary: self.secondary,
            head: self.ledger.head(),
            data_key: self.rows.keys().newest(),
            data_keys: self.rows.keys().data_keys().len(),
            store,
            working: self.works(),
            problems,
        })
    }

    /// Whether records and rows can be written, so that it can do its work; nothing is read.
    #[must_use]
    pub fn works(&self) -> bool {
        let trouble = self.rows.store().status().trouble;
        trouble.is_none() && !matches!(self.ledger.health(), Health::Red { .. })
    }

    fn ledger_problems(&self) -> Vec<String> {
        match self.ledger.health() {
            Health::Ok => Vec::new(),
            Health::Strained { why, .. } => {
                vec![format!("the audit trail has little room left: {why}")]
            }
            Health::Red { why, .. } => {
                let text = "the audit trail cannot be written, so everything is refused";
                vec![match why {
                    LedgerTrouble::Gone => format!(
                        "{text}: {why}; put it back, or go on without what is lost: `{RESUME}`"
                    ),
                    LedgerTrouble::Full
                    | LedgerTrouble::ReadOnly
                    | LedgerTrouble::Slow
                    | LedgerTrouble::Closed
                    | LedgerTrouble::Disk(_) => format!("{text}: {why}"),
                }]
            }
        }
    }
}

/// What goes on past a gap in the trail.
const RESUME: &str = "claviger audit resume --reason TEXT";

fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Full => "the disk is full",
        Trouble::ReadOnly => "the data directory is read-only",
        Trouble::Failing => "the disk or the engine reports errors; the log says which",
        Trouble::Stuck => "the disk does not answer",
        Trouble::Stopped => "its writer has stopped; restart the server",
    }
}
