//! Settling by the operator's word which password a target has, where no login tells.

use crate::domain::{Action, Operation, RefusalReason};
use crate::store::rows::{Kept, PendingRow};
use crate::vault::book::Deed;
use crate::vault::change::Chosen;
use crate::vault::reset::job::copied;
use crate::vault::reset::procedure::BUSY;
use crate::vault::{Caller, Vault, VaultError, Wanted};

/// Which password a target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The one that it was told last.
    New,
    /// The one that is in force here.
    Stored,
}

impl Held {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Stored => "stored",
        }
    }
}

impl Vault {
    /// Ends what is pending for an account by the word of whoever governs the house: the password
    /// that the target has is in force, and the other one is given up.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::Refused`]; [`VaultError::NotFound`] where nothing
    /// is pending; [`VaultError::RemoteReset`] where a reset of the account is under way for too long.
    pub async fn settle_reset(
        &self,
        wanted: &Wanted<'_>,
        held: Held,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let mut deed = Deed::new(Operation::Reset)
            .on_wanted(wanted)
            .detail(format!(
                "settled by word: the target has the {} password",
                held.as_str()
            ));
        self.primary_only(&deed, caller).await?;
        self.govern(&deed, caller).await?;
        let found = self.find(wanted, Action::Change, &mut deed, caller).await?;
        let account = &found.account.record;
        let patience = self.tools().map(|tools| tools.limits.wait);
        let turn = self
            .resets
            .turns
            .wait(account.id, patience.unwrap_or_default());
        let Some(_turn) = turn.await else {
            let answer = VaultError::RemoteReset(BUSY.to_owned());
            return Err(self
                .refuse(&deed, RefusalReason::Target, answer, caller)
                .await);
        };
        let key = self.rows.places().pending(account.resource, account.id);
        let Some(pending) = self.rows.get::<PendingRow>(key).await? else {
            let answer = VaultError::NotFound("pending reset");
            let why = RefusalReason::NoSuchThing;
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        self.allow(&deed, caller).await?;
        let done = match held {
            Held::New => {
                let chosen = Chosen {
                    password: copied(&pending.record.new)?,
                    generated: pending.record.generated,
                };
                self.commit_found(&pending, &chosen, account, None).await
            }
            Held::Stored => self.give_up(&pending).await,
        };
        self.settle(&deed, done, caller).await
    }

    /// The new one is given up.
    pub(super) async fn give_up(&self, pending: &Kept<PendingRow>) -> Result<(), VaultError> {
        let mut changes = self.rows.changes();
        changes.remove(pending);
        Ok(changes.commit().await?)
    }
}
