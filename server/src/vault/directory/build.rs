//! Lists as they are built, off the threads that answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;

use crate::domain::{Account, AccountId, OrgId, Resource, ResourceId, UserId};
use crate::store::rows::Rows;
use crate::store::{Key, StoreError};
use crate::vault::directory::needle::text_of;
use crate::vault::directory::shelf::{Listing, Reach, Shelf, TextsOr};
use crate::vault::directory::texts::Texts;
use crate::vault::directory::{PAGE, blocking};
use crate::vault::{Vault, VaultError};

impl Vault {
    /// The ids of `org` are on the shelf, unless they do not fit.
    pub(super) async fn with_ids(
        &self,
        mut shelf: OwnedMutexGuard<Shelf>,
        org: OrgId,
    ) -> Result<OwnedMutexGuard<Shelf>, VaultError> {
        let now = self.clock.now();
        if let Some(listing) = shelf.listings.get_mut(&org) {
            listing.used = now;
            return Ok(shelf);
        }
        self.rows.store().stamps().touched().listen();
        let prefix = self.rows.places().resources(org);
        let most = self.directory.memory() / size_of::<ResourceId>();
        let ids = self.keys(prefix, most, |key| key.number_at(1).map(ResourceId));
        // Held meanwhile, so that nobody else begins the same.
        let (mut shelf, ids) = blocking(move || {
            let ids = Handle::current().block_on(ids)?;
            Ok((shelf, ids))
        })
        .await?;
        if let Some(ids) = ids {
            shelf.listings.insert(org, Listing::new(ids, now));
            shelf.make_room(Some(org), self.directory.memory());
        }
        Ok(shelf)
    }

    /// The texts of `org` are on the shelf, unless they do not fit. While they are read, pages that
    /// need no texts go on.
    pub(super) async fn with_texts(
        &self,
        mut shelf: OwnedMutexGuard<Shelf>,
        org: OrgId,
    ) -> Result<OwnedMutexGuard<Shelf>, VaultError> {
        if !shelf.lacks_texts(org) {
            return Ok(shelf);
        }
        drop(shelf);
        // One reads at a time; the others find what it has read.
        let building = Arc::clone(&self.directory.building).lock_owned().await;
        shelf = self.with_ids(self.true_shelf().await?, org).await?;
        if shelf.lacks_texts(org)
            && let Some(ids) = shelf.begin_texts(org)
        {
            drop(shelf);
            self.build_texts(building, org, ids).await?;
            shelf = self.with_ids(self.true_shelf().await?, org).await?;
        }
        shelf.make_room(Some(org), self.directory.memory());
        Ok(shelf)
    }

    /// Reads the texts of `org` and puts them on the shelf: to the end, even where nobody waits for
    /// them any more.
    async fn build_texts(
        &self,
        building: OwnedMutexGuard<()>,
        org: OrgId,
        ids: Vec<ResourceId>,
    ) -> Result<(), VaultError> {
        let taken = ids.capacity() * size_of::<ResourceId>();
        let room = self.directory.memory().saturating_sub(taken);
        let (rows, closing) = (self.rows.clone(), Arc::clone(&self.directory.closing));
        let shelf = Arc::clone(&self.directory.shelf);
        blocking(move || {
            let wait = Handle::current();
            let read = wait.block_on(read_texts(&rows, org, &ids, (room, &closing)));
            let (made, failure) = match read {
                Ok(texts) => (texts, None),
                Err(error) => (TextsOr::Unread, Some(error)),
            };
            wait.block_on(shelf.lock_owned()).end_texts(org, made);
            drop(building);
            failure.map_or(Ok(()), Err)
        })
        .await
    }

    /// What `user` of `org` reaches, and the shelf that remembers it.
    pub(super) async fn reach_of(
        &self,
        mut shelf: OwnedMutexGuard<Shelf>,
        (org, user): (OrgId, UserId),
    ) -> Result<(OwnedMutexGuard<Shelf>, Reach), VaultError> {
        let now = self.clock.now();
        if let Some(reach) = shelf.reaches.get_mut(&user) {
            reach.used = now;
            let reach = reach.clone();
            return Ok((shelf, reach));
        }
        self.rows.store().stamps().touched().listen();
        let places = self.rows.places();
        let owned = self.keys(places.resources_by_owner(user), usize::MAX, |key| {
            key.number_at(1).map(ResourceId)
        });
        let grantees = self.grantees(org, user).await?.into_iter();
        let shared: Vec<_> = grantees
            .map(|with| self.keys(places.shares_by(with), usize::MAX, target_in))
            .collect();
        let (mut shelf, reach) = blocking(move || {
            let wait = Handle::current();
            let owned = wait.block_on(owned)?.unwrap_or_default();
            let mut all = Vec::new();
            for shares in shared {
                all.extend(wait.block_on(shares)?.unwrap_or_default());
            }
            Ok((shelf, Reach::new(org, owned, all, now)))
        })
        .await?;
        shelf.reaches.insert(user, reach.clone());
        shelf.make_room(None, self.directory.memory());
        Ok((shelf, reach))
    }

    /// What `read` finds in all keys that begin with `prefix`; `None` where they are more than
    /// `most`.
    pub(in crate::vault) fn keys<T: Send + 'static>(
        &self,
        prefix: Key,
        most: usize,
        read: fn(&Key) -> Option<T>,
    ) -> impl Future<Output = Result<Option<Vec<T>>, StoreError>> + Send + use<T> {
        let (rows, closing) = (self.rows.clone(), Arc::clone(&self.directory.closing));
        async move {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = rows.store().scan(&prefix, after.as_ref(), PAGE).await?;
                let last = page.len() < PAGE;
                found.extend(page.iter().filter_map(|row| read(&row.key)));
                if found.len() > most {
                    return Ok(None);
                }
                if last {
                    return Ok(Some(found));
                }
                after = page.into_iter().last().map(|row| row.key);
                still_open(&closing)?;
            }
        }
    }
}

/// The texts of the resources `ids` of `org`.
async fn read_texts(
    rows: &Rows,
    org: OrgId,
    ids: &[ResourceId],
    (room, closing): (usize, &AtomicBool),
) -> Result<TextsOr, StoreError> {
    let mut texts = Texts::for_count(ids.len());
    for id in ids {
        // One that goes meanwhile is noted, and settled later.
        let text = read_text(rows, org, *id).await?.unwrap_or_default();
        if !texts.push(*id, &text) || texts.size() > room {
            tracing::warn!(org = org.0, "lists are too large to be searched in memory");
            return Ok(TextsOr::TooLarge);
        }
        still_open(closing)?;
    }
    texts.close();
    Ok(TextsOr::Read(texts))
}

/// The text of a resource, if it is there.
pub(super) async fn read_text(
    rows: &Rows,
    org: OrgId,
    id: ResourceId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let places = rows.places();
    let Some(kept) = rows.get::<Resource>(places.resource(org, id)).await? else {
        return Ok(None);
    };
    let accounts = rows.all::<Account>(&places.accounts(id)).await?;
    let names = accounts.iter().map(|kept| &kept.record.name);
    Ok(Some(text_of(&kept.record, names)))
}

/// Whoever waits for a list that nobody needs any more hears that the server is closing.
fn still_open(closing: &AtomicBool) -> Result<(), StoreError> {
    match closing.load(Ordering::Relaxed) {
        true => Err(StoreError::Closed),
        false => Ok(()),
    }
}

/// What a key of the table of shares by user or group speaks of; a whole resource is its account 0.
pub(super) fn target_in(key: &Key) -> Option<(ResourceId, Option<AccountId>)> {
    let account = key.number_at(2).filter(|id| *id != 0).map(AccountId);
    Some((ResourceId(key.number_at(1)?), account))
}
