//! Retrieving a password.

use crate::domain::{Action, Custody, Operation, Password};
use crate::store::rows::{Kept, SecretRow};
use crate::vault::book::Deed;
use crate::vault::find::Spot;
use crate::vault::{Caller, Vault, VaultError, Wanted};

impl Vault {
    /// The password in force of the account that is wanted; the key itself where it keeps an SSH
    /// private key, the secret where it keeps an API key.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for what is missing and what is not shared alike;
    /// [`VaultError::ReasonRequired`] and [`VaultError::TicketRequired`] where they are demanded;
    /// [`VaultError::Waiting`] and [`VaultError::InUse`] where access control is on and the caller
    /// does not hold it: nobody is above that, neither owner nor super administrator;
    /// [`VaultError::Invalid`] where it keeps a file: [`Self::material`] gives that out;
    /// [`VaultError::Unavailable`] when it cannot be read or recorded; [`VaultError::Conflict`]
    /// when it changes faster than it can be read.
    pub async fn retrieve(
        &self,
        wanted: &Wanted<'_>,
        caller: &Caller,
    ) -> Result<Password, VaultError> {
        let mut deed = Deed::new(Operation::Retrieve).on_wanted(wanted);
        let (spot, hold, password) = self.read_in_force(wanted, &mut deed, caller).await?;
        // The record is durable before the password leaves: a crash between costs an answer, not
        // a record.
        let at = self.allow_at(&deed, caller).await?;
        if hold.is_some() {
            // Its time may have run out, or an approver may have taken it back, meanwhile.
            self.hold(&spot, &deed, caller).await?;
        }
        self.note_access(spot, at);
        Ok(password)
    }

    /// Finds and reads it; again where it was changed, and its version forgotten, in between.
    async fn read_in_force(
        &self,
        wanted: &Wanted<'_>,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<(Spot, Option<Kept<Custody>>, Password), VaultError> {
        if let Some((spot, text)) = self.read_again(wanted, deed, caller).await? {
            return Ok((spot, None, text));
        }
        for _ in 0..TRIES {
            let commits = self.rows.store().stamps().commits();
            let found = self.find(wanted, Action::Retrieve, deed, caller).await?;
            let spot = found.spot();
            let hold = self.hold(&spot, deed, caller).await?;
            self.demand(spot.demands, wanted, deed, caller).await?;
            let Some((text, sealed)) = self.text_at(&spot, deed, caller).await? else {
                continue;
            };
            if hold.is_none() {
                // What is under access control is looked at every time.
                self.shortcuts
                    .note((wanted, &found, sealed), caller, &self.rows, commits);
            }
            return Ok((spot, hold, text));
        }
        Err(VaultError::Conflict)
    }

    /// Reads it where an earlier retrieval found it; nothing where that is not known, or not so any
    /// more.
    async fn read_again(
        &self,
        wanted: &Wanted<'_>,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<Option<(Spot, Password)>, VaultError> {
        let Some(way) = self.shortcuts.find(wanted, caller, &self.rows) else {
            return Ok(None);
        };
        if let Some(named) = way.named {
            deed.called(&named.resource, &named.account);
        }
        deed.at(way.spot.resource, way.spot.account);
        self.demand(way.spot.demands, wanted, deed, caller).await?;
        let text = match way.sealed {
            // What does not open, because the keys were rotated this moment, is read again.
            Some(sealed) => {
                let opened = self.rows.record::<SecretRow>(&sealed).ok();
                opened.map(|secret| secret.password)
            }
            None => {
                let read = self.text_at(&way.spot, deed, caller).await?;
                read.map(|(text, _)| text)
            }
        };
        Ok(text.map(|text| (way.spot, text)))
    }
}

const TRIES: usize = 8;
