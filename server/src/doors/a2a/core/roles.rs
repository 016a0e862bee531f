//! `Roles`: what the original calls entitlements; here, groups of users. What their members may
//! request is said by access policies.

use std::collections::BTreeSet;

use http::Method;
use serde::Serialize;

use crate::domain::{Group, GroupId, User, UserId, UserKind};
use crate::doors::a2a::Asked;
use crate::doors::a2a::core::listing::{self, wish};
use crate::doors::a2a::core::members::Members;
use crate::doors::a2a::core::query::{MOST, MOST_READ, Row, Table};
use crate::doors::a2a::core::{nothing_there, times};
use crate::doors::a2a::reply::{Refusal, Reply, no_content};
use crate::vault::{Caller, GroupEdit, NewGroup, UserRef, VaultError};

/// A group as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Role {
    id: u64,
    name: String,
    description: String,
    created_date: String,
    members: Vec<Member>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Member {
    id: u64,
    name: String,
    display_name: String,
    principal_kind: &'static str,
    identity_provider_type_reference_name: &'static str,
}

static TABLE: Table = Table {
    names: &["Id", "Name", "Description", "CreatedDate", "Members"],
    renamed: &[],
    aliases: &[],
};

/// Answers what is below `Roles`.
pub(super) async fn answer(asked: &Asked<'_>, rest: &[&str]) -> Reply {
    let Some((first, within)) = rest.split_first() else {
        return match asked.method {
            Method::GET => all(asked).await,
            Method::POST => add(asked).await,
            _ => Err(nothing_there()),
        };
    };
    let id = GroupId(first.parse().map_err(|_| nothing_there())?);
    match (within, &asked.method) {
        ([], &Method::GET) => show(id, asked).await,
        ([], &Method::PUT) => put(id, asked).await,
        ([], &Method::DELETE) => remove(id, asked).await,
        _ => Err(nothing_there()),
    }
}

async fn all(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let mut gathered = wish(asked, &TABLE)?.gather();
    let groups = asked.door.vault.groups(None, MOST_READ + 1, &caller).await;
    for group in groups.map_err(|error| asked.refused(error))? {
        if !gathered.take(Row::of(&in_words(&group, asked, &caller).await?)) {
            break;
        }
    }
    listing::told(gathered).await
}

async fn show(id: GroupId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let group = group(id, asked, &caller).await?;
    listing::one(asked, &TABLE, &in_words(&group, asked, &caller).await?)
}

async fn add(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    let new = NewGroup {
        name: named(&members)?,
        description: members.text(&["Description"])?.unwrap_or_default(),
    };
    let wanted = wanted(&members, asked, &caller).await?;
    let group = asked.door.vault.add_group(&new, &caller).await;
    let group = group.map_err(|error| asked.refused(error))?;
    has(&group, &[], &wanted, (asked, &caller)).await?;
    listing::new(asked, &TABLE, &in_words(&group, asked, &caller).await?)
}

async fn put(id: GroupId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    members.must_be(&["Id"], id.0)?;
    let before = group(id, asked, &caller).await?;
    let name = named(&members)?;
    let edit = GroupEdit {
        name: (name != before.name.as_str()).then_some(name),
        description: Some(members.text(&["Description"])?.unwrap_or_default()),
    };
    let wanted = wanted(&members, asked, &caller).await?;
    let there = inside(&before, asked, &caller).await?;
    let vault = &asked.door.vault;
    let after = vault.edit_group(before.name.as_str(), &edit, &caller).await;
    let after = after.map_err(|error| asked.refused(error))?;
    has(&after, &there, &wanted, (asked, &caller)).await?;
    listing::one(asked, &TABLE, &in_words(&after, asked, &caller).await?)
}

/// Removes a group, and the policies that are its own first: all of them, or nothing where one is
/// not the caller's to take back.
async fn remove(id: GroupId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let group = group(id, asked, &caller).await?;
    let vault = &asked.door.vault;
    let policies = vault.removable_policies(id, &caller).await;
    for policy in policies.map_err(|error| asked.refused(error))? {
        let done = vault.remove_access_policy(policy, &caller).await;
        done.map_err(|error| asked.refused(error))?;
    }
    let done = vault.remove_group(group.name.as_str(), &caller).await;
    done.map_err(|error| asked.refused(error))?;
    Ok(no_content())
}

/// The group with an id.
async fn group(id: GroupId, asked: &Asked<'_>, caller: &Caller) -> Result<Group, Refusal> {
    let before = id.0.checked_sub(1).map(GroupId);
    let found = asked.door.vault.groups(before, 1, caller).await;
    let found = found.map_err(|error| asked.refused(error))?;
    let found = found.into_iter().find(|group| group.id == id);
    found.ok_or_else(|| asked.refused(VaultError::NotFound("role")))
}

/// The users who are to be in it, each by its id.
async fn wanted(
    members: &Members,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<Vec<User>, Refusal> {
    let mut users = Vec::new();
    for member in members.objects(&["Members"])? {
        let kind = member.text(&["PrincipalKind"])?.unwrap_or_default();
        let id = member.id(&["Id"])?;
        if !(kind.is_empty() || kind.eq_ignore_ascii_case("User")) {
            return Err(Refusal::field("entity.Members", USERS_ONLY));
        }
        let id = id.ok_or_else(|| Refusal::field("entity.Members", USERS_ONLY))?;
        let user = asked.door.vault.user(UserRef::Id(UserId(id)), caller).await;
        users.push(user.map_err(|error| asked.refused(error))?);
    }
    Ok(users)
}

/// Lets these users be in a group, and nobody else of those who are.
async fn has(
    group: &Group,
    there: &[User],
    wanted: &[User],
    (asked, caller): (&Asked<'_>, &Caller),
) -> Result<(), Refusal> {
    let (out, into) = (without(there, wanted), without(wanted, there));
    if out.is_empty() && into.is_empty() {
        return Ok(());
    }
    let vault = &asked.door.vault;
    let done = vault.change_members(group.name.as_str(), (&out, &into), caller);
    done.await.map_err(|error| asked.refused(error))
}

/// Those of `users` who are none of the `others`, each once.
fn without(users: &[User], others: &[User]) -> Vec<UserId> {
    let others: BTreeSet<_> = others.iter().map(|user| user.id).collect();
    let users: BTreeSet<_> = users.iter().map(|user| user.id).collect();
    users.difference(&others).copied().collect()
}

async fn inside(group: &Group, asked: &Asked<'_>, caller: &Caller) -> Result<Vec<User>, Refusal> {
    let page = (None, MOST);
    let users = asked.door.vault.members(group.name.as_str(), page, caller);
    users.await.map_err(|error| asked.refused(error))
}

fn named(members: &Members) -> Result<String, Refusal> {
    let name = members.text(&["Name"])?;
    name.filter(|name| !name.is_empty())
        .ok_or_else(|| Refusal::field("entity.Name", "The Name field is required."))
}

async fn in_words(group: &Group, asked: &Asked<'_>, caller: &Caller) -> Result<Role, Refusal> {
    let users = inside(group, asked, caller).await?;
    Ok(Role {
        id: group.id.0,
        name: group.name.to_string(),
        description: group.description.as_str().to_owned(),
        created_date: times::to_text(group.created),
        members: users.iter().map(member).collect(),
    })
}

fn member(user: &User) -> Member {
    Member {
        id: user.id.0,
        name: user.name.to_string(),
        display_name: user.full_name.as_str().to_owned(),
        principal_kind: "User",
        identity_provider_type_reference_name: match user.kind {
            UserKind::Person(_) => "Local",
            UserKind::Api { .. } => "Certificate",
        },
    }
}

const USERS_ONLY: &str = "A member is a user, by its Id: groups hold no groups.";
