//! `Assets`: resources, by the original's names.

use http::Method;
use serde::Serialize;

use crate::domain::{Resource, ResourceId};
use crate::doors::a2a::Asked;
use crate::doors::a2a::core::listing::{self, list, wish};
use crate::doors::a2a::core::members::Members;
use crate::doors::a2a::core::query::{MOST_READ, Row, Table};
use crate::doors::a2a::core::{nothing_there, platforms, times};
use crate::doors::a2a::reply::{Refusal, Reply, no_content};
use crate::vault::{ResourceEdit, ResourceRef};

/// A resource as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Asset {
    id: u64,
    name: String,
    description: String,
    network_address: String,
    platform_id: u64,
    platform_display_name: String,
    asset_partition_id: i64,
    asset_partition_name: &'static str,
    disabled: bool,
    created_date: String,
}

static TABLE: Table = Table {
    names: &[
        "Id",
        "Name",
        "Description",
        "NetworkAddress",
        "PlatformId",
        "PlatformDisplayName",
        "AssetPartitionId",
        "AssetPartitionName",
        "Disabled",
        "CreatedDate",
    ],
    renamed: &[],
    aliases: &[],
};

/// Answers what is below `Assets`.
pub(super) async fn answer(asked: &Asked<'_>, rest: &[&str]) -> Reply {
    let Some((first, within)) = rest.split_first() else {
        return match asked.method {
            Method::GET => all(asked).await,
            Method::POST => add(asked).await,
            _ => Err(nothing_there()),
        };
    };
    let id = ResourceId(first.parse().map_err(|_| nothing_there())?);
    match (within, &asked.method) {
        ([], &Method::GET) => show(id, asked).await,
        ([], &Method::PUT) => put(id, asked).await,
        ([], &Method::DELETE) => remove(id, asked).await,
        _ => Err(nothing_there()),
    }
}

async fn all(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let wish = wish(asked, &TABLE)?;
    let views = asked
        .door
        .vault
        .resources(None, MOST_READ + 1, &caller)
        .await;
    let views = views.map_err(|error| asked.refused(error))?;
    let rows: Vec<_> = views.iter().map(|view| in_words(&view.resource)).collect();
    list(wish, rows, Row::of).await
}

async fn show(id: ResourceId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let view = asked
        .door
        .vault
        .resource(ResourceRef::Id(id), &caller)
        .await;
    let view = view.map_err(|error| asked.refused(error))?;
    listing::one(asked, &TABLE, &in_words(&view.resource))
}

async fn add(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    let (name, edit) = meant(&members)?;
    let kind = platforms::kind(platform(&members)?);
    let made = asked
        .door
        .vault
        .add_resource((&name, &kind), edit, &caller)
        .await;
    let made = made.map_err(|error| asked.refused(error))?;
    listing::new(asked, &TABLE, &in_words(&made))
}

async fn put(id: ResourceId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    members.must_be(&["Id"], id.0)?;
    let (name, edit) = meant(&members)?;
    let platform = platform(&members)?;
    let vault = &asked.door.vault;
    let before = vault.resource(ResourceRef::Id(id), &caller).await;
    let before = before.map_err(|error| asked.refused(error))?.resource;
    let kept = platforms::id(before.kind.as_str()) == platform;
    let edit = ResourceEdit {
        name: Some(name),
        // An operator's own word for it stays, as long as it is shown as the same platform.
        kind: (!kept).then(|| platforms::kind(platform)),
        ..edit
    };
    let done = vault
        .edit_resource(ResourceRef::Id(id), &edit, &caller)
        .await;
    done.map_err(|error| asked.refused(error))?;
    let view = vault.resource(ResourceRef::Id(id), &caller).await;
    let view = view.map_err(|error| asked.refused(error))?;
    listing::one(asked, &TABLE, &in_words(&view.resource))
}

async fn remove(id: ResourceId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let done = asked
        .door
        .vault
        .remove_resource(ResourceRef::Id(id), &caller);
    done.await.map_err(|error| asked.refused(error))?;
    Ok(no_content())
}

/// The name, and what else is said of an asset.
fn meant(members: &Members) -> Result<(String, ResourceEdit), Refusal> {
    let name = members.text(&["Name"])?.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| required("Name"))?;
    if members
        .number(&["AssetPartitionId"])?
        .is_some_and(|id| id != PARTITION)
    {
        let why = "There is one partition: -1, the Default Partition.";
        return Err(Refusal::field("entity.AssetPartitionId", why));
    }
    if members.truth(&["Disabled"])? {
        let why = "An asset is not disabled: take its shares back, or disable its users.";
        return Err(Refusal::field("entity.Disabled", why));
    }
    let edit = ResourceEdit {
        address: members.text(&["NetworkAddress"])?,
        description: members.text(&["Description"])?,
        ..ResourceEdit::default()
    };
    Ok((name, edit))
}

fn platform(members: &Members) -> Result<u64, Refusal> {
    let id = match members.id(&["PlatformId"])? {
        Some(id) => Some(id),
        None => match members.object(&["Platform"])? {
            Some(platform) => platform.id(&["Id"])?,
            None => None,
        },
    };
    id.ok_or_else(|| required("PlatformId"))
}

fn required(name: &str) -> Refusal {
    Refusal::field(
        &format!("entity.{name}"),
        format!("The {name} field is required."),
    )
}

fn in_words(resource: &Resource) -> Asset {
    Asset {
        id: resource.id.0,
        name: resource.name.to_string(),
        description: resource.description.as_str().to_owned(),
        network_address: resource.address.as_str().to_owned(),
        platform_id: platforms::id(resource.kind.as_str()),
        platform_display_name: platforms::name(resource.kind.as_str()),
        asset_partition_id: PARTITION,
        asset_partition_name: PARTITION_NAME,
        disabled: false,
        created_date: times::to_text(resource.created),
    }
}

/// The one partition that there is.
pub(super) const PARTITION: i64 = -1;
pub(super) const PARTITION_NAME: &str = "Default Partition";
