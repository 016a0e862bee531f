//! What is in groups of resources.
//!
//! That a resource is in a group is a share of the resource with that group, made by whoever manages
//! the resource; whoever has a share of the group stands on it (`ground.rs`).

use crate::domain::{
    Action, Decision, Grantee, Level, Operation, RefusalReason, Resource, ResourceGroup,
    ResourceGroupId, ResourceId, Share, Target, decide,
};
use crate::store::rows::{Changes, Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::users::target_of;
use crate::vault::{Caller, Page, ResourceGroupRef, ResourceRef, Vault, VaultError};

/// A resource and a group, and the row that says that the one is in the other, if it is.
struct Association {
    resource: Kept<Resource>,
    group: Kept<ResourceGroup>,
    share: Option<Kept<Share>>,
    deed: Deed,
}

impl Vault {
    /// At most `limit` resources of a group, by id and name, after the one with the id `after`.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn grouped_resources(
        &self,
        group: impl Into<ResourceGroupRef<'_>>,
        (after, limit): (Option<ResourceId>, usize),
        caller: &Caller,
    ) -> Result<Vec<Resource>, VaultError> {
        let group = group.into();
        let told = |name: &str| format!("resources of group {name}");
        let deed = Deed::new(Operation::List).detail(told(&group.words()));
        let group = self.administered_set(group, &deed, caller).await?.record;
        self.allow(&deed.detail(told(group.name.as_str())), caller)
            .await?;
        let (places, with) = (self.rows.places(), Grantee::ResourceGroup(group.id));
        let after = after.map(|id| places.share_by(with, whole(id)));
        let prefix = places.shares_by(with);
        let page = self.rows.page::<Ids>(&prefix, after.as_ref(), limit);
        let mut resources = Vec::new();
        for kept in page.await? {
            let key = places.resource(group.org, target_of(&kept.key).resource);
            let kept = self.rows.get::<Resource>(key).await?;
            resources.extend(kept.map(|kept| kept.record));
        }
        Ok(resources)
    }

    /// Puts a resource into a group: whoever has a share of the group has it of the resource.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not manage the
    /// resource; [`VaultError::NotFound`] when there is no such group; [`VaultError::Exists`] when
    /// it is in it already.
    pub async fn associate(
        &self,
        resource: impl Into<ResourceRef<'_>>,
        group: impl Into<ResourceGroupRef<'_>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let (resource, group) = (resource.into(), group.into());
        let Association {
            resource,
            group,
            share,
            deed,
        } = self.association(resource, group, "into", caller).await?;
        if share.is_some() {
            let answer = VaultError::Exists("this resource in this group");
            return Err(self
                .refuse(&deed, RefusalReason::Exists, answer, caller)
                .await);
        }
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        // What is removed at the same time is in no group.
        changes.depend_on(&resource);
        self.put_into(&mut changes, resource.record.id, &group)?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// Takes a resource out of a group, for everybody's very next request.
    ///
    /// # Errors
    /// As for [`Self::associate`]; [`VaultError::NotFound`] when it is not in it.
    pub async fn dissociate(
        &self,
        resource: impl Into<ResourceRef<'_>>,
        group: impl Into<ResourceGroupRef<'_>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let (resource, group) = (resource.into(), group.into());
        let Association {
            resource,
            group,
            share,
            deed,
        } = self.association(resource, group, "out of", caller).await?;
        let Some(share) = share else {
            let answer = VaultError::NotFound("resource in this group");
            let why = RefusalReason::NoSuchThing;
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        self.allow(&deed, caller).await?;
        let with = Grantee::ResourceGroup(group.record.id);
        let mut changes = self.rows.changes();
        changes.remove(&share);
        let by_group = self.rows.places().share_by(with, whole(resource.record.id));
        changes.clear(by_group);
        // Written again as it is: what is remembered of retrievals rests on this row.
        changes.replace(&resource, &resource.record)?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// The groups that a resource is in, at most `limit` of them.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever may not manage it.
    pub async fn groups_of_resource(
        &self,
        resource: impl Into<ResourceRef<'_>>,
        limit: usize,
        caller: &Caller,
    ) -> Result<(Resource, Vec<ResourceGroup>), VaultError> {
        let resource = resource.into();
        let mut deed = Deed::new(Operation::List)
            .on(&resource.words(), "")
            .detail("resource groups");
        let resource = self
            .find_resource(resource, Action::Manage, &mut deed, caller)
            .await?
            .record;
        self.allow(&deed, caller).await?;
        let prefix = self.rows.places().shares(resource.id).number(WHOLE);
        let mut groups = Vec::new();
        for kept in self.rows.all::<Share>(&prefix).await? {
            let Grantee::ResourceGroup(id) = kept.record.with else {
                continue;
            };
            let key = self.rows.places().resource_group(resource.org, id);
            let kept = self.rows.get::<ResourceGroup>(key).await?;
            groups.extend(kept.map(|kept| kept.record));
            if groups.len() >= limit {
                break;
            }
        }
        Ok((resource, groups))
    }

    /// The groups of resources that `caller` may know of: all where it is an administrator, those
    /// that are shared with it or with a group of its otherwise. Passes `start` over, and gives at
    /// most `limit`.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn known_resource_groups(
        &self,
        (start, limit): (usize, usize),
        caller: &Caller,
    ) -> Result<Page<ResourceGroup>, VaultError> {
        let deed = Deed::new(Operation::List).detail("resource groups");
        self.allow(&deed, caller).await?;
        let ids = self.known_set_ids(caller).await?;
        let mut items = Vec::new();
        for id in ids.iter().skip(start).take(limit) {
            let key = self.rows.places().resource_group(caller.org(), *id);
            let kept = self.rows.get::<ResourceGroup>(key).await?;
            items.extend(kept.map(|kept| kept.record));
        }
        Ok(Page {
            items,
            total: ids.len(),
            complete: true,
        })
    }

    /// In the order of ids.
    async fn known_set_ids(&self, caller: &Caller) -> Result<Vec<ResourceGroupId>, VaultError> {
        let Some(user) = caller.user().filter(|_| !administers(caller)) else {
            let prefix = self.rows.places().resource_groups(caller.org());
            let ids = self.keys(prefix, usize::MAX, |key| key.number_at(1));
            let ids = ids.await?.unwrap_or_default();
            return Ok(ids.into_iter().map(ResourceGroupId).collect());
        };
        let grantees = self.grantees(caller.org(), user).await?.into_iter();
        let mut ids: Vec<_> = grantees
            .filter_map(|with| match with {
                Grantee::ResourceGroup(id) => Some(id),
                Grantee::User(_) | Grantee::Group(_) => None,
            })
            .collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The group, where `caller` may know of it; what it may not know of is refused like what is
    /// not there.
    pub(super) async fn seen_set(
        &self,
        group: ResourceGroupId,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let kept = self.known_set(group.into(), deed, caller).await?;
        if administers(caller) || self.known_set_ids(caller).await?.contains(&kept.record.id) {
            return Ok(());
        }
        let why = RefusalReason::NotShared;
        let answer = VaultError::NotFound(NOUN);
        Err(self.refuse(deed, why, answer, caller).await)
    }

    /// Whether a resource is in a group.
    pub(super) async fn is_in(
        &self,
        resource: ResourceId,
        group: ResourceGroupId,
    ) -> Result<bool, VaultError> {
        let with = Grantee::ResourceGroup(group);
        let place = self.rows.places().share(whole(resource), with);
        Ok(self.rows.get::<Share>(place).await?.is_some())
    }

    /// Adds to `changes` that a resource is in a group, as long as that is there.
    pub(super) fn put_into(
        &self,
        changes: &mut Changes<'_>,
        resource: ResourceId,
        group: &Kept<ResourceGroup>,
    ) -> Result<(), VaultError> {
        let (places, target) = (self.rows.places(), whole(resource));
        let share = Share {
            target,
            with: Grantee::ResourceGroup(group.record.id),
            level: Level::Manage,
        };
        changes.depend_on(group);
        changes.add(places.share(target, share.with), &share)?;
        changes.add(places.share_by(share.with, target), &Ids(Vec::new()))?;
        Ok(())
    }

    /// The group that a resource is to be put into, where one is named.
    pub(super) async fn group_to_join(
        &self,
        name: Option<&str>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Option<Kept<ResourceGroup>>, VaultError> {
        let Some(name) = name else {
            return Ok(None);
        };
        if caller.is_narrowed() {
            // Whoever has a share of the group would have it of the resource: that is managing it.
            let why = RefusalReason::NotAllowed;
            return Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await);
        }
        self.known_set(name.into(), deed, caller).await.map(Some)
    }

    async fn association(
        &self,
        resource: ResourceRef<'_>,
        group: ResourceGroupRef<'_>,
        way: &str,
        caller: &Caller,
    ) -> Result<Association, VaultError> {
        let mut deed = Deed::new(Operation::ResourceGroup)
            .on(&resource.words(), "")
            .detail(format!("{way} {}", group.words()));
        self.primary_only(&deed, caller).await?;
        let kept = self
            .find_resource(resource, Action::Manage, &mut deed, caller)
            .await?;
        let group = self.known_set(group, &deed, caller).await?;
        let deed = deed.detail(format!("{way} {}", group.record.name));
        let with = Grantee::ResourceGroup(group.record.id);
        let place = self.rows.places().share(whole(kept.record.id), with);
        let share = self.rows.get::<Share>(place).await?;
        Ok(Association {
            resource: kept,
            group,
            share,
            deed,
        })
    }
}

pub(super) fn whole(resource: ResourceId) -> Target {
    Target {
        resource,
        account: None,
    }
}

fn administers(caller: &Caller) -> bool {
    decide(Action::Administer, caller.standing(None, None)) == Decision::Allowed
}

/// A whole resource in the keys of shares.
const WHOLE: u64 = 0;
/// What it is called in refusals.
pub(super) const NOUN: &str = "resource group";
