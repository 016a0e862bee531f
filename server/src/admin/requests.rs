//! `/v1/requests`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::admin::asked::{Asked, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{AccessRequest, NewAccessRequest, Page};
use crate::admin::{Desk, moment};
use crate::domain::{State as RequestState, Timestamp};
use crate::vault::{RequestPlace, RequestView, Wanted};

/// A page of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Listed>,
) -> Result<Json<Page<AccessRequest>>, Refusal> {
    let limit = asked.query.limit.unwrap_or(100);
    let limit = limit.clamp(1, desk.settings.max_page);
    let after: Option<RequestPlace> =
        match &asked.query.after {
            None => None,
            Some(text) => Some(text.parse().map_err(|()| {
                Refusal::malformed("`after` is what an earlier page gave as `next`")
            })?),
        };
    let views = desk.vault.requests(after, limit, &asked.caller).await?;
    let last = views.last().map(|view| view.place().to_string());
    let next = last.filter(|_| views.len() >= limit);
    let items = views.into_iter().map(in_words).collect();
    Ok(Json(Page { items, next }))
}

pub(crate) async fn raise(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<NewAccessRequest>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .request(&wanted(&new), Some(&new.user), &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn approve(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(which): Sent<NewAccessRequest>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .approve(&wanted(&which), &which.user, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn reject(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(which): Sent<NewAccessRequest>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .reject(&wanted(&which), &which.user, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn check_out(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(which): Sent<NewAccessRequest>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .check_out(&wanted(&which), Some(&which.user), &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn check_in(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(which): Sent<NewAccessRequest>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .check_in_for(&wanted(&which), &which.user, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wanted(which: &NewAccessRequest) -> Wanted<'_> {
    let reason = which.reason.as_deref().unwrap_or_default();
    let ticket = which.ticket.as_deref().unwrap_or_default();
    Wanted::named(&which.resource, &which.account).because(reason, ticket)
}

fn in_words(view: RequestView) -> AccessRequest {
    let request = view.request;
    let (state, until) = stage(request.state, request.raised);
    AccessRequest {
        resource: view.resource,
        account: view.account,
        user: view.requester,
        state: state.to_owned(),
        status: view.status.to_string(),
        approvals: request.approvals.len() as u64,
        reason: request.reason,
        ticket: request.ticket,
        raised: moment::to_text(request.raised),
        until: moment::to_text(until),
    }
}

fn stage(state: RequestState, raised: Timestamp) -> (&'static str, Timestamp) {
    match state {
        RequestState::Requested { lapses } => ("requested", lapses),
        RequestState::Approved { lapses } => ("approved", lapses),
        RequestState::CheckedOut { until, .. } => ("checked-out", until),
        // These are not listed.
        RequestState::Rejected => ("rejected", raised),
        RequestState::CheckedIn => ("checked-in", raised),
        RequestState::Expired => ("expired", raised),
    }
}
