//! XML-RPC over mutual TLS: bytes to calls, calls to the vault, answers back to bytes.
//!
//! `exchange` speaks HTTP, `method` is the table of what there is, `overload` reads parameters,
//! `dispatch` asks the vault, `answer` holds every code and message.

mod answer;
mod dispatch;
mod exchange;
mod introspect;
mod method;
mod multicall;
mod overload;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tracing::{Instrument, debug_span};

use crate::doors::body::Purse;
use crate::doors::gate::Visitor;
use crate::doors::rarely::Rarely;
use crate::doors::xmlrpc::dispatch::Meters;
use crate::doors::{Gate, Limits, Meter, Peer, Protocol};
use crate::vault::Vault;

/// What an operator may set about this door alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlrpcSettings {
    /// What a document may hold.
    pub document: xmlrpc_codec::Limits,
    /// The most calls in one `system.multicall`. Default 64.
    pub multicall: usize,
}

impl Default for XmlrpcSettings {
    fn default() -> Self {
        Self {
            document: xmlrpc_codec::Limits::default(),
            multicall: 64,
        }
    }
}

/// The door for applications.
pub struct Xmlrpc {
    vault: Arc<Vault>,
    gate: Gate,
    settings: XmlrpcSettings,
    limits: Limits,
    purse: Purse,
    meters: Meters,
    outages: Rarely,
}

impl fmt::Debug for Xmlrpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Xmlrpc")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Xmlrpc {
    /// The name of the door in metrics and logs.
    pub const NAME: &'static str = "xmlrpc";

    /// A door to `vault` for those whom `gate` lets in.
    ///
    /// A document may never be longer than a request's body.
    #[must_use]
    pub fn new(
        vault: Arc<Vault>,
        gate: Gate,
        mut settings: XmlrpcSettings,
        limits: Limits,
        meter: &Meter,
    ) -> Self {
        settings.document.bytes = limits.body_bytes.max(limits.inflated_bytes);
        let one_body = limits.body_bytes.saturating_add(limits.inflated_bytes);
        Self {
            vault,
            gate,
            settings,
            limits,
            purse: Purse::new(limits.body_memory.max(one_body)),
            meters: Meters::new(meter),
            outages: Rarely::new(Duration::from_secs(1)),
        }
    }
}

impl Protocol for Xmlrpc {
    type Session = Visitor;
    type Body = Full<Bytes>;

    fn open(&self, peer: Peer) -> Visitor {
        Visitor::new(peer)
    }

    async fn answer(&self, visitor: &Visitor, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let id = self.vault.next_request();
        let peer = visitor.peer().address();
        // Not made where nobody listens that closely: it costs more than a look-up. What is logged
        // above that level names the request itself.
        let span = debug_span!("request", door = Self::NAME, %id, %peer);
        self.exchange(visitor, request, id).instrument(span).await
    }
}
