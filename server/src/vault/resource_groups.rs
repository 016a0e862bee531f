//! Groups of resources: making and removing them. `associations.rs` has what is in them,
//! `resource_group_shares.rs` with whom they are shared.

use crate::domain::{
    FreeText, Grantee, GroupName, NameError, Operation, OrgId, RefusalReason, ResourceGroup,
    ResourceGroupId,
};
use crate::store::rows::{Ids, Kept};
use crate::vault::associations::NOUN;
use crate::vault::book::Deed;
use crate::vault::id_block::IdKind;
use crate::vault::leftovers::Leftover;
use crate::vault::{Caller, NewGroup, ResourceGroupRef, Vault, VaultError};

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
            let answer = VaultError::Exists("a resource group with this name");
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

    /// One group of resources.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn resource_group(
        &self,
        group: impl Into<ResourceGroupRef<'_>>,
        caller: &Caller,
    ) -> Result<ResourceGroup, VaultError> {
        let group = group.into();
        let told = |name: &str| format!("resource group {name}");
        let deed = Deed::new(Operation::List).detail(told(&group.words()));
        let kept = self.administered_set(group, &deed, caller).await?;
        self.allow(&deed.detail(told(kept.record.name.as_str())), caller)
            .await?;
        Ok(kept.record)
    }

    /// Removes a group with all that was shared of it; the resources stay.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn remove_resource_group(
        &self,
        group: impl Into<ResourceGroupRef<'_>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let group = group.into();
        let told = |name: &str| format!("remove {name}");
        let deed = Deed::new(Operation::ResourceGroup).detail(told(&group.words()));
        self.primary_only(&deed, caller).await?;
        let kept = self.administered_set(group, &deed, caller).await?;
        let deed = deed.detail(told(kept.record.name.as_str()));
        self.allow(&deed, caller).await?;
        let with = Grantee::ResourceGroup(kept.record.id);
        let leftover = Leftover::Grantee(kept.record.org, with);
        let done = self.commit_set_removal(&kept, leftover).await;
        self.settle(&deed, done, caller).await?;
        self.clear_away(leftover).await;
        Ok(())
    }

    pub(super) async fn administered_set(
        &self,
        group: ResourceGroupRef<'_>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<ResourceGroup>, VaultError> {
        self.administer(deed, caller).await?;
        self.known_set(group, deed, caller).await
    }

    pub(super) async fn known_set(
        &self,
        group: ResourceGroupRef<'_>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<ResourceGroup>, VaultError> {
        match self.set_meant(caller.org(), group).await? {
            Some(kept) => Ok(kept),
            None => {
                let answer = VaultError::NotFound(NOUN);
                let why = RefusalReason::NoSuchThing;
                Err(self.refuse(deed, why, answer, caller).await)
            }
        }
    }

    async fn set_meant(
        &self,
        org: OrgId,
        group: ResourceGroupRef<'_>,
    ) -> Result<Option<Kept<ResourceGroup>>, VaultError> {
        let places = self.rows.places();
        let name = match group {
            ResourceGroupRef::Id(id) => {
                return Ok(self.rows.get(places.resource_group(org, id)).await?);
            }
            ResourceGroupRef::Named(name) => name,
        };
        let Ok(name) = GroupName::parse(name) else {
            return Ok(None);
        };
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

    async fn commit_set_removal(
        &self,
        kept: &Kept<ResourceGroup>,
        leftover: Leftover,
    ) -> Result<(), VaultError> {
        let (places, group) = (self.rows.places(), &kept.record);
        let mut changes = self.rows.changes();
        changes.remove(kept);
        changes.clear(places.resource_group_by_name(group.org, &group.name));
        self.leave(&mut changes, leftover)?;
        Ok(changes.commit().await?)
    }
}
