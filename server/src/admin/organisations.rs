//! `/v1/organisations`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, NewOrganisation, Page};

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<Json<Page<wire::Organisation>>, Refusal> {
    let organisations = desk.vault.organisations(&asked.caller).await?;
    let shown = organisations.into_iter().map(|org| wire::Organisation {
        id: org.id.to_string(),
        name: org.name.to_string(),
    });
    Ok(Json(Page::whole(shown.collect())))
}

pub(crate) async fn add(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<NewOrganisation>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .add_organisation(&new.name, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
