//! The operator's address: what it answers, and that it answers nothing else.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what the tests share may stop them, too"
)]
#![expect(dead_code, reason = "another test uses the rest of the house")]

mod door;

use std::sync::{Arc, Mutex};

use claviger::domain::Role;
use claviger::doors::{
    Beyond, Closer, Crowd, CrowdSettings, Expiring, HealthDoor, ListenSettings, Listener,
};
use door::House;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the test says of the house.
#[derive(Debug, Default)]
struct Said {
    problems: Mutex<Vec<String>>,
    expiring: Mutex<Vec<Expiring>>,
}

impl Beyond for Said {
    fn problems(&self) -> Vec<String> {
        self.problems.lock().unwrap().clone()
    }

    fn expiring(&self) -> Vec<Expiring> {
        self.expiring.lock().unwrap().clone()
    }
}

struct Watched {
    house: House,
    said: Arc<Said>,
    address: std::net::SocketAddr,
    _closer: Closer,
}

async fn open() -> Watched {
    let house = House::open().await;
    let said = Arc::new(Said::default());
    let door = HealthDoor::new(house.vault.clone(), house.meter.clone(), said.clone());
    let crowd = Crowd::new(CrowdSettings::default());
    let meter = house.meter.door(HealthDoor::NAME);
    let listener = Listener::bind(&ListenSettings::default(), crowd, meter).unwrap();
    let (address, closer) = (listener.address(), Closer::new());
    tokio::spawn(listener.serve_plain(Arc::new(door), closer.closing()));
    Watched {
        house,
        said,
        address,
        _closer: closer,
    }
}

impl Watched {
    /// The status line, the head and the body of what is answered.
    async fn get(&self, line: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        (
            head[9..12].parse().unwrap(),
            head.to_owned(),
            body.to_owned(),
        )
    }

    async fn health(&self) -> (u16, Value) {
        let (status, _, body) = self.get("GET /health").await;
        (status, serde_json::from_str(&body).unwrap())
    }
}

#[tokio::test]
async fn a_house_that_is_well_says_so() {
    let watched = open().await;

    let (status, report) = watched.health().await;

    assert_eq!(status, 200);
    assert_eq!(report["status"], "ok");
    assert_eq!(report["mode"], "primary");
    assert_eq!(report["store"], "ok");
    assert!(report["audit_records"].as_u64().unwrap() > 0);
    assert_eq!(
        (&report["problems"], &report["certificates"]),
        (&json!([]), &json!([]))
    );
}

#[tokio::test]
async fn what_needs_somebody_is_a_warning_and_the_house_works_on() {
    let watched = open().await;
    let soon = Expiring {
        certificate: "server".to_owned(),
        days_left: 3,
    };
    watched.said.expiring.lock().unwrap().push(soon);

    let (status, report) = watched.health().await;
    assert_eq!((status, &report["status"]), (200, &json!("warning")));
    assert_eq!(
        report["certificates"],
        json!([{"certificate": "server", "days_left": 3}])
    );

    watched.said.expiring.lock().unwrap().clear();
    watched
        .said
        .problems
        .lock()
        .unwrap()
        .push("a list is stale".to_owned());
    let (status, report) = watched.health().await;
    assert_eq!((status, &report["status"]), (200, &json!("warning")));
    assert_eq!(report["problems"], json!(["a list is stale"]));
}

#[tokio::test]
async fn metrics_tell_of_connections_requests_and_the_house() {
    let watched = open().await;
    let app = watched.house.user("app", Role::PasswordUser).await;
    let mut wire = watched.house.connect(Some(&app)).await.unwrap();
    wire.call("system.listMethods", &[]).await.unwrap();

    let (status, head, text) = watched.get("GET /metrics").await;

    assert_eq!(status, 200);
    assert!(
        head.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{head}"
    );
    for line in [
        "claviger_working 1",
        "claviger_connections{door=\"xmlrpc\"} 1",
        "claviger_requests_total{door=\"xmlrpc\",operation=\"introspect\",outcome=\"done\"} 1",
        "claviger_connections_refused_total{door=\"xmlrpc\",cap=\"address\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    assert!(text.contains("claviger_audit_records ") && text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn nothing_else_is_there() {
    let watched = open().await;

    assert_eq!(watched.get("GET /").await.0, 404);
    assert_eq!(watched.get("GET /xmlrpc").await.0, 404);
    assert_eq!(watched.get("POST /health").await.0, 405);
}
