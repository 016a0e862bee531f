//! Answers that come bit by bit.

use std::io;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// A piece of an answer, or the end of it before its time: then the connection breaks off, so that
/// half an answer is not taken for a whole one.
pub(crate) type Piece = io::Result<Bytes>;

/// What an answer is made of while it is on its way: whoever works sends pieces, and learns from
/// a closed channel that nobody reads any more.
pub(crate) fn pipe() -> (Sender<Piece>, Receiver<Piece>) {
    channel(4)
}

/// An answer of pieces.
pub(crate) fn answer(pieces: Receiver<Piece>, kind: &'static str) -> Response {
    let body = stream::unfold(pieces, |mut pieces| async {
        let piece = pieces.recv().await?;
        Some((piece, pieces))
    });
    ([(CONTENT_TYPE, kind)], Body::from_stream(body)).into_response()
}

/// Lines of JSON.
pub(crate) const LINES: &str = "application/x-ndjson";

/// A value as a line of JSON.
pub(crate) fn line(value: &impl Serialize) -> Piece {
    // Values of ours, all of which can be written as JSON.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    Ok(text.into())
}

/// Writes into a pipe from a thread that may wait.
#[derive(Debug)]
pub(crate) struct PipeWriter(pub(crate) Sender<Piece>);

impl io::Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(bytes)))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
