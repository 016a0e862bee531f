//! Retrieving a password.

use crate::domain::{Action, Operation, Password};
use crate::store::rows::SecretRow;
use crate::vault::book::Deed;
use crate::vault::find::Spot;
use crate::vault::{Caller, Vault, VaultError, Wanted};

impl Vault {
    /// The password in force of the account that is wanted.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for what is missing and what is not shared alike;
    /// [`VaultError::ReasonRequired`] and [`VaultError::TicketRequired`] where they are demanded;
    /// [`VaultError::Unavailable`] when it cannot be read or recorded; [`VaultError::Conflict`]
    /// when it changes faster than it can be read.
    pub async fn retrieve(
        &self,
        wanted: &Wanted<'_>,
        caller: &Caller,
    ) -> Result<Password, VaultError> {
        let deed = Deed::new(Operation::Retrieve)
            .on(wanted.resource, wanted.account)
            .because(wanted.reason, wanted.ticket);
        let (spot, password) = self.read_in_force(wanted, &deed, caller).await?;
        // The record is durable before the password leaves: a crash between costs an answer, not
        // a record.
        let at = self.allow_at(&deed, caller).await?;
        self.note_access(spot, at);
        Ok(password)
    }

    /// Finds and reads it; again where it was changed, and its version forgotten, in between.
    async fn read_in_force(
        &self,
        wanted: &Wanted<'_>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(Spot, Password), VaultError> {
        for _ in 0..TRIES {
            let spot = self.find_spot(wanted, deed, caller).await?;
            self.demand(spot.demands, wanted, deed, caller).await?;
            let key = self.rows.places().secret(spot.account, spot.secret);
            if let Some(kept) = self.rows.get::<SecretRow>(key).await? {
                return Ok((spot, kept.record.password));
            }
        }
        Err(VaultError::Conflict)
    }

    async fn find_spot(
        &self,
        wanted: &Wanted<'_>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Spot, VaultError> {
        if let Some(spot) = self.shortcuts.find(wanted, caller, &self.rows) {
            return Ok(spot);
        }
        let commits = self.rows.store().stamps().commits();
        let found = self.find(wanted, Action::Retrieve, deed, caller).await?;
        self.shortcuts.note(&found, caller, &self.rows, commits);
        Ok(found.spot())
    }
}

const TRIES: usize = 8;
