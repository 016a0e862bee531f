//! Access policies: shares with a group and access control on many accounts, made and taken back as
//! one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::domain::{
    AccessControl, AccessPolicy, AccessPolicyId, Account, AccountId, FreeText, Grantee, Group,
    GroupId, Level, Operation, PolicyItem, PolicyName, RefusalReason, Resource, ResourceId,
    SecretKind, Share, Target, beside,
};
use crate::store::rows::{Changes, Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::id_block::IdKind;
use crate::vault::shares::KeptTarget;
use crate::vault::workflow::control::{TOO_FEW, check, words};
use crate::vault::{
    AccountRef, Caller, NewAccessControl, ResourceRef, TargetRef, Vault, VaultError,
};

/// An access policy to be made.
#[derive(Clone, Debug)]
pub struct NewAccessPolicy {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who may request.
    pub group: GroupId,
    /// Which secret of the accounts: themselves, or what stands beside them.
    pub kind: SecretKind,
    /// The accounts.
    pub accounts: Vec<AccountId>,
    /// On what terms.
    pub terms: NewAccessControl,
}

/// An access policy as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPolicyView {
    /// The policy.
    pub policy: AccessPolicy,
    /// The group's name.
    pub group: String,
    /// Those of its accounts that are still there, with their resources.
    pub accounts: Vec<(Resource, Account)>,
}

/// An account that a policy is to be about, as it was read.
struct Piece {
    target: KeptTarget,
    share: Option<Kept<Share>>,
    control: Option<Kept<AccessControl>>,
    item: PolicyItem,
    /// What is to be written down of it, where it is shared with the group by this.
    told: Option<Deed>,
}

impl Vault {
    /// Makes an access policy: the group may view every account, on these terms.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for whoever does not administer, or does not manage an account;
    /// [`VaultError::Refused`] for an account that is not there; [`VaultError::NotFound`] for a
    /// group that is not; [`VaultError::Invalid`], also where an account is under other terms.
    pub async fn add_access_policy(
        &self,
        new: &NewAccessPolicy,
        caller: &Caller,
    ) -> Result<AccessPolicyView, VaultError> {
        let deed = deed(format!("policy {}: {}", new.name, words(&new.terms)));
        self.primary_only(&deed, caller).await?;
        self.administer(&deed, caller).await?;
        let policies = self.all_policies(caller).await?;
        let group = self.policy_group(new.group, &deed, caller).await?;
        let mut policy = match self.draft_policy(new, policies.len(), caller) {
            Ok(policy) => policy,
            Err(answer) => {
                let why = RefusalReason::Invalid;
                return Err(self.refuse(&deed, why, answer, caller).await);
            }
        };
        policy.terms.approvers = self.approvers_named(&new.terms, &deed, caller).await?;
        policy.terms.approver_groups = self.groups_named(&new.terms, &deed, caller).await?;
        if policy.terms.names_too_few() {
            return Err(self.invalid(TOO_FEW, &deed, caller).await);
        }
        let mut pieces: Vec<Piece> = Vec::with_capacity(new.accounts.len());
        for account in &new.accounts {
            let told = (&policy, policies.as_slice());
            let piece = self.piece(*account, told, &deed, caller).await?;
            // An account and what stands beside it may mean the same.
            if pieces
                .iter()
                .all(|other| other.item.account != piece.item.account)
            {
                pieces.push(piece);
            }
        }
        policy.items = pieces.iter().map(|piece| piece.item).collect();
        policy.terms.target = pieces
            .first()
            .map_or(policy.terms.target, |it| it.target.target());
        policy.id = AccessPolicyId(self.next_id(IdKind::AccessPolicy).await?);
        let changes = self.policy_changes(&policy, &group, &pieces)?;
        let shared = pieces.into_iter().filter_map(|piece| piece.told);
        let deeds: Vec<_> = shared.chain([deed]).collect();
        self.commit_told(&deeds, changes, caller).await?;
        self.policy_view(policy).await
    }

    /// The access policies.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`].
    pub async fn access_policies(
        &self,
        caller: &Caller,
    ) -> Result<Vec<AccessPolicyView>, VaultError> {
        let deed = Deed::new(Operation::List).detail("access policies");
        self.administer(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        let mut views = Vec::new();
        for kept in self.all_policies(caller).await? {
            views.push(self.policy_view(kept.record).await?);
        }
        Ok(views)
    }

    /// An access policy.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn access_policy(
        &self,
        id: AccessPolicyId,
        caller: &Caller,
    ) -> Result<AccessPolicyView, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("access policy {id}"));
        let kept = self.administered_policy(id, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        self.policy_view(kept.record).await
    }

    /// Takes an access policy back, with the shares and the access control that came with it and
    /// that no other policy needs. Access control that was set otherwise since stays.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for whoever does not administer, or does not manage an account;
    /// [`VaultError::NotFound`].
    pub async fn remove_access_policy(
        &self,
        id: AccessPolicyId,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let told = deed(format!("remove policy {id}"));
        self.primary_only(&told, caller).await?;
        let kept = self.administered_policy(id, &told, caller).await?;
        let told = deed(format!("remove policy {}", kept.record.name));
        let mut others = self.all_policies(caller).await?;
        others.retain(|other| other.record.id != id);
        let mut changes = self.rows.changes();
        changes.remove(&kept);
        for other in others.iter().filter(|it| overlap(&it.record, &kept.record)) {
            // Of two that are taken back at once, each would leave it to the other.
            changes.depend_on(other);
        }
        let mut deeds = Vec::new();
        for item in &kept.record.items {
            changes.clear(self.rows.places().access_policy_of(item.account, id));
            let policies = (&kept.record, others.as_slice());
            let back = self
                .take_back(*item, policies, &mut changes, caller)
                .await?;
            deeds.extend(back);
        }
        deeds.push(told);
        self.commit_told(&deeds, changes, caller).await
    }

    /// Writes all of these down, and commits then; what fails has failed for each of them.
    async fn commit_told(
        &self,
        deeds: &[Deed],
        changes: Changes<'_>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        for deed in deeds {
            self.allow(deed, caller).await?;
        }
        let mut done = changes.commit().await.map_err(VaultError::from);
        for deed in deeds {
            done = self.settle(deed, done, caller).await;
        }
        done
    }

    /// The access policies for a group, for whoever may take back every one of them.
    ///
    /// # Errors
    /// As for [`Self::remove_access_policy`], where one of them may not be taken back.
    pub async fn removable_policies(
        &self,
        group: GroupId,
        caller: &Caller,
    ) -> Result<Vec<AccessPolicyId>, VaultError> {
        let told = deed(format!("remove the policies for group {group}"));
        self.primary_only(&told, caller).await?;
        self.administer(&told, caller).await?;
        let mut ids = Vec::new();
        for kept in self.all_policies(caller).await? {
            if kept.record.group != group {
                continue;
            }
            for item in &kept.record.items {
                self.given(*item, &kept.record, caller).await?;
            }
            ids.push(kept.record.id);
        }
        Ok(ids)
    }

    /// Which policies say on what terms accounts are given out that `caller` was shown: of several,
    /// the first that was made. Each is read once, and others not at all.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn policies_over(
        &self,
        accounts: &[AccountId],
        caller: &Caller,
    ) -> Result<HashMap<AccountId, (AccessPolicyId, PolicyName)>, VaultError> {
        let places = self.rows.places();
        let (mut found, mut known) = (HashMap::new(), HashMap::new());
        for account in accounts {
            if found.contains_key(account) {
                continue;
            }
            let theirs = places.access_policies_of(*account);
            let page = self.rows.page::<Ids>(&theirs, None, 1).await?;
            let first = page.first().and_then(|kept| kept.key.number_at(1));
            let Some(id) = first.map(AccessPolicyId) else {
                continue;
            };
            if let Entry::Vacant(unread) = known.entry(id) {
                let key = places.access_policy(caller.org(), id);
                let kept = self.rows.get::<AccessPolicy>(key).await?;
                unread.insert(kept.map(|kept| kept.record.name));
            }
            if let Some(Some(name)) = known.get(&id) {
                found.insert(*account, (id, name.clone()));
            }
        }
        Ok(found)
    }

    fn draft_policy(
        &self,
        new: &NewAccessPolicy,
        there: usize,
        caller: &Caller,
    ) -> Result<AccessPolicy, VaultError> {
        let invalid = |why: &str| VaultError::Invalid(why.to_owned());
        check(&new.terms).map_err(invalid)?;
        if new.accounts.is_empty() || new.accounts.len() > AccessPolicy::MOST_ITEMS {
            return Err(invalid("a policy is about 1 to 50 accounts"));
        }
        if there >= MOST_POLICIES {
            return Err(invalid("there are 1000 access policies already"));
        }
        let named = |error: crate::domain::NameError| VaultError::Invalid(error.to_string());
        let terms = &new.terms;
        Ok(AccessPolicy {
            id: AccessPolicyId(0),
            org: caller.org(),
            name: PolicyName::parse(&new.name).map_err(named)?,
            description: FreeText::parse(&new.description).map_err(named)?,
            group: new.group,
            kind: new.kind,
            items: Vec::new(),
            terms: AccessControl {
                org: caller.org(),
                target: Target {
                    resource: ResourceId(0),
                    account: None,
                },
                approvers: Vec::new(),
                approver_groups: Vec::new(),
                approvals: terms.approvals,
                exclusive: terms.exclusive,
                longest: terms.longest,
                reason: terms.reason,
                ticket: terms.ticket,
                change_after: terms.change_after,
            },
            created: self.clock.now(),
        })
    }

    /// What there is of an account that a policy is to be about; each that is shared by it is a
    /// record of its own.
    async fn piece(
        &self,
        account: AccountId,
        (policy, others): (&AccessPolicy, &[Kept<AccessPolicy>]),
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Piece, VaultError> {
        let name = self.beside_named(account, policy.kind, caller).await?;
        let target = TargetRef {
            resource: ResourceRef::OfAccount,
            account: Some(AccountRef::Id(account)),
        };
        let mut told = Deed::new(Operation::Share)
            .on_target(&target)
            .detail(format!("{} to policy {}", Level::View, policy.name));
        let mut kept = self.kept_target(&target, &mut told, caller).await?;
        if let Some(name) = name {
            let resource = ResourceRef::Id(kept.target().resource);
            let target = TargetRef {
                resource,
                account: Some(AccountRef::Named(&name)),
            };
            kept = self.kept_target(&target, &mut told, caller).await?;
        }
        if let Some(why) = self.unkept(policy.terms.change_after, &kept).await? {
            return Err(self.invalid(why, deed, caller).await);
        }
        let target = kept.target();
        self.manages_what_is_stricter(target, deed, caller).await?;
        let with = Grantee::Group(policy.group);
        let places = self.rows.places();
        let share = self.rows.get::<Share>(places.share(target, with)).await?;
        let control = self
            .rows
            .get::<AccessControl>(places.access_control(target));
        let control = control.await?;
        let id = target.account.unwrap_or(account);
        let wanted = policy.control(target);
        if control.as_ref().is_some_and(|kept| kept.record != wanted) {
            return Err(self.invalid(OTHER_TERMS, deed, caller).await);
        }
        let item = PolicyItem {
            resource: target.resource,
            account: id,
            shared: share.is_none() || is_theirs(others, id, |it| it.shared, Some(policy.group)),
            controlled: control.is_none() || others.iter().any(|other| sets(other, &wanted)),
        };
        Ok(Piece {
            told: share.is_none().then_some(told),
            target: kept,
            share,
            control,
            item,
        })
    }

    /// The name of what stands beside an account, where a policy is about that.
    async fn beside_named(
        &self,
        account: AccountId,
        kind: SecretKind,
        caller: &Caller,
    ) -> Result<Option<String>, VaultError> {
        let (_, account) = self.located(account, caller).await?;
        if account.kind == kind {
            return Ok(None);
        }
        let name = match kind {
            SecretKind::SshKey => beside::ssh_key(&account.name),
            SecretKind::ApiKey => beside::api_key(&account.name, 1),
            SecretKind::Password | SecretKind::File => return Ok(None),
        };
        let name = name.map_err(|error| VaultError::Invalid(error.to_string()))?;
        Ok(Some(name.to_string()))
    }

    fn policy_changes(
        &self,
        policy: &AccessPolicy,
        group: &Kept<Group>,
        pieces: &[Piece],
    ) -> Result<Changes<'_>, VaultError> {
        let places = self.rows.places();
        let with = Grantee::Group(policy.group);
        let mut changes = self.rows.changes();
        changes.depend_on(group);
        changes.add(places.access_policy(policy.org, policy.id), policy)?;
        for piece in pieces {
            let target = piece.target.target();
            piece.target.is_there(&mut changes);
            let key = places.access_policy_of(piece.item.account, policy.id);
            changes.add(key, &Ids::default())?;
            match &piece.share {
                // Its next version: whoever takes it back at the same time has read another.
                Some(kept) => changes.replace(kept, &kept.record)?,
                None => {
                    let level = Level::View;
                    let share = Share {
                        target,
                        with,
                        level,
                    };
                    changes.add(places.share(target, with), &share)?;
                    changes.add(places.share_by(with, target), &Ids(Vec::new()))?;
                }
            }
            let control = policy.control(target);
            let key = places.access_control(target);
            changes.set(key, piece.control.as_ref(), &control)?;
        }
        Ok(changes)
    }

    /// Takes back what one account got by a policy, and says what is to be written down of it.
    async fn take_back(
        &self,
        item: PolicyItem,
        (policy, others): (&AccessPolicy, &[Kept<AccessPolicy>]),
        changes: &mut Changes<'_>,
        caller: &Caller,
    ) -> Result<Vec<Deed>, VaultError> {
        let (places, mut deeds) = (self.rows.places(), Vec::new());
        let Some((target, told)) = self.given(item, policy, caller).await? else {
            return Ok(deeds);
        };
        let off = told.beside(Operation::AccessControl);
        let with = Grantee::Group(policy.group);
        let all = |_: &PolicyItem| true;
        let share = self.rows.get::<Share>(places.share(target, with)).await?;
        let goes = item.shared && !is_theirs(others, item.account, all, Some(policy.group));
        if let Some(share) = share.filter(|_| goes) {
            changes.remove(&share);
            changes.clear(places.share_by(with, target));
            deeds.push(told);
        }
        if !item.controlled || is_theirs(others, item.account, all, None) {
            return Ok(deeds);
        }
        let key = places.access_control(target);
        let control = self.rows.get::<AccessControl>(key).await?;
        // What somebody set otherwise since is no policy's any more.
        if let Some(control) = control.filter(|kept| kept.record == policy.control(target)) {
            deeds.push(off.detail(format!("off, with policy {}", policy.name)));
            changes.remove(&control);
        }
        Ok(deeds)
    }

    /// An account that a policy gave, if it is still there, for whoever manages it; and what is told
    /// of its being taken back.
    async fn given(
        &self,
        item: PolicyItem,
        policy: &AccessPolicy,
        caller: &Caller,
    ) -> Result<Option<(Target, Deed)>, VaultError> {
        let key = self.rows.places().account(item.resource, item.account);
        if self.rows.get::<Account>(key).await?.is_none() {
            return Ok(None);
        }
        let target = TargetRef {
            resource: ResourceRef::Id(item.resource),
            account: Some(AccountRef::Id(item.account)),
        };
        let mut told = Deed::new(Operation::Unshare)
            .on_target(&target)
            .detail(format!("policy {}", policy.name));
        let target = self.target(&target, &mut told, caller).await?;
        Ok(Some((target, told)))
    }

    async fn invalid(&self, why: &str, deed: &Deed, caller: &Caller) -> VaultError {
        let answer = VaultError::Invalid(why.to_owned());
        self.refuse(deed, RefusalReason::Invalid, answer, caller)
            .await
    }

    async fn policy_group(
        &self,
        id: GroupId,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<Group>, VaultError> {
        let key = self.rows.places().group(caller.org(), id);
        if let Some(kept) = self.rows.get::<Group>(key).await? {
            return Ok(kept);
        }
        let (why, answer) = (RefusalReason::NoSuchThing, VaultError::NotFound("role"));
        Err(self.refuse(deed, why, answer, caller).await)
    }

    async fn administered_policy(
        &self,
        id: AccessPolicyId,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<AccessPolicy>, VaultError> {
        self.administer(deed, caller).await?;
        let key = self.rows.places().access_policy(caller.org(), id);
        if let Some(kept) = self.rows.get::<AccessPolicy>(key).await? {
            return Ok(kept);
        }
        let answer = VaultError::NotFound("access policy");
        let why = RefusalReason::NoSuchThing;
        Err(self.refuse(deed, why, answer, caller).await)
    }

    async fn all_policies(&self, caller: &Caller) -> Result<Vec<Kept<AccessPolicy>>, VaultError> {
        let prefix = self.rows.places().access_policies(caller.org());
        Ok(self.rows.page(&prefix, None, MOST_POLICIES).await?)
    }

    async fn policy_view(&self, policy: AccessPolicy) -> Result<AccessPolicyView, VaultError> {
        let mut accounts = Vec::new();
        for item in &policy.items {
            let places = self.rows.places();
            let key = places.resource(policy.org, item.resource);
            let resource = self.rows.get::<Resource>(key).await?;
            let key = places.account(item.resource, item.account);
            let account = self.rows.get::<Account>(key).await?;
            if let (Some(resource), Some(account)) = (resource, account) {
                accounts.push((resource.record, account.record));
            }
        }
        Ok(AccessPolicyView {
            group: self.group_name(policy.org, policy.group).await?,
            policy,
            accounts,
        })
    }
}

/// Whether one of these policies, for this group if any is given, says so of an account.
fn is_theirs(
    policies: &[Kept<AccessPolicy>],
    account: AccountId,
    says: impl Fn(&PolicyItem) -> bool,
    group: Option<GroupId>,
) -> bool {
    let fits =
        |policy: &&Kept<AccessPolicy>| group.is_none_or(|group| policy.record.group == group);
    let mut theirs = policies.iter().filter(fits);
    theirs.any(|policy| policy.record.item(account).is_some_and(&says))
}

/// Whether two policies are about one account.
fn overlap(one: &AccessPolicy, other: &AccessPolicy) -> bool {
    let mut items = one.items.iter();
    items.any(|item| other.item(item.account).is_some())
}

/// Whether a policy has set this access control.
fn sets(policy: &Kept<AccessPolicy>, control: &AccessControl) -> bool {
    let account = control.target.account;
    let item = account.and_then(|account| policy.record.item(account));
    item.is_some_and(|item| item.controlled) && policy.record.control(control.target) == *control
}

fn deed(detail: String) -> Deed {
    Deed::new(Operation::AccessControl).detail(detail)
}

/// As many are read whenever one is made or taken back.
const MOST_POLICIES: usize = 1000;
const OTHER_TERMS: &str =
    "an account is under access control on other terms: take those back first";
