//! `/v1/groups`, and the groups of a user.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::admin::asked::{Asked, Named, Paged, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, Page};
use crate::admin::{Desk, moment, users};
use crate::domain::{Group, GroupId, UserId};
use crate::vault::{GroupEdit, NewGroup};

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Paged>,
) -> Result<Json<Page<wire::Group>>, Refusal> {
    let limit = asked.query.limit(&desk);
    let after = asked.query.after()?.map(GroupId);
    let groups = desk.vault.groups(after, limit, &asked.caller).await?;
    let last = groups.last().map(|group| group.id.0);
    Ok(Json(Page::of(
        groups.iter().map(in_words).collect(),
        last,
        limit,
    )))
}

pub(crate) async fn add(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewGroup>,
) -> Result<(StatusCode, Json<wire::Group>), Refusal> {
    let new = NewGroup {
        name: new.name,
        description: new.description.unwrap_or_default(),
    };
    let group = desk.vault.add_group(&new, &asked.caller).await?;
    Ok((StatusCode::CREATED, Json(in_words(&group))))
}

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<wire::Group>, Refusal> {
    let group = desk.vault.group(&name, &asked.caller).await?;
    Ok(Json(in_words(&group)))
}

pub(crate) async fn edit(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
    Sent(edit): Sent<wire::GroupEdit>,
) -> Result<Json<wire::Group>, Refusal> {
    let edit = edit.into();
    let group = desk.vault.edit_group(&name, &edit, &asked.caller).await?;
    Ok(Json(in_words(&group)))
}

impl From<wire::GroupEdit> for GroupEdit {
    fn from(edit: wire::GroupEdit) -> Self {
        Self {
            name: edit.name,
            description: edit.description,
        }
    }
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault.remove_group(&name, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn members(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Paged>,
) -> Result<Json<Page<wire::User>>, Refusal> {
    let limit = asked.query.limit(&desk);
    let page = (asked.query.after()?.map(UserId), limit);
    let members = desk.vault.members(&name, page, &asked.caller).await?;
    let last = members.last().map(|user| user.id.0);
    Ok(Json(Page::of(
        members.iter().map(users::in_words).collect(),
        last,
        limit,
    )))
}

pub(crate) async fn add_member(
    State(desk): State<Desk>,
    Named((name, login)): Named<(String, String)>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault.add_member(&name, &login, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn remove_member(
    State(desk): State<Desk>,
    Named((name, login)): Named<(String, String)>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .remove_member(&name, &login, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn with_user(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<Page<wire::Group>>, Refusal> {
    let groups = desk.vault.groups_with(&login, &asked.caller).await?;
    Ok(Json(Page::whole(groups.iter().map(in_words).collect())))
}

fn in_words(group: &Group) -> wire::Group {
    wire::Group {
        id: group.id.to_string(),
        name: group.name.to_string(),
        description: group.description.as_str().to_owned(),
        created: moment::to_text(group.created),
    }
}
