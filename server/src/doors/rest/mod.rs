//! The REST API over TLS: JSON in the original's envelopes, tokens for certificates.
//!
//! `exchange` speaks HTTP, `route` is the table of what there is, `token` and `guest` find out who
//! asks, `input` reads what came along, `dispatch` sends it to its family (`resources`, `accounts`,
//! `lookup`, `groups`, `passwords`, `requests`, `users`, `audits`, `named`), `answer` holds every code and
//! message, `envelope` the form of every answer.

mod accounts;
mod answer;
mod audits;
mod dispatch;
mod envelope;
mod exchange;
mod groups;
mod guest;
mod input;
mod lookup;
mod named;
mod passwords;
mod requests;
mod resources;
mod route;
mod times;
mod token;
mod users;

pub use guest::Guest;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tracing::{Instrument, debug_span};

use crate::doors::body::Purse;
use crate::doors::rarely::Rarely;
use crate::doors::rest::dispatch::Meters;
use crate::doors::strangers::Strangers;
use crate::doors::{Limits, Meter, Peer, Protocol};
use crate::vault::Vault;

/// What an operator may set about this door alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestSettings {
    /// What a query or a body may hold.
    pub input: input_data::Limits,
    /// Whether a token may come in the URL, where proxies and histories keep it. Default yes: many
    /// clients know no other way.
    pub token_in_url: bool,
    /// The most rows in one answer. Default 10 000.
    pub rows: usize,
    /// How many requests a minute with a token of nobody's are answered and written down, from one
    /// address; beyond it they are turned away unread. Default 60.
    pub strangers: u32,
}

impl Default for RestSettings {
    fn default() -> Self {
        Self {
            input: input_data::Limits::default(),
            token_in_url: true,
            rows: 10_000,
            strangers: 60,
        }
    }
}

/// The door for scripts.
pub struct Rest {
    vault: Arc<Vault>,
    settings: RestSettings,
    limits: Limits,
    purse: Purse,
    strangers: Strangers,
    meters: Meters,
    outages: Rarely,
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Rest {
    /// The name of the door in metrics and logs.
    pub const NAME: &'static str = "rest";

    /// A door to `vault` for those who show a token.
    ///
    /// A form may never be longer than a request's body.
    #[must_use]
    pub fn new(
        vault: Arc<Vault>,
        mut settings: RestSettings,
        limits: Limits,
        meter: &Meter,
    ) -> Self {
        settings.input.bytes = limits.body_bytes.max(limits.inflated_bytes);
        let one_body = limits.body_bytes.saturating_add(limits.inflated_bytes);
        Self {
            vault,
            strangers: Strangers::new(settings.strangers),
            settings,
            limits,
            purse: Purse::new(limits.body_memory.max(one_body)),
            meters: Meters::new(meter),
            outages: Rarely::new(Duration::from_secs(1)),
        }
    }
}

impl Protocol for Rest {
    type Session = Guest;
    type Body = Full<Bytes>;

    const QUOTES_IN_URLS: bool = true;

    fn open(&self, peer: Peer) -> Guest {
        Guest::new(&peer)
    }

    async fn answer(&self, guest: &Guest, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let id = self.vault.next_request();
        let peer = guest.address();
        let span = debug_span!("request", door = Self::NAME, %id, %peer);
        self.exchange(guest, request, id).instrument(span).await
    }
}
