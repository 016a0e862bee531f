//! Whether whoever asked for a change may still have it when its turn has come: to wait for that,
//! to settle what an earlier one left and to try logins may take a minute.

use crate::domain::{Action, Custody, RefusalReason};
use crate::store::rows::Kept;
use crate::vault::book::Deed;
use crate::vault::reset::By;
use crate::vault::reset::procedure::Ask;
use crate::vault::{Caller, Vault, VaultError, Wanted};

impl Vault {
    /// The custody by which the caller holds it now, as it was looked at first: refused and written
    /// down where a right, a hold or the caller's coming in was taken back meanwhile. What is
    /// nobody's by name is changed only while nobody holds it.
    pub(super) async fn still_may(
        &self,
        ask: &Ask<'_>,
    ) -> Result<Option<Kept<Custody>>, VaultError> {
        let By::Caller(caller, since) = ask.by else {
            return Ok(None);
        };
        let mut deed = ask.deed.clone();
        let now = self.still_in(&deed, (caller, since)).await?;
        let wanted = Wanted::of(ask.resource.id, ask.account);
        let found = self.find(&wanted, ask.needs, &mut deed, &now).await?;
        match ask.named {
            true => self.hold(&found.spot(), &deed, &now).await,
            false => Ok(None),
        }
    }

    /// That whoever governed the house when a word was said still does, and still may change what
    /// it is about.
    pub(super) async fn still_governs(
        &self,
        wanted: &Wanted<'_>,
        deed: &Deed,
        asked: (&Caller, u64),
    ) -> Result<(), VaultError> {
        let now = self.still_in(deed, asked).await?;
        self.govern(deed, &now).await?;
        let mut deed = deed.clone();
        let found = self.find(wanted, Action::Change, &mut deed, &now).await;
        found.map(drop)
    }

    async fn still_in(
        &self,
        deed: &Deed,
        (caller, since): (&Caller, u64),
    ) -> Result<Caller, VaultError> {
        if let Some(now) = self.caller_now(caller, since).await? {
            return Ok(now);
        }
        let deed = deed.clone().detail(GONE);
        let answer = VaultError::RemoteReset(GONE.to_owned());
        let why = RefusalReason::NotAllowed;
        Err(self.refuse(&deed, why, answer, caller).await)
    }

    /// The caller as it is now. That its host is to be looked up again takes nothing back.
    async fn caller_now(&self, caller: &Caller, since: u64) -> Result<Option<Caller>, VaultError> {
        let proved = self.clock.now() < caller.identity.proved_until;
        match proved && since == self.generation() {
            true => Ok(Some(caller.clone())),
            // What was looked at since rests on what it was.
            false => Ok(self.as_now(caller).await?.filter(|now| {
                let (now, then) = (&now.identity, &caller.identity);
                (now.role, now.scope) == (then.role, then.scope)
            })),
        }
    }
}

const GONE: &str = "who may come in has changed since it was asked for: ask again";
