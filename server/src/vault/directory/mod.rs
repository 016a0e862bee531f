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

mod build;
mod needle;
mod scan;
mod settle;
mod shelf;
mod texts;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::domain::{Grantee, OrgId, ResourceGroupId, ResourceId, Timestamp};
use crate::store::StoreError;
pub(super) use crate::vault::directory::needle::{Needle, text_of};
use crate::vault::directory::shelf::{Reach, Shelf};
use crate::vault::error::Outage;
use crate::vault::{Caller, Filter, Search, SearchColumn, SearchKind, Vault, VaultError, Within};

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
    /// Held by whoever reads texts.
    building: Arc<Mutex<()>>,
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
            building: Arc::default(),
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
        let (within, known) = match filter.within {
            Within::All => return self.listed_of_all(filter, caller).await,
            Within::Group(group) => (self.ids_in(group).await?, true),
            Within::Kinds(words) => self.ids_of_kinds(words, caller).await?,
        };
        let whole = Filter {
            search: filter.search.clone(),
            ..Filter::page(0, usize::MAX)
        };
        let all = self.listed_of_all(&whole, caller).await?;
        Ok(Listed {
            complete: all.complete && known,
            ..Listed::of(&common(&all.ids, &within), filter)
        })
    }

    /// What is in a group of resources, in the order of every list.
    async fn ids_in(&self, group: ResourceGroupId) -> Result<Vec<ResourceId>, VaultError> {
        let prefix = self.rows.places().shares_by(Grantee::ResourceGroup(group));
        let ids = self.keys(prefix, usize::MAX, |key| key.number_at(1).map(ResourceId));
        let ids = blocking(move || Handle::current().block_on(ids)).await?;
        Ok(ids.unwrap_or_default())
    }

    /// What `caller` sees of kinds in whose names one of `words` is, and whether that is all.
    async fn ids_of_kinds(
        &self,
        words: &[&str],
        caller: &Caller,
    ) -> Result<(Vec<ResourceId>, bool), VaultError> {
        let (mut ids, mut complete) = (Vec::new(), true);
        for word in words {
            let search = Search {
                kind: SearchKind::Resource,
                column: SearchColumn::Kind,
                value: (*word).to_owned(),
            };
            let filter = Filter::page(0, usize::MAX).searching(search);
            let listed = self.listed_of_all(&filter, caller).await?;
            complete &= listed.complete;
            ids.extend(listed.ids);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok((ids, complete))
    }

    async fn listed_of_all(&self, filter: &Filter, caller: &Caller) -> Result<Listed, VaultError> {
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
/// Up to so many resources, reading a user's own rows is quicker than any list.
const FEW: usize = 256;
