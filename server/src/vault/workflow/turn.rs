//! Every step of a request is made here: read, decided by the pure state machine, recorded, and
//! committed only if nothing that it rests on has moved; otherwise read again.
//!
//! The custody row of an account is the fence: whatever removes a request, takes the password or
//! gives it back writes that row, and every step depends on it. It stays as long as its account, so
//! that its version never begins again.

use crate::domain::{
    AccessControl, Account, AccountId, ChangeAfter, Custody, Holder, Operation, RefusalReason,
    Request, Resource, SecretKind, Sight, Slip, State, Step, Timestamp, UserId, Window, step,
};
use crate::store::rows::Kept;
use crate::vault::book::Deed;
use crate::vault::change::Chosen;
use crate::vault::workflow::rights::{Requester, approver};
use crate::vault::{Caller, Hurdle, NewPassword, Vault, VaultError, Wanted};

/// A step that somebody wants to make.
pub(super) struct Turn<'a> {
    pub(super) resource: &'a Resource,
    pub(super) account: AccountId,
    pub(super) requester: &'a Requester,
    pub(super) step: Step,
    /// For which time, where it is a request for later.
    pub(super) window: Option<Window>,
    pub(super) wanted: &'a Wanted<'a>,
    pub(super) deed: &'a Deed,
}

/// All rows that a step rests on, as they were read.
struct Case {
    account: Kept<Account>,
    control: Option<Kept<AccessControl>>,
    request: Option<Kept<Request>>,
    custody: Option<Kept<Custody>>,
}

impl Vault {
    /// Makes the step, or says why not; recorded before it takes effect, and refused on the record
    /// where somebody else was quicker.
    pub(super) async fn turn(&self, turn: &Turn<'_>, caller: &Caller) -> Result<State, VaultError> {
        let mut recorded = false;
        for _ in 0..TRIES {
            let Some(case) = self.case(turn).await? else {
                let why = RefusalReason::NoSuchAccount;
                return Err(self
                    .refuse(turn.deed, why, VaultError::Refused, caller)
                    .await);
            };
            if self.ended_overdue(&case, caller).await? {
                continue;
            }
            let request = self.request_after(turn, &case, caller);
            let sight = self.sight(turn, &case, &request).await?;
            let state = case.request.as_ref().map(|kept| kept.record.state);
            let next = match step(state, turn.step, &sight) {
                Ok(next) => next,
                Err(slip) => return Err(self.slipped(slip, turn, caller).await),
            };
            if !recorded {
                self.allow(turn.deed, caller).await?;
                recorded = true;
            }
            let request = Request {
                state: next,
                ..request
            };
            match self.commit_turn(turn, &case, &request, caller).await {
                Ok(()) => return Ok(next),
                Err(VaultError::Conflict) => {}
                Err(other) => return self.settle(turn.deed, Err(other), caller).await,
            }
        }
        self.settle(turn.deed, Err(VaultError::Conflict), caller)
            .await
    }

    async fn case(&self, turn: &Turn<'_>) -> Result<Option<Case>, VaultError> {
        let (resource, account) = (turn.resource.id, turn.account);
        let places = self.rows.places();
        // The fence first: what is read after it is not older.
        let custody = self.rows.get(places.custody(resource, account)).await?;
        let key = places.request(resource, account, turn.requester.id);
        let request = self.rows.get(key).await?;
        let control = self.control_of(resource, account).await?;
        let kept = self.rows.get(places.account(resource, account)).await?;
        Ok(kept.map(|account| Case {
            account,
            control,
            request,
            custody,
        }))
    }

    /// Ends what is overdue before anything else happens to the account; whether there was any.
    async fn ended_overdue(&self, case: &Case, caller: &Caller) -> Result<bool, VaultError> {
        let now = self.clock.now();
        let Some(custody) = &case.custody else {
            return Ok(false);
        };
        if custody.record.overdue(now).next().is_none() {
            return Ok(false);
        }
        self.expire(custody, &[], caller.origin()).await?;
        Ok(true)
    }

    /// The request as it would be after the step, but for its state.
    fn request_after(&self, turn: &Turn<'_>, case: &Case, caller: &Caller) -> Request {
        let kept = case.request.as_ref().filter(|_| turn.step != Step::Raise);
        let mut request = kept.map_or_else(
            || Request {
                org: turn.resource.org,
                resource: turn.resource.id,
                account: turn.account,
                requester: turn.requester.id,
                raised: self.clock.now(),
                reason: turn.wanted.reason.to_owned(),
                ticket: turn.wanted.ticket.to_owned(),
                window: turn.window,
                approvals: Vec::new(),
                state: State::Expired,
            },
            |kept| kept.record.clone(),
        );
        let by = approver(caller);
        if turn.step == Step::Approve && !request.approvals.contains(&by) {
            request.approvals.push(by);
        }
        request
    }

    async fn sight(
        &self,
        turn: &Turn<'_>,
        case: &Case,
        request: &Request,
    ) -> Result<Sight, VaultError> {
        let now = self.clock.now();
        let mut sight = Sight {
            now,
            patience: self.settings.load().patience,
            longest: std::time::Duration::ZERO,
            counted: 0,
            needed: 1,
            in_use: None,
            window: request.window,
        };
        // Without access control nothing is approved any more; what is under way can end.
        if let Some(control) = case.control.as_ref().map(|kept| &kept.record) {
            sight.longest = control.longest;
            sight.needed = usize::from(control.approvals);
            sight.counted = self.counted(control, request, turn.resource).await?;
            sight.in_use = case
                .custody
                .as_ref()
                .and_then(|kept| in_the_way(control, &kept.record, turn.requester.id, now));
        }
        Ok(sight)
    }

    async fn slipped(&self, slip: Slip, turn: &Turn<'_>, caller: &Caller) -> VaultError {
        use RefusalReason as Why;
        let (why, answer) = match slip {
            Slip::Requested => (Why::Exists, VaultError::Invalid(REQUESTED.to_owned())),
            Slip::Held if caller.user() == Some(turn.requester.id) => {
                (Why::InUse, VaultError::Held)
            }
            Slip::Held => (Why::InUse, VaultError::InUse(turn.requester.login.clone())),
            Slip::NotRequested if turn.step == Step::CheckOut => {
                (Why::NotRequested, VaultError::Waiting(Hurdle::Request))
            }
            Slip::NotRequested => (Why::NotRequested, VaultError::NotFound("request")),
            Slip::NotHeld => (Why::NotRequested, VaultError::NotFound("check-out")),
            Slip::NotApproved => (Why::NotApproved, VaultError::Waiting(Hurdle::Approval)),
            Slip::NotYet => (Why::NotApproved, VaultError::Waiting(Hurdle::Time)),
            Slip::InUse(other) => match self.login_of(turn.resource.org, other).await {
                Ok(login) => (Why::InUse, VaultError::InUse(login)),
                Err(error) => return error,
            },
        };
        self.refuse(turn.deed, why, answer, caller).await
    }

    async fn commit_turn(
        &self,
        turn: &Turn<'_>,
        case: &Case,
        request: &Request,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let mut changes = self.rows.changes();
        if let Some(control) = &case.control {
            changes.depend_on(control);
        }
        let key = places.request(request.resource, request.account, request.requester);
        match &case.request {
            Some(kept) if request.state.has_ended() => changes.remove(kept),
            kept => changes.set(key, kept.as_ref(), request)?,
        }
        let custody = case.custody_after(request);
        let parting = match request.state {
            State::CheckedIn => {
                self.parting(turn.resource, &case.account.record, &custody)
                    .await?
            }
            _ => None,
        };
        match &parting {
            None => changes.depend_on(&case.account),
            Some(chosen) => {
                self.allow(&changed(turn.deed), caller).await?;
                self.add_version(&mut changes, &case.account, chosen, caller.user())?;
            }
        }
        if request.state == State::CheckedIn {
            let account = &case.account.record;
            self.due_after(&mut changes, account, &custody).await?;
        }
        match &case.custody {
            // These take nothing away that others rest on.
            Some(kept) if matches!(turn.step, Step::Raise | Step::Approve) => {
                changes.depend_on(kept);
            }
            kept => {
                let key = places.custody(request.resource, request.account);
                changes.set(key, kept.as_ref(), &custody.settled())?;
            }
        }
        Ok(changes.commit().await?)
    }

    /// The password that comes into force when the last holder has left, where that was promised.
    pub(super) async fn parting(
        &self,
        resource: &Resource,
        account: &Account,
        custody: &Custody,
    ) -> Result<Option<Chosen>, VaultError> {
        // No policy makes another file or key.
        if !custody.holders.is_empty() || account.kind != SecretKind::Password {
            return Ok(None);
        }
        match custody.change_after {
            // On the target it changes next: that is no part of this commit.
            None | Some(ChangeAfter::Remote) => Ok(None),
            Some(ChangeAfter::Local) => {
                let policy = self.policy_of(resource, Some(account)).await?;
                let chosen = self.choose(NewPassword::Generate, &policy, &account.name)?;
                Ok(Some(chosen?))
            }
        }
    }
}

impl Case {
    /// Who holds the password once `request` is as it will be.
    fn custody_after(&self, request: &Request) -> Custody {
        let mut custody = self.custody.as_ref().map_or_else(
            || Custody {
                org: request.org,
                resource: request.resource,
                account: request.account,
                holders: Vec::new(),
                change_after: None,
            },
            |kept| kept.record.without(request.requester),
        );
        if let State::CheckedOut { until, .. } = request.state {
            let user = request.requester;
            custody.holders.push(Holder { user, until });
        }
        if let Some(control) = &self.control {
            custody.change_after = custody.change_after.or(control.record.change_after);
        }
        custody
    }
}

/// Who keeps `requester` from taking it.
fn in_the_way(
    control: &AccessControl,
    custody: &Custody,
    requester: UserId,
    now: Timestamp,
) -> Option<UserId> {
    if control.exclusive || custody.holders.len() >= Custody::MOST_HOLDERS {
        return custody.held_by_other(requester, now);
    }
    None
}

fn changed(deed: &Deed) -> Deed {
    deed.beside(Operation::Change)
        .detail("local, after check-in")
}

/// What whoever asks again is told.
pub const REQUESTED: &str = "it is requested already";
const TRIES: usize = 256;
