//! `/v1/resource-groups`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::admin::asked::{Asked, Named, Paged, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::shares::{level, named};
use crate::admin::wire::{self, Page};
use crate::admin::{Desk, moment};
use crate::domain::{ResourceGroup, ResourceGroupId, ResourceId};
use crate::vault::{NewGroup, SharedWith};

/// Whose share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    user: Option<String>,
    group: Option<String>,
}

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Paged>,
) -> Result<Json<Page<wire::ResourceGroup>>, Refusal> {
    let limit = asked.query.limit(&desk);
    let after = asked.query.after()?.map(ResourceGroupId);
    let groups = desk.vault.resource_groups(after, limit, &asked.caller);
    let groups = groups.await?;
    let last = groups.last().map(|group| group.id.0);
    let items = groups.iter().map(in_words).collect();
    Ok(Json(Page::of(items, last, limit)))
}

pub(crate) async fn add(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewGroup>,
) -> Result<(StatusCode, Json<wire::ResourceGroup>), Refusal> {
    let new = NewGroup {
        name: new.name,
        description: new.description.unwrap_or_default(),
    };
    let group = desk.vault.add_resource_group(&new, &asked.caller).await?;
    Ok((StatusCode::CREATED, Json(in_words(&group))))
}

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<wire::ResourceGroup>, Refusal> {
    let group = desk.vault.resource_group(&name, &asked.caller).await?;
    Ok(Json(in_words(&group)))
}

pub(crate) async fn edit(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
    Sent(edit): Sent<wire::GroupEdit>,
) -> Result<Json<wire::ResourceGroup>, Refusal> {
    let edit = edit.into();
    let edited = desk.vault.edit_resource_group(&name, &edit, &asked.caller);
    Ok(Json(in_words(&edited.await?)))
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    let removed = desk.vault.remove_resource_group(&name, &asked.caller);
    removed.await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn resources(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Paged>,
) -> Result<Json<Page<wire::GroupedResource>>, Refusal> {
    let limit = asked.query.limit(&desk);
    let page = (asked.query.after()?.map(ResourceId), limit);
    let resources = desk.vault.grouped_resources(&name, page, &asked.caller);
    let resources = resources.await?;
    let last = resources.last().map(|resource| resource.id.0);
    let shown = resources.iter().map(|resource| wire::GroupedResource {
        id: resource.id.to_string(),
        name: resource.name.to_string(),
    });
    Ok(Json(Page::of(shown.collect(), last, limit)))
}

pub(crate) async fn associate(
    State(desk): State<Desk>,
    Named((group, resource)): Named<(String, String)>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    let done = desk.vault.associate(&resource, &group, &asked.caller);
    done.await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn dissociate(
    State(desk): State<Desk>,
    Named((group, resource)): Named<(String, String)>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    let done = desk.vault.dissociate(&resource, &group, &asked.caller);
    done.await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn shares(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<Page<wire::GroupShare>>, Refusal> {
    let shares = desk.vault.resource_group_shares(&name, &asked.caller);
    let shown = shares.await?.into_iter().map(|(with, level)| {
        let (user, group) = match with {
            SharedWith::User(login) => (Some(login), None),
            SharedWith::Group(name) => (None, Some(name)),
        };
        wire::GroupShare {
            user,
            group,
            level: level.to_string(),
        }
    });
    Ok(Json(Page::whole(shown.collect())))
}

pub(crate) async fn share(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewGroupShare>,
) -> Result<StatusCode, Refusal> {
    let with = named(new.user.as_deref(), new.group.as_deref())?;
    desk.vault
        .share_resource_group(&name, with, level(&new.level)?, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn unshare(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Which>,
) -> Result<StatusCode, Refusal> {
    let with = named(asked.query.user.as_deref(), asked.query.group.as_deref())?;
    desk.vault
        .unshare_resource_group(&name, with, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn in_words(group: &ResourceGroup) -> wire::ResourceGroup {
    wire::ResourceGroup {
        id: group.id.to_string(),
        name: group.name.to_string(),
        description: group.description.as_str().to_owned(),
        created: moment::to_text(group.created),
    }
}
