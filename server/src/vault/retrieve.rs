//! Retrieving a password.

use crate::domain::{Action, Operation, Password};
use crate::store::StoreError;
use crate::store::rows::SecretRow;
use crate::vault::book::Deed;
use crate::vault::find::Found;
use crate::vault::{Caller, Vault, VaultError, Wanted};

impl Vault {
    /// The password in force of the account that is wanted.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for what is missing and what is not shared alike;
    /// [`VaultError::ReasonRequired`] and [`VaultError::TicketRequired`] where they are demanded;
    /// [`VaultError::Unavailable`] when it cannot be read or recorded.
    pub async fn retrieve(
        &self,
        wanted: &Wanted<'_>,
        caller: &Caller,
    ) -> Result<Password, VaultError> {
        let deed = Deed::new(Operation::Retrieve)
            .on(wanted.resource, wanted.account)
            .because(wanted.reason, wanted.ticket);
        let found = self.find(wanted, Action::Retrieve, &deed, caller).await?;
        self.demand(&found, wanted, &deed, caller).await?;
        let password = self.password_in_force(&found).await?;
        // The record is durable before the password leaves: a crash between costs an answer, not
        // a record.
        let at = self.allow_at(&deed, caller).await?;
        self.note_access(&found.account.record, at);
        Ok(password)
    }

    async fn password_in_force(&self, found: &Found) -> Result<Password, VaultError> {
        let account = &found.account.record;
        let key = self.rows.places().secret(account.id, account.secret);
        let kept = self.rows.get::<SecretRow>(key).await?;
        Ok(kept.ok_or(StoreError::Form)?.record.password)
    }
}
