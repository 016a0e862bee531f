//! Listening by WebSocket (RFC 6455).

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use sha1::{Digest, Sha1};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::doors::a2a::Asked;
use crate::doors::a2a::reply::{Refusal, Reply};
use crate::doors::a2a::signalr::Events;
use crate::doors::a2a::signalr::listener::{Listener, Turn};
use crate::doors::a2a::signalr::talk::{LONGEST, Then};

/// Agrees to speak WebSocket from now on.
pub(super) async fn answer(events: &Events, asked: &Asked<'_>, request: &Request<()>) -> Reply {
    let accept = accept(request.headers())?;
    let listener = Listener::sit(events, asked).await?;
    asked.guest.listens(listener);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

/// RFC 6455 §4.2.
fn accept(headers: &HeaderMap) -> Result<HeaderValue, Refusal> {
    let names = |name: HeaderName, word: &str| {
        let mut values = headers.get_all(name).iter();
        let is = |one: &str| one.trim().eq_ignore_ascii_case(word);
        values.any(|value| value.to_str().is_ok_and(|text| text.split(',').any(is)))
    };
    let wanted = names(CONNECTION, "upgrade")
        && names(UPGRADE, "websocket")
        && names(SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    let Some(key) = key.filter(|_| wanted) else {
        return Err(Refusal::invalid(
            "This is no hand-shake of WebSocket's version 13.",
        ));
    };
    let proof = Sha1::new().chain_update(key.as_bytes()).chain_update(MAGIC);
    let text = STANDARD.encode(proof.finalize());
    HeaderValue::from_str(&text).map_err(|_| Refusal::invalid("The key is none."))
}

/// Speaks with `listener` until either side ends it; `early` came already.
pub(in crate::doors::a2a) async fn converse(
    mut listener: Box<Listener>,
    (wire, early): (impl AsyncRead + AsyncWrite + Unpin + Send, Bytes),
) {
    let socket = WebSocketStream::from_partially_read(wire, early.to_vec(), Role::Server, config());
    let mut socket = socket.await;
    // Empty or not, it holds a buffer of what spoke HTTP.
    drop(early);
    let (mut heard, mut answers) = (Instant::now(), false);
    loop {
        let turn = tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => Turn::Said(Some(text.into())),
                Some(Ok(Message::Binary(bytes))) => Turn::Said(Some(bytes)),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                    (heard, answers) = (Instant::now(), true);
                    continue;
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            turn = listener.turn() => turn,
        };
        match &turn {
            Turn::Said(_) => (heard, answers) = (Instant::now(), answers || listener.is_open()),
            Turn::Tick if answers && heard.elapsed() >= listener.silence() => return,
            // Most clients answer this one by themselves; one that never does is no more silent than
            // whoever hears server-sent events.
            Turn::Tick => {
                if let Some(said) = listener.parting().filter(|_| !answers) {
                    let _ = socket.send(Message::text(said)).await;
                    let _ = socket.close(None).await;
                    return;
                }
                if socket.send(Message::Ping(Bytes::new())).await.is_err() {
                    return;
                }
            }
            Turn::Heard(_) | Turn::Late | Turn::Closing => {}
        }
        let (said, over) = match listener.act(turn).await {
            Then::Goes(said) => (said, false),
            Then::Ends(said) => (said, true),
        };
        if !said.is_empty() && socket.send(Message::text(said)).await.is_err() {
            return;
        }
        if over {
            let _ = socket.close(None).await;
            return;
        }
    }
}

/// Small buffers: there are many listeners, and little is said.
fn config() -> Option<WebSocketConfig> {
    let config = WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_write_buffer_size(MOST_UNWRITTEN)
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST));
    Some(config)
}

/// RFC 6455 §1.3.
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// What is said at once, with room to spare.
const MOST_UNWRITTEN: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn hand(changed: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let all = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        for (name, value) in all.iter().chain(changed) {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_key_is_answered_as_in_the_standards_example() {
        assert_eq!(accept(&hand(&[])).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_no_hand_shake_is_refused() {
        for (name, value) in [
            ("connection", "keep-alive"),
            ("upgrade", "h2c"),
            ("sec-websocket-version", "8"),
            ("sec-websocket-key", "short"),
        ] {
            let refused = accept(&hand(&[(name, value)])).unwrap_err();
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name}");
        }
    }
}
