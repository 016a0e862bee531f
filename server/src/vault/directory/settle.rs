//! Lists as they are kept true: what commits have touched is read again before a list is used.

use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use crate::domain::{OrgId, ResourceId, UserId};
use crate::vault::directory::build::{read_text, target_in};
use crate::vault::directory::shelf::{Listing, Reach, Shelf};
use crate::vault::{Vault, VaultError};

impl Vault {
    /// The lists, as true as the last commit.
    pub(super) async fn true_shelf(&self) -> Result<OwnedMutexGuard<Shelf>, VaultError> {
        let mut shelf = Arc::clone(&self.directory.shelf).lock_owned().await;
        shelf.take_over(self.rows.store().stamps().touched());
        let mut read = 0_usize;
        while let Some(id) = shelf.unsettled() {
            self.settle_listings(&mut shelf, id).await?;
            shelf.settled(id);
            pause(&mut read).await;
        }
        while let Some((user, id)) = shelf.unsettled_reach() {
            if let Some(org) = shelf.reaches.get(&user).map(|reach| reach.org) {
                let now = self.reach_on(id, (org, user)).await?;
                if let Some(reach) = shelf.reaches.get_mut(&user) {
                    reach.set(id, &now);
                }
                pause(&mut read).await;
            }
            shelf.reach_settled((user, id));
        }
        Ok(shelf)
    }

    async fn settle_listings(&self, shelf: &mut Shelf, id: ResourceId) -> Result<(), VaultError> {
        let orgs: Vec<OrgId> = shelf.listings.keys().copied().collect();
        for org in orgs {
            let texts = shelf.listings.get(&org).is_some_and(Listing::has_texts);
            let known = match texts {
                true => read_text(&self.rows, org, id).await?,
                false => self.there(org, id).await?.then(Vec::new),
            };
            if let Some(listing) = shelf.listings.get_mut(&org) {
                listing.set(id, known);
            }
        }
        Ok(())
    }

    /// What `user` reaches of one resource.
    async fn reach_on(
        &self,
        id: ResourceId,
        (org, user): (OrgId, UserId),
    ) -> Result<Reach, VaultError> {
        let places = self.rows.places();
        let own = places.resource_by_owner(user, id);
        let own = self.rows.store().get(&own).await?;
        let owned = own.iter().map(|_| id).collect();
        let mut shared = Vec::new();
        for with in self.grantees(org, user).await? {
            let within = places.shares_by(with).number(id.0);
            let keys = self.keys(within, usize::MAX, target_in).await?;
            shared.extend(keys.unwrap_or_default());
        }
        Ok(Reach::new(org, owned, shared, self.clock.now()))
    }

    async fn there(&self, org: OrgId, id: ResourceId) -> Result<bool, VaultError> {
        let key = self.rows.places().resource(org, id);
        Ok(self.rows.store().get(&key).await?.is_some())
    }
}

/// Lets others have their turn now and then.
pub(super) async fn pause(read: &mut usize) {
    *read += 1;
    if read.is_multiple_of(CHUNK) {
        tokio::task::yield_now().await;
    }
}

/// Things read again until others have their turn.
const CHUNK: usize = 64;
