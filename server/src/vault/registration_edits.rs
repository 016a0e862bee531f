//! What registrations become: said anew, or as they were shown.

use crate::domain::{Application, ApplicationId, Lock, Operation, User};
use crate::store::rows::{Changes, Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::registrations::words;
use crate::vault::{Caller, NewRegistration, RegistrationView, Vault, VaultError};

impl Vault {
    /// Makes a registration what `new` says; in force on its very next request.
    ///
    /// # Errors
    /// As for [`Self::add_registration`]; [`VaultError::NotFound`] when there is none;
    /// [`VaultError::NotAllowed`] when it has anything by API key, for whoever does not reach
    /// everything: such a one may only lock or remove it.
    pub async fn put_registration(
        &self,
        id: ApplicationId,
        new: &NewRegistration,
        caller: &Caller,
    ) -> Result<RegistrationView, VaultError> {
        let deed = changing(id, new);
        self.primary_only(&deed, caller).await?;
        let kept = self.administered_registration(id, &deed, caller).await?;
        let changes = self.rows.changes();
        self.put_over((&kept, changes), new, &deed, caller).await
    }

    /// As [`Self::put_registration`], for whoever was shown as kept out what its user's lock keeps
    /// out, too: to say so again is to leave it to the user, and no lock of its own is opened by it.
    ///
    /// # Errors
    /// As for [`Self::put_registration`]; [`VaultError::Conflict`] when the user changes meanwhile.
    pub async fn put_shown_registration(
        &self,
        id: ApplicationId,
        new: &NewRegistration,
        caller: &Caller,
    ) -> Result<RegistrationView, VaultError> {
        let deed = changing(id, new);
        self.primary_only(&deed, caller).await?;
        let kept = self.administered_registration(id, &deed, caller).await?;
        let mut changes = self.rows.changes();
        let Some(user) = self.kept_out_by(&kept.record, new).await? else {
            return self.put_over((&kept, changes), new, &deed, caller).await;
        };
        // Whoever opens the user at the same time would leave nothing shut.
        changes.depend_on(&user);
        let left = NewRegistration {
            lock: Lock::Open,
            ..new.clone()
        };
        let words = format!("{}; {LEFT_TO_THE_USER}", words(&left));
        let deed = deed.detail(format!("change registration {id}: {words}"));
        self.put_over((&kept, changes), &left, &deed, caller).await
    }

    /// The user who alone keeps a registration out that is to be kept out.
    async fn kept_out_by(
        &self,
        before: &Application,
        new: &NewRegistration,
    ) -> Result<Option<Kept<User>>, VaultError> {
        let asked = new.lock == Lock::Locked && new.user == Some(before.inherits);
        if !asked || before.lock == Lock::Locked {
            return Ok(None);
        }
        let key = self.rows.places().user(before.org, before.inherits);
        let user = self.rows.get::<User>(key).await?;
        Ok(user.filter(|user| self.is_kept_out(&user.record)))
    }

    async fn put_over(
        &self,
        (kept, changes): (&Kept<Application>, Changes<'_>),
        new: &NewRegistration,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<RegistrationView, VaultError> {
        let after = match self.registered(Some(&kept.record), new, caller).await? {
            Ok(after) => after,
            Err((why, answer)) => return Err(self.refuse(deed, why, answer, caller).await),
        };
        self.not_widened((&kept.record, &after), deed, caller)
            .await?;
        self.allow(deed, caller).await?;
        let done = self.commit_registration((kept, changes), &after).await;
        self.settle(deed, done, caller).await?;
        self.registration_view(after).await
    }

    async fn commit_registration(
        &self,
        (kept, mut changes): (&Kept<Application>, Changes<'_>),
        after: &Application,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let old = places.application_by_name(after.org, &kept.record.name);
        let new = places.application_by_name(after.org, &after.name);
        if old != new {
            changes.clear(old);
            changes.add(new, &Ids(vec![after.id.0]))?;
        }
        changes.replace(kept, after)?;
        Ok(changes.commit().await?)
    }
}

fn changing(id: ApplicationId, new: &NewRegistration) -> Deed {
    let what = format!("change registration {id}: {}", words(new));
    Deed::new(Operation::Application).detail(what)
}

/// What the trail says of a lock that was asked for and is the user's.
const LEFT_TO_THE_USER: &str = "disabled asked, left to the user";
