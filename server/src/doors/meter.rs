//! What is counted, for the operator's metrics.

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use certs::Refusal;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry};

use crate::doors::crowd::Full;

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;

/// Every metric of the server, in one registry.
#[derive(Debug)]
pub struct Meter {
    registry: Mutex<Registry>,
    connections: Family<Labels<1>, Gauge>,
    accepted: Counters<1>,
    refused: Counters<2>,
    handshakes: Counters<2>,
    requests: Counters<3>,
    seconds: Family<Labels<2>, Histogram, fn() -> Histogram>,
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

impl Meter {
    /// All of them at nought.
    #[must_use]
    pub fn new() -> Self {
        let meter = Self {
            registry: Mutex::new(Registry::with_prefix("claviger")),
            connections: Family::default(),
            accepted: Family::default(),
            refused: Family::default(),
            handshakes: Family::default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(durations as fn() -> Histogram),
        };
        meter.register("connections", "Open connections", meter.connections.clone());
        meter.register(
            "connections_accepted",
            "Connections accepted",
            meter.accepted.clone(),
        );
        meter.register(
            "connections_refused",
            "Connections closed at once because a cap was reached",
            meter.refused.clone(),
        );
        meter.register(
            "handshakes_failed",
            "TLS handshakes that failed",
            meter.handshakes.clone(),
        );
        meter.register("requests", "Requests by outcome", meter.requests.clone());
        meter.register(
            "request_seconds",
            "Time from request to answer",
            meter.seconds.clone(),
        );
        meter
    }

    /// Adds a metric that somebody else counts.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(name, help, metric);
    }

    /// Everything counted so far, in the OpenMetrics text format.
    ///
    /// # Errors
    /// [`fmt::Error`] when a metric cannot be written as text.
    pub fn to_text(&self) -> Result<String, fmt::Error> {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }

    /// What is counted at the door of that name.
    #[must_use]
    pub fn door(&self, door: &'static str) -> DoorMeter {
        let refused = |cap| {
            self.refused
                .get_or_create_owned(&[("door", door), ("cap", cap)])
        };
        DoorMeter {
            connections: self.connections.get_or_create_owned(&[("door", door)]),
            accepted: self.accepted.get_or_create_owned(&[("door", door)]),
            refused_all: refused("all"),
            refused_address: refused("address"),
            handshakes: self.handshakes.clone(),
            door,
        }
    }

    /// What is counted of one operation at the door of that name.
    #[must_use]
    pub fn operation(&self, door: &'static str, operation: &'static str) -> OperationMeter {
        let labels = |outcome| {
            [
                ("door", door),
                ("operation", operation),
                ("outcome", outcome),
            ]
        };
        OperationMeter {
            outcomes: Ending::ALL
                .map(|ending| self.requests.get_or_create_owned(&labels(ending.as_str()))),
            seconds: self
                .seconds
                .get_or_create_owned(&[("door", door), ("operation", operation)]),
        }
    }
}

/// From 50 µs to 13 s, each bucket twice the last.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(50e-6, 2.0, 19))
}

/// What is counted of a door's connections.
#[derive(Clone, Debug)]
pub struct DoorMeter {
    door: &'static str,
    connections: Gauge,
    accepted: Counter,
    refused_all: Counter,
    refused_address: Counter,
    handshakes: Counters<2>,
}

impl DoorMeter {
    pub(crate) fn door(&self) -> &'static str {
        self.door
    }

    pub(crate) fn accept(&self) -> OpenConnection {
        self.accepted.inc();
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }

    pub(crate) fn refuse(&self, full: Full) {
        match full {
            Full::All => self.refused_all.inc(),
            Full::Address => self.refused_address.inc(),
        };
    }

    pub(crate) fn fail_handshake(&self, reason: &'static str) {
        let labels = [("door", self.door), ("reason", reason)];
        self.handshakes.get_or_create(&labels).inc();
    }
}

/// Counts as open until dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// How a request ended, for who counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Done.
    Done,
    /// Refused to this caller.
    Refused,
    /// No request that could be understood.
    Malformed,
    /// Ours to do, and not done.
    Failed,
}

impl Ending {
    const ALL: [Self; 4] = [Self::Done, Self::Refused, Self::Malformed, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Failed => "failed",
        }
    }
}

/// What is counted of one operation.
#[derive(Clone, Debug)]
pub struct OperationMeter {
    outcomes: [Counter; 4],
    seconds: Histogram,
}

impl OperationMeter {
    /// Counts one request that ended so after `took`.
    pub fn count(&self, ending: Ending, took: Duration) {
        let [done, refused, malformed, failed] = &self.outcomes;
        match ending {
            Ending::Done => done.inc(),
            Ending::Refused => refused.inc(),
            Ending::Malformed => malformed.inc(),
            Ending::Failed => failed.inc(),
        };
        self.seconds.observe(took.as_secs_f64());
    }
}

/// Why a TLS handshake failed, in one of a few words.
pub(crate) fn handshake_failure(error: &io::Error) -> &'static str {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(refusal) = inner.and_then(Refusal::in_handshake) {
        return refusal.code();
    }
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => "certificate",
        Some(rustls::Error::AlertReceived(_)) => "peer_refused",
        Some(rustls::Error::PeerIncompatible(_)) => "incompatible",
        Some(rustls::Error::InvalidMessage(_)) => "not_tls",
        Some(_) => "protocol",
        None if error.kind() == io::ErrorKind::TimedOut => "late",
        None => "closed",
    }
}
