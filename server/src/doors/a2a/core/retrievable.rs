//! `A2ARegistrations/{id}/RetrievableAccounts`: what a program may have, by which API key.

use http::Method;
use serde::Serialize;

use crate::domain::{AccountId, ApiKey, ApplicationId};
use crate::doors::a2a::Asked;
use crate::doors::a2a::core::listing::{self, list, wish};
use crate::doors::a2a::core::members::Members;
use crate::doors::a2a::core::nothing_there;
use crate::doors::a2a::core::query::{MOST_READ, Row, Table};
use crate::doors::a2a::core::registrations::reader;
use crate::doors::a2a::reply::{Refusal, Reply, no_content, ok};
use crate::vault::{RetrievableView, VaultError};

/// An account that a registration may have, as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RetrievableAccount<'a> {
    account_id: u64,
    account_name: &'a str,
    /// Not for whoever only reads.
    api_key: Option<&'a str>,
    asset_id: u64,
    asset_name: &'a str,
    asset_partition_id: i64,
    asset_partition_name: &'static str,
    asset_description: &'a str,
    account_description: &'a str,
    network_address: &'a str,
    /// 0 or 1. Accounts are never disabled here: their registration or its user is.
    account_disabled: u8,
    account_type: &'static str,
    domain_name: Option<&'a str>,
    ip_restrictions: Option<Vec<String>>,
}

static TABLE: Table = Table {
    names: &[
        "AccountId",
        "AccountName",
        "ApiKey",
        "AssetId",
        "AssetName",
        "AssetPartitionId",
        "AssetPartitionName",
        "AssetDescription",
        "AccountDescription",
        "NetworkAddress",
        "AccountDisabled",
        "AccountType",
        "DomainName",
        "IpRestrictions",
    ],
    renamed: &[
        ("AssetId", "SystemId"),
        ("AssetName", "SystemName"),
        ("AssetDescription", "SystemDescription"),
    ],
    aliases: &[],
};

/// Answers what is below `RetrievableAccounts` of a registration.
pub(super) async fn answer(id: ApplicationId, asked: &Asked<'_>, rest: &[&str]) -> Reply {
    let Some((first, within)) = rest.split_first() else {
        return match asked.method {
            Method::GET => all(id, asked).await,
            Method::POST => add(id, asked).await,
            _ => Err(nothing_there()),
        };
    };
    let account = AccountId(first.parse().map_err(|_| nothing_there())?);
    match (within, &asked.method) {
        ([], &Method::GET) => show((id, account), asked).await,
        ([], &Method::PUT) => put((id, account), asked).await,
        ([], &Method::DELETE) => remove((id, account), asked).await,
        (["apikey"], &Method::GET) => key((id, account), asked).await,
        (["apikey"], &Method::POST) => renew((id, account), asked).await,
        _ => Err(nothing_there()),
    }
}

async fn all(id: ApplicationId, asked: &Asked<'_>) -> Reply {
    let caller = reader(asked).await?;
    let wish = wish(asked, &TABLE)?;
    let vault = &asked.door.vault;
    let views = vault.retrievables(id, None, MOST_READ + 1, &caller).await;
    let views = views.map_err(|error| asked.refused(error))?;
    list(wish, views, |view| Row::of(&in_words(view))).await
}

async fn add(id: ApplicationId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    let account = members
        .id(&["AccountId"])?
        .ok_or_else(|| Refusal::field("entity.AccountId", "The AccountId field is required."))?;
    let from = members.texts(&["IpRestrictions"])?;
    let vault = &asked.door.vault;
    let view = vault.add_retrievable(id, AccountId(account), &from, &caller);
    told(asked, view.await)
}

type Place = (ApplicationId, AccountId);

async fn show((id, account): Place, asked: &Asked<'_>) -> Reply {
    let caller = reader(asked).await?;
    told(
        asked,
        asked.door.vault.retrievable(id, account, &caller).await,
    )
}

async fn put((id, account): Place, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    members.must_be(&["AccountId"], account.0)?;
    let from = members.texts(&["IpRestrictions"])?;
    let vault = &asked.door.vault;
    let view = vault.edit_retrievable(id, account, &from, &caller);
    told(asked, view.await)
}

async fn remove((id, account): Place, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let done = asked.door.vault.remove_retrievable(id, account, &caller);
    done.await.map_err(|error| asked.refused(error))?;
    Ok(no_content())
}

async fn key((id, account): Place, asked: &Asked<'_>) -> Reply {
    let caller = reader(asked).await?;
    let vault = &asked.door.vault;
    let key = vault.retrievable_key(id, account, &caller).await;
    let key = key.map_err(|error| asked.refused(error))?;
    Ok(ok(&key.expose()))
}

async fn renew((id, account): Place, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let key = asked.door.vault.renew_key(id, account, &caller).await;
    let key = key.map_err(|error| asked.refused(error))?;
    Ok(ok(&key.expose()))
}

fn told(asked: &Asked<'_>, view: Result<RetrievableView, VaultError>) -> Reply {
    let view = view.map_err(|error| asked.refused(error))?;
    listing::one(asked, &TABLE, &in_words(&view))
}

fn in_words(view: &RetrievableView) -> RetrievableAccount<'_> {
    let (resource, account) = (&view.resource, &view.account);
    let from = view.from.iter().map(ToString::to_string);
    RetrievableAccount {
        account_id: account.id.0,
        account_name: account.name.as_str(),
        api_key: view.key.as_ref().map(ApiKey::expose),
        asset_id: resource.id.0,
        asset_name: resource.name.as_str(),
        asset_partition_id: -1,
        asset_partition_name: "Default Partition",
        asset_description: resource.description.as_str(),
        account_description: account.notes.as_str(),
        network_address: resource.address.as_str(),
        account_disabled: 0,
        account_type: "Asset",
        domain_name: None,
        ip_restrictions: (!view.from.is_empty()).then(|| from.collect()),
    }
}
