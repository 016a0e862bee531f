//! What a certificate user hears of that has logged in: as much as if it showed the keys that it
//! sees.

use crate::domain::{
    Account, AccountId, Application, Operation, RefusalReason, ResourceId, Retrievable, User,
};
use crate::store::rows::{Ids, Kept, RetrievableRow};
use crate::vault::book::Deed;
use crate::vault::keyed::Meant;
use crate::vault::users::last_number;
use crate::vault::{Caller, Keyed, Vault, VaultError};

impl Vault {
    /// The accounts that a certificate user may hear of, from where it comes: those of its own
    /// registrations that are to be seen.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] where there are none, [`VaultError::Invalid`] where there are more
    /// than `most`; [`VaultError::Unavailable`].
    pub async fn heard_by(&self, caller: &Caller, most: usize) -> Result<Vec<Keyed>, VaultError> {
        let heard = self.all_heard_by(caller, most.saturating_add(1)).await?;
        let (why, answer) = match heard.len() {
            0 => (RefusalReason::NotAllowed, VaultError::NotAllowed),
            count if count <= most => return Ok(heard),
            _ => {
                let text = format!("there are more than {most} accounts: listen by API keys");
                (RefusalReason::Invalid, VaultError::Invalid(text))
            }
        };
        let deed = Deed::new(Operation::Listen);
        Err(self.refuse(&deed, why, answer, caller).await)
    }

    /// At most `limit` of them.
    async fn all_heard_by(&self, caller: &Caller, limit: usize) -> Result<Vec<Keyed>, VaultError> {
        let (places, org) = (self.rows.places(), caller.org());
        let Some(id) = caller.user().filter(|_| self.settings.load().a2a_service) else {
            return Ok(Vec::new());
        };
        let Some(user) = self.rows.get::<User>(places.user(org, id)).await? else {
            return Ok(Vec::new());
        };
        let (mut heard, mut after) = (Vec::new(), None);
        loop {
            let prefix = places.applications(org);
            let page = self.rows.page::<Application>(&prefix, after.as_ref(), PAGE);
            let page = page.await?;
            let Some(last) = page.last() else {
                return Ok(heard);
            };
            after = Some(last.key.clone());
            for application in page.into_iter().map(|kept| kept.record) {
                if application.visible && application.inherits == id && heard.len() < limit {
                    let more = limit - heard.len();
                    let all = self.heard_of((&application, &user), more, caller);
                    heard.extend(all.await?);
                }
            }
        }
    }

    async fn heard_of(
        &self,
        (application, user): (&Application, &Kept<User>),
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<Keyed>, VaultError> {
        let places = self.rows.places();
        let prefix = places.retrievables_of(application.id);
        let mut heard = Vec::new();
        for index in self.rows.page::<Ids>(&prefix, None, limit).await? {
            let account = AccountId(last_number(&index.key));
            let resource = ResourceId(index.record.0.first().copied().unwrap_or_default());
            let place = places.retrievable(resource, account, application.id);
            let Some(kept) = self.rows.get::<RetrievableRow>(place).await? else {
                continue;
            };
            let Retrievable { from, .. } = kept.record.retrievable;
            let place = places.account(resource, account);
            let Some(account) = self.rows.get::<Account>(place).await? else {
                continue;
            };
            let meant = Meant {
                application: application.clone(),
                user: user.clone(),
                from,
                account: Some((resource, account.record)),
            };
            let generation = self.generation();
            if self
                .kept_from(&meant, false, &caller.origin)
                .await?
                .is_none()
            {
                let term = (caller.until(), generation);
                heard.push(self.keyed(meant, term, &caller.origin).await?);
            }
        }
        Ok(heard)
    }
}

const PAGE: usize = 256;
