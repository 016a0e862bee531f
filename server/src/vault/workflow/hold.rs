//! What stands before a retrieval where access control is on: only the holder passes.

use std::time::Duration;

use crate::domain::{
    AccessControl, Account, AccountId, Custody, Operation, RefusalReason, Request, ResourceId,
    State, Status, Target, UserId,
};
use crate::store::rows::Kept;
use crate::vault::book::Deed;
use crate::vault::find::Spot;
use crate::vault::{Caller, Hurdle, Vault, VaultError};

impl Vault {
    /// The custody by which `caller` holds what is at `spot`; `None` where there is no access
    /// control. Refused and written down where somebody else holds it, or nobody.
    pub(in crate::vault) async fn hold(
        &self,
        spot: &Spot,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Option<Kept<Custody>>, VaultError> {
        if caller.grant().is_some() {
            return self.undisturbed(spot, deed, caller).await;
        }
        let Some(control) = self.control_of(spot.resource, spot.account).await? else {
            return Ok(None);
        };
        let key = self.rows.places().custody(spot.resource, spot.account);
        let custody = self.rows.get::<Custody>(key).await?;
        let now = self.clock.now();
        let holds = |custody: &Kept<Custody>| {
            let mut holders = custody.record.holders.iter();
            holders.any(|holder| Some(holder.user) == caller.user() && now < holder.until)
        };
        if custody.as_ref().is_some_and(holds) {
            return Ok(custody);
        }
        let other = custody.filter(|_| control.record.exclusive);
        let other = other.and_then(|kept| kept.record.held_by_other(requester(caller), now));
        let (why, answer) = match other {
            Some(other) => {
                let login = self.login_of(caller.org(), other).await?;
                (RefusalReason::InUse, VaultError::InUse(login))
            }
            None => {
                let hurdle = self.hurdle(spot, caller).await?;
                (RefusalReason::NotApproved, VaultError::Waiting(hurdle))
            }
        };
        Err(self.refuse(deed, why, answer, caller).await)
    }

    /// What an API key was made for is given out without a request: whoever may switch access
    /// control off has made it. It changes nothing that somebody holds alone.
    async fn undisturbed(
        &self,
        spot: &Spot,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Option<Kept<Custody>>, VaultError> {
        if deed.is(Operation::Retrieve) {
            return Ok(None);
        }
        let Some(control) = self.control_of(spot.resource, spot.account).await? else {
            return Ok(None);
        };
        let key = self.rows.places().custody(spot.resource, spot.account);
        let custody = self.rows.get::<Custody>(key).await?;
        let custody = custody.filter(|_| control.record.exclusive);
        let now = self.clock.now();
        let holder = custody.and_then(|kept| kept.record.held_by_other(UserId(0), now));
        let Some(holder) = holder else {
            return Ok(None);
        };
        let login = self.login_of(caller.org(), holder).await?;
        let answer = VaultError::InUse(login);
        Err(self
            .refuse(deed, RefusalReason::InUse, answer, caller)
            .await)
    }

    /// That nobody has taken or given back the password since `hold` was read.
    pub(in crate::vault) async fn still_so(&self, hold: &Kept<Custody>) -> Result<(), VaultError> {
        let now = self.rows.get::<Custody>(hold.key.clone()).await?;
        if now.is_some_and(|now| now.version == hold.version) {
            return Ok(());
        }
        Err(VaultError::Waiting(Hurdle::Request))
    }

    /// What `caller` sees of an account's password.
    pub(in crate::vault) async fn status_of(
        &self,
        account: &Account,
        caller: &Caller,
    ) -> Result<Status, VaultError> {
        let Some(control) = self.control_of(account.resource, account.id).await? else {
            return Ok(Status::Readable);
        };
        let now = self.clock.now();
        let key = self.rows.places().custody(account.resource, account.id);
        let custody = self.rows.get::<Custody>(key).await?;
        let in_use = custody
            .filter(|_| control.record.exclusive)
            .and_then(|kept| kept.record.held_by_other(requester(caller), now));
        let own = self.own_state(account.resource, account.id, caller).await?;
        Ok(Status::of(own, in_use.is_some(), now))
    }

    /// The longest that an account may be held, where there is access control; for whoever has
    /// found it already.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn longest_hold(
        &self,
        resource: ResourceId,
        account: AccountId,
    ) -> Result<Option<Duration>, VaultError> {
        let control = self.control_of(resource, account).await?;
        Ok(control.map(|kept| kept.record.longest))
    }

    /// The access control in force: the account's own, or the resource's.
    pub(in crate::vault) async fn control_of(
        &self,
        resource: ResourceId,
        account: AccountId,
    ) -> Result<Option<Kept<AccessControl>>, VaultError> {
        for account in [Some(account), None] {
            let target = Target { resource, account };
            let key = self.rows.places().access_control(target);
            let kept = self.rows.get::<AccessControl>(key).await?;
            if kept.is_some() {
                return Ok(kept);
            }
        }
        Ok(None)
    }

    async fn hurdle(&self, spot: &Spot, caller: &Caller) -> Result<Hurdle, VaultError> {
        let own = self.own_state(spot.resource, spot.account, caller).await?;
        Ok(match own.map(|state| state.at(self.clock.now())) {
            Some(State::Requested { .. }) => Hurdle::Approval,
            Some(State::Approved { .. }) => Hurdle::CheckOut,
            None
            | Some(
                State::Rejected | State::CheckedOut { .. } | State::CheckedIn | State::Expired,
            ) => Hurdle::Request,
        })
    }

    async fn own_state(
        &self,
        resource: ResourceId,
        account: AccountId,
        caller: &Caller,
    ) -> Result<Option<State>, VaultError> {
        let Some(user) = caller.user() else {
            return Ok(None);
        };
        let key = self.rows.places().request(resource, account, user);
        let kept = self.rows.get::<Request>(key).await?;
        Ok(kept.map(|kept| kept.record.state))
    }
}

/// The operator is nobody's user: whoever holds something is somebody else.
fn requester(caller: &Caller) -> UserId {
    caller.user().unwrap_or(UserId(0))
}
