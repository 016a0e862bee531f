//! Pages of lists: from anywhere in them, and of what was searched for.
//!
//! Lists are in the order of ids, always: what is made comes last, and nothing that stays moves in
//! front of anything else, so that pages never repeat or skip more than what was removed between
//! them. `directory/` finds which resources are on a page; each is then read, and decided upon, as
//! when it is asked for alone.

use std::collections::HashMap;

use crate::domain::{
    Account, AccountId, Action, Decision, Folded, Operation, OrgId, RefusalReason, Resource,
    ResourceGroupId, ResourceId, UserId, decide,
};
use crate::store::Key;
use crate::vault::book::Deed;
use crate::vault::directory::{Needle, text_of};
use crate::vault::{AccountView, Caller, ResourceRef, ResourceView, Vault, VaultError};

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// How many are passed over.
    pub start: usize,
    /// How many there are at most.
    pub limit: usize,
    /// Only those behind the one with this id; `start` is counted from there.
    pub after: Option<u64>,
    /// Only those in which this is found.
    pub search: Option<Search>,
    /// Of what it is a part.
    pub within: Within,
}

/// Of what a list is a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Within {
    /// All that the caller sees.
    #[default]
    All,
    /// What is in a group of resources that the caller may know of.
    Group(ResourceGroupId),
    /// What is of a kind in whose name one of these words is.
    Kinds(&'static [&'static str]),
}

impl Filter {
    /// The page of `limit` that begins at `start`.
    #[must_use]
    pub const fn page(start: usize, limit: usize) -> Self {
        Self {
            start,
            limit,
            after: None,
            search: None,
            within: Within::All,
        }
    }

    /// The same of what is within this.
    #[must_use]
    pub fn within(self, within: Within) -> Self {
        Self { within, ..self }
    }

    /// The same of those in which `search` is found.
    #[must_use]
    pub fn searching(self, search: Search) -> Self {
        Self {
            search: Some(search),
            ..self
        }
    }

    /// For the audit trail; what is searched for is not told, for it may be anything.
    pub(super) fn words(&self, what: &str) -> String {
        let searched = match &self.search {
            Some(search) if !search.value.is_empty() => ", searched",
            _ => "",
        };
        format!(
            "{what} from {}, at most {}{searched}{}",
            self.start,
            self.limit,
            self.within.words()
        )
    }
}

impl Within {
    fn words(self) -> String {
        match self {
            Self::All => String::new(),
            Self::Group(id) => format!(", of resource group (id {id})"),
            Self::Kinds(words) => format!(", of kinds with {}", words.join(" or ")),
        }
    }
}

/// What is searched for: a part of a text, in whatever case and Unicode form. An empty one is in
/// everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// What `All` columns are those of.
    pub kind: SearchKind,
    /// Where it is looked for.
    pub column: SearchColumn,
    /// What.
    pub value: String,
}

/// What all columns are those of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchKind {
    /// A resource.
    Resource,
    /// Its accounts.
    Account,
}

/// Where something is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchColumn {
    /// Everywhere; of a resource, that is all of these but its accounts and its notes.
    All,
    /// The resource's name.
    Name,
    /// What kind of thing it is.
    Kind,
    /// Its DNS name or address.
    Address,
    /// Its web page.
    Url,
    /// What it is for.
    Description,
    /// Its department.
    Department,
    /// Where it stands.
    Location,
    /// The values of the fields that the operator named.
    Fields,
    /// The names of its accounts, those that the caller sees.
    Account,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many there are in all, on this page and on others.
    pub total: usize,
    /// Whether all were looked through. Where a list does not fit into the memory that it may take,
    /// only so many rows are: then there may be more.
    pub complete: bool,
}

impl Vault {
    /// A page of the resources that `caller` may see.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] for a group of resources that `caller` may not know of.
    pub async fn resource_page(
        &self,
        filter: &Filter,
        caller: &Caller,
    ) -> Result<Page<ResourceView>, VaultError> {
        let deed = Deed::new(Operation::List).detail(filter.words("resources"));
        if let Within::Group(group) = filter.within {
            self.seen_set(group, &deed, caller).await?;
        }
        self.allow(&deed, caller).await?;
        let listed = self.listed(filter, caller).await?;
        let mut items = Vec::with_capacity(listed.ids.len());
        let mut logins = HashMap::new();
        for id in listed.ids {
            items.extend(self.listed_view(id, &mut logins, caller).await?);
        }
        Ok(Page {
            items,
            total: listed.total,
            complete: listed.complete,
        })
    }

    /// A page of the accounts of a resource that `caller` may see. What is searched for in a
    /// resource's columns is in all of its accounts, or in none.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for a resource that is not there or not shared;
    /// [`VaultError::NotFound`] for a group that it is not in.
    pub async fn account_page(
        &self,
        resource: impl Into<ResourceRef<'_>>,
        filter: &Filter,
        caller: &Caller,
    ) -> Result<Page<AccountView>, VaultError> {
        let resource = resource.into();
        let mut deed = Deed::new(Operation::List)
            .on(&resource.words(), "")
            .detail(filter.words("accounts"));
        let resource = self.find_visible(resource, &mut deed, caller).await?.record;
        let listed = self.is_within(filter.within, &resource, &deed, caller);
        let listed = listed.await?;
        self.allow(&deed, caller).await?;
        let visible = match listed {
            true => self.visible_accounts(&resource, caller).await?,
            false => Vec::new(),
        };
        let (found, complete) = self.accounts_with(&resource, visible, filter).await?;
        let behind = |id: &&AccountId| filter.after.is_none_or(|after| id.0 > after);
        let page = found.iter().filter(behind).skip(filter.start);
        let mut items = Vec::new();
        for id in page.take(filter.limit) {
            let key = self.rows.places().account(resource.id, *id);
            if let Some(kept) = self.rows.get::<Account>(key).await? {
                items.push(self.account_view(kept.record, caller).await?);
            }
        }
        Ok(Page {
            items,
            total: found.len(),
            complete,
        })
    }

    /// Whether a resource is listed within that; that it is not in a group is refused.
    async fn is_within(
        &self,
        within: Within,
        resource: &Resource,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<bool, VaultError> {
        match within {
            Within::All => Ok(true),
            Within::Kinds(words) => {
                let kind = Folded::new(resource.kind.as_str());
                Ok(words.iter().any(|word| kind.as_str().contains(word)))
            }
            Within::Group(group) => {
                self.seen_set(group, deed, caller).await?;
                if self.is_in(resource.id, group).await? {
                    return Ok(true);
                }
                let answer = VaultError::NotFound("resource in this group");
                let why = RefusalReason::NoSuchThing;
                Err(self.refuse(deed, why, answer, caller).await)
            }
        }
    }

    /// A resource on a page, if it is still there and still to be seen.
    pub(super) async fn listed_view(
        &self,
        id: ResourceId,
        logins: &mut HashMap<UserId, String>,
        caller: &Caller,
    ) -> Result<Option<ResourceView>, VaultError> {
        let key = self.rows.places().resource(caller.org(), id);
        let Some(kept) = self.rows.get::<Resource>(key).await? else {
            return Ok(None);
        };
        let resource = kept.record;
        if !self.may_see(resource.owner, id, caller).await? {
            return Ok(None);
        }
        let owner = match resource.owner {
            None => None,
            Some(id) => Some(self.login_once(resource.org, id, logins).await?),
        };
        let accounts = self.visible_accounts(&resource, caller).await?.len();
        Ok(Some(ResourceView {
            resource,
            owner,
            accounts,
        }))
    }

    async fn login_once(
        &self,
        org: OrgId,
        id: UserId,
        logins: &mut HashMap<UserId, String>,
    ) -> Result<String, VaultError> {
        if let Some(login) = logins.get(&id) {
            return Ok(login.clone());
        }
        let login = self.login_of(org, id).await?;
        logins.insert(id, login.clone());
        Ok(login)
    }

    /// The accounts of a resource that `caller` may see, in the order of ids.
    pub(super) async fn visible_accounts(
        &self,
        resource: &Resource,
        caller: &Caller,
    ) -> Result<Vec<AccountId>, VaultError> {
        let share = self.share_of(caller, resource.id, None).await?;
        let standing = caller.standing(resource.owner, share);
        match decide(Action::See, standing) {
            Decision::Allowed => {
                let prefix = self.rows.places().accounts(resource.id);
                return self.last_numbers(&prefix, 1).await;
            }
            Decision::Denied => return Ok(Vec::new()),
            Decision::Hidden => {}
        }
        let Some(user) = caller.user() else {
            return Ok(Vec::new());
        };
        let mut seen = Vec::new();
        for with in self.grantees(caller.org(), user).await? {
            let within = self.rows.places().shares_by(with).number(resource.id.0);
            seen.extend(self.last_numbers(&within, 2).await?);
        }
        seen.sort_unstable();
        seen.dedup();
        Ok(seen)
    }

    /// The account ids at `place` in the keys that begin with `prefix`.
    async fn last_numbers(&self, prefix: &Key, place: usize) -> Result<Vec<AccountId>, VaultError> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let rows = self.rows.store().scan(prefix, after.as_ref(), PAGE).await?;
            let numbers = rows.iter().filter_map(|row| row.key.number_at(place));
            ids.extend(numbers.map(AccountId));
            if rows.len() < PAGE {
                return Ok(ids);
            }
            after = rows.into_iter().last().map(|row| row.key);
            tokio::task::yield_now().await;
        }
    }

    /// Those of `visible` that are searched for, and whether all were looked at.
    async fn accounts_with(
        &self,
        resource: &Resource,
        visible: Vec<AccountId>,
        filter: &Filter,
    ) -> Result<(Vec<AccountId>, bool), VaultError> {
        let Some(needle) = filter.search.as_ref().and_then(Needle::new) else {
            return Ok((visible, true));
        };
        if !needle.is_about_accounts() {
            let found = needle.is_in(&text_of(resource, []));
            return Ok((if found { visible } else { Vec::new() }, true));
        }
        let most = self.directory.most_rows();
        let complete = visible.len() <= most;
        let mut found = Vec::new();
        for id in visible.into_iter().take(most) {
            if self.part_matches(&needle, resource.id, &[id]).await? {
                found.push(id);
            }
            if id.0.is_multiple_of(PAGE as u64) {
                tokio::task::yield_now().await;
            }
        }
        Ok((found, complete))
    }
}

const PAGE: usize = 256;
