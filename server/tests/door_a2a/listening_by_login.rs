//! Listening by a log-in, without certificate and keys, as the vendor's own listeners do.

use std::time::Duration;

use claviger::domain::{Operation, Outcome, RefusalReason};
use claviger::doors::EventSettings;
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::events::{HAND, SOCKET, Socket, change, event, next, scene, socket, take_back};
use crate::house::{House, Wire};
use crate::registered::Registered;
use crate::staff;

const HUB: &str = "/service/event/signalr";
const NEGOTIATE: &str = "/service/event/signalr/negotiate";
const NO_MORE: &str = "{\"type\":7,\"error\":\"You may not listen any more.\"}\u{1e}";

/// The header of a program that has logged in with its certificate.
async fn log_in(house: &House, app: &Registered) -> String {
    let mut wire = app.connect(house).await;
    let grant = json!({"grant_type": "client_credentials", "scope": staff::CERTIFICATE});
    let path = "/RSTS/oauth2/token";
    let answer = wire.ask("POST", path, &[], &grant.to_string()).await;
    staff::bearer(&mut wire, &answer.json()).await
}

async fn negotiate(wire: &mut Wire, bearer: &str) -> String {
    let answer = wire.ask("POST", NEGOTIATE, &[bearer], "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = &answer.json()["connectionId"];
    format!("{HUB}?id={}", id.as_str().unwrap())
}

async fn listening(house: &House, bearer: &str) -> Socket {
    let mut wire = house.connect(None).await;
    let path = negotiate(&mut wire, bearer).await;
    let mut socket = socket(wire, &path, &[bearer]).await;
    socket.send(Message::text(HAND)).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), "{}\u{1e}");
    socket
}

fn quick() -> EventSettings {
    EventSettings {
        ping: Duration::from_millis(50),
        ..EventSettings::default()
    }
}

#[tokio::test]
async fn whoever_has_logged_in_hears_of_its_visible_registrations() {
    let (house, app) = scene(EventSettings::default()).await;
    let bearer = log_in(&house, &app).await;
    let mut socket = listening(&house, &bearer).await;

    change(&house).await;

    let told: Value = event(&next(&mut socket).await.unwrap());
    assert_eq!(told["Name"], "AssetAccountPasswordUpdated");
    assert_eq!(told["Data"]["AccountName"], "root");
    let trail = house.trail().await;
    let mut records = trail.iter();
    let listened = records.find(|entry| entry.operation.known() == Some(&Operation::Listen));
    let caller = &listened.unwrap().caller;
    assert_eq!(caller, "registration Billing for billing@a2a");
}

#[tokio::test]
async fn a_log_in_that_counts_no_more_ends_its_listener() {
    for end in [
        "key",
        "address",
        "registration",
        "hidden",
        "user",
        "certificate",
        "log-out",
    ] {
        let (house, app) = scene(quick()).await;
        let bearer = log_in(&house, &app).await;
        let mut socket = listening(&house, &bearer).await;

        match end {
            "hidden" => app.hide(&house).await,
            "log-out" => {
                let path = "/service/core/v4/Token/Logout";
                let mut wire = house.connect(None).await;
                assert_eq!(wire.ask("POST", path, &[&bearer], "").await.status, 204);
            }
            what => take_back(what, &house, &app).await,
        }

        assert_eq!(next(&mut socket).await.unwrap(), NO_MORE, "{end}");
        assert_eq!(next(&mut socket).await, None, "{end}");
        let trail = house.trail().await;
        let outcome = trail[0].outcome.known();
        assert!(
            matches!(outcome, Some(Outcome::Refused(_))),
            "{end}: {:?}",
            trail[0]
        );
    }
}

#[tokio::test]
async fn a_listener_by_log_in_comes_again_when_it_may_hear_of_more() {
    let (house, app) = scene(EventSettings::default()).await;
    let bearer = log_in(&house, &app).await;
    let mut socket = listening(&house, &bearer).await;
    let more = staff::resource(&house, "db-2").await;

    let operator = house.operator().await;
    let added = house
        .vault
        .add_retrievable(app.id, more.account, &[], &operator);
    added.await.unwrap();

    let pause = "{\"type\":7,\"allowReconnect\":true}\u{1e}";
    assert_eq!(next(&mut socket).await.unwrap(), pause);
    listening(&house, &bearer).await;
}

#[tokio::test]
async fn a_log_in_hears_of_its_own_only_and_over_its_own_connections() {
    let (house, app) = scene(EventSettings::default()).await;
    let bearer = log_in(&house, &app).await;
    let ann = staff::administrator(&house).await;
    let mut wire = house.connect(None).await;
    let path = negotiate(&mut wire, &bearer).await;
    let with = |bearer: &str| {
        let fields = SOCKET.iter().map(|field| (*field).to_owned());
        fields.chain([bearer.to_owned()]).collect::<Vec<_>>()
    };
    let shows = with(&ann);
    let shows: Vec<&str> = shows.iter().map(String::as_str).collect();

    assert_eq!(wire.get(&path, &shows).await.status, 404);
    let own = negotiate(&mut wire, &ann).await;
    assert_eq!(wire.get(&own, &shows).await.refused(), (403, 60108));

    let record = house.trail().await.remove(0);
    assert_eq!(record.operation.known(), Some(&Operation::Listen));
    let refused = Outcome::Refused(RefusalReason::NotAllowed);
    assert_eq!(record.outcome.known(), Some(&refused));
    // A certificate and a key do not count there, nor a log-in where those are shown.
    let mut wire = app.connect(&house).await;
    let answer = wire.ask("POST", NEGOTIATE, &[&app.shows()], "").await;
    assert_eq!(answer.refused(), (401, 60094));
    let mut wire = house.connect(None).await;
    let path = "/service/a2a/signalr/negotiate";
    let answer = wire.ask("POST", path, &[&bearer], "").await;
    assert_eq!(answer.refused(), (401, 60094));
}
