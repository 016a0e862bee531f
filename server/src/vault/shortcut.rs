//! Where an allowed retrieval found its password, remembered for the next one: no name is hidden
//! and no row opened again while nothing that it rested on has been touched.
//!
//! Only what was allowed is remembered, and a refusal takes the whole way every time: whether
//! somebody else has retrieved a thing makes no difference to how long its refusal takes.

use std::fmt;
use std::hash::Hash;

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use crate::domain::{
    AccountId, AccountName, Grantee, OrgId, ResourceName, Role, Scope, Target, UserId,
};
use crate::store::Stamp;
use crate::store::rows::Rows;
use crate::vault::find::{Found, Spot};
use crate::vault::ground::Ground;
use crate::vault::{Caller, Wanted};

/// The ways that are remembered, up to as many as the settings say; then the least used make room.
pub(super) struct Shortcuts(Option<Cache<Names, Way>>);

/// Who asked, as what, for what: all that a decision depends on beside rows.
#[derive(PartialEq, Eq, Hash)]
struct Names {
    who: Who,
    resource: Box<str>,
    account: Box<str>,
}

/// [`Names`], to be looked for.
#[derive(Hash)]
struct Asked<'a> {
    who: Who,
    resource: &'a str,
    account: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Who {
    user: UserId,
    org: OrgId,
    role: Role,
    scope: Scope,
}

#[derive(Clone, Copy)]
struct Way {
    spot: Spot,
    rests_on: Stamp<ROWS>,
}

impl Equivalent<Names> for Asked<'_> {
    fn equivalent(&self, names: &Names) -> bool {
        self.who == names.who
            && self.resource == &*names.resource
            && self.account == &*names.account
    }
}

impl Shortcuts {
    /// Room for `most`; with none, nothing is remembered.
    pub(super) fn new(most: usize) -> Self {
        Self((most > 0).then(|| Cache::new(most)))
    }

    /// Where `caller` may retrieve what it wants, if that is known and still so.
    pub(super) fn find(&self, wanted: &Wanted<'_>, caller: &Caller, rows: &Rows) -> Option<Spot> {
        let asked = Asked {
            who: who(caller)?,
            resource: wanted.resource,
            account: wanted.account,
        };
        let way = self.0.as_ref()?.get(&asked)?;
        let stands = rows.store().stamps().holds(&way.rests_on);
        stands.then_some(way.spot)
    }

    /// Remembers that `caller` may retrieve what was `found`, unless anything was committed since
    /// there were `commits`: some rows may then be older than others.
    pub(super) fn note(&self, found: &Found, caller: &Caller, rows: &Rows, commits: u64) {
        let (Some(ways), Some(who)) = (&self.0, who(caller)) else {
            return;
        };
        let (resource, account) = (&found.resource.record.name, &found.account.record.name);
        let rests_on = stamp(found, (resource, account), who, rows);
        if rows.store().stamps().commits() != commits {
            return;
        }
        let names = Names {
            who,
            resource: resource.as_str().into(),
            account: account.as_str().into(),
        };
        let spot = found.spot();
        ways.insert(names, Way { spot, rests_on });
    }
}

/// The state of every row that the way passes: both names, both records, the share that was needed,
/// and that there is no access control.
fn stamp(
    found: &Found,
    (resource, account): (&ResourceName, &AccountName),
    who: Who,
    rows: &Rows,
) -> Stamp<ROWS> {
    let places = rows.places();
    let id = found.resource.record.id;
    let target = |account: Option<AccountId>| Target {
        resource: id,
        account,
    };
    let (whole, one) = (target(None), target(Some(found.account.record.id)));
    let shares = match found.ground {
        // A group's share counts for as long as the user is in the group.
        Some(Ground { with, target, .. }) if with != Grantee::User(who.user) => [
            places.groups_of(who.org, who.user),
            places.share(target, with),
        ],
        _ => [whole, one].map(|target| places.share(target, Grantee::User(who.user))),
    };
    let [first, second] = &shares;
    rows.store().stamps().of([
        &places.resource_by_name(who.org, resource),
        &found.resource.key,
        &places.account_by_name(id, account),
        &found.account.key,
        first,
        second,
        &places.access_control(whole),
        &places.access_control(one),
    ])
}

/// Who a user is to a decision; the operator's own retrievals are rare.
fn who(caller: &Caller) -> Option<Who> {
    Some(Who {
        user: caller.user()?,
        org: caller.org(),
        role: caller.identity.role,
        scope: caller.identity.scope,
    })
}

impl fmt::Debug for Shortcuts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shortcuts(..)")
    }
}

const ROWS: usize = 8;
