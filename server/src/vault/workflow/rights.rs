//! Who may ask, and who may decide: looked up when it matters, never remembered.

use crate::domain::{
    AccessControl, Account, AccountId, Action, Approver, ApproverStanding, Decision, Lock,
    Operation, OrgId, RefusalReason, Request, Resource, ResourceId, Standing, Target, User, UserId,
    decide,
};
use crate::store::rows::Kept;
use crate::vault::book::Deed;
use crate::vault::find::{Found, NOBODY};
use crate::vault::{Caller, Vault, VaultError, Wanted};

/// Somebody who wants a password, or has it.
#[derive(Clone, Debug)]
pub(super) struct Requester {
    pub(super) id: UserId,
    pub(super) login: String,
}

/// What is decided about, as far as it is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thing {
    org: OrgId,
    resource: ResourceId,
    owner: Option<UserId>,
    account: AccountId,
}

impl Thing {
    pub(super) fn of(resource: &Resource, account: AccountId) -> Self {
        Self {
            org: resource.org,
            resource: resource.id,
            owner: resource.owner,
            account,
        }
    }
}

impl Vault {
    /// The user for whom `caller` asks: itself, or whom the operator names. Who is named must be
    /// one user who may retrieve it by itself.
    pub(super) async fn requester(
        &self,
        found: &Found,
        named: Option<&str>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Requester, VaultError> {
        if let Some(id) = caller.user() {
            let login = match caller.is_narrowed() {
                true => self.login_of(caller.org(), id).await?,
                false => caller.login().to_owned(),
            };
            if named.is_none_or(|named| named == login) {
                return Ok(Requester { id, login });
            }
            let why = RefusalReason::NotAllowed;
            return Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await);
        }
        let Some(named) = named else {
            let answer = VaultError::Invalid(NAME_ONE.to_owned());
            let why = RefusalReason::Invalid;
            return Err(self.refuse(deed, why, answer, caller).await);
        };
        let Some(user) = self.user_called(caller.org(), named).await? else {
            let (why, answer) = (RefusalReason::NoSuchThing, VaultError::NotFound("user"));
            return Err(self.refuse(deed, why, answer, caller).await);
        };
        let thing = Thing::of(&found.resource.record, found.account.record.id);
        let standing = self.standing_of(&user.record, thing).await?;
        if decide(Action::Retrieve, standing) != Decision::Allowed || !self.present(&user.record) {
            let answer = VaultError::Invalid(MAY_NOT.to_owned());
            let why = RefusalReason::NotShared;
            return Err(self.refuse(deed, why, answer, caller).await);
        }
        Ok(Requester {
            id: user.record.id,
            login: user.record.login(),
        })
    }

    /// The account about which `caller` may decide as an approver. To an approver who has no share
    /// of it, it is there; to others it is what it always is to them.
    pub(super) async fn find_to_decide(
        &self,
        wanted: &Wanted<'_>,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<Found, VaultError> {
        let (resource, account) = self.meant(wanted, caller.org()).await?;
        deed.found(resource.as_ref(), account.as_ref());
        // Asked whether it is there or not: a refusal costs the same.
        let may = self
            .may_decide(resource.as_ref(), account.as_ref(), caller)
            .await?;
        if let (Some(resource), Some(account), true) = (resource, account, may) {
            return Ok(Found {
                resource,
                account,
                ground: None,
            });
        }
        self.find(wanted, Action::See, deed, caller).await?;
        let why = RefusalReason::NotAllowed;
        Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await)
    }

    async fn may_decide(
        &self,
        resource: Option<&Kept<Resource>>,
        account: Option<&Kept<Account>>,
        caller: &Caller,
    ) -> Result<bool, VaultError> {
        if caller.is_narrowed() {
            return Ok(false);
        }
        let thing = Thing {
            org: caller.org(),
            resource: resource.map_or(NOBODY, |kept| kept.record.id),
            owner: resource.and_then(|kept| kept.record.owner),
            account: account.map_or(AccountId(0), |kept| kept.record.id),
        };
        let control = self.control_sought(thing.resource, thing.account).await?;
        self.may_approve(control.as_ref(), approver(caller), thing)
            .await
    }

    /// As [`Self::control_of`], and what is missing costs what is there.
    async fn control_sought(
        &self,
        resource: ResourceId,
        account: AccountId,
    ) -> Result<Option<AccessControl>, VaultError> {
        let mut found = None;
        for account in [Some(account), None] {
            let target = Target { resource, account };
            let key = self.rows.places().access_control(target);
            let kept = self.rows.seek::<AccessControl>(key).await?;
            found = found.or(kept.map(|kept| kept.record));
        }
        Ok(found)
    }

    /// Whether `approver` may decide about others' requests. Where access control was switched
    /// off, whoever manages the account may still end what is under way.
    pub(super) async fn may_approve(
        &self,
        control: Option<&AccessControl>,
        approver: Approver,
        thing: Thing,
    ) -> Result<bool, VaultError> {
        let standing = self.approver_standing(control, approver, thing).await?;
        Ok(match control {
            Some(control) => control.may_approve(approver, standing),
            None => standing.present && standing.manages,
        })
    }

    /// How many of a request's approvals count now.
    pub(super) async fn counted(
        &self,
        control: &AccessControl,
        request: &Request,
        resource: &Resource,
    ) -> Result<usize, VaultError> {
        let mut counted = 0;
        for approver in &request.approvals {
            let thing = Thing::of(resource, request.account);
            let standing = self
                .approver_standing(Some(control), *approver, thing)
                .await?;
            counted += usize::from(control.counts(*approver, request.requester, standing));
        }
        Ok(counted)
    }

    async fn approver_standing(
        &self,
        control: Option<&AccessControl>,
        approver: Approver,
        thing: Thing,
    ) -> Result<ApproverStanding, VaultError> {
        let Approver::User(id) = approver else {
            return Ok(ApproverStanding {
                present: true,
                manages: true,
                grouped: true,
            });
        };
        let key = self.rows.places().user(thing.org, id);
        let Some(user) = self.rows.get::<User>(key).await? else {
            return Ok(ApproverStanding {
                present: false,
                manages: false,
                grouped: false,
            });
        };
        let groups = control.map_or(&[][..], |control| &control.approver_groups);
        let standing = self.standing_of(&user.record, thing).await?;
        Ok(ApproverStanding {
            present: self.present(&user.record),
            manages: decide(Action::Manage, standing) == Decision::Allowed,
            grouped: self.is_in_one(&user.record, groups).await?,
        })
    }

    async fn standing_of(&self, user: &User, thing: Thing) -> Result<Standing, VaultError> {
        let who = (user.org, user.id);
        let ground = self
            .widest_share(who, thing.resource, Some(thing.account))
            .await?;
        Ok(Standing {
            role: user.role,
            scope: user.scope,
            owner: thing.owner == Some(user.id),
            share: ground.map(|ground| ground.level),
            within: None,
        })
    }

    fn present(&self, user: &User) -> bool {
        let now = self.clock.now();
        user.lock == Lock::Open && user.expires.is_none_or(|at| now < at)
    }
}

/// As whom `caller` approves.
pub(super) fn approver(caller: &Caller) -> Approver {
    caller.user().map_or(Approver::Operator, Approver::User)
}

/// A step of the workflow as the audit trail tells it.
pub(super) fn deed(operation: Operation, wanted: &Wanted<'_>) -> Deed {
    Deed::new(operation).on_wanted(wanted)
}

const NAME_ONE: &str = "the operator holds nothing itself: name the user for whom it is";
const MAY_NOT: &str = "this user may not retrieve it: share it with the user first";
