//! A connection that can be cut from outside, and on which no peer sends more than it may.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// How much a peer may still send before it has done something that counts.
#[derive(Debug)]
pub(super) struct Budget(AtomicUsize);

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self(AtomicUsize::new(bytes))
    }

    /// It has: from here on, so much.
    pub(super) fn refill(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn covers(&self, bytes: usize) -> bool {
        bytes <= self.0.load(Ordering::Relaxed)
    }

    fn spend(&self, bytes: usize) {
        let less = |left: usize| Some(left.saturating_sub(bytes));
        let _always_some = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

/// Cuts a connection when it is dropped.
#[derive(Debug)]
pub(super) struct Scissors(
    #[expect(dead_code, reason = "dropping it is its use")] oneshot::Sender<()>,
);

/// The connection. Whatever its session waits for, the wire fails once it is cut: a session has no
/// other end that could be trusted while it exchanges keys.
#[derive(Debug)]
pub(super) struct Wire {
    socket: TcpStream,
    budget: Arc<Budget>,
    /// Nothing any more once it has been cut.
    cut: Option<oneshot::Receiver<()>>,
}

impl Wire {
    pub(super) fn new(socket: TcpStream, budget: Arc<Budget>) -> (Self, Scissors) {
        let (scissors, cut) = oneshot::channel();
        let wire = Self {
            socket,
            budget,
            cut: Some(cut),
        };
        (wire, Scissors(scissors))
    }

    fn whole(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let is_cut = match &mut self.cut {
            None => true,
            Some(cut) => Pin::new(cut).poll(context).is_ready(),
        };
        if !is_cut {
            return Ok(());
        }
        self.cut = None;
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.whole(context)?;
        // russh asks for the whole of a packet, and has made room for it: a length alone, of
        // something that may not be sent, must not keep that room.
        if !self.budget.covers(buffer.remaining()) {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        let bytes = buffer.filled().len().saturating_sub(before);
        self.budget.spend(bytes);
        if bytes > 0 {
            acknowledge(&self.socket);
        }
        read
    }
}

/// Tells the peer at once that its bytes are here. A client that has not turned Nagle's algorithm
/// off, as OpenSSH before the log-in, sends its second packet only then; the kernel would wait 40 ms
/// for an answer to carry the word, and to half a message there is none. It asks to be told again
/// after each write.
fn acknowledge(socket: &TcpStream) {
    // Where it cannot be, everything works, and later.
    #[cfg(target_os = "linux")]
    let _later = socket.set_quickack(true);
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.whole(context)?;
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
