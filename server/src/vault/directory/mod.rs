//! Lists in memory, so that a page costs what the page costs, wherever in the list it begins.
//!
//! Built when they are first needed, off the threads that answer, kept true by what every commit
//! touches ([`crate::store::Touched`]), and dropped when nobody has used them for a while. For each
//! organisation: the ids of its resources, and, once somebody searches, their texts in one buffer
//! (`texts.rs`). For each user who does not reach everything: the ids of what it owns and what is
//! shared with it, from the rows that index exactly that; other people's rows are not read for it.
//!
//! What they take is limited. Beyond that, and in texts that do not fit, rows are read one after the
//! other, up to a number of them, and the page says that it does not know everything (`scan.rs`).

mod needle;
mod scan;
mod shelf;
mod texts;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::domain::{Account, AccountId, OrgId, Resource, ResourceId, Timestamp, UserId};
use crate::store::rows::Rows;
use crate::store::{Key, StoreError};
pub(super) use crate::vault::directory::needle::{Needle, text_of};
use crate::vault::directory::shelf::{Listing, Reach, Shelf, TextsOr};
use crate::vault::directory::texts::Texts;
use crate::vault::error::Outage;
use crate::vault::{Caller, Filter, Search, Vault, VaultError};

/// What lists may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListLimits {
    /// Their memory, in bytes.
    pub memory: usize,
    /// How long they stay unused.
    pub idle: Duration,
    /// How many rows are read one after the other where a list does not fit.
    pub rows: usize,
}

impl Default for ListLimits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            idle: Duration::from_mins(15),
            rows: 100_000,
        }
    }
}

/// The lists, and who may use them: one at a time, for moments.
pub(super) struct Directory {
    shelf: Arc<Mutex<Shelf>>,
    memory: AtomicUsize,
    idle: AtomicU64,
    rows: AtomicUsize,
    /// A list that is being built is not needed any more.
    closing: Arc<AtomicBool>,
}

/// Which resources a page shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) ids: Vec<ResourceId>,
    pub(super) total: usize,
    pub(super) complete: bool,
}

impl Listed {
    /// The page of `all`, which is in order, that `filter` asks for.
    pub(super) fn of(all: &[ResourceId], filter: &Filter) -> Self {
        let first = filter.after.map_or(0, |after| {
            all.partition_point(|id| *id <= ResourceId(after))
        });
        let rest = all.get(first..).unwrap_or_default();
        let ids = rest.iter().skip(filter.start).take(filter.limit);
        Self {
            ids: ids.copied().collect(),
            total: all.len(),
            complete: true,
        }
    }
}

impl Default for Directory {
    fn default() -> Self {
        let limits = ListLimits::default();
        Self {
            shelf: Arc::default(),
            memory: AtomicUsize::new(limits.memory),
            idle: AtomicU64::new(millis(limits.idle)),
            rows: AtomicUsize::new(limits.rows),
            closing: Arc::default(),
        }
    }
}

impl Directory {
    fn memory(&self) -> usize {
        self.memory.load(Ordering::Relaxed)
    }

    /// How many rows may be read one after the other.
    pub(super) fn most_rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory(..)")
    }
}

impl Vault {
    /// Limits what lists in memory may take.
    pub fn limit_lists(&self, limits: ListLimits) {
        let directory = &self.directory;
        directory.memory.store(limits.memory, Ordering::Relaxed);
        directory.idle.store(millis(limits.idle), Ordering::Relaxed);
        directory.rows.store(limits.rows, Ordering::Relaxed);
    }

    /// Drops the lists that nobody has used for a while.
    pub fn drop_unused_lists(&self) {
        let Ok(mut shelf) = self.directory.shelf.try_lock() else {
            // Somebody uses them.
            return;
        };
        let idle = self.directory.idle.load(Ordering::Relaxed);
        let idle = i64::try_from(idle).unwrap_or(i64::MAX);
        let since = Timestamp(self.clock.now().0.saturating_sub(idle));
        if shelf.drop_unused(since) {
            self.rows.store().stamps().touched().rest();
            *shelf = Shelf::default();
        }
    }

    /// Which resources of those that `caller` sees are on the page.
    pub(super) async fn listed(
        &self,
        filter: &Filter,
        caller: &Caller,
    ) -> Result<Listed, VaultError> {
        let search = filter.search.as_ref();
        let search = search.and_then(|search| Some((search, Needle::new(search)?)));
        let shelf = self.true_shelf().await?;
        match (caller.user().filter(|_| !caller.reaches_all()), search) {
            (None, None) => self.listed_of_org(shelf, filter, caller.org()).await,
            (None, Some(search)) => self.found_in_org(shelf, filter, search, caller.org()).await,
            (Some(user), None) => {
                let (_, reach) = self.reach_of(shelf, (caller.org(), user)).await?;
                Ok(Listed::of(&reach.ids, filter))
            }
            (Some(user), Some(search)) => {
                let (shelf, reach) = self.reach_of(shelf, (caller.org(), user)).await?;
                self.found_of_user(shelf, filter, search, (caller.org(), &reach))
                    .await
            }
        }
    }

    /// The lists, as true as the last commit.
    async fn true_shelf(&self) -> Result<OwnedMutexGuard<Shelf>, VaultError> {
        let mut shelf = Arc::clone(&self.directory.shelf).lock_owned().await;
        let touched = self.rows.store().stamps().touched();
        shelf.take_over(touched);
        let mut read = 0;
        while let Some(id) = shelf.unsettled() {
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
            shelf.settled(id);
            read += 1;
            if read % CHUNK == 0 {
                tokio::task::yield_now().await;
            }
        }
        Ok(shelf)
    }

    async fn listed_of_org(
        &self,
        shelf: OwnedMutexGuard<Shelf>,
        filter: &Filter,
        org: OrgId,
    ) -> Result<Listed, VaultError> {
        let shelf = self.with_ids(shelf, org).await?;
        if let Some(listing) = shelf.listings.get(&org) {
            return Ok(Listed::of(&listing.ids, filter));
        }
        drop(shelf);
        self.scanned(filter, None, org).await
    }

    async fn found_in_org(
        &self,
        shelf: OwnedMutexGuard<Shelf>,
        filter: &Filter,
        (search, needle): (&Search, Needle),
        org: OrgId,
    ) -> Result<Listed, VaultError> {
        let (shelf, found) = self.matches(shelf, (search, &needle), org).await?;
        drop(shelf);
        match found {
            Some(found) => Ok(Listed::of(&found, filter)),
            None => self.scanned(filter, Some(&needle), org).await,
        }
    }

    async fn found_of_user(
        &self,
        shelf: OwnedMutexGuard<Shelf>,
        filter: &Filter,
        (search, needle): (&Search, Needle),
        (org, reach): (OrgId, &Reach),
    ) -> Result<Listed, VaultError> {
        if reach.ids.len() <= FEW.min(self.directory.most_rows()) {
            drop(shelf);
            return self.scanned_of(filter, &needle, (org, reach)).await;
        }
        let (shelf, found) = self.matches(shelf, (search, &needle), org).await?;
        drop(shelf);
        let Some(found) = found else {
            return self.scanned_of(filter, &needle, (org, reach)).await;
        };
        let mut seen = common(&found, &reach.ids);
        if needle.is_about_accounts() {
            // The others of its accounts are not its business.
            seen.retain(|id| !reach.parts.contains_key(id));
            for (id, accounts) in reach.parts.iter() {
                if self.part_matches(&needle, *id, accounts).await? {
                    seen.push(*id);
                }
            }
            seen.sort_unstable();
        }
        Ok(Listed::of(&seen, filter))
    }

    /// The resources of `org` that match, wherever they are in the list; `None` where their texts
    /// do not fit into memory.
    async fn matches(
        &self,
        shelf: OwnedMutexGuard<Shelf>,
        (search, needle): (&Search, &Needle),
        org: OrgId,
    ) -> Result<(OwnedMutexGuard<Shelf>, Option<Arc<Vec<ResourceId>>>), VaultError> {
        let shelf = self.with_ids(shelf, org).await?;
        let shelf = self.with_texts(shelf, org).await?;
        let (search, needle) = (search.clone(), needle.clone());
        // A large organisation is searched for some milliseconds.
        blocking(move || {
            let mut shelf = shelf;
            let found = shelf
                .listings
                .get_mut(&org)
                .filter(|listing| listing.has_texts())
                .map(|listing| listing.find(&search, &needle));
            Ok((shelf, found))
        })
        .await
    }

    /// The ids of `org` are on the shelf, unless they do not fit.
    async fn with_ids(
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

    /// The texts of `org` are on the shelf, unless they do not fit.
    async fn with_texts(
        &self,
        mut shelf: OwnedMutexGuard<Shelf>,
        org: OrgId,
    ) -> Result<OwnedMutexGuard<Shelf>, VaultError> {
        let listing = shelf.listings.get_mut(&org);
        let Some(listing) = listing.filter(|it| matches!(it.texts, TextsOr::Unread)) else {
            return Ok(shelf);
        };
        let ids = listing.ids.clone();
        let room = self
            .directory
            .memory()
            .saturating_sub(ids.capacity() * size_of::<ResourceId>());
        let (rows, closing) = (self.rows.clone(), Arc::clone(&self.directory.closing));
        let mut shelf = blocking(move || {
            let texts = read_texts(&rows, org, &ids, (room, &closing));
            let texts = Handle::current().block_on(texts)?;
            if let Some(listing) = shelf.listings.get_mut(&org) {
                listing.texts = texts;
            }
            Ok(shelf)
        })
        .await?;
        shelf.make_room(Some(org), self.directory.memory());
        Ok(shelf)
    }

    /// What `user` of `org` reaches, and the shelf that remembers it.
    async fn reach_of(
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
            Ok((shelf, Reach::new(owned, all, now)))
        })
        .await?;
        shelf.reaches.insert(user, reach.clone());
        shelf.make_room(None, self.directory.memory());
        Ok((shelf, reach))
    }

    /// What `read` finds in all keys that begin with `prefix`; `None` where they are more than
    /// `most`.
    fn keys<T: Send + 'static>(
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

    async fn there(&self, org: OrgId, id: ResourceId) -> Result<bool, VaultError> {
        let key = self.rows.places().resource(org, id);
        Ok(self.rows.store().get(&key).await?.is_some())
    }
}

/// The texts of the resources `ids` of `org`.
async fn read_texts(
    rows: &Rows,
    org: OrgId,
    ids: &[ResourceId],
    (room, closing): (usize, &AtomicBool),
) -> Result<TextsOr, StoreError> {
    let mut texts = Texts::default();
    for id in ids {
        // One that goes meanwhile is noted, and settled later.
        let text = read_text(rows, org, *id).await?.unwrap_or_default();
        if !texts.push(*id, &text) || texts.size() > room {
            tracing::warn!(org = org.0, "lists are too large to be searched in memory");
            return Ok(TextsOr::TooLarge);
        }
        still_open(closing)?;
    }
    Ok(TextsOr::Read(texts))
}

/// The text of a resource, if it is there.
async fn read_text(rows: &Rows, org: OrgId, id: ResourceId) -> Result<Option<Vec<u8>>, StoreError> {
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

/// What is in both; each is in order.
fn common(one: &[ResourceId], other: &[ResourceId]) -> Vec<ResourceId> {
    let (few, mut many) = match one.len() <= other.len() {
        true => (one, other),
        false => (other, one),
    };
    let mut both = Vec::new();
    for id in few {
        // Where they are about as many, the next one is near.
        let near = many.iter().take(NEAR).position(|it| it >= id);
        let at = near.unwrap_or_else(|| many.partition_point(|it| it < id));
        many = many.get(at..).unwrap_or_default();
        if many.first() == Some(id) {
            both.push(*id);
        }
    }
    both
}

/// What a key of the table of shares by user or group speaks of; a whole resource is its account 0.
fn target_in(key: &Key) -> Option<(ResourceId, Option<AccountId>)> {
    let account = key.number_at(2).filter(|id| *id != 0).map(AccountId);
    Some((ResourceId(key.number_at(1)?), account))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Does what takes its time on a thread that may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, VaultError> {
    let stopped = |_| VaultError::Unavailable(Outage::Part("listing was stopped"));
    Ok(tokio::task::spawn_blocking(work).await.map_err(stopped)??)
}

/// Looked at one by one before the rest is halved again and again.
const NEAR: usize = 8;
/// Rows read at once.
const PAGE: usize = 1024;
/// Resources read again until others have their turn.
const CHUNK: usize = 64;
/// Up to so many resources, reading a user's own rows is quicker than any list.
const FEW: usize = 256;
