//! Groups of resources: making and removing them, and what is in them. `resource_group_shares.rs`
//! has with whom they are shared.
//!
//! That a resource is in a group is a share of the resource with that group, made by whoever manages
//! the resource; whoever has a share of the group stands on it (`ground.rs`).

use crate::domain::{
    Action, FreeText, Grantee, GroupName, Level, NameError, Operation, OrgId, RefusalReason,
    Resource, ResourceGroup, ResourceGroupId, ResourceId, Share, Target,
};
use crate::store::rows::{Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::id_block::IdKind;
use crate::vault::users::target_of;
use crate::vault::{Caller, NewGroup, ResourceRef, Vault, VaultError};

/// A resource and a group, and the row that says that the one is in the other, if it is.
struct Association {
    resource: Kept<Resource>,
    group: Kept<ResourceGroup>,
    share: Option<Kept<Share>>,
    deed: Deed,
}

impl Vault {
    /// Makes a group with nothing in it.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::Invalid`], [`VaultError::Exists`].
    pub async fn add_resource_group(
        &self,
        new: &NewGroup,
        caller: &Caller,
    ) -> Result<ResourceGroup, VaultError> {
        let deed = Deed::new(Operation::ResourceGroup).detail(format!("add {}", new.name));
        self.primary_only(&deed, caller).await?;
        self.administer(&deed, caller).await?;
        let mut group = match self.draft_resource_group(new, caller) {
            Ok(group) => group,
            Err(answer) => {
                let why = RefusalReason::Invalid;
                return Err(self.refuse(&deed, why, answer, caller).await);
            }
        };
        let places = self.rows.places();
        let by_name = places.resource_group_by_name(group.org, &group.name);
        if self.rows.get::<Ids>(by_name.clone()).await?.is_some() {
            let answer = VaultError::Exists("a resource group");
            return Err(self
                .refuse(&deed, RefusalReason::Exists, answer, caller)
                .await);
        }
        group.id = ResourceGroupId(self.next_id(IdKind::ResourceGroup).await?);
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.add(places.resource_group(group.org, group.id), &group)?;
        changes.add(by_name, &Ids(vec![group.id.0]))?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        Ok(group)
    }

    /// At most `limit` groups of resources, after the one with the id `after`.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`].
    pub async fn resource_groups(
        &self,
        after: Option<ResourceGroupId>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<ResourceGroup>, VaultError> {
        let deed = Deed::new(Operation::List).detail("resource groups");
        self.administer(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        let (places, org) = (self.rows.places(), caller.org());
        let after = after.map(|id| places.resource_group(org, id));
        let prefix = places.resource_groups(org);
        let page = self
            .rows
            .page::<ResourceGroup>(&prefix, after.as_ref(), limit)
            .await?;
        Ok(page.into_iter().map(|kept| kept.record).collect())
    }

    /// The group of resources called `name`.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn resource_group(
        &self,
        name: &str,
        caller: &Caller,
    ) -> Result<ResourceGroup, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("resource group {name}"));
        let kept = self.administered_set(name, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        Ok(kept.record)
    }

    /// At most `limit` resources of a group, by id and name, after the one with the id `after`.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn grouped_resources(
        &self,
        group: &str,
        (after, limit): (Option<ResourceId>, usize),
        caller: &Caller,
    ) -> Result<Vec<Resource>, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("resources of group {group}"));
        let group = self.administered_set(group, &deed, caller).await?.record;
        self.allow(&deed, caller).await?;
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
        group: &str,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let resource = resource.into();
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
        let (places, target) = (self.rows.places(), whole(resource.record.id));
        let with = Grantee::ResourceGroup(group.record.id);
        let mut changes = self.rows.changes();
        // What is removed at the same time is in no group.
        changes.depend_on(&resource);
        changes.depend_on(&group);
        let share = Share {
            target,
            with,
            level: Level::Manage,
        };
        changes.add(places.share(target, with), &share)?;
        changes.add(places.share_by(with, target), &Ids(Vec::new()))?;
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
        group: &str,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let resource = resource.into();
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

    /// Removes a group with all that was shared of it; the resources stay.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn remove_resource_group(
        &self,
        name: &str,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::ResourceGroup).detail(format!("remove {name}"));
        self.primary_only(&deed, caller).await?;
        let kept = self.administered_set(name, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        let done = self.commit_set_removal(&kept).await;
        self.settle(&deed, done, caller).await
    }

    pub(super) async fn administered_set(
        &self,
        name: &str,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<ResourceGroup>, VaultError> {
        self.administer(deed, caller).await?;
        self.known_set(name, deed, caller).await
    }

    async fn known_set(
        &self,
        name: &str,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<ResourceGroup>, VaultError> {
        match self.set_called(caller.org(), name).await? {
            Some(kept) => Ok(kept),
            None => {
                let answer = VaultError::NotFound("resource group");
                let why = RefusalReason::NoSuchThing;
                Err(self.refuse(deed, why, answer, caller).await)
            }
        }
    }

    async fn set_called(
        &self,
        org: OrgId,
        name: &str,
    ) -> Result<Option<Kept<ResourceGroup>>, VaultError> {
        let Ok(name) = GroupName::parse(name) else {
            return Ok(None);
        };
        let places = self.rows.places();
        let by_name = places.resource_group_by_name(org, &name);
        let index = self.rows.get::<Ids>(by_name).await?;
        let Some(&id) = index.as_ref().and_then(|kept| kept.record.0.first()) else {
            return Ok(None);
        };
        let key = places.resource_group(org, ResourceGroupId(id));
        let kept = self.rows.get::<ResourceGroup>(key).await?;
        // The index finds every spelling; the one that was given must be the group's.
        Ok(kept.filter(|kept| kept.record.name == name))
    }

    async fn association(
        &self,
        resource: ResourceRef<'_>,
        group: &str,
        way: &str,
        caller: &Caller,
    ) -> Result<Association, VaultError> {
        let mut deed = Deed::new(Operation::ResourceGroup)
            .on(&resource.words(), "")
            .detail(format!("{way} {group}"));
        self.primary_only(&deed, caller).await?;
        let kept = self
            .find_resource(resource, Action::Manage, &mut deed, caller)
            .await?;
        let group = self.known_set(group, &deed, caller).await?;
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

    fn draft_resource_group(
        &self,
        new: &NewGroup,
        caller: &Caller,
    ) -> Result<ResourceGroup, VaultError> {
        let invalid = |error: NameError| VaultError::Invalid(error.to_string());
        Ok(ResourceGroup {
            id: ResourceGroupId(0),
            org: caller.org(),
            name: GroupName::parse(&new.name).map_err(invalid)?,
            description: FreeText::parse(&new.description).map_err(invalid)?,
            created: self.clock.now(),
        })
    }

    async fn commit_set_removal(&self, kept: &Kept<ResourceGroup>) -> Result<(), VaultError> {
        let (places, group) = (self.rows.places(), &kept.record);
        let mut changes = self.rows.changes();
        changes.remove(kept);
        changes.clear(places.resource_group_by_name(group.org, &group.name));
        self.clear_holders(&mut changes, group.id).await?;
        self.clear_shares(&mut changes, Grantee::ResourceGroup(group.id))
            .await?;
        Ok(changes.commit().await?)
    }
}

pub(super) fn whole(resource: ResourceId) -> Target {
    Target {
        resource,
        account: None,
    }
}
