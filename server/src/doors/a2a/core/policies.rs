//! `AccessPolicies`: which accounts the members of a role may request, and on what terms.

use std::time::Duration;

use http::Method;
use serde::Serialize;

use crate::domain::{
    AccessPolicyId, Account, AccountId, ChangeAfter, GroupId, Resource, SecretKind, UserId, beside,
};
use crate::doors::a2a::Asked;
use crate::doors::a2a::core::listing::{self, list, wish};
use crate::doors::a2a::core::members::Members;
use crate::doors::a2a::core::query::{Row, Table};
use crate::doors::a2a::core::{nothing_there, request_types, times};
use crate::doors::a2a::reply::{Refusal, Reply, no_content};
use crate::vault::{
    AccessPolicyView, Caller, NewAccessControl, NewAccessPolicy, UserRef, VaultError,
};

/// A policy as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    id: u64,
    name: String,
    description: String,
    role_id: u64,
    role_name: String,
    created_date: String,
    access_request_properties: AccessRequestProperties,
    requester_properties: RequesterProperties,
    approver_properties: ApproverProperties,
    approver_sets: Vec<ApproverSet>,
    scope_items: Vec<ScopeItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccessRequestProperties {
    access_request_type: &'static str,
    allow_simultaneous_access: bool,
    change_password_after_checkin: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequesterProperties {
    require_reason_comment: bool,
    require_service_ticket: bool,
    maximum_release_duration_days: u64,
    maximum_release_duration_hours: u64,
    maximum_release_duration_minutes: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ApproverProperties {
    require_approval: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ApproverSet {
    required_approvers: u8,
    approvers: Vec<Approver>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Approver {
    id: u64,
    principal_kind: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ScopeItem {
    id: u64,
    name: String,
    scope_item_type: &'static str,
    asset_id: u64,
    asset_name: String,
}

static TABLE: Table = Table {
    names: &[
        "Id",
        "Name",
        "Description",
        "RoleId",
        "RoleName",
        "CreatedDate",
        "AccessRequestProperties.AccessRequestType",
        "AccessRequestProperties.AllowSimultaneousAccess",
        "AccessRequestProperties.ChangePasswordAfterCheckin",
        "RequesterProperties.RequireReasonComment",
        "RequesterProperties.RequireServiceTicket",
        "RequesterProperties.MaximumReleaseDurationDays",
        "RequesterProperties.MaximumReleaseDurationHours",
        "RequesterProperties.MaximumReleaseDurationMinutes",
        "ApproverProperties.RequireApproval",
        "ApproverSets",
        "ScopeItems",
    ],
    renamed: &[],
    aliases: &[],
};

/// Answers what is below `AccessPolicies`.
pub(super) async fn answer(asked: &Asked<'_>, rest: &[&str]) -> Reply {
    let Some((first, within)) = rest.split_first() else {
        return match asked.method {
            Method::GET => all(asked).await,
            Method::POST => add(asked).await,
            _ => Err(nothing_there()),
        };
    };
    let id = AccessPolicyId(first.parse().map_err(|_| nothing_there())?);
    match (within, &asked.method) {
        ([], &Method::GET) => show(id, asked).await,
        ([], &Method::DELETE) => remove(id, asked).await,
        _ => Err(nothing_there()),
    }
}

async fn all(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let wish = wish(asked, &TABLE)?;
    let views = asked.door.vault.access_policies(&caller).await;
    let views = views.map_err(|error| asked.refused(error))?;
    let rows: Vec<_> = views.iter().map(in_words).collect();
    list(wish, rows, Row::of).await
}

async fn show(id: AccessPolicyId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let view = asked.door.vault.access_policy(id, &caller).await;
    let view = view.map_err(|error| asked.refused(error))?;
    listing::one(asked, &TABLE, &in_words(&view))
}

async fn add(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let new = meant(&Members::read(asked)?, asked, &caller).await?;
    let view = asked.door.vault.add_access_policy(&new, &caller).await;
    let view = view.map_err(|error| asked.refused(error))?;
    listing::new(asked, &TABLE, &in_words(&view))
}

async fn remove(id: AccessPolicyId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let done = asked.door.vault.remove_access_policy(id, &caller).await;
    done.map_err(|error| asked.refused(error))?;
    Ok(no_content())
}

async fn meant(
    members: &Members,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<NewAccessPolicy, Refusal> {
    let properties = members.object(&["AccessRequestProperties"])?;
    let kind = match &properties {
        Some(properties) => properties.text(&["AccessRequestType"])?,
        None => None,
    };
    let needed = |name: &str| Refusal::field(&format!("entity.{name}"), "It is required.");
    Ok(NewAccessPolicy {
        name: members.text(&["Name"])?.unwrap_or_default(),
        description: members.text(&["Description"])?.unwrap_or_default(),
        group: GroupId(members.id(&["RoleId"])?.ok_or_else(|| needed("RoleId"))?),
        kind: request_types::kind(kind.as_deref().unwrap_or_default())?,
        accounts: scope(members)?,
        terms: terms(members, properties.as_ref(), (asked, caller)).await?,
    })
}

/// The accounts that it is about.
fn scope(members: &Members) -> Result<Vec<AccountId>, Refusal> {
    let mut accounts = Vec::new();
    for item in members.objects(&["ScopeItems"])? {
        let kind = item.text(&["ScopeItemType"])?.unwrap_or_default();
        match item.id(&["Id"])? {
            Some(id) if kind.eq_ignore_ascii_case("Account") => accounts.push(AccountId(id)),
            _ => return Err(Refusal::field("entity.ScopeItems", ACCOUNTS_ONLY)),
        }
    }
    accounts.sort_unstable_by_key(|id| id.0);
    accounts.dedup();
    Ok(accounts)
}

async fn terms(
    members: &Members,
    properties: Option<&Members>,
    (asked, caller): (&Asked<'_>, &Caller),
) -> Result<NewAccessControl, Refusal> {
    let requester = members.object(&["RequesterProperties"])?;
    let says = |of: Option<&Members>, name: &str| match of {
        Some(of) => of.truth(&[name]),
        None => Ok(false),
    };
    let (approvals, approvers, approver_groups) = approval(members, asked, caller).await?;
    Ok(NewAccessControl {
        approvers,
        approver_groups,
        approvals,
        exclusive: !says(properties, "AllowSimultaneousAccess")?,
        longest: longest(requester.as_ref())?,
        reason: says(requester.as_ref(), "RequireReasonComment")?,
        ticket: says(requester.as_ref(), "RequireServiceTicket")?,
        change_after: says(properties, "ChangePasswordAfterCheckin")?
            .then_some(ChangeAfter::Remote),
    })
}

/// How many must approve, and who: users by their logins, groups by their names.
async fn approval(
    members: &Members,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<(u8, Vec<String>, Vec<String>), Refusal> {
    let sets = members.objects(&["ApproverSets"])?;
    let said = members.object(&["ApproverProperties"])?;
    let said = said.filter(|properties| properties.has(&["RequireApproval"]));
    let required = match said {
        Some(properties) => properties.truth(&["RequireApproval"])?,
        // Whoever names approvers wants them asked.
        None => !sets.is_empty(),
    };
    if !required && sets.is_empty() {
        return Ok((0, Vec::new(), Vec::new()));
    }
    if !required {
        return Err(Refusal::field("entity.ApproverSets", UNASKED));
    }
    let [set] = sets.as_slice() else {
        return match sets.is_empty() {
            // Whoever manages the account decides.
            true => Ok((1, Vec::new(), Vec::new())),
            false => Err(Refusal::field("entity.ApproverSets", ONE_SET)),
        };
    };
    let needed = set.number(&["RequiredApprovers"])?.unwrap_or(1);
    let needed = u8::try_from(needed)
        .ok()
        .filter(|needed| (1..=2).contains(needed));
    let needed = needed.ok_or_else(|| Refusal::field("entity.ApproverSets", ONE_OR_TWO))?;
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for approver in set.objects(&["Approvers"])? {
        let kind = approver.text(&["PrincipalKind"])?.unwrap_or_default();
        let id = approver.id(&["Id"])?.unwrap_or_default();
        match kind.eq_ignore_ascii_case("Group") {
            true => groups.push(group_name(GroupId(id), asked, caller).await?),
            false => {
                let user = asked.door.vault.user(UserRef::Id(UserId(id)), caller).await;
                users.push(user.map_err(|error| asked.refused(error))?.login());
            }
        }
    }
    Ok((needed, users, groups))
}

async fn group_name(id: GroupId, asked: &Asked<'_>, caller: &Caller) -> Result<String, Refusal> {
    let before = id.0.checked_sub(1).map(GroupId);
    let found = asked.door.vault.groups(before, 1, caller).await;
    let found = found.map_err(|error| asked.refused(error))?;
    let found = found.into_iter().find(|group| group.id == id);
    let found = found.ok_or_else(|| asked.refused(VaultError::NotFound("group")))?;
    Ok(found.name.to_string())
}

fn longest(requester: Option<&Members>) -> Result<Duration, Refusal> {
    let Some(requester) = requester else {
        return Ok(WEEK);
    };
    let mut minutes = None;
    for (name, each) in [
        ("MaximumReleaseDurationDays", 24 * 60),
        ("MaximumReleaseDurationHours", 60),
        ("MaximumReleaseDurationMinutes", 1),
    ] {
        if let Some(number) = requester.number(&[name])? {
            let number = u64::try_from(number).unwrap_or(u64::MAX);
            let sum = minutes.unwrap_or(0_u64);
            minutes = Some(sum.saturating_add(number.saturating_mul(each)));
        }
    }
    let seconds = minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
    Ok(seconds.unwrap_or(WEEK))
}

fn in_words(view: &AccessPolicyView) -> Policy {
    let (policy, terms) = (&view.policy, &view.policy.terms);
    let minutes = terms.longest.as_secs() / 60;
    let users = terms.approvers.iter().map(|user| (user.0, "User"));
    let groups = terms.approver_groups.iter().map(|group| (group.0, "Group"));
    let approver = |(id, principal_kind)| Approver { id, principal_kind };
    let set = ApproverSet {
        required_approvers: terms.approvals,
        approvers: users.chain(groups).map(approver).collect(),
    };
    Policy {
        id: policy.id.0,
        name: policy.name.to_string(),
        description: policy.description.as_str().to_owned(),
        role_id: policy.group.0,
        role_name: view.group.clone(),
        created_date: times::to_text(policy.created),
        access_request_properties: AccessRequestProperties {
            access_request_type: request_types::word(policy.kind),
            allow_simultaneous_access: !terms.exclusive,
            change_password_after_checkin: terms.change_after.is_some(),
        },
        requester_properties: RequesterProperties {
            require_reason_comment: terms.reason,
            require_service_ticket: terms.ticket,
            maximum_release_duration_days: minutes / (24 * 60),
            maximum_release_duration_hours: minutes / 60 % 24,
            maximum_release_duration_minutes: minutes % 60,
        },
        approver_properties: ApproverProperties {
            require_approval: terms.approvals > 0,
        },
        approver_sets: match terms.names_nobody() {
            true => Vec::new(),
            false => vec![set],
        },
        scope_items: view.accounts.iter().map(scope_item).collect(),
    }
}

fn scope_item((resource, account): &(Resource, Account)) -> ScopeItem {
    let base = beside::base(&account.name).filter(|_| account.kind != SecretKind::Password);
    ScopeItem {
        id: account.id.0,
        name: base.unwrap_or(account.name.as_str()).to_owned(),
        scope_item_type: "Account",
        asset_id: resource.id.0,
        asset_name: resource.name.to_string(),
    }
}

const WEEK: Duration = Duration::from_hours(7 * 24);
const ACCOUNTS_ONLY: &str =
    "A scope item is an account, by its Id, with the ScopeItemType Account.";
const UNASKED: &str = "Approvers are named and RequireApproval is false: say which.";
const ONE_SET: &str = "There is one set of approvers.";
const ONE_OR_TWO: &str = "One or two must approve.";
