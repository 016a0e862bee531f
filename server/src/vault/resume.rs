//! Going on with the audit trail after records of it were lost.

use std::ops::RangeInclusive;

use crate::domain::{Operation, RefusalReason};
use crate::ledger::{Head, Resumed};
use crate::vault::book::Deed;
use crate::vault::reading::blocking;
use crate::vault::{Caller, Vault, VaultError};

/// What became of the order to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumption {
    /// Whether anything was wrong; otherwise the trail goes on as before.
    pub needed: bool,
    /// The records that cannot be read and proven any more.
    pub lost: Option<RangeInclusive<u64>>,
    /// The number of the first record behind the gap.
    pub next: u64,
}

impl Vault {
    /// Goes on with the audit trail, at the operator's word, although records of it are lost: its
    /// file under the running server, its end before the start, or what was damaged when the house
    /// was opened past it. The gap stays named by every check from then on, and the order is the
    /// first record behind it. Changes nothing when nothing is lost.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::ReasonRequired`]; [`VaultError::Unavailable`] when
    /// the trail still cannot be written.
    pub async fn resume_audit(
        &self,
        reason: &str,
        caller: &Caller,
    ) -> Result<Resumption, VaultError> {
        let deed = Deed::new(Operation::ResumeAudit).because(reason, "");
        self.govern(&deed, caller).await?;
        if reason.trim().is_empty() {
            let (why, answer) = (RefusalReason::ReasonMissing, VaultError::ReasonRequired);
            return Err(match self.refuse(&deed, why, answer, caller).await {
                // That this cannot be written down is what it is about.
                VaultError::Unavailable(_) => VaultError::ReasonRequired,
                told => told,
            });
        }
        // Behind damage that was passed, it stands behind what the store remembers already.
        let lost = match self.contradiction() {
            Some(_) if self.ledger.passed().is_none() => self.anchor().await?,
            Some(_) | None => None,
        };
        let resumed = self.ledger.resume(lost).await?;
        let resumption = self.resumption(resumed).await?;
        self.allow(&deed.detail(in_words(&resumption)), caller)
            .await?;
        if resumption.needed {
            self.note_anchor(None);
            self.drop_anchor().await?;
        }
        Ok(resumption)
    }

    async fn resumption(&self, resumed: Resumed) -> Result<Resumption, VaultError> {
        let Resumed { head, renewed } = resumed;
        let passed = self.ledger.passed().is_some();
        let next = head.seq + 1;
        if !renewed && !passed {
            return Ok(Resumption {
                needed: false,
                lost: None,
                next,
            });
        }
        Ok(Resumption {
            needed: true,
            lost: self.lost_before(head).await?,
            next,
        })
    }

    async fn lost_before(&self, head: Head) -> Result<Option<RangeInclusive<u64>>, VaultError> {
        let ledger = self.ledger.clone();
        Ok(blocking(move || ledger.lost_before(head)).await??)
    }
}

fn in_words(resumption: &Resumption) -> String {
    match &resumption.lost {
        Some(lost) => format!("lost: records {} to {}", lost.start(), lost.end()),
        None => "lost: nothing".to_owned(),
    }
}
