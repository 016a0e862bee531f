//! Checking out and checking in.

use crate::domain::{Action, Operation, State, Status, Step, Timestamp};
use crate::vault::workflow::requests::{of, turn};
use crate::vault::workflow::rights::deed;
use crate::vault::{Caller, UserRef, Vault, VaultError, Wanted};

/// That a password is checked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedOut {
    /// Until when.
    pub until: Timestamp,
    /// The word for it in lists.
    pub status: Status,
}

impl Vault {
    /// Checks out the account that is wanted, for `caller` or, by the operator, for the user who
    /// is `named`: of all who try at once, one gets what is exclusive. The approvals are counted
    /// again. The password itself is then retrieved as always.
    ///
    /// # Errors
    /// As for [`Self::request`]; [`VaultError::Waiting`] when it is not requested, or not enough
    /// of those who may still approve have; [`VaultError::InUse`], [`VaultError::Held`].
    pub async fn check_out(
        &self,
        wanted: &Wanted<'_>,
        named: Option<&str>,
        caller: &Caller,
    ) -> Result<CheckedOut, VaultError> {
        let mut deed = deed(Operation::CheckOut, wanted);
        if let Some(named) = named {
            deed = deed.detail(format!("for {named}"));
        }
        self.primary_only(&deed, caller).await?;
        let (found, requester, _) = self.asked_for(wanted, named, &mut deed, caller).await?;
        let turn = turn(&found, &requester, Step::CheckOut, wanted, &deed);
        let until = match self.turn(&turn, caller).await? {
            State::CheckedOut { until, .. } => until,
            // The state machine leads nowhere else from here.
            _ => self.clock.now(),
        };
        Ok(CheckedOut {
            until,
            status: Status::Held,
        })
    }

    /// Gives back what `caller` holds.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for whoever may not retrieve it; [`VaultError::NotFound`] when the
    /// caller does not hold it.
    pub async fn check_in(
        &self,
        wanted: &Wanted<'_>,
        caller: &Caller,
    ) -> Result<Status, VaultError> {
        let mut deed = deed(Operation::CheckIn, wanted);
        self.primary_only(&deed, caller).await?;
        let found = self
            .find(wanted, Action::Retrieve, &mut deed, caller)
            .await?;
        let requester = self.requester(&found, None, &deed, caller).await?;
        let turn = turn(&found, &requester, Step::CheckIn, wanted, &deed);
        self.turn(&turn, caller).await?;
        Ok(Status::Request)
    }

    /// Takes back, as an approver, what the user `requester` holds.
    ///
    /// # Errors
    /// As for [`Self::approve`].
    pub async fn check_in_for(
        &self,
        wanted: &Wanted<'_>,
        requester: impl Into<UserRef<'_>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let requester = requester.into();
        let deed = deed(Operation::CheckIn, wanted).detail(of(requester.words()));
        self.decided((wanted, requester), Step::CheckIn, deed, caller)
            .await
            .map(drop)
    }
}
