//! Callers who listen: each over a WebSocket of its own.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::{Idle, PATIENCE, find, idle};
use crate::peers::Peer;
use crate::trouble::Trouble;

/// Listeners who have shaken hands, until this is dropped.
pub struct Listeners(Idle);

/// Opens `count` listeners with the header line `keys`.
///
/// # Errors
/// The first one that was refused.
pub fn listen(peer: &Peer, keys: &str, count: usize) -> Result<Listeners, Trouble> {
    let mut held = idle(peer, count)?;
    let hello = format!(
        "GET /service/a2a/signalr HTTP/1.1\r\nHost: localhost\r\n{keys}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    held.runtime.block_on(async {
        for stream in &mut held.streams {
            stream.write_all(hello.as_bytes()).await?;
            stream.flush().await?;
            until(stream, b"\r\n\r\n").await?;
            stream.write_all(&hand()).await?;
            stream.flush().await?;
            until(stream, b"{}\x1e").await?;
        }
        Ok::<(), Trouble>(())
    })?;
    Ok(Listeners(held))
}

impl Listeners {
    /// How long it took from before `change` until all of them have heard of it.
    ///
    /// # Errors
    /// When one has heard of nothing, or it was not made.
    pub fn hear(
        &mut self,
        change: impl FnOnce() -> Result<(), Trouble> + Send,
    ) -> Result<Duration, Trouble> {
        let Idle { streams, runtime } = &mut self.0;
        std::thread::scope(|scope| {
            let start = Instant::now();
            let changing = scope.spawn(change);
            runtime.block_on(async {
                for stream in streams {
                    until(stream, b"AssetAccountPasswordUpdated").await?;
                    until(stream, b"\x1e").await?;
                }
                Ok::<(), Trouble>(())
            })?;
            let took = start.elapsed();
            changing
                .join()
                .map_err(|_| Trouble::new("whoever changes died"))??;
            Ok(took)
        })
    }
}

/// The hand-shake in one frame, masked by nought.
fn hand() -> Vec<u8> {
    const WORDS: &[u8] = b"{\"protocol\":\"json\",\"version\":1}\x1e";
    let length = u8::try_from(WORDS.len()).unwrap_or_default();
    let head = [0x81, 0x80 | length, 0, 0, 0, 0];
    [&head, WORDS].concat()
}

/// Reads until `words` have come; pings come, too.
async fn until(
    stream: &mut (impl tokio::io::AsyncRead + Unpin),
    words: &[u8],
) -> Result<(), Trouble> {
    let mut come = Vec::new();
    while find(&come, words).is_none() {
        let read = timeout(PATIENCE, stream.read_buf(&mut come)).await;
        if read.map_err(|_| Trouble::new("a listener hears nothing"))?? == 0 {
            let said = String::from_utf8_lossy(&come).into_owned();
            return Err(Trouble::new(format!("a listener was ended: {said}")));
        }
    }
    Ok(())
}
