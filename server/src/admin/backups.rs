//! `/v1/backups`.

use std::io;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use futures_util::stream;
use http::header::{CONTENT_TYPE, TRAILER};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::sync::oneshot;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Plain};
use crate::admin::audit::head_in_words;
use crate::admin::lines::{Pieces, PipeWriter, pipe};
use crate::admin::problem::{Refusal, with_causes};
use crate::admin::wire::BackupReport;
use crate::vault::BackupReport as Made;

/// The sealed file itself. Only a whole one is followed by its report, in a trailer.
pub(crate) async fn make(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<Response, Refusal> {
    let files = desk.house.backup_files().map_err(Refusal::unavailable)?;
    let (to, pieces) = pipe(desk.settings.answer_timeout);
    let (tell, told) = oneshot::channel();
    let tasks = desk.tasks.clone();
    tasks.spawn(async move {
        let sink = io::BufWriter::with_capacity(1 << 18, PipeWriter::new(to.clone()));
        match desk.vault.backup(sink, files, |_| {}, &asked.caller).await {
            // Nobody is left to be told.
            Ok(made) => drop(tell.send(in_words(made))),
            Err(error) => {
                let error = with_causes(&error);
                tracing::warn!(%error, "a backup broke off");
                let _gone = to.send(Err(io::Error::other(error))).await;
            }
        }
    });
    Ok(answer(pieces, told))
}

/// The pieces, then the report as a trailer.
fn answer(pieces: Pieces, told: oneshot::Receiver<BackupReport>) -> Response {
    let frames = stream::unfold(Some((pieces, told)), |state| async {
        let (mut pieces, told) = state?;
        if let Some(piece) = pieces.next().await {
            return Some((piece.map(Frame::data), Some((pieces, told))));
        }
        let report = told.await.ok()?;
        Some((Ok(Frame::trailers(trailer(&report))), None))
    });
    let mut response = Response::new(Body::new(StreamBody::new(frames)));
    let kind = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    let name = HeaderValue::from_static(REPORT);
    response.headers_mut().insert(TRAILER, name);
    response
}

fn trailer(report: &BackupReport) -> HeaderMap {
    let text = serde_json::to_string(report).unwrap_or_default();
    let mut trailers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
        trailers.insert(HeaderName::from_static(REPORT), value);
    }
    trailers
}

fn in_words(made: Made) -> BackupReport {
    BackupReport {
        rows: made.rows,
        files: made.files,
        bytes: made.bytes,
        head: head_in_words(&made.head),
        left_out: made.left_out,
    }
}

const REPORT: &str = BackupReport::TRAILER;
