//! Listening by server-sent events: one answer without an end, to which the other side speaks by
//! requests of its own.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::unfold;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

use crate::doors::a2a::Asked;
use crate::doors::a2a::reply::Reply;
use crate::doors::a2a::signalr::listener::{Listener, Turn};
use crate::doors::a2a::signalr::talk::Then;
use crate::doors::a2a::signalr::{EVENT_STREAM, Events};

/// How far an answer is.
enum Feed {
    Begins(Box<Listener>),
    Goes(Box<Listener>),
    Ended,
}

pub(super) async fn answer(events: &Events, asked: &Asked<'_>) -> Reply {
    let listener = Listener::sit(events, asked).await?;
    let feed = Feed::Begins(Box::new(listener));
    let mut response = Response::new(Body::from_stream(unfold(feed, next)));
    let kind = HeaderValue::from_static(EVENT_STREAM);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

async fn next(feed: Feed) -> Option<(Result<Bytes, Infallible>, Feed)> {
    let mut listener = match feed {
        // A comment: whoever waits for the answer's head has it.
        Feed::Begins(listener) => {
            return Some((Ok(Bytes::from_static(b":\r\n\r\n")), Feed::Goes(listener)));
        }
        Feed::Goes(listener) => listener,
        Feed::Ended => return None,
    };
    loop {
        let turn = listener.turn().await;
        if let (Turn::Tick, Some(said)) = (&turn, listener.parting()) {
            return Some((Ok(told(&said)), Feed::Ended));
        }
        match listener.act(turn).await {
            Then::Goes(said) if said.is_empty() => {}
            Then::Goes(said) => return Some((Ok(told(&said)), Feed::Goes(listener))),
            Then::Ends(said) if said.is_empty() => return None,
            Then::Ends(said) => return Some((Ok(told(&said)), Feed::Ended)),
        }
    }
}

/// No record has a line's end in it: they are JSON without spaces.
fn told(said: &str) -> Bytes {
    Bytes::from(format!("data: {said}\r\n\r\n"))
}
