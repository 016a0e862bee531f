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
use crate::vault::{GranteeName, SharedWith};

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
    user: Option<String>,
    group: Option<String>,
}

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<OfResource>,
) -> Result<Json<Page<wire::Share>>, Refusal> {
    let resource = &asked.query.resource;
    let shares = desk.vault.shares(resource, &asked.caller).await?;
    let shown = shares.into_iter().map(|share| {
        let (user, group) = match share.with {
            SharedWith::User(login) => (Some(login), None),
            SharedWith::Group(name) => (None, Some(name)),
        };
        wire::Share {
            resource: resource.clone(),
            account: share.account,
            user,
            group,
            level: share.level.to_string(),
        }
    });
    Ok(Json(Page::whole(shown.collect())))
}

pub(crate) async fn give(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewShare>,
) -> Result<StatusCode, Refusal> {
    let level = level(&new.level)?;
    let target = (new.resource.as_str(), new.account.as_deref());
    let with = named(new.user.as_deref(), new.group.as_deref())?;
    desk.vault.share(target, with, level, &asked.caller).await?;
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
        group,
        ..
    } = &asked.query;
    let with = named(user.as_deref(), group.as_deref())?;
    let target = (resource.as_str(), account.as_deref());
    desk.vault.unshare(target, with, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The one user or group that is named.
///
/// # Errors
/// [`Refusal`] when it is not exactly one.
pub(crate) fn named<'a>(
    user: Option<&'a str>,
    group: Option<&'a str>,
) -> Result<GranteeName<'a>, Refusal> {
    match (user, group) {
        (Some(login), None) => Ok(GranteeName::User(login)),
        (None, Some(name)) => Ok(GranteeName::Group(name)),
        _ => Err(Refusal::invalid("either `user` or `group` is named")),
    }
}

/// Reads a level.
///
/// # Errors
/// [`Refusal`] when it is none.
pub(crate) fn level(word: &str) -> Result<Level, Refusal> {
    word.parse()
        .map_err(|()| Refusal::invalid("`level` is view, modify or manage"))
}
