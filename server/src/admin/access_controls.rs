//! `/v1/access-controls`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, Page};
use crate::vault::{AccessControlView, NewAccessControl};

/// Before what it stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Before {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    resource: String,
    account: Option<String>,
}

impl Before {
    fn target(&self) -> (&str, Option<&str>) {
        (&self.resource, self.account.as_deref())
    }
}

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Before>,
) -> Result<Json<Page<wire::AccessControl>>, Refusal> {
    let views = desk
        .vault
        .access_controls(asked.query.target(), &asked.caller)
        .await?;
    let shown = views
        .into_iter()
        .map(|view| in_words(&asked.query.resource, view));
    Ok(Json(Page::whole(shown.collect())))
}

pub(crate) async fn set(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewAccessControl>,
) -> Result<StatusCode, Refusal> {
    let change_after = match &new.change_after_checkin {
        None => None,
        Some(word) => Some(
            word.parse()
                .map_err(|()| Refusal::invalid("`change_after_checkin` is local or remote"))?,
        ),
    };
    let minutes = new.max_minutes.unwrap_or(60);
    let control = NewAccessControl {
        approvers: new.approvers,
        approver_groups: new.approver_groups,
        approvals: new.approvals.unwrap_or(1),
        exclusive: new.exclusive,
        longest: Duration::from_secs(minutes.saturating_mul(60)),
        reason: new.reason,
        ticket: new.ticket,
        change_after,
    };
    let target = (new.resource.as_str(), new.account.as_deref());
    desk.vault
        .set_access_control(target, &control, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    asked: Asked<Before>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .remove_access_control(asked.query.target(), &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn in_words(resource: &str, view: AccessControlView) -> wire::AccessControl {
    let control = view.control;
    wire::AccessControl {
        resource: resource.to_owned(),
        account: view.account,
        approvers: view.approvers,
        approver_groups: view.approver_groups,
        approvals: control.approvals,
        exclusive: control.exclusive,
        max_minutes: control.longest.as_secs() / 60,
        reason: control.reason,
        ticket: control.ticket,
        change_after_checkin: control.change_after.map(|place| place.to_string()),
    }
}
