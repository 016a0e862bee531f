//! `/v1/status`. What machines ask (`/health`, `/metrics`) is given by whoever opened the doors.

use axum::Json;
use axum::extract::State;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Plain};
use crate::admin::audit::head_in_words;
use crate::admin::problem::Refusal;
use crate::admin::wire::Status;

pub(crate) async fn status(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<Json<Status>, Refusal> {
    desk.vault.see_house(&asked.caller).await?;
    let status = desk.vault.status().await?;
    let problems = [status.problems, desk.house.problems()].concat();
    let certificates = desk.house.expiring();
    let state = match (
        status.working,
        problems.is_empty() && certificates.is_empty(),
    ) {
        (true, true) => "ok",
        (true, false) => "warning",
        (false, _) => "failing",
    };
    let mode = if status.secondary {
        "secondary"
    } else {
        "primary"
    };
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: desk.house.started(),
        mode: mode.to_owned(),
        engine: desk.house.engine().to_owned(),
        doors: desk.house.doors(),
        state: state.to_owned(),
        problems,
        audit_head: head_in_words(&status.head),
        data_key: status.data_key,
        data_keys: status.data_keys,
        certificates,
    }))
}
