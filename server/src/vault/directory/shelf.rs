//! The lists themselves.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::domain::{AccountId, OrgId, ResourceId, Timestamp, UserId};
use crate::store::{Noted, Touched};
use crate::vault::Search;
use crate::vault::directory::needle::Needle;
use crate::vault::directory::texts::Texts;

/// All lists that are in memory, and what is to be read again before they are true.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) listings: HashMap<OrgId, Listing>,
    pub(super) reaches: HashMap<UserId, Reach>,
    noted: Noted,
}

/// The resources of an organisation.
#[derive(Debug)]
pub(super) struct Listing {
    /// In the order of every list.
    pub(super) ids: Vec<ResourceId>,
    pub(super) texts: TextsOr,
    /// What was searched for last, and found.
    searched: Vec<(Search, Arc<Vec<ResourceId>>)>,
    pub(super) used: Timestamp,
}

/// The texts of an organisation's resources.
#[derive(Debug)]
pub(super) enum TextsOr {
    /// Nobody has searched yet.
    Unread,
    /// They are being read; these resources have changed since.
    Building(HashSet<ResourceId>),
    /// They are there.
    Read(Texts),
    /// They would take more memory than they may.
    TooLarge,
}

/// What a user reaches by owning it and by shares.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    /// The user's organisation.
    pub(super) org: OrgId,
    /// All of it, in the order of every list.
    pub(super) ids: Arc<Vec<ResourceId>>,
    /// The accounts that are shared of those of which only some accounts are.
    pub(super) parts: Arc<BTreeMap<ResourceId, Vec<AccountId>>>,
    pub(super) used: Timestamp,
}

impl Shelf {
    /// Takes over what commits have touched. Lists of which nothing is known any more go.
    pub(super) fn take_over(&mut self, touched: &Touched) {
        let noted = touched.take();
        if noted.all {
            self.listings.clear();
            self.reaches.clear();
            self.noted = Noted::default();
            return;
        }
        for user in noted.users {
            self.reaches.remove(&user);
        }
        if noted.groups {
            // Who is in it is not looked up: what they reach is soon read again.
            self.reaches.clear();
        }
        self.noted.resources.extend(noted.resources);
        self.noted.reached.extend(noted.reached);
    }

    /// A resource that must be read again. It stays noted until [`Self::settled`], so that a caller
    /// who goes away in between loses nothing.
    pub(super) fn unsettled(&self) -> Option<ResourceId> {
        self.noted.resources.iter().next().copied()
    }

    pub(super) fn settled(&mut self, id: ResourceId) {
        self.noted.resources.remove(&id);
    }

    /// What a user may reach from now on, or no longer; noted until [`Self::reach_settled`].
    pub(super) fn unsettled_reach(&self) -> Option<(UserId, ResourceId)> {
        self.noted.reached.iter().next().copied()
    }

    pub(super) fn reach_settled(&mut self, pair: (UserId, ResourceId)) {
        self.noted.reached.remove(&pair);
    }

    /// Whether the texts of `org` are still to be read, or being read.
    pub(super) fn lacks_texts(&self, org: OrgId) -> bool {
        let listing = self.listings.get(&org);
        listing.is_some_and(|it| matches!(it.texts, TextsOr::Unread | TextsOr::Building(_)))
    }

    /// From now on the texts of `org` are being read: of these resources.
    pub(super) fn begin_texts(&mut self, org: OrgId) -> Option<Vec<ResourceId>> {
        let listing = self.listings.get_mut(&org)?;
        listing.texts = TextsOr::Building(HashSet::new());
        Some(listing.ids.clone())
    }

    /// The texts of `org` were read, as `made`. What changed meanwhile is to be read again. A list
    /// that was dropped meanwhile stays so.
    pub(super) fn end_texts(&mut self, org: OrgId, made: TextsOr) {
        let Some(listing) = self.listings.get_mut(&org) else {
            return;
        };
        if let TextsOr::Building(changed) = &mut listing.texts {
            let changed = std::mem::take(changed);
            listing.texts = made;
            self.noted.resources.extend(changed);
        }
    }

    /// How many bytes the lists take, about.
    pub(super) fn size(&self) -> usize {
        let listings = self.listings.values().map(Listing::size);
        let reaches = self.reaches.values().map(Reach::size);
        listings.sum::<usize>() + reaches.sum::<usize>()
    }

    /// Drops the lists that were last used before `since`; whether none is left.
    pub(super) fn drop_unused(&mut self, since: Timestamp) -> bool {
        self.listings.retain(|_, listing| listing.used >= since);
        self.reaches.retain(|_, reach| reach.used >= since);
        self.listings.is_empty() && self.reaches.is_empty()
    }

    /// Drops everything but the listing of `org`, where all of it is larger than `most`.
    pub(super) fn make_room(&mut self, org: Option<OrgId>, most: usize) {
        if self.size() > most {
            self.listings.retain(|id, _| Some(*id) == org);
            self.reaches.clear();
        }
    }
}

impl Listing {
    pub(super) fn new(ids: Vec<ResourceId>, used: Timestamp) -> Self {
        Self {
            ids,
            texts: TextsOr::Unread,
            searched: Vec::new(),
            used,
        }
    }

    /// Whether texts are kept, so that they must be kept true.
    pub(super) fn has_texts(&self) -> bool {
        matches!(self.texts, TextsOr::Read(_))
    }

    /// What is known of a resource now: its text, where texts are kept, or that it is gone.
    pub(super) fn set(&mut self, id: ResourceId, text: Option<Vec<u8>>) {
        match (self.ids.binary_search(&id), &text) {
            (Err(at), Some(_)) => self.ids.insert(at, id),
            (Ok(at), None) => drop(self.ids.remove(at)),
            _ => {}
        }
        match &mut self.texts {
            TextsOr::Read(texts) => texts.set(id, text),
            TextsOr::Building(changed) => drop(changed.insert(id)),
            TextsOr::Unread | TextsOr::TooLarge => {}
        }
        self.searched.clear();
    }

    /// The resources in whose texts `needle` is; remembered, for the next page is asked for next.
    pub(super) fn find(&mut self, search: &Search, needle: &Needle) -> Arc<Vec<ResourceId>> {
        if let Some((_, found)) = self.searched.iter().find(|(known, _)| known == search) {
            return Arc::clone(found);
        }
        let TextsOr::Read(texts) = &mut self.texts else {
            return Arc::default();
        };
        let found = Arc::new(texts.find(needle));
        if self.searched.len() >= SEARCHES {
            self.searched.remove(0);
        }
        self.searched.push((search.clone(), Arc::clone(&found)));
        found
    }

    fn size(&self) -> usize {
        let texts = match &self.texts {
            TextsOr::Read(texts) => texts.size(),
            TextsOr::Unread | TextsOr::Building(_) | TextsOr::TooLarge => 0,
        };
        let found: usize = self.searched.iter().map(|(_, ids)| ids.len()).sum();
        texts + (self.ids.capacity() + found) * size_of::<ResourceId>()
    }
}

impl Reach {
    /// What a user owns, and what is shared with it, whole or one account of it.
    pub(super) fn new(
        org: OrgId,
        owned: Vec<ResourceId>,
        shared: impl IntoIterator<Item = (ResourceId, Option<AccountId>)>,
        used: Timestamp,
    ) -> Self {
        let mut ids = owned;
        let mut parts: BTreeMap<ResourceId, Vec<AccountId>> = BTreeMap::new();
        for (id, account) in shared {
            match account {
                Some(account) => parts.entry(id).or_default().push(account),
                None => ids.push(id),
            }
        }
        ids.sort_unstable();
        ids.dedup();
        for accounts in parts.values_mut() {
            accounts.sort_unstable();
            accounts.dedup();
        }
        // Whoever has all of it has its parts.
        parts.retain(|id, _| ids.binary_search(id).is_err());
        ids.extend(parts.keys());
        ids.sort_unstable();
        Self {
            org,
            ids: Arc::new(ids),
            parts: Arc::new(parts),
            used,
        }
    }

    /// What `of` says of one resource, in place of what was known of it.
    pub(super) fn set(&mut self, id: ResourceId, of: &Self) {
        let ids = Arc::make_mut(&mut self.ids);
        match (ids.binary_search(&id), of.ids.is_empty()) {
            (Err(at), false) => ids.insert(at, id),
            (Ok(at), true) => drop(ids.remove(at)),
            _ => {}
        }
        let parts = Arc::make_mut(&mut self.parts);
        match of.parts.get(&id) {
            Some(accounts) => drop(parts.insert(id, accounts.clone())),
            None => drop(parts.remove(&id)),
        }
    }

    fn size(&self) -> usize {
        self.ids.capacity() * size_of::<ResourceId>() + self.parts.len() * 64
    }
}

/// How many searches are remembered.
const SEARCHES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_what_is_whole_is_no_part() {
        let id = ResourceId;
        let shared = [
            (id(2), Some(AccountId(9))),
            (id(5), None),
            (id(5), Some(AccountId(8))),
            (id(7), Some(AccountId(6))),
            (id(7), Some(AccountId(7))),
        ];

        let reach = Reach::new(OrgId(1), vec![id(2), id(9)], shared, Timestamp(0));

        assert_eq!(*reach.ids, [id(2), id(5), id(7), id(9)]);
        let parts = BTreeMap::from([(id(7), vec![AccountId(6), AccountId(7)])]);
        assert_eq!(*reach.parts, parts);
    }
}
