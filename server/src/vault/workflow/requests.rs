//! Raising, approving and rejecting requests.

use std::time::Duration;

use crate::domain::{AccessControl, Action, Operation, RefusalReason, State, Status, Step, Window};
use crate::vault::book::Deed;
use crate::vault::find::Found;
use crate::vault::workflow::rights::{Requester, deed};
use crate::vault::workflow::turn::Turn;
use crate::vault::workflow::words::fits;
use crate::vault::{Caller, UserRef, Vault, VaultError, Wanted};

impl Vault {
    /// Requests the account that is wanted, with the reason and ticket that are given; `named` is
    /// the user for whom the operator asks.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for whoever may not retrieve it; [`VaultError::ReasonRequired`],
    /// [`VaultError::TicketRequired`]; [`VaultError::Held`]; [`VaultError::Invalid`] when it is
    /// requested already, is not under access control, or says more than is kept of it;
    /// [`VaultError::NotFound`] when the named user is nobody.
    pub async fn request(
        &self,
        wanted: &Wanted<'_>,
        named: Option<&str>,
        caller: &Caller,
    ) -> Result<Status, VaultError> {
        self.request_within(wanted, (named, None), caller).await
    }

    /// As [`Self::request`], for a time that begins later: nobody checks it out before, and
    /// whoever has gives it back at its end.
    ///
    /// # Errors
    /// As for [`Self::request`]; [`VaultError::Invalid`] for a time that is no time, is over, or is
    /// too far away.
    pub async fn request_within(
        &self,
        wanted: &Wanted<'_>,
        (named, window): (Option<&str>, Option<Window>),
        caller: &Caller,
    ) -> Result<Status, VaultError> {
        let mut deed = deed(Operation::Request, wanted);
        if let Some(named) = named {
            deed = deed.detail(format!("for {named}"));
        }
        self.primary_only(&deed, caller).await?;
        let fit = self.is_to_come(window);
        if let Err(answer) = fit.and_then(|()| fits(wanted, &self.settings.load())) {
            let why = RefusalReason::Invalid;
            return Err(self.refuse(&deed, why, answer, caller).await);
        }
        let (found, requester, control) = self.asked_for(wanted, named, &mut deed, caller).await?;
        let demands = found.demands().and(control.reason, control.ticket);
        self.demand(demands, wanted, &deed, caller).await?;
        let turn = Turn {
            window,
            ..turn(&found, &requester, Step::Raise, wanted, &deed)
        };
        self.turn(&turn, caller).await?;
        Ok(Status::Waiting)
    }

    /// Whether that is a time that can come: from later, for at most as long as anything may be
    /// held, and no further away than a year.
    fn is_to_come(&self, window: Option<Window>) -> Result<(), VaultError> {
        let Some(Window { from, until }) = window else {
            return Ok(());
        };
        let now = self.clock.now();
        let wrong = match () {
            () if until <= from => "it ends before it begins",
            () if until <= now => "it is over",
            () if until.since(from) > AccessControl::LONGEST => "it is longer than 30 days",
            () if from.since(now) > FARTHEST => "it is more than a year away",
            () => return Ok(()),
        };
        Err(VaultError::Invalid(format!(
            "the time of the request: {wrong}"
        )))
    }

    /// Approves the request of the user `requester` for the account that is wanted; whoever
    /// approves twice counts once. Says whether enough have approved.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not approve it;
    /// [`VaultError::OwnRequest`]; [`VaultError::NotFound`] when there is no request.
    pub async fn approve(
        &self,
        wanted: &Wanted<'_>,
        requester: impl Into<UserRef<'_>>,
        caller: &Caller,
    ) -> Result<bool, VaultError> {
        let requester = requester.into();
        let deed = deed(Operation::Approve, wanted).detail(requester.words());
        let state = self
            .decided((wanted, requester), Step::Approve, deed, caller)
            .await?;
        Ok(matches!(state, State::Approved { .. }))
    }

    /// Rejects the request of the user `requester` for the account that is wanted.
    ///
    /// # Errors
    /// As for [`Self::approve`].
    pub async fn reject(
        &self,
        wanted: &Wanted<'_>,
        requester: impl Into<UserRef<'_>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let requester = requester.into();
        let deed = deed(Operation::Reject, wanted).detail(requester.words());
        self.decided((wanted, requester), Step::Reject, deed, caller)
            .await
            .map(drop)
    }

    /// Takes back what `caller` has requested and does not hold yet.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for whoever may not retrieve it; [`VaultError::NotFound`] when there
    /// is no request; [`VaultError::Held`] when it is checked out.
    pub async fn withdraw(&self, wanted: &Wanted<'_>, caller: &Caller) -> Result<(), VaultError> {
        let mut deed = deed(Operation::Request, wanted).detail("withdrawn");
        self.primary_only(&deed, caller).await?;
        let found = self
            .find(wanted, Action::Retrieve, &mut deed, caller)
            .await?;
        let requester = self.requester(&found, None, &deed, caller).await?;
        let turn = turn(&found, &requester, Step::Withdraw, wanted, &deed);
        self.turn(&turn, caller).await.map(drop)
    }

    /// Writes down that a request means nobody or nothing, or not just one thing, and gives the
    /// words back for the caller.
    pub async fn means_nothing(&self, words: &str, caller: &Caller) -> VaultError {
        let deed = Deed::new(Operation::Request).detail(words);
        let (why, answer) = (
            RefusalReason::NoSuchThing,
            VaultError::Invalid(words.to_owned()),
        );
        self.refuse(&deed, why, answer, caller).await
    }

    /// Makes an approver's step.
    pub(super) async fn decided(
        &self,
        (wanted, user): (&Wanted<'_>, UserRef<'_>),
        step: Step,
        mut deed: Deed,
        caller: &Caller,
    ) -> Result<State, VaultError> {
        self.primary_only(&deed, caller).await?;
        let found = self.find_to_decide(wanted, &mut deed, caller).await?;
        let Some(user) = self.user_meant(caller.org(), user).await? else {
            let (why, answer) = (RefusalReason::NoSuchThing, VaultError::NotFound("request"));
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        let requester = Requester {
            id: user.record.id,
            login: user.record.login(),
        };
        let deed = deed.detail(match step {
            Step::CheckIn => of(&requester.login),
            _ => requester.login.clone(),
        });
        if step != Step::CheckIn && caller.user() == Some(requester.id) {
            let why = RefusalReason::OwnRequest;
            return Err(self
                .refuse(&deed, why, VaultError::OwnRequest, caller)
                .await);
        }
        let turn = turn(&found, &requester, step, wanted, &deed);
        self.turn(&turn, caller).await
    }

    /// The account for which `caller` asks, for whom, and the access control that stands before it.
    pub(super) async fn asked_for(
        &self,
        wanted: &Wanted<'_>,
        named: Option<&str>,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<(Found, Requester, AccessControl), VaultError> {
        let found = self.find(wanted, Action::Retrieve, deed, caller).await?;
        let requester = self.requester(&found, named, deed, caller).await?;
        let (resource, account) = (found.resource.record.id, found.account.record.id);
        let Some(control) = self.control_of(resource, account).await? else {
            let answer = VaultError::Invalid(UNCONTROLLED.to_owned());
            return Err(self
                .refuse(deed, RefusalReason::Invalid, answer, caller)
                .await);
        };
        Ok((found, requester, control.record))
    }
}

/// Whose check-out is given back, as the audit trail tells it.
pub(super) fn of(login: impl AsRef<str>) -> String {
    format!("of {}", login.as_ref())
}

/// A step on what was found.
pub(super) fn turn<'a>(
    found: &'a Found,
    requester: &'a Requester,
    step: Step,
    wanted: &'a Wanted<'a>,
    deed: &'a Deed,
) -> Turn<'a> {
    Turn {
        resource: &found.resource.record,
        account: found.account.record.id,
        requester,
        step,
        window: None,
        wanted,
        deed,
    }
}

const FARTHEST: Duration = Duration::from_hours(366 * 24);
const UNCONTROLLED: &str = "access control is not switched on for it: retrieve it as it is";
