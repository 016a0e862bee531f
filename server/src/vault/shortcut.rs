//! Where an allowed retrieval found its password, remembered for the next one: no name is hidden
//! and no row looked up again while nothing that it rested on has been touched. The password's own
//! row is kept as it lies in the store, sealed.
//!
//! Only what was allowed is remembered, and a refusal takes the whole way every time: whether
//! somebody else has retrieved a thing makes no difference to how long its refusal takes.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use crate::domain::{AccountId, Allowed, Grantee, OrgId, ResourceId, Role, Scope, Target, UserId};
use crate::store::rows::Rows;
use crate::store::{Key, Row, Stamp};
use crate::vault::find::{Found, Spot};
use crate::vault::ground::Ground;
use crate::vault::{AccountRef, Caller, ResourceRef, Wanted};

/// The ways that are remembered, up to as many as the settings say; then the least used make room.
pub(super) struct Shortcuts(Option<Cache<Names, Way>>);

/// Who asked, as what, for what: all that a decision depends on beside rows.
#[derive(PartialEq, Eq)]
struct Names {
    who: Who,
    resource: KnownResource,
    account: KnownAccount,
}

/// [`Names`], to be looked for.
#[derive(Hash)]
struct Asked<'a> {
    who: Who,
    resource: ResourceRef<'a>,
    account: AccountRef<'a>,
}

/// A [`ResourceRef`] that is kept.
#[derive(PartialEq, Eq)]
enum KnownResource {
    Named(Box<str>),
    Id(ResourceId),
    OfAccount,
}

/// An [`AccountRef`] that is kept.
#[derive(PartialEq, Eq)]
enum KnownAccount {
    Named(Box<str>),
    Id(AccountId),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Who {
    user: UserId,
    org: OrgId,
    role: Role,
    scope: Scope,
    within: Option<Allowed>,
    /// The account that it reaches by an API key: whoever comes by another has another way.
    grant: Option<AccountId>,
}

/// What is remembered.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) spot: Spot,
    rests_on: Stamp<ROWS>,
    /// The password's row; none where something else is kept.
    pub(super) sealed: Option<Arc<Row>>,
    /// For the audit trail, where something was asked for by its id.
    pub(super) named: Option<Arc<Named>>,
}

/// How the resource and the account are called.
pub(super) struct Named {
    pub(super) resource: Box<str>,
    pub(super) account: Box<str>,
}

impl Names {
    fn asked(&self) -> Asked<'_> {
        Asked {
            who: self.who,
            resource: match &self.resource {
                KnownResource::Named(name) => ResourceRef::Named(name),
                KnownResource::Id(id) => ResourceRef::Id(*id),
                KnownResource::OfAccount => ResourceRef::OfAccount,
            },
            account: match &self.account {
                KnownAccount::Named(name) => AccountRef::Named(name),
                KnownAccount::Id(id) => AccountRef::Id(*id),
            },
        }
    }
}

/// As what is looked for: the two must agree.
impl Hash for Names {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.asked().hash(state);
    }
}

impl Equivalent<Names> for Asked<'_> {
    fn equivalent(&self, names: &Names) -> bool {
        let kept = names.asked();
        self.who == kept.who && self.resource == kept.resource && self.account == kept.account
    }
}

impl Shortcuts {
    /// Room for `most`; with none, nothing is remembered.
    pub(super) fn new(most: usize) -> Self {
        Self((most > 0).then(|| Cache::new(most)))
    }

    /// Where `caller` may retrieve what it wants, if that is known and still so.
    pub(super) fn find(&self, wanted: &Wanted<'_>, caller: &Caller, rows: &Rows) -> Option<Way> {
        let asked = Asked {
            who: who(caller)?,
            resource: wanted.resource,
            account: wanted.account,
        };
        let way = self.0.as_ref()?.get(&asked)?;
        let stands = rows.store().stamps().holds(&way.rests_on);
        stands.then_some(way)
    }

    /// Remembers that `caller` may retrieve what it wanted and what was `found`, which is kept in
    /// `sealed`, unless anything was committed since there were `commits`: some rows may then be
    /// older than others.
    pub(super) fn note(
        &self,
        (wanted, found, sealed): (&Wanted<'_>, &Found, Option<Arc<Row>>),
        caller: &Caller,
        rows: &Rows,
        commits: u64,
    ) {
        let (Some(ways), Some(who)) = (&self.0, who(caller)) else {
            return;
        };
        let rests_on = stamp(wanted, found, who, rows);
        if rows.store().stamps().commits() != commits {
            return;
        }
        let resource = found.resource.record.name.as_str();
        let account = found.account.record.name.as_str();
        let names = Names {
            who,
            resource: match wanted.resource {
                ResourceRef::Named(_) => KnownResource::Named(resource.into()),
                ResourceRef::Id(id) => KnownResource::Id(id),
                ResourceRef::OfAccount => KnownResource::OfAccount,
            },
            account: match wanted.account {
                AccountRef::Named(_) => KnownAccount::Named(account.into()),
                AccountRef::Id(id) => KnownAccount::Id(id),
            },
        };
        let by_names = matches!(
            (&names.resource, &names.account),
            (KnownResource::Named(_), KnownAccount::Named(_))
        );
        let named = (!by_names).then(|| {
            Arc::new(Named {
                resource: resource.into(),
                account: account.into(),
            })
        });
        let way = Way {
            spot: found.spot(),
            rests_on,
            sealed,
            named,
        };
        ways.insert(names, way);
    }
}

/// The state of every row that the way passes: both names or what leads from an id, both records,
/// the password's own row, the share that was needed, and that there is no access control.
fn stamp(wanted: &Wanted<'_>, found: &Found, who: Who, rows: &Rows) -> Stamp<ROWS> {
    let places = rows.places();
    let (resource, account) = (&found.resource.record, &found.account.record);
    let target = |account: Option<AccountId>| Target {
        resource: resource.id,
        account,
    };
    let (whole, one) = (target(None), target(Some(account.id)));
    // What is asked for by its id rests on its record alone.
    let to_resource: Key = match wanted.resource {
        ResourceRef::Named(_) => places.resource_by_name(who.org, &resource.name),
        ResourceRef::Id(_) => found.resource.key.clone(),
        ResourceRef::OfAccount => places.account_by_id(account.id),
    };
    let to_account: Key = match wanted.account {
        AccountRef::Named(_) => places.account_by_name(resource.id, &account.name),
        AccountRef::Id(_) => found.account.key.clone(),
    };
    let theirs = places.groups_of(who.org, who.user);
    let shares = match found.ground {
        // A group's share counts for as long as the user is in the group, and that is there.
        Some(Ground {
            with: with @ Grantee::Group(group),
            target,
            ..
        }) => {
            let group = places.group(who.org, group);
            [theirs, places.share(target, with), group.clone(), group]
        }
        // As long as it is shared with the user or its group; a resource that is taken out of the
        // group is written again.
        Some(Ground {
            with: Grantee::ResourceGroup(set),
            by,
            ..
        }) => {
            let set = places.resource_group(who.org, set);
            let group = match by {
                Grantee::Group(group) => places.group(who.org, group),
                Grantee::User(_) | Grantee::ResourceGroup(_) => set.clone(),
            };
            [theirs, places.sets_of(by), set, group]
        }
        _ => {
            let [first, second] =
                [whole, one].map(|target| places.share(target, Grantee::User(who.user)));
            [first.clone(), second.clone(), first, second]
        }
    };
    let [first, second, third, fourth] = &shares;
    rows.store().stamps().of([
        &to_resource,
        &found.resource.key,
        &to_account,
        &found.account.key,
        first,
        second,
        third,
        fourth,
        &places.access_control(whole),
        &places.access_control(one),
        &places.secret(account.id, account.secret),
    ])
}

/// Who a user is to a decision; the operator's own retrievals are rare.
fn who(caller: &Caller) -> Option<Who> {
    Some(Who {
        user: caller.user()?,
        org: caller.org(),
        role: caller.identity.role,
        scope: caller.identity.scope,
        within: caller.identity.within,
        grant: caller.grant().map(|grant| grant.account),
    })
}

impl fmt::Debug for Shortcuts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shortcuts(..)")
    }
}

const ROWS: usize = 11;
