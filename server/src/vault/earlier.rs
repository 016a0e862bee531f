//! Passwords that were in force before, or that were given up, for whoever governs the house: a
//! target may have one of them.

use crate::domain::{Action, Operation, Password, RefusalReason, SecretVersion};
use crate::store::rows::SecretRow;
use crate::vault::book::Deed;
use crate::vault::{Caller, Vault, VaultError, Wanted};

impl Vault {
    /// A version of the password of the account that is wanted, as its history tells them.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for whoever does not govern the house; as for
    /// [`Self::retrieve`]; [`VaultError::Invalid`] where the account keeps no password;
    /// [`VaultError::NotFound`] where the version is not kept.
    pub async fn earlier(
        &self,
        wanted: &Wanted<'_>,
        version: SecretVersion,
        caller: &Caller,
    ) -> Result<Password, VaultError> {
        let mut deed = Deed::new(Operation::Retrieve)
            .on_wanted(wanted)
            .detail(format!("version {}", version.0));
        self.govern(&deed, caller).await?;
        let found = self
            .find(wanted, Action::Retrieve, &mut deed, caller)
            .await?;
        let (spot, account) = (found.spot(), &found.account.record);
        self.demand(spot.demands, wanted, &deed, caller).await?;
        let hold = self.hold(&spot, &deed, caller).await?;
        self.keeps_password(account, &deed, caller).await?;
        let key = self.rows.places().secret(account.id, version);
        let Some(kept) = self.rows.get::<SecretRow>(key).await? else {
            let answer = VaultError::NotFound("version of this password");
            let why = RefusalReason::NoSuchThing;
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        self.allow(&deed, caller).await?;
        if hold.is_some() {
            // Its time may have run out, or an approver may have taken it back, meanwhile.
            self.hold(&spot, &deed, caller).await?;
        }
        Ok(kept.record.password)
    }
}
