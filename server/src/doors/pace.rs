//! A connection that may not dawdle: every wait for its peer has an end.
//!
//! One timer serves a connection for all its waits, and is set again only when it would ring too
//! late. A connection that has been idle for a moment is *parked*: its read fails, so that whoever
//! reads lets go of its buffers, and [`Paced::ready`] waits for the peer without any.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::doors::Limits;
use crate::doors::framing::{Framing, Place};
use crate::doors::quotes::Quotes;

/// What the connection and whoever answers its requests tell each other.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    answering: AtomicBool,
    ambiguous: AtomicBool,
}

impl Traffic {
    /// Says whether a request is being answered: the peer owes nothing meanwhile.
    pub(crate) fn set_answering(&self, answering: bool) {
        self.answering.store(answering, Ordering::Relaxed);
    }

    /// Whether a head on this connection gave its body's length twice.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.ambiguous.load(Ordering::Relaxed)
    }
}

/// A stream whose reads and writes fail with [`io::ErrorKind::TimedOut`] when the peer is late.
#[derive(Debug)]
pub(crate) struct Paced<S> {
    stream: S,
    traffic: Arc<Traffic>,
    framing: Framing,
    pace: Pace,
    alarm: Pin<Box<Sleep>>,
    /// What a read waits for, behind how many heads, and since when.
    reading: Option<(Waiting, u64, Instant)>,
    /// Since when what was written waits to be taken.
    writing: Option<Instant>,
    parked: bool,
    quotes: Option<Quotes>,
}

/// A stream that can tell that there is something to read, without reading it.
pub(crate) trait Readiness {
    /// Ready when the next read would not wait, be it for the end or an error.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// What a read may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Request,
    Head,
}

#[derive(Clone, Copy, Debug)]
struct Pace {
    idle: Duration,
    header: Duration,
    write: Duration,
}

impl<S> Paced<S> {
    /// `stream` at the pace of `limits`.
    pub(crate) fn new(stream: S, traffic: Arc<Traffic>, limits: &Limits) -> Self {
        Self {
            stream,
            traffic,
            framing: Framing::default(),
            pace: Pace {
                idle: limits.idle,
                header: limits.header,
                write: limits.write,
            },
            alarm: Box::pin(tokio::time::sleep(limits.idle)),
            reading: None,
            writing: None,
            parked: false,
            quotes: None,
        }
    }

    /// From now on, writes double quotes in request lines as `%22`.
    pub(crate) fn encode_quotes(&mut self) {
        self.quotes = Some(Quotes::default());
    }

    /// Another protocol than HTTP follows: whoever speaks it times its reads. Writes are at the same
    /// pace as before.
    pub(crate) fn switch(&mut self) {
        self.framing.give_up();
        self.quotes = None;
    }

    /// Whether the last read failed only to park the connection; said once.
    pub(crate) fn take_parked(&mut self) -> bool {
        std::mem::take(&mut self.parked)
    }

    /// Where the last byte of the peer stood.
    pub(crate) fn place(&self) -> Place {
        self.framing.place()
    }

    /// The stream below.
    pub(crate) fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Ends a read's wait once the peer is late, or `patience` is over between two requests. A body
    /// is timed by whoever reads it, and an answer by whoever writes it.
    fn wait_to_read(&mut self, patience: Duration, cx: &mut Context<'_>) -> Poll<io::Error> {
        let (waiting, limit) = match self.framing.place() {
            Place::Between => (Waiting::Request, self.pace.idle),
            Place::Head => (Waiting::Head, self.pace.header),
            Place::Body(_) | Place::ChunkSize | Place::Chunk(_) | Place::Trailers | Place::Lost => {
                return Poll::Pending;
            }
        };
        if self.writing.is_some() || self.traffic.answering.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        let heads = self.framing.heads();
        let since = match self.reading {
            Some((what, behind, since)) if (what, behind) == (waiting, heads) => since,
            Some(_) | None => Instant::now(),
        };
        self.reading = Some((waiting, heads, since));
        let limit = match waiting {
            Waiting::Request => limit.min(patience),
            Waiting::Head => limit,
        };
        self.wait_until(since + limit, cx)
    }

    /// Ends a write's wait once the peer is late.
    fn wait_to_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let since = *self.writing.get_or_insert_with(Instant::now);
        self.wait_until(since + self.pace.write, cx)
    }

    /// Late is what is later than `deadline`; until then the alarm is set no later than that.
    fn wait_until(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.alarm.deadline() > deadline {
            self.alarm.as_mut().reset(deadline);
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.alarm.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// Follows what was read.
    fn note_read(&mut self, bytes: &[u8]) {
        self.framing.feed(bytes);
        if self.framing.is_ambiguous() {
            self.traffic.ambiguous.store(true, Ordering::Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(result) => {
                let begins = self.framing.place() == Place::Between;
                let read = buffer.filled().get(before..).unwrap_or_default();
                self.note_read(read);
                if let Some(quotes) = &mut self.quotes {
                    quotes.encode(buffer, before, begins);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                let error = ready!(self.wait_to_read(PARKING, cx));
                self.parked = self.framing.place() == Place::Between && PARKING < self.pace.idle;
                Poll::Ready(Err(error))
            }
        }
    }
}

/// How long a connection is idle before it is parked.
const PARKING: Duration = Duration::from_secs(1);

impl<S: Readiness> Paced<S> {
    /// Waits until there is something to read, as long as the peer is not late.
    pub(crate) async fn ready(&mut self) -> io::Result<()> {
        poll_fn(|cx| match self.stream.poll_ready(cx) {
            Poll::Ready(()) => Poll::Ready(Ok(())),
            Poll::Pending => self.wait_to_read(Duration::MAX, cx).map(Err),
        })
        .await
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => self.wait_to_write(cx).map(Err),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(cx, pieces) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => self.wait_to_write(cx).map(Err),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(result) => {
                // Only a taken answer ends the wait: a peer that takes a byte now and then is slow.
                self.writing = None;
                Poll::Ready(result)
            }
            Poll::Pending => self.wait_to_write(cx).map(Err),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Whoever takes parking for the end must not end it.
        if self.parked {
            return Poll::Ready(Ok(()));
        }
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_shutdown(cx) {
            return Poll::Ready(result);
        }
        let error = ready!(self.wait_to_write(cx));
        Poll::Ready(Err(error))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    fn limits() -> Limits {
        Limits {
            idle: Duration::from_secs(60),
            header: Duration::from_secs(10),
            write: Duration::from_secs(30),
            ..Limits::default()
        }
    }

    fn paced(room: usize) -> (Paced<DuplexStream>, DuplexStream, Arc<Traffic>) {
        let (here, there) = duplex(room);
        let traffic = Arc::new(Traffic::default());
        (
            Paced::new(here, Arc::clone(&traffic), &limits()),
            there,
            traffic,
        )
    }

    impl Readiness for DuplexStream {
        /// A duplex stream cannot tell; in these tests nothing comes any more.
        fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }

    /// How long a read of all there is waits before it gives up for good.
    async fn patience(stream: &mut Paced<DuplexStream>) -> Duration {
        let start = Instant::now();
        let mut error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
        if stream.take_parked() {
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            error = stream.ready().await.unwrap_err();
        }
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_parked_after_a_moment_and_not_ended_by_that() {
        let (mut stream, mut peer, _) = paced(256);
        let start = Instant::now();

        stream.read_to_end(&mut Vec::new()).await.unwrap_err();
        stream.shutdown().await.unwrap();

        assert_eq!(start.elapsed(), PARKING);
        assert!(stream.take_parked() && !stream.take_parked());
        peer.write_all(b"GET").await.unwrap();
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 3);
        stream.write_all(b"a").await.unwrap();
        assert_eq!(peer.read(&mut [0; 8]).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_ends_after_the_idle_time() {
        let (mut stream, _peer, _) = paced(64);

        assert_eq!(patience(&mut stream).await.as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_own_time_however_its_bytes_trickle() {
        let (mut stream, mut peer, _) = paced(64);
        let trickle = tokio::spawn(async move {
            loop {
                if peer.write_all(b"a").await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });

        assert_eq!(patience(&mut stream).await.as_secs(), 10);
        assert_eq!(stream.place(), Place::Head);
        trickle.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_head_begins_with_fresh_time() {
        let (mut stream, mut peer, _) = paced(256);
        let talk = tokio::spawn(async move {
            for _ in 0..3 {
                peer.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
                tokio::time::sleep(Duration::from_secs(8)).await;
                peer.write_all(b"\r\n").await.unwrap();
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            peer
        });

        assert_eq!(patience(&mut stream).await.as_secs(), 2 * 8 + 1 + 8 + 60);
        drop(talk.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_late_while_the_answer_is_ours_to_give() {
        let (mut stream, _peer, traffic) = paced(64);
        traffic.set_answering(true);
        let mut read = Vec::new();
        let waited = tokio::time::timeout(Duration::from_secs(600), stream.read_to_end(&mut read));

        assert!(waited.await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_a_byte_now_and_then_is_late_too() {
        let (mut stream, mut peer, _) = paced(1);
        let sips = tokio::spawn(async move {
            let mut byte = [0];
            while peer.read_exact(&mut byte).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        });
        let start = Instant::now();

        let error = stream.write_all(&[0; 100]).await.unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), 30);
        sips.abort();
    }

    #[tokio::test]
    async fn an_ambiguous_head_is_told_to_whoever_answers() {
        let (mut stream, mut peer, traffic) = paced(256);
        peer.write_all(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na")
            .await
            .unwrap();
        drop(peer);

        stream.read_to_end(&mut Vec::new()).await.unwrap();

        assert!(traffic.is_ambiguous());
    }
}
