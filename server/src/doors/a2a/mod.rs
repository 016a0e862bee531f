//! The A2A service over TLS: credentials for programs that show a certificate and an API key, and
//! the service that registers them.
//!
//! `exchange` speaks HTTP, `path` reads the address, `routes` lists what there is, `guest` finds out who
//! asks, `body` reads what came along, `reply` holds the form and the codes of every answer. `credentials` gives secrets out and
//! takes new ones, `requests` is the broker, `signalr` tells of changes, `core` the service in which
//! all of them are registered, with its log-in.

mod body;
mod core;
mod credentials;
mod exchange;
mod guest;
mod path;
mod private_key;
mod reply;
mod requests;
mod routes;
mod signalr;

pub use guest::Guest as A2aGuest;
pub use routes::routes as a2a_routes;
pub use signalr::EventSettings;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tracing::{Instrument, debug_span};

use crate::domain::RequestId;
use crate::doors::a2a::exchange::Meters;
use crate::doors::a2a::guest::Guest;
use crate::doors::a2a::path::Target;
use crate::doors::a2a::signalr::Events;
use crate::doors::body::Purse;
use crate::doors::rarely::Rarely;
use crate::doors::strangers::Strangers;
use crate::doors::{Closing, Gate, Limits, Meter, Peer, Protocol};
use crate::vault::Vault;

/// What an operator may set about this door alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct A2aSettings {
    /// How many requests a minute that prove nothing are answered and written down, from one
    /// address; beyond it they are turned away unread. Default 60.
    pub strangers: u32,
    /// The most API keys in one request. Default 64.
    pub keys: usize,
    /// The port at which the door is open, for those who ask. Default 8443.
    pub port: u16,
    /// For those who listen.
    pub events: EventSettings,
}

impl Default for A2aSettings {
    fn default() -> Self {
        Self {
            strangers: 60,
            keys: 64,
            port: 8443,
            events: EventSettings::default(),
        }
    }
}

/// The door for programs that speak A2A.
pub struct A2a {
    vault: Arc<Vault>,
    gate: Gate,
    settings: A2aSettings,
    limits: Limits,
    purse: Purse,
    strangers: Strangers,
    meters: Meters,
    outages: Rarely,
    /// For those who listen, where the door tells of changes.
    events: Option<Events>,
    /// How many private keys may be opened at once: their senders say how long that takes.
    openings: Arc<Semaphore>,
}

impl fmt::Debug for A2a {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("A2a")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// One request, as its family sees it.
struct Asked<'a> {
    door: &'a A2a,
    guest: &'a Guest,
    method: Method,
    target: Target,
    headers: HeaderMap,
    /// Whole, within its limits, wiped when it is dropped.
    body: Bytes,
    request: RequestId,
}

impl fmt::Debug for Asked<'_> {
    /// Neither headers nor body, which hold keys and secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("method", &self.method)
            .field("service", &self.target.service)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

impl A2a {
    /// The name of the door in metrics and logs.
    pub const NAME: &'static str = "a2a";

    /// A door to `vault` for those whom `gate` finds trusted.
    #[must_use]
    pub fn new(
        vault: Arc<Vault>,
        gate: Gate,
        settings: A2aSettings,
        limits: Limits,
        meter: &Meter,
    ) -> Self {
        let one_body = limits.body_bytes.saturating_add(limits.inflated_bytes);
        Self {
            vault,
            gate,
            strangers: Strangers::new(settings.strangers),
            settings,
            limits,
            purse: Purse::new(limits.body_memory.max(one_body)),
            meters: Meters::new(meter),
            outages: Rarely::new(Duration::from_secs(1)),
            events: None,
            openings: Arc::new(Semaphore::new(2)),
        }
    }

    /// The same, telling of changes to those who listen until `closing`.
    #[must_use]
    pub fn telling_until(self, closing: Closing) -> Arc<Self> {
        let settings = self.settings.events;
        Arc::new_cyclic(|door| Self {
            events: Some(Events::new(settings, door.clone(), closing)),
            ..self
        })
    }
}

impl Protocol for A2a {
    type Session = Guest;
    type Body = Body;

    const QUOTES_IN_URLS: bool = true;

    fn open(&self, peer: Peer) -> Guest {
        Guest::new(peer)
    }

    async fn answer(&self, guest: &Guest, request: Request<Incoming>) -> Response<Body> {
        let id = self.vault.next_request();
        let peer = guest.address();
        let span = debug_span!("request", door = Self::NAME, %id, %peer);
        self.exchange(guest, request, id).instrument(span).await
    }

    async fn switched(
        &self,
        guest: &Guest,
        line: (impl AsyncRead + AsyncWrite + Unpin + Send, Bytes),
    ) {
        if let Some(listener) = guest.take_listener() {
            signalr::converse(listener, line).await;
        }
    }
}
