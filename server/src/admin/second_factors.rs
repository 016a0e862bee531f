//! `/v1/users/{login}/totp`: the second factor of a person.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use zeroize::Zeroizing;

use crate::admin::asked::{Asked, Named, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, SecretText};
use crate::admin::{Desk, moment};
use crate::domain::{FactorState, OneTimeCode};
use crate::vault::{FactorText, UserEdit};

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<wire::SecondFactor>, Refusal> {
    let view = desk.vault.factor(&login, &asked.caller).await?;
    let since = match view.state {
        FactorState::On(since) => Some(moment::to_text(since)),
        FactorState::Off | FactorState::Offered => None,
    };
    Ok(Json(wire::SecondFactor {
        demanded: view.demanded,
        state: view.state.as_str().to_owned(),
        since,
    }))
}

pub(crate) async fn enrol(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
) -> Result<(StatusCode, Json<wire::FactorOffer>), Refusal> {
    let offer = desk.vault.enrol_factor(&login, &asked.caller).await?;
    let text = |text: &FactorText| SecretText::new(Zeroizing::new(text.expose().to_owned()));
    let shown = wire::FactorOffer {
        uri: text(&offer.uri),
        secret: text(&offer.secret),
    };
    Ok((StatusCode::CREATED, Json(shown)))
}

pub(crate) async fn confirm(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
    Sent(sent): Sent<wire::FactorCode>,
) -> Result<StatusCode, Refusal> {
    let code = OneTimeCode::parse(&sent.code.expose())
        .map_err(|error| Refusal::invalid(error.to_string()))?;
    desk.vault
        .confirm_factor(&login, &code, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn demand(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
    Sent(sent): Sent<wire::FactorDemand>,
) -> Result<StatusCode, Refusal> {
    let edit = UserEdit::DemandFactor(sent.demanded);
    desk.vault.edit_user(&login, &edit, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault.remove_factor(&login, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
