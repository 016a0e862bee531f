//! Telling programs that a secret has changed: ASP.NET Core's SignalR over WebSockets and server-sent
//! events.
//!
//! `hub` knows which connections were negotiated, `talk` speaks the hub's protocol and `event` its one
//! word; `listener` is whoever listens, by `websocket` or by `feed`.

mod event;
mod feed;
mod hub;
mod listener;
mod talk;
mod websocket;

pub use hub::EventSettings;
pub(super) use listener::Listener;
pub(super) use websocket::converse;

use std::sync::{Arc, Weak};

use axum::body::Body;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde::Serialize;

use crate::domain::ApiKey;
use crate::doors::Closing;
use crate::doors::a2a::exchange::astray;
use crate::doors::a2a::path::{Lost, Service};
use crate::doors::a2a::reply::{Refusal, Reply, UNAVAILABLE, ok};
use crate::doors::a2a::signalr::hub::{Hub, Owner, Unheard};
use crate::doors::a2a::{A2a, Asked};

/// What listeners need of the door that they came through.
#[derive(Debug)]
pub(super) struct Events {
    hub: Arc<Hub>,
    door: Weak<A2a>,
    closing: Closing,
}

impl Events {
    /// For listeners at `door`, until `closing`.
    pub(super) fn new(settings: EventSettings, door: Weak<A2a>, closing: Closing) -> Self {
        Self {
            hub: Hub::new(settings),
            door,
            closing,
        }
    }
}

/// Answers what is below `signalr`; `request` is the same one, for its connection's sake.
pub(super) async fn answer(asked: &Asked<'_>, request: Request<()>) -> Reply {
    let Some(events) = &asked.door.events else {
        return Err(astray(Lost::Nothing));
    };
    let segments = asked.target.lower();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["signalr", "negotiate"] => match asked.method {
            Method::POST => negotiate(events, asked).await,
            _ => Err(astray(Lost::Nothing)),
        },
        ["signalr"] => match asked.method {
            Method::GET if request.headers().contains_key(UPGRADE) => {
                websocket::answer(events, asked, &request).await
            }
            Method::GET if takes_events(&request) => feed::answer(events, asked).await,
            Method::GET => Err(Refusal::invalid(
                "This path takes WebSockets, and `Accept: text/event-stream`.",
            )),
            Method::POST => say(events, asked).await,
            Method::DELETE => end(events, asked).await,
            _ => Err(astray(Lost::Nothing)),
        },
        _ => Err(astray(Lost::Nothing)),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Negotiated<'a> {
    negotiate_version: u8,
    connection_id: &'a str,
    connection_token: &'a str,
    available_transports: [Transport; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transport {
    transport: &'static str,
    transfer_formats: &'static [&'static str],
}

const TRANSPORTS: [Transport; 2] = [
    Transport {
        transport: "WebSockets",
        transfer_formats: &["Text", "Binary"],
    },
    Transport {
        transport: "ServerSentEvents",
        transfer_formats: &["Text"],
    },
];

/// Beside a certificate keys, which some clients show later only, are looked at if they come.
async fn negotiate(events: &Events, asked: &Asked<'_>) -> Reply {
    let owner = owner(asked).await?;
    match asked.target.service {
        Service::Event => {}
        _ if shows_keys(asked) => drop(asked.guest.by_keys(asked).await?),
        _ => drop(asked.guest.by_certificate(asked).await?),
    }
    let token = events.hub.negotiate(owner, keys(asked));
    let token = token.map_err(unheard)?;
    let version = asked.target.query.get("negotiateversion");
    let version = u8::from(version.is_some_and(|version| version != "0"));
    let id = asked.request.to_string();
    Ok(ok(&Negotiated {
        negotiate_version: version,
        // Before version 1 the id was the token.
        connection_id: if version == 0 { &token } else { &id },
        connection_token: &token,
        available_transports: TRANSPORTS,
    }))
}

/// What comes in for a connection that hears by server-sent events.
async fn say(events: &Events, asked: &Asked<'_>) -> Reply {
    let (token, owner) = (id(asked)?, owner(asked).await?);
    if asked.body.len() > talk::LONGEST {
        let message = format!("A message has {} bytes at most.", talk::LONGEST);
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return Err(Refusal::new(status, UNAVAILABLE, message));
    }
    let said = (asked.body.clone(), keys(asked));
    match events.hub.say(token, owner, said) {
        Ok(()) => Ok(empty(StatusCode::OK)),
        Err(why) => Err(not_connected(why, asked).await),
    }
}

async fn end(events: &Events, asked: &Asked<'_>) -> Reply {
    let (token, owner) = (id(asked)?, owner(asked).await?);
    match events.hub.end(token, owner) {
        Ok(()) => Ok(empty(StatusCode::ACCEPTED)),
        Err(why) => Err(not_connected(why, asked).await),
    }
}

/// The token of the connection that is meant.
fn id<'a>(asked: &'a Asked<'_>) -> Result<&'a str, Refusal> {
    let id = asked.target.query.get("id");
    id.ok_or_else(|| Refusal::invalid("Which connection is meant? `id` is missing."))
}

/// Whose connections are meant: at `/service/event` those of the user who has logged in, elsewhere
/// those of the certificate that is shown. An API key as a bearer's token proves too little.
async fn owner(asked: &Asked<'_>) -> Result<Owner, Refusal> {
    if asked.target.service == Service::Event {
        let caller = asked.guest.by_bearer(asked).await?;
        let nobody = || Refusal::forbidden(NOTHING_TO_HEAR);
        let user = caller.user().ok_or_else(nobody)?;
        return Ok(Owner::User(caller.org(), user));
    }
    match asked.guest.credential(asked).await? {
        Some(shown) => Ok(Owner::Certificate(shown.fingerprint)),
        None => Err(asked
            .guest
            .by_certificate(asked)
            .await
            .err()
            .unwrap_or_else(|| Refusal::unknown(""))),
    }
}

/// Whether there is a header with keys.
fn shows_keys(asked: &Asked<'_>) -> bool {
    shown(asked).next().is_some()
}

/// The keys that were shown and could be some, each once, and no more than there may be.
fn keys(asked: &Asked<'_>) -> Vec<ApiKey> {
    let mut keys: Vec<ApiKey> = Vec::new();
    for key in shown(asked).filter_map(|text| ApiKey::parse(text).ok()) {
        if keys.len() < asked.door.settings.keys
            && !keys.iter().any(|it| it.expose() == key.expose())
        {
            keys.push(key);
        }
    }
    keys
}

/// `NONE` is how some clients say that they show none.
fn shown<'a>(asked: &'a Asked<'_>) -> impl Iterator<Item = &'a str> {
    let header = asked.headers.get(AUTHORIZATION);
    let text = header.and_then(|header| header.to_str().ok());
    let pair = text.and_then(|text| text.split_once(' '));
    let keys = pair.filter(|(scheme, keys)| {
        scheme.eq_ignore_ascii_case("a2a") && !keys.trim().eq_ignore_ascii_case("none")
    });
    keys.map_or("", |(_, keys)| keys).split_ascii_whitespace()
}

fn takes_events(request: &Request<()>) -> bool {
    let mut kinds = request.headers().get_all(ACCEPT).iter();
    kinds.any(|kind| kind.to_str().is_ok_and(|kind| kind.contains(EVENT_STREAM)))
}

fn unheard(why: Unheard) -> Refusal {
    match why {
        Unheard::Unknown => Refusal::missing("There is no such connection."),
        Unheard::Full => Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            UNAVAILABLE,
            "There are as many listeners as there may be. Try again later.",
        ),
    }
}

/// The same; that somebody meant a connection which is not its own is written down.
async fn not_connected(why: Unheard, asked: &Asked<'_>) -> Refusal {
    if why == Unheard::Unknown {
        let recorded = asked.guest.untold("(no connection)", asked).await;
        if recorded.status != StatusCode::UNAUTHORIZED {
            return recorded;
        }
    }
    unheard(why)
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

const EVENT_STREAM: &str = "text/event-stream";
const NOTHING_TO_HEAR: &str = "There is nothing that you may hear of: certificate users hear of the \
                               accounts of their registrations that are visible to them.";
