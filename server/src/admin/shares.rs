//! `/v1/shares`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, Page};
use crate::domain::Level;

/// Whose shares.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfResource {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    resource: String,
}

/// Which share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    resource: String,
    account: Option<String>,
    user: String,
}

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<OfResource>,
) -> Result<Json<Page<wire::Share>>, Refusal> {
    let resource = &asked.query.resource;
    let shares = desk.vault.shares(resource, &asked.caller).await?;
    let shown = shares.into_iter().map(|share| wire::Share {
        resource: resource.clone(),
        account: share.account,
        user: share.user,
        level: share.level.to_string(),
    });
    Ok(Json(Page::whole(shown.collect())))
}

pub(crate) async fn give(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewShare>,
) -> Result<StatusCode, Refusal> {
    let level: Level = new
        .level
        .parse()
        .map_err(|()| Refusal::invalid("`level` is view, modify or manage"))?;
    let target = (new.resource.as_str(), new.account.as_deref());
    desk.vault
        .share(target, &new.user, level, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn take(
    State(desk): State<Desk>,
    asked: Asked<Which>,
) -> Result<StatusCode, Refusal> {
    let Which {
        resource,
        account,
        user,
        ..
    } = &asked.query;
    desk.vault
        .unshare((resource, account.as_deref()), user, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
