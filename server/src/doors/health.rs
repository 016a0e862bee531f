//! The operator's address: how the house is, and what was counted, in plain HTTP. It tells no
//! secrets, but strangers need not know it either.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Json};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use prometheus_client::metrics::gauge::Gauge;
use serde::Serialize;
use tower_service::Service;
use tracing::warn;

use crate::doors::{Meter, Peer, Protocol};
use crate::vault::{HouseStatus, Vault};

/// What only whoever opened the doors knows of the house.
pub trait Beyond: Send + Sync + fmt::Debug {
    /// What is wrong outside the vault, a line each: a certificate that could not be reloaded, a
    /// revocation list that is out of date.
    fn problems(&self) -> Vec<String>;

    /// The certificates that have expired or soon will.
    fn expiring(&self) -> Vec<Expiring>;
}

/// A certificate that has expired or soon will.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expiring {
    /// Whose it is: `server`, `ca`, or its subject.
    pub certificate: String,
    /// How many days are left; negative once it has expired.
    pub days_left: i64,
}

/// `GET /health` and `GET /metrics`.
#[derive(Clone, Debug)]
pub struct HealthDoor {
    router: Router,
}

impl HealthDoor {
    /// The name of the door in metrics and logs.
    pub const NAME: &'static str = "health";

    /// A door to what `vault`, `meter` and `beyond` know.
    #[must_use]
    pub fn new(vault: Arc<Vault>, meter: Arc<Meter>, beyond: Arc<dyn Beyond>) -> Self {
        let house = House {
            gauges: Gauges::new(&meter),
            vault,
            meter,
            beyond,
        };
        let router = Router::new()
            .route("/health", get(health))
            .route("/metrics", get(metrics))
            .with_state(Arc::new(house));
        Self { router }
    }

    /// The same two for another door to offer.
    pub fn router(&self) -> Router {
        self.router.clone()
    }
}

impl Protocol for HealthDoor {
    type Session = ();
    type Body = Body;

    fn open(&self, _peer: Peer) {}

    async fn answer(&self, _session: &(), request: Request<Incoming>) -> Response<Body> {
        let answer: Result<_, Infallible> = self.router.clone().call(request).await;
        match answer {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

#[derive(Debug)]
struct House {
    vault: Arc<Vault>,
    meter: Arc<Meter>,
    beyond: Arc<dyn Beyond>,
    gauges: Gauges,
}

/// How the house is, for a machine that watches it.
#[derive(Debug, Serialize)]
struct Report {
    /// `ok`; `warning`, when it works and something is wrong; `failing`, when it does not work.
    status: &'static str,
    /// `primary` or `secondary`.
    mode: &'static str,
    /// Whether rows can be written.
    store: &'static str,
    /// How many records the audit trail has.
    audit_records: u64,
    /// What is wrong.
    problems: Vec<String>,
    /// Certificates that need somebody.
    certificates: Vec<Expiring>,
}

async fn health(State(house): State<Arc<House>>) -> impl IntoResponse {
    let mut problems = house.beyond.problems();
    let certificates = house.beyond.expiring();
    let (code, report) = match house.vault.status().await {
        Ok(status) => {
            problems.splice(0..0, status.problems.iter().cloned());
            let well = problems.is_empty() && certificates.is_empty();
            let (code, word) = match (status.working, well) {
                (true, true) => (StatusCode::OK, "ok"),
                (true, false) => (StatusCode::OK, "warning"),
                (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
            };
            (code, report(word, &status, problems, certificates))
        }
        Err(error) => {
            problems.insert(0, error.to_string());
            let report = Report {
                status: "failing",
                mode: "unknown",
                store: "unreadable",
                audit_records: 0,
                problems,
                certificates,
            };
            (StatusCode::SERVICE_UNAVAILABLE, report)
        }
    };
    (code, [(CACHE_CONTROL, "no-store")], Json(report))
}

fn report(
    word: &'static str,
    status: &HouseStatus,
    problems: Vec<String>,
    certificates: Vec<Expiring>,
) -> Report {
    Report {
        status: word,
        mode: if status.secondary {
            "secondary"
        } else {
            "primary"
        },
        store: if status.store.trouble.is_none() {
            "ok"
        } else {
            "unwritable"
        },
        audit_records: status.head.seq,
        problems,
        certificates,
    }
}

async fn metrics(State(house): State<Arc<House>>) -> impl IntoResponse {
    house.gauges.read(&house.vault).await;
    match house.meter.to_text() {
        Ok(text) => {
            let headers = [(CONTENT_TYPE, OPEN_METRICS), (CACHE_CONTROL, "no-store")];
            (StatusCode::OK, headers, text).into_response()
        }
        Err(error) => {
            warn!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is looked at when somebody asks, instead of counted as it happens.
#[derive(Debug, Default)]
struct Gauges {
    working: Gauge,
    records: Gauge<u64, AtomicU64>,
    batches: Gauge<u64, AtomicU64>,
    flushes: Gauge<u64, AtomicU64>,
    waiting: Gauge<u64, AtomicU64>,
    unclear: Gauge<u64, AtomicU64>,
}

impl Gauges {
    fn new(meter: &Meter) -> Self {
        let gauges = Self::default();
        let build = [("version", env!("CARGO_PKG_VERSION"))];
        let info = prometheus_client::metrics::info::Info::new(build);
        meter.register("build", "What runs", info);
        meter.register(
            "working",
            "Whether it can do its work",
            gauges.working.clone(),
        );
        meter.register(
            "unclear_resets",
            "Accounts of which it is not clear which password their targets have, 256 at most",
            gauges.unclear.clone(),
        );
        meter.register(
            "audit_records",
            "Records in the audit trail",
            gauges.records.clone(),
        );
        meter.register(
            "store_batches",
            "Batches written to the store",
            gauges.batches.clone(),
        );
        meter.register(
            "store_flushes",
            "Flushes they shared",
            gauges.flushes.clone(),
        );
        meter.register(
            "store_waiting",
            "Batches waiting for the disk",
            gauges.waiting.clone(),
        );
        gauges
    }

    async fn read(&self, vault: &Vault) {
        let Ok(status) = vault.status().await else {
            self.working.set(0);
            return;
        };
        self.working.set(i64::from(status.working));
        self.records.set(status.head.seq);
        self.batches.set(status.store.batches);
        self.flushes.set(status.store.flushes);
        self.waiting.set(status.store.waiting as u64);
        self.unclear.set(status.unclear_resets as u64);
    }
}
