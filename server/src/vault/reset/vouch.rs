//! Whether another account's powers may be used to change a password.
//!
//! Whoever manages a resource names its accounts, and an administrative account changes whatever
//! name it is told: `root`, too. So the stored password must open the target first. That also shows
//! that a login tells anything there, before a new password is sealed of which nobody could say
//! whether the target has it.

use crate::domain::ConnectorKind;
use crate::store::rows::{PendingRow, TendedRow};
use crate::vault::reset::By;
use crate::vault::reset::job::Job;
use crate::vault::reset::procedure::Ask;
use crate::vault::reset::settle::OPEN;
use crate::vault::{Vault, VaultError};

impl Vault {
    /// Whether the account is known to be the one on the target, which it need not be where its own
    /// login changes it; why it is not changed, in words.
    ///
    /// The server itself has no more authority than whoever set the rotation, who manages the
    /// resource and need not govern the house; nor has who governs it over accounts that it did not
    /// name: others may have added them.
    pub(super) async fn vouched(
        &self,
        job: &Job<'_>,
        ask: &Ask<'_>,
    ) -> Result<Result<bool, String>, VaultError> {
        let tended = self.is_tended(job).await?;
        if !job.needs_vouching() {
            return Ok(match tended {
                true => Ok(true),
                false => self.asks(job).await?.map(|()| false),
            });
        }
        let stored = self.stored(&job.account).await?;
        match job.opens(&stored).await {
            Ok(true) if tended => return Ok(Ok(true)),
            Ok(true) => return Ok(self.asks(job).await?.map(|()| true)),
            Ok(false) => {}
            Err(trouble) => return Ok(Err(format!("{BLIND}: {trouble}"))),
        }
        let governs = match ask.by {
            By::Caller(caller, _) => ask.named && self.may_govern(caller),
            By::Server(_) => false,
        };
        if governs || tended {
            return Ok(Ok(true));
        }
        Ok(Err(STRANGE.to_owned()))
    }

    /// Whether another account may put right what is pending: not where it came later than that
    /// was sealed, when the account's own login was to change it and need not have been its own.
    pub(super) async fn may_be_healed(
        &self,
        job: &Job<'_>,
        pending: &PendingRow,
    ) -> Result<bool, VaultError> {
        Ok(pending.vouched || self.is_tended(job).await?)
    }

    /// That the target asks for a password at all: where it lets anybody in from here, a login says
    /// nothing about whose account it is. sshd does not, and is slow to say no.
    async fn asks(&self, job: &Job<'_>) -> Result<Result<(), String>, VaultError> {
        if job.target.connector.kind() == ConnectorKind::Ssh {
            return Ok(Ok(()));
        }
        Ok(match self.lets_anybody_in(job).await? {
            Ok(true) => Err(OPEN.to_owned()),
            Ok(false) => Ok(()),
            // One that changes its own password by its own login does not get in, either.
            Err(_) if !job.needs_vouching() => Ok(()),
            Err(trouble) => Err(format!("{BLIND}: {trouble}")),
        })
    }

    /// Whether this very login was changed on this very target from here before.
    async fn is_tended(&self, job: &Job<'_>) -> Result<bool, VaultError> {
        let key = self
            .rows
            .places()
            .tended(job.account.resource, job.account.id);
        let kept = self.rows.get::<TendedRow>(key).await?;
        Ok(kept.is_some_and(|kept| kept.record == job.tended()))
    }
}

const BLIND: &str =
    "whether the stored password opens the target cannot be told, so it is not changed";
const STRANGE: &str = "the stored password does not open the target: store the one that it has, or let \
                       who governs this house reset it once";
