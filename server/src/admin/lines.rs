//! Answers that come bit by bit.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

/// A piece of an answer, or the end of it before its time: then the connection breaks off, so that
/// half an answer is not taken for a whole one.
pub(crate) type Piece = io::Result<Bytes>;

/// What an answer is made of while it is on its way: whoever works sends pieces, each of which is
/// to be read within `patience`.
pub(crate) fn pipe(patience: Duration) -> (Pipe, Pieces) {
    let (to, from) = channel(4);
    let broken = Arc::new(AtomicBool::new(false));
    let pieces = Pieces {
        from,
        broken: Arc::clone(&broken),
    };
    let pipe = Pipe {
        to,
        patience,
        broken,
    };
    (pipe, pieces)
}

/// Where the pieces of an answer go in.
#[derive(Clone, Debug)]
pub(crate) struct Pipe {
    to: Sender<Piece>,
    patience: Duration,
    broken: Arc<AtomicBool>,
}

impl Pipe {
    /// Sends a piece, once there is room for it.
    ///
    /// # Errors
    /// `BrokenPipe` when nobody reads any more; `TimedOut` when whoever reads takes too long, which
    /// breaks the answer off.
    pub(crate) async fn send(&self, piece: Piece) -> io::Result<()> {
        match timeout(self.patience, self.to.send(piece)).await {
            Ok(sent) => sent.map_err(|_| io::ErrorKind::BrokenPipe.into()),
            Err(_) => {
                self.broken.store(true, Ordering::Release);
                let why = "nobody read the answer for too long (admin.answer_timeout)";
                Err(io::Error::new(io::ErrorKind::TimedOut, why))
            }
        }
    }

    /// Sends a piece if there is room for it now; drops it where nobody keeps up.
    pub(crate) fn try_send(&self, piece: Piece) {
        let _full = self.to.try_send(piece);
    }
}

/// Where the pieces of an answer come out.
#[derive(Debug)]
pub(crate) struct Pieces {
    from: Receiver<Piece>,
    broken: Arc<AtomicBool>,
}

impl Pieces {
    /// The next piece; an error instead of the end of an answer that was broken off.
    pub(crate) async fn next(&mut self) -> Option<Piece> {
        let piece = self.from.recv().await;
        if piece.is_none() && self.broken.swap(false, Ordering::Acquire) {
            return Some(Err(io::ErrorKind::TimedOut.into()));
        }
        piece
    }
}

/// An answer of pieces.
pub(crate) fn answer(pieces: Pieces, kind: &'static str) -> Response {
    let body = stream::unfold(pieces, |mut pieces| async {
        let piece = pieces.next().await?;
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
pub(crate) struct PipeWriter {
    pipe: Pipe,
    runtime: Handle,
}

impl PipeWriter {
    /// Into `pipe`; made on the runtime that reads it.
    pub(crate) fn new(pipe: Pipe) -> Self {
        let runtime = Handle::current();
        Self { pipe, runtime }
    }
}

impl io::Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Ok(Bytes::copy_from_slice(bytes));
        self.runtime.block_on(self.pipe.send(piece))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn an_answer_that_nobody_reads_is_broken_off_and_never_looks_whole() {
        let (pipe, mut pieces) = pipe(Duration::from_millis(10));
        let mut writer = PipeWriter::new(pipe);

        let writing = tokio::task::spawn_blocking(move || {
            (0..9).map(|_| writer.write_all(b"x")).find_map(Result::err)
        });
        let error = writing.await.unwrap();

        assert_eq!(error.map(|why| why.kind()), Some(io::ErrorKind::TimedOut));
        let mut read = Vec::new();
        while let Some(piece) = pieces.next().await {
            read.push(piece.map_err(|why| why.kind()));
        }
        assert_eq!(read.pop(), Some(Err(io::ErrorKind::TimedOut)));
        assert_eq!(read, vec![Ok(Bytes::from_static(b"x")); 4]);
    }

    #[tokio::test]
    async fn an_answer_that_is_read_comes_to_its_end() {
        let (pipe, mut pieces) = pipe(Duration::from_secs(60));

        pipe.send(Ok(Bytes::from_static(b"x"))).await.unwrap();
        drop(pipe);

        assert!(pieces.next().await.unwrap().is_ok());
        assert!(pieces.next().await.is_none());
    }
}
