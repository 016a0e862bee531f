//! `/v1/keys`.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Plain};
use crate::admin::lines::{LINES, answer, line, pipe};
use crate::admin::problem::{Refusal, with_causes};
use crate::admin::wire::Rotation;
use crate::vault::RotationProgress;

/// Goes on to its end even if whoever asked goes away.
pub(crate) async fn rotate(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<(StatusCode, Response), Refusal> {
    let (to, pieces) = pipe(desk.settings.answer_timeout);
    let tasks = desk.tasks.clone();
    tasks.spawn(async move {
        let telling = to.clone();
        let told = Mutex::new(None::<Instant>);
        let progress = move |at: RotationProgress| {
            if due(&told) {
                telling.try_send(line(&in_words(at)));
            }
        };
        let last = match desk.vault.rotate_key(&asked.caller, &progress).await {
            Ok(done) => Rotation {
                finished: true,
                ..in_words(done)
            },
            Err(error) => Rotation {
                error: Some(with_causes(&error)),
                ..Rotation::default()
            },
        };
        drop(progress);
        // Nobody is left to be told.
        let _gone = to.send(line(&last)).await;
    });
    Ok((StatusCode::ACCEPTED, answer(pieces, LINES)))
}

fn due(told: &Mutex<Option<Instant>>) -> bool {
    let Ok(mut told) = told.lock() else {
        return false;
    };
    if told.is_some_and(|at| at.elapsed() < PAUSE) {
        return false;
    }
    *told = Some(Instant::now());
    true
}

fn in_words(at: RotationProgress) -> Rotation {
    Rotation {
        seen: at.seen,
        resealed: at.resealed,
        finished: false,
        error: None,
    }
}

const PAUSE: Duration = Duration::from_millis(500);
