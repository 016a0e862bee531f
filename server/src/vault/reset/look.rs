//! Asking a target now which password it has, because somebody wants to know.

use crate::domain::{Operation, RefusalReason};
use crate::store::rows::PendingRow;
use crate::vault::book::Deed;
use crate::vault::reset::By;
use crate::vault::reset::settle::Finding;
use crate::vault::reset::word::{Held, Settled, Tried};
use crate::vault::{Caller, Vault, VaultError, Wanted};

impl Vault {
    /// Finds out at once which password the target of an account has where that is not clear, as
    /// it is done again and again anyway; for whoever governs the house.
    ///
    /// # Errors
    /// As for [`Self::settle_reset`]; [`VaultError::RemoteReset`] where it is still not clear.
    pub async fn look_again(
        &self,
        wanted: &Wanted<'_>,
        caller: &Caller,
    ) -> Result<Settled, VaultError> {
        let since = self.generation();
        let mut deed = Deed::new(Operation::Reset)
            .on_wanted(wanted)
            .detail("settle: the target is asked now");
        let (found, pending, _turn) = self.to_settle(wanted, &mut deed, caller).await?;
        let (resource, account) = (&found.resource.record, found.account.record);
        let job = match self.standstill().await? {
            Some(why) => Err(why),
            None => self.look_job(resource, account).await?,
        };
        let job = match job {
            Ok(job) => job,
            Err(why) => {
                let reason = RefusalReason::Target;
                let answer = VaultError::RemoteReset(why);
                return Err(self.refuse(&deed, reason, answer, caller).await);
            }
        };
        self.still_governs(wanted, &deed, (caller, since)).await?;
        self.allow(&deed, caller).await?;
        let key = pending.key.clone();
        let asked = self.clock.now();
        let finding = self.find_out(&job, &pending.record, None).await?;
        let held = match &finding {
            // Where none is known, the new one is set.
            Finding::New | Finding::None => Held::New,
            Finding::Old => Held::Old,
            Finding::Stored { .. } | Finding::Untouched(_) | Finding::Unknown(_) => Held::Stored,
        };
        match self
            .conclude(
                &job,
                pending,
                (finding, asked),
                By::Caller(caller, self.generation()),
            )
            .await
        {
            Ok(()) | Err(VaultError::RemoteReset(_)) => {}
            Err(other) => return Err(other),
        }
        match self.rows.get::<PendingRow>(key).await? {
            Some(left) => Err(VaultError::RemoteReset(format!(
                "it is still not clear which password the target has: {}",
                left.record.why
            ))),
            None => Ok(Settled {
                held,
                heard: Tried::Agrees,
                kept: Vec::new(),
            }),
        }
    }
}
