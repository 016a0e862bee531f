//! From the names or ids a caller says to what it may act on: the same steps, and the same refusal,
//! whether the thing is missing or belongs to somebody else.

use crate::domain::{
    Account, AccountId, AccountName, Action, Decision, Level, OrgId, RefusalReason, Resource,
    ResourceId, ResourceName, SecretKind, SecretVersion, UserId, decide,
};
use crate::store::rows::{Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::ground::Ground;
use crate::vault::{AccountRef, Caller, ResourceRef, Vault, VaultError, Wanted};

/// An account with the resource it is on.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) resource: Kept<Resource>,
    pub(super) account: Kept<Account>,
    /// The share that was needed; none where the caller owns it or reaches everything.
    pub(super) ground: Option<Ground>,
}

/// Where a password is, and what is demanded for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) resource: ResourceId,
    pub(super) account: AccountId,
    pub(super) kind: SecretKind,
    pub(super) secret: SecretVersion,
    pub(super) demands: Demands,
}

/// Whether a reason and a ticket are demanded, where the account or its resource says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demands {
    reason: Option<bool>,
    ticket: Option<bool>,
}

impl Demands {
    /// The same, where something else demands a reason or a ticket, too.
    pub(super) fn and(self, reason: bool, ticket: bool) -> Self {
        Self {
            reason: if reason { Some(true) } else { self.reason },
            ticket: if ticket { Some(true) } else { self.ticket },
        }
    }
}

impl Found {
    pub(super) fn spot(&self) -> Spot {
        let account = &self.account.record;
        Spot {
            resource: account.resource,
            account: account.id,
            kind: account.kind,
            secret: account.secret,
            demands: self.demands(),
        }
    }

    pub(super) fn demands(&self) -> Demands {
        let (resource, account) = (&self.resource.record, &self.account.record);
        Demands {
            reason: account.reason_demanded.or(resource.reason_demanded),
            ticket: account.ticket_demanded.or(resource.ticket_demanded),
        }
    }
}

impl Vault {
    /// The account that is wanted, if `caller` may do `action` with it; refused and written down
    /// otherwise.
    pub(super) async fn find(
        &self,
        wanted: &Wanted<'_>,
        action: Action,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<Found, VaultError> {
        let (resource, account) = self.meant(wanted, caller.org()).await?;
        deed.found(resource.as_ref(), account.as_ref());
        let id = resource.as_ref().map_or(NOBODY, |kept| kept.record.id);
        let account_id = account
            .as_ref()
            .map_or(NO_ACCOUNT, |kept| caller.reached_as(&kept.record));
        let owner = resource.as_ref().and_then(|kept| kept.record.owner);
        let place = (owner, id, Some(account_id));
        let (decision, ground) = self.decision(action, place, caller).await?;
        let why = match (resource, account, decision) {
            (Some(resource), Some(account), Decision::Allowed) => {
                return Ok(Found {
                    resource,
                    account,
                    ground,
                });
            }
            // Before what is missing: it is all one to whoever is not allowed to look for it.
            (_, _, Decision::Denied) => {
                let why = RefusalReason::NotAllowed;
                return Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await);
            }
            (None, _, _) => RefusalReason::NoSuchResource,
            (Some(_), None, _) => RefusalReason::NoSuchAccount,
            (Some(_), Some(_), Decision::Hidden) => RefusalReason::NotShared,
        };
        Err(self.refuse(deed, why, VaultError::Refused, caller).await)
    }

    /// The resource that is meant, if `caller` may do `action` with it as a whole.
    pub(super) async fn find_resource(
        &self,
        resource: ResourceRef<'_>,
        action: Action,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<Kept<Resource>, VaultError> {
        let resource = self.resource_meant(caller.org(), resource).await?;
        deed.found(resource.as_ref(), None);
        let id = resource.as_ref().map_or(NOBODY, |kept| kept.record.id);
        let owner = resource.as_ref().and_then(|kept| kept.record.owner);
        let (decision, _) = self.decision(action, (owner, id, None), caller).await?;
        let (why, answer) = match (resource, decision) {
            (Some(resource), Decision::Allowed) => return Ok(resource),
            (_, Decision::Denied) => (RefusalReason::NotAllowed, VaultError::NotAllowed),
            (None, _) => (RefusalReason::NoSuchResource, VaultError::Refused),
            (Some(_), Decision::Hidden) => (RefusalReason::NotShared, VaultError::Refused),
        };
        Err(self.refuse(deed, why, answer, caller).await)
    }

    /// The resource that is meant, if `caller` may see that it is there: because of one account of
    /// it, too.
    pub(super) async fn find_visible(
        &self,
        resource: ResourceRef<'_>,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<Kept<Resource>, VaultError> {
        let resource = self.resource_meant(caller.org(), resource).await?;
        deed.found(resource.as_ref(), None);
        let id = resource.as_ref().map_or(NOBODY, |kept| kept.record.id);
        let owner = resource.as_ref().and_then(|kept| kept.record.owner);
        let visible = self.may_see(owner, id, caller).await?;
        let why = match resource {
            Some(resource) if visible => return Ok(resource),
            Some(_) => RefusalReason::NotShared,
            None => RefusalReason::NoSuchResource,
        };
        Err(self.refuse(deed, why, VaultError::Refused, caller).await)
    }

    /// What is wanted, as far as it is there: always as many look-ups, and each costs the same
    /// whether it finds something, so that what is missing, another organisation's and what is not
    /// shared take as long.
    pub(super) async fn meant(
        &self,
        wanted: &Wanted<'_>,
        org: OrgId,
    ) -> Result<(Option<Kept<Resource>>, Option<Kept<Account>>), VaultError> {
        let resource = match (wanted.resource, wanted.account) {
            (ResourceRef::OfAccount, AccountRef::Id(account)) => {
                self.resource_of(org, account).await?
            }
            (resource, _) => self.resource_meant(org, resource).await?,
        };
        let id = resource.as_ref().map_or(NOBODY, |kept| kept.record.id);
        let account = match wanted.account {
            AccountRef::Named(name) => self.account_called(id, name).await?,
            AccountRef::Id(account) => {
                let key = self.rows.places().account(id, account);
                self.rows.seek::<Account>(key).await?
            }
        };
        Ok((resource, account))
    }

    async fn resource_meant(
        &self,
        org: OrgId,
        resource: ResourceRef<'_>,
    ) -> Result<Option<Kept<Resource>>, VaultError> {
        match resource {
            ResourceRef::Named(name) => self.resource_called(org, name).await,
            ResourceRef::Id(id) => {
                let key = self.rows.places().resource(org, id);
                Ok(self.rows.seek::<Resource>(key).await?)
            }
            ResourceRef::OfAccount => self.resource_of(org, NO_ACCOUNT).await,
        }
    }

    /// The resource that an account is on. The index spans all organisations; the resource is
    /// sought in the caller's.
    async fn resource_of(
        &self,
        org: OrgId,
        account: AccountId,
    ) -> Result<Option<Kept<Resource>>, VaultError> {
        let places = self.rows.places();
        let index = self.rows.seek::<Ids>(places.account_by_id(account)).await?;
        let id = index.and_then(|kept| kept.record.0.first().copied());
        let id = id.map_or(NOBODY, ResourceId);
        Ok(self.rows.seek::<Resource>(places.resource(org, id)).await?)
    }

    /// Whether `caller` may do `action` there, and by which share. Shares are looked up for
    /// whoever needs one: what is
    /// missing is nobody's own, so it costs what it costs where nothing is shared.
    async fn decision(
        &self,
        action: Action,
        (owner, resource, account): (Option<UserId>, ResourceId, Option<AccountId>),
        caller: &Caller,
    ) -> Result<(Decision, Option<Ground>), VaultError> {
        let alone = decide(action, caller.standing(owner, None));
        if alone == Decision::Allowed {
            return Ok((alone, None));
        }
        let ground = self.ground_of(caller, resource, account).await?;
        let share = ground.map(|ground| ground.level);
        Ok((decide(action, caller.standing(owner, share)), ground))
    }

    /// Demands the reason and the ticket that the account, its resource or the system asks for.
    pub(super) async fn demand(
        &self,
        demands: Demands,
        wanted: &Wanted<'_>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let settings = self.settings.load();
        let missing = |demanded: Option<bool>, system: bool, given: &str| {
            demanded.unwrap_or(system) && given.trim().is_empty()
        };
        // Whoever made the grant has said what it is for.
        let reason = match (caller.grant(), wanted.reason) {
            (Some(_), "") => GRANTED,
            (_, reason) => reason,
        };
        if missing(demands.reason, settings.reason_demanded, reason) {
            let why = RefusalReason::ReasonMissing;
            return Err(self
                .refuse(deed, why, VaultError::ReasonRequired, caller)
                .await);
        }
        if missing(demands.ticket, settings.ticket_demanded, wanted.ticket) {
            let why = RefusalReason::TicketMissing;
            return Err(self
                .refuse(deed, why, VaultError::TicketRequired, caller)
                .await);
        }
        Ok(())
    }

    pub(super) async fn resource_called(
        &self,
        org: OrgId,
        name: &str,
    ) -> Result<Option<Kept<Resource>>, VaultError> {
        let Ok(name) = ResourceName::parse(name) else {
            return Ok(None);
        };
        let kept = self.resource_in_any_spelling(org, &name).await?;
        // The index finds every spelling; a caller must know the one that was given.
        Ok(kept.filter(|kept| kept.record.name == name))
    }

    pub(super) async fn resource_in_any_spelling(
        &self,
        org: OrgId,
        name: &ResourceName,
    ) -> Result<Option<Kept<Resource>>, VaultError> {
        let places = self.rows.places();
        let index = self
            .rows
            .seek::<Ids>(places.resource_by_name(org, name))
            .await?;
        let id = index.and_then(|kept| kept.record.0.first().copied());
        let id = id.map_or(NOBODY, ResourceId);
        Ok(self.rows.seek::<Resource>(places.resource(org, id)).await?)
    }

    pub(super) async fn account_called(
        &self,
        resource: ResourceId,
        name: &str,
    ) -> Result<Option<Kept<Account>>, VaultError> {
        let Ok(name) = AccountName::parse(name) else {
            return Ok(None);
        };
        let places = self.rows.places();
        let index = self
            .rows
            .seek::<Ids>(places.account_by_name(resource, &name))
            .await?;
        let id = index.and_then(|kept| kept.record.0.first().copied());
        let id = AccountId(id.unwrap_or(0));
        let kept = self
            .rows
            .seek::<Account>(places.account(resource, id))
            .await?;
        Ok(kept.filter(|kept| kept.record.name == name))
    }

    /// What the widest share allows that `caller` has of a resource or one of its accounts.
    pub(super) async fn share_of(
        &self,
        caller: &Caller,
        resource: ResourceId,
        account: Option<AccountId>,
    ) -> Result<Option<Level>, VaultError> {
        let ground = self.ground_of(caller, resource, account).await?;
        Ok(ground.map(|ground| ground.level))
    }

    async fn ground_of(
        &self,
        caller: &Caller,
        resource: ResourceId,
        account: Option<AccountId>,
    ) -> Result<Option<Ground>, VaultError> {
        let Some(user) = caller.user().filter(|_| !caller.reaches_all()) else {
            return Ok(None);
        };
        if let Some(grant) = caller.grant() {
            let reached = grant.resource == resource && account == Some(grant.account);
            return Ok(reached.then(|| Ground::of(grant, user)));
        }
        self.widest_share((caller.org(), user), resource, account)
            .await
    }
}

const GRANTED: &str = "an API key";
/// An id that nothing has.
pub(super) const NOBODY: ResourceId = ResourceId(0);
/// An id that no account has.
const NO_ACCOUNT: AccountId = AccountId(0);
