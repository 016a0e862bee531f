//! Who may ask, and who may decide: looked up when it matters, never remembered.

use crate::domain::{
    AccessControl, AccountId, Action, Approver, ApproverStanding, Decision, Lock, Operation,
    RefusalReason, Request, Resource, Standing, User, UserId, decide,
};
use crate::vault::book::Deed;
use crate::vault::find::Found;
use crate::vault::{Caller, Vault, VaultError, Wanted};

/// Somebody who wants a password, or has it.
#[derive(Clone, Debug)]
pub(super) struct Requester {
    pub(super) id: UserId,
    pub(super) login: String,
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
            let login = caller.login().to_owned();
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
        let (resource, account) = (&found.resource.record, found.account.record.id);
        let standing = self.standing_of(&user.record, resource, account).await?;
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
        if let (Some(resource), Some(account)) = (resource, account) {
            let found = Found {
                resource,
                account,
                ground: None,
            };
            if self.may_decide(&found, caller).await? {
                return Ok(found);
            }
        }
        self.find(wanted, Action::See, deed, caller).await?;
        let why = RefusalReason::NotAllowed;
        Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await)
    }

    async fn may_decide(&self, found: &Found, caller: &Caller) -> Result<bool, VaultError> {
        if caller.is_narrowed() {
            return Ok(false);
        }
        let (resource, account) = (&found.resource.record, found.account.record.id);
        let control = self.control_of(resource.id, account).await?;
        let control = control.map(|kept| kept.record);
        self.may_approve(control.as_ref(), approver(caller), resource, account)
            .await
    }

    /// Whether `approver` may decide about others' requests. Where access control was switched
    /// off, whoever manages the account may still end what is under way.
    pub(super) async fn may_approve(
        &self,
        control: Option<&AccessControl>,
        approver: Approver,
        resource: &Resource,
        account: AccountId,
    ) -> Result<bool, VaultError> {
        let standing = self.approver_standing(approver, resource, account).await?;
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
            let standing = self
                .approver_standing(*approver, resource, request.account)
                .await?;
            counted += usize::from(control.counts(*approver, request.requester, standing));
        }
        Ok(counted)
    }

    async fn approver_standing(
        &self,
        approver: Approver,
        resource: &Resource,
        account: AccountId,
    ) -> Result<ApproverStanding, VaultError> {
        let Approver::User(id) = approver else {
            return Ok(ApproverStanding {
                present: true,
                manages: true,
            });
        };
        let key = self.rows.places().user(resource.org, id);
        let Some(user) = self.rows.get::<User>(key).await? else {
            return Ok(ApproverStanding {
                present: false,
                manages: false,
            });
        };
        let standing = self.standing_of(&user.record, resource, account).await?;
        Ok(ApproverStanding {
            present: self.present(&user.record),
            manages: decide(Action::Manage, standing) == Decision::Allowed,
        })
    }

    async fn standing_of(
        &self,
        user: &User,
        resource: &Resource,
        account: AccountId,
    ) -> Result<Standing, VaultError> {
        let who = (user.org, user.id);
        let ground = self.widest_share(who, resource.id, Some(account)).await?;
        Ok(Standing {
            role: user.role,
            scope: user.scope,
            owner: resource.owner == Some(user.id),
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
