//! `/v1/rotations`.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Plain, Sent};
use crate::admin::lines::{LINES, answer, line, pipe};
use crate::admin::moment::to_text;
use crate::admin::problem::{Refusal, with_causes};
use crate::admin::wire::{self, Page};
use crate::vault::{RotationView, RunProgress};

/// Which one is meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    resource: String,
    account: Option<String>,
}

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<Json<Page<wire::PasswordRotation>>, Refusal> {
    let (rotations, _) = desk.vault.rotations(&asked.caller).await?;
    let shown = rotations.into_iter().map(in_words);
    Ok(Json(Page::whole(shown.collect())))
}

pub(crate) async fn due(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<Json<Page<wire::DueChange>>, Refusal> {
    let (_, due) = desk.vault.rotations(&asked.caller).await?;
    let shown = due.into_iter().map(|view| wire::DueChange {
        resource: view.resource,
        account: view.account,
        next: view.next.map(to_text),
        failures: view.failures,
        tried: view.tried.map(to_text),
        why: view.why,
    });
    Ok(Json(Page::whole(shown.collect())))
}

pub(crate) async fn set(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewPasswordRotation>,
) -> Result<StatusCode, Refusal> {
    let window = new.window.as_deref().map(str::parse).transpose();
    let window = window.map_err(|()| Refusal::invalid("`window` is written 02:00-04:00"))?;
    let every = Duration::from_secs(new.hours.saturating_mul(3600));
    let target = (new.resource.as_str(), new.account.as_deref());
    desk.vault
        .set_rotation(target, (every, window), &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    asked: Asked<Which>,
) -> Result<StatusCode, Refusal> {
    let which = (
        asked.query.resource.as_str(),
        asked.query.account.as_deref(),
    );
    desk.vault.remove_rotation(which, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Goes on to its end even if whoever asked goes away.
pub(crate) async fn run(
    State(desk): State<Desk>,
    asked: Asked<Which>,
) -> Result<(StatusCode, Response), Refusal> {
    let (to, pieces) = pipe(desk.settings.answer_timeout);
    let tasks = desk.tasks.clone();
    tasks.spawn(async move {
        let telling = to.clone();
        let told = Mutex::new(None::<Instant>);
        let progress = move |at: &RunProgress| {
            if due_now(&told) {
                telling.try_send(line(&so_far(at)));
            }
        };
        let target = (
            asked.query.resource.as_str(),
            asked.query.account.as_deref(),
        );
        let vault = &desk.vault;
        let last = match vault.rotate_now(target, &progress, &asked.caller).await {
            Ok(done) => over(done),
            Err(error) => wire::RunProgress {
                error: Some(with_causes(&error)),
                ..wire::RunProgress::default()
            },
        };
        drop(progress);
        // Nobody is left to be told.
        let _gone = to.send(line(&last)).await;
    });
    Ok((StatusCode::ACCEPTED, answer(pieces, LINES)))
}

fn due_now(told: &Mutex<Option<Instant>>) -> bool {
    let Ok(mut told) = told.lock() else {
        return false;
    };
    if told.is_some_and(|at| at.elapsed() < PAUSE) {
        return false;
    }
    *told = Some(Instant::now());
    true
}

fn so_far(at: &RunProgress) -> wire::RunProgress {
    wire::RunProgress {
        total: at.total as u64,
        changed: at.changed as u64,
        failed: at.failed.len() as u64,
        ..wire::RunProgress::default()
    }
}

fn over(done: RunProgress) -> wire::RunProgress {
    let counts = so_far(&done);
    let failures = done.failed.into_iter().map(|it| wire::RunFailure {
        resource: it.resource,
        account: it.account,
        why: it.why,
    });
    wire::RunProgress {
        failures: failures.collect(),
        finished: true,
        ..counts
    }
}

fn in_words(view: RotationView) -> wire::PasswordRotation {
    wire::PasswordRotation {
        resource: view.resource,
        account: view.account,
        hours: view.every.as_secs() / 3600,
        window: view.window.map(|window| window.to_string()),
    }
}

const PAUSE: Duration = Duration::from_millis(500);
