//! `/v1/settings`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Named, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, NewSetting, Page};
use crate::vault::Settings;

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<Json<Page<wire::Setting>>, Refusal> {
    let settings = desk.vault.settings(&asked.caller).await?;
    let defaults = Settings::default().views();
    let shown = settings.into_iter().map(|setting| {
        let default = defaults.iter().find(|default| default.name == setting.name);
        wire::Setting {
            name: setting.name.to_owned(),
            value: setting.value,
            default: default
                .map(|default| default.value.clone())
                .unwrap_or_default(),
            description: setting.about.to_owned(),
        }
    });
    Ok(Json(Page::whole(shown.collect())))
}

pub(crate) async fn set(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
    Sent(new): Sent<NewSetting>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .set_setting(&name, &new.value, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
