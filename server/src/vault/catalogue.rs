//! What a caller may use, by names alone: one record a page, however many accounts are on it.

use crate::domain::{Account, AccountName, Operation, Resource, ResourceName};
use crate::vault::book::Deed;
use crate::vault::{Caller, Filter, Page, ResourceRef, Vault, VaultError};

/// A resource, and those of its accounts that a caller may see.
pub type CatalogueEntry = (ResourceName, Vec<AccountName>);

impl Vault {
    /// A page of the resources that `caller` may see, each with the accounts that it may see.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn catalogue(
        &self,
        filter: &Filter,
        caller: &Caller,
    ) -> Result<Page<CatalogueEntry>, VaultError> {
        let deed = Deed::new(Operation::List).detail(filter.words("resources with accounts"));
        self.allow(&deed, caller).await?;
        let places = self.rows.places();
        let listed = self.listed(filter, caller).await?;
        let mut items = Vec::with_capacity(listed.ids.len());
        for id in listed.ids {
            let key = places.resource(caller.org(), id);
            let Some(kept) = self.rows.get::<Resource>(key).await? else {
                continue;
            };
            if self.may_see(kept.record.owner, id, caller).await? {
                items.push(self.entry(&kept.record, caller).await?);
            }
        }
        Ok(Page {
            items,
            total: listed.total,
            complete: listed.complete,
        })
    }

    /// The accounts of one resource that `caller` may see.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for a resource that is not there or not shared.
    pub async fn catalogue_of(
        &self,
        resource: &str,
        caller: &Caller,
    ) -> Result<CatalogueEntry, VaultError> {
        let mut deed = Deed::new(Operation::List).on(resource, "");
        let named = ResourceRef::Named(resource);
        let kept = self.find_visible(named, &mut deed, caller).await?;
        self.allow(&deed, caller).await?;
        self.entry(&kept.record, caller).await
    }

    async fn entry(
        &self,
        resource: &Resource,
        caller: &Caller,
    ) -> Result<CatalogueEntry, VaultError> {
        let mut accounts = Vec::new();
        for id in self.visible_accounts(resource, caller).await? {
            let key = self.rows.places().account(resource.id, id);
            let kept = self.rows.get::<Account>(key).await?;
            accounts.extend(kept.map(|kept| kept.record.name));
        }
        Ok((resource.name.clone(), accounts))
    }
}
