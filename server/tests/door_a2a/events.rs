//! Listening for changes: both transports, both orders of the hand-shake, and every end of it.

use std::time::Duration;

use claviger::domain::{Lock, Material, Operation, Outcome};
use claviger::doors::{A2aSettings, EventSettings};
use claviger::vault::{NewPassword, Reach, UserEdit, Wanted};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use zeroize::Zeroizing;

use crate::house::{Answer, House, Wire, Wish};
use crate::registered::{Registered, text};

pub(crate) const HUB: &str = "/service/a2a/signalr";
pub(crate) const NEGOTIATE: &str = "/service/a2a/signalr/negotiate?negotiateVersion=1";
pub(crate) const HAND: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";
pub(crate) const FEED: &str = "Accept: text/event-stream";
pub(crate) const SOCKET: [&str; 4] = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/// A house in which changes are told, and a program that is registered.
pub(crate) async fn scene(events: EventSettings) -> (House, Registered) {
    let settings = A2aSettings {
        events,
        ..A2aSettings::default()
    };
    let wish = Wish {
        settings,
        ..Wish::default()
    };
    let house = House::open_as(wish).await;
    let vault = house.vault.clone();
    tokio::spawn(async move { vault.tell_changes().await });
    let app = Registered::with(&house, true).await;
    (house, app)
}

pub(crate) async fn change(house: &House) {
    let text = Zeroizing::new("Second-Pass2!word".to_owned());
    let new = NewPassword::parse(text).unwrap();
    let operator = house.operator().await;
    let wanted = Wanted::named("db-1", "root");
    let changed = house.vault.change(&wanted, new, Reach::Local, &operator);
    changed.await.unwrap();
}

async fn negotiate(wire: &mut Wire, fields: &[&str]) -> String {
    let answer = wire.ask("POST", NEGOTIATE, fields, "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = answer.json()["connectionToken"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        answer
            .body
            .contains(&format!("\"connectionToken\":\"{token}\","))
    );
    token
}

async fn say(house: &House, app: &Registered, token: &str, words: &str) -> Answer {
    let mut wire = app.connect(house).await;
    let path = format!("{HUB}?id={token}");
    wire.ask("POST", &path, &[&app.shows()], words).await
}

/// A feed of server-sent events, and what came of it.
struct Feed {
    stream: TlsStream<TcpStream>,
    come: String,
}

impl Feed {
    async fn open(mut wire: Wire, path: &str, fields: &[&str]) -> Self {
        let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{FEED}\r\n{fields}\r\n");
        wire.stream.write_all(request.as_bytes()).await.unwrap();
        let mut feed = Self {
            stream: wire.stream,
            come: String::new(),
        };
        let head = feed.until(":\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        feed
    }

    /// Reads until `words` have come, and past them.
    async fn until(&mut self, words: &str) -> String {
        loop {
            if let Some(at) = self.come.find(words) {
                let rest = self.come.split_off(at + words.len());
                return std::mem::replace(&mut self.come, rest);
            }
            assert!(self.more().await, "it ended after {:?}", self.come);
        }
    }

    /// All that comes until its end.
    async fn end(mut self) -> String {
        while !self.come.contains("\r\n0\r\n\r\n") && self.more().await {}
        self.come
    }

    async fn more(&mut self) -> bool {
        let mut piece = [0; 4096];
        let read = timeout(Duration::from_secs(10), self.stream.read(&mut piece)).await;
        let read = read.unwrap().unwrap_or(0);
        self.come
            .push_str(std::str::from_utf8(&piece[..read]).unwrap());
        read > 0
    }
}

pub(crate) type Socket = WebSocketStream<TlsStream<TcpStream>>;

pub(crate) async fn socket(mut wire: Wire, path: &str, fields: &[&str]) -> Socket {
    let all: Vec<&str> = SOCKET.iter().chain(fields).copied().collect();
    let answer = wire.get(path, &all).await;
    assert_eq!(answer.status, 101, "{}", answer.body);
    assert_eq!(
        answer.field("sec-websocket-accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    WebSocketStream::from_raw_socket(wire.stream, Role::Client, None).await
}

/// The next message that is no ping.
pub(crate) async fn next(socket: &mut Socket) -> Option<String> {
    loop {
        let message = timeout(Duration::from_secs(10), socket.next()).await;
        match message.unwrap()?.ok()? {
            Message::Text(text) if text.as_str() == "{\"type\":6}\u{1e}" => {}
            Message::Text(text) => return Some(text.to_string()),
            _ => {}
        }
    }
}

async fn shaken(house: &House, app: &Registered) -> Socket {
    let mut socket = socket(app.connect(house).await, HUB, &[&app.shows()]).await;
    socket.send(Message::text(HAND)).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), "{}\u{1e}");
    socket
}

pub(crate) fn event(record: &str) -> Value {
    let record: Value = serde_json::from_str(record.strip_suffix('\u{1e}').unwrap()).unwrap();
    assert_eq!(
        (&record["type"], &record["target"]),
        (&json!(1), &json!("NotifyEventAsync"))
    );
    let event = record["arguments"][0].clone();
    assert_eq!(event["Name"], event["Data"]["EventName"]);
    event
}

#[tokio::test]
async fn a_feed_opened_before_hands_are_shaken_hears_of_a_change() {
    let (house, app) = scene(EventSettings::default()).await;
    let token = negotiate(&mut app.connect(&house).await, &[&app.shows()]).await;
    let path = format!("{HUB}?id={token}");
    let mut feed = Feed::open(app.connect(&house).await, &path, &[&app.shows()]).await;

    assert_eq!(say(&house, &app, &token, HAND).await.status, 200);
    feed.until("data: {}\u{1e}\r\n\r\n").await;
    change(&house).await;

    feed.until("\"Name\":\"AssetAccountPasswordUpdated\"").await;
    let rest = feed.until("\u{1e}\r\n\r\n").await;
    assert!(
        rest.contains(&format!("\"AccountId\":{},", app.account)),
        "{rest}"
    );
    assert!(!rest.contains("Second-Pass2"), "{rest}");
}

#[tokio::test]
async fn hands_shaken_before_the_feed_is_opened_count_too_and_so_do_earlier_keys() {
    let (house, app) = scene(EventSettings::default()).await;
    let mut wire = app.connect(&house).await;
    let token = negotiate(&mut wire, &[]).await;
    assert_eq!(say(&house, &app, &token, HAND).await.status, 200);

    let mut feed = Feed::open(wire, &format!("{HUB}?id={token}"), &[]).await;

    feed.until("data: {}\u{1e}\r\n\r\n").await;
    change(&house).await;
    feed.until("AssetAccountPasswordUpdated").await;
}

#[tokio::test]
async fn a_socket_hears_of_every_kind_of_secret() {
    let (house, app) = scene(EventSettings::default()).await;
    let mut wire = app.connect(&house).await;
    let answer = wire
        .ask(
            "POST",
            "/service/A2A/SignalR/Negotiate",
            &[&app.shows()],
            "",
        )
        .await;
    assert_eq!(answer.json()["negotiateVersion"], json!(0));
    let id = answer.json()["connectionId"].as_str().unwrap().to_owned();
    let mut socket = socket(wire, &format!("{HUB}?id={id}"), &[&app.shows()]).await;
    socket.send(Message::text(HAND)).await.unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), "{}\u{1e}");

    change(&house).await;
    let told = event(&next(&mut socket).await.unwrap());
    assert_eq!(told["Name"], json!("AssetAccountPasswordUpdated"));
    assert_eq!(told["Data"]["AssetName"], json!("db-1"));
    let pair = Material::api_key("AKIA1", text("hunter2")).unwrap();
    app.beside(&house, "root [API key 1]", pair).await;
    let told = event(&next(&mut socket).await.unwrap());

    assert_eq!(told["Name"], json!("AccountApiKeySecretUpdated"));
    assert_eq!(told["Data"]["AccountName"], json!("root"));
    let listened: Vec<_> = house.trail().await;
    let listened = listened
        .iter()
        .filter(|entry| entry.operation.known() == Some(&Operation::Listen));
    assert_eq!(listened.count(), 1);
}

#[tokio::test]
async fn whoever_may_listen_no_more_is_ended_and_the_trail_says_why() {
    for end in [
        "key",
        "renewed",
        "address",
        "registration",
        "user",
        "certificate",
    ] {
        let (house, app) = scene(EventSettings::default()).await;
        let mut socket = shaken(&house, &app).await;
        let token = negotiate(&mut app.connect(&house).await, &[&app.shows()]).await;
        let path = format!("{HUB}?id={token}");
        let mut feed = Feed::open(app.connect(&house).await, &path, &[&app.shows()]).await;
        say(&house, &app, &token, HAND).await;
        feed.until("data: {}").await;

        take_back(end, &house, &app).await;

        let last = next(&mut socket).await.unwrap();
        let expected = "{\"type\":7,\"error\":\"You may not listen any more.\"}\u{1e}";
        assert_eq!(last, expected, "{end}");
        assert_eq!(next(&mut socket).await, None, "{end}");
        assert!(feed.end().await.contains(expected), "{end}");
        let trail = house.trail().await;
        let refused = |outcome: Option<&Outcome>| matches!(outcome, Some(Outcome::Refused(_)));
        assert!(refused(trail[0].outcome.known()), "{end}: {:?}", trail[0]);
    }
}

pub(crate) async fn take_back(what: &str, house: &House, app: &Registered) {
    let (vault, operator) = (&house.vault, house.operator().await);
    let (id, account) = (app.id, app.account);
    match what {
        "key" => {
            let removed = vault.remove_retrievable(id, account, &operator).await;
            removed.unwrap();
        }
        "renewed" => {
            let renewed = vault.renew_key(id, account, &operator).await;
            renewed.unwrap();
        }
        "address" => {
            let from = ["192.0.2.0/24".to_owned()];
            let edited = vault.edit_retrievable(id, account, &from, &operator);
            edited.await.unwrap();
        }
        "registration" => app.disable(vault, house, Lock::Locked).await,
        "user" => {
            let locked = UserEdit::Lock(Lock::Locked);
            let edited = vault.edit_user("billing@a2a", &locked, &operator).await;
            edited.unwrap();
        }
        _ => house.distrust_authority().await,
    }
}

#[tokio::test]
async fn a_certificate_that_expires_ends_its_listener_at_the_next_ping() {
    let events = EventSettings {
        ping: Duration::from_millis(50),
        ..EventSettings::default()
    };
    let (house, app) = scene(events).await;
    let mut socket = shaken(&house, &app).await;

    house.clock.forward(Duration::from_secs(40 * 86_400));

    assert!(
        next(&mut socket)
            .await
            .unwrap()
            .contains("You may not listen")
    );
}

#[tokio::test]
async fn a_connection_belongs_to_its_certificate_and_is_taken_once() {
    let (house, app) = scene(EventSettings::default()).await;
    let token = negotiate(&mut app.connect(&house).await, &[&app.shows()]).await;
    let path = format!("{HUB}?id={token}");
    let stranger = house.issue("billing");
    let mut wire = house.connect(Some(&stranger)).await;

    let said = wire.ask("POST", &path, &[&app.shows()], HAND).await;
    assert_eq!(said.status, 404);
    let taken = wire.get(&path, &[FEED, &app.shows()]).await;
    assert_eq!(taken.status, 404);
    let _feed = Feed::open(app.connect(&house).await, &path, &[&app.shows()]).await;
    let again = app
        .connect(&house)
        .await
        .get(&path, &[FEED, &app.shows()])
        .await;
    assert_eq!(again.status, 404);
    let mut none = house.connect(None).await;
    assert_eq!(
        none.ask("POST", &path, &[], HAND).await.refused(),
        (401, 60094)
    );
}

#[tokio::test]
async fn nobody_listens_without_a_certificate_and_a_key_that_counts() {
    let (house, app) = scene(EventSettings::default()).await;
    let wrong = "Authorization: A2A 6A4psUnrLv1hvoWSB3jsm2V50eFT62vwAI9Zlj/dDWw=";

    let mut none = house.connect(None).await;
    let answer = none.ask("POST", NEGOTIATE, &[&app.shows()], "").await;
    assert_eq!(answer.refused(), (401, 60094));
    let mut wire = app.connect(&house).await;
    let answer = wire.ask("POST", NEGOTIATE, &[wrong], "").await;
    assert_eq!(answer.refused(), (403, 60108));
    let token = negotiate(&mut wire, &[]).await;
    let answer = wire.get(&format!("{HUB}?id={token}"), &[FEED]).await;
    assert_eq!(answer.refused(), (401, 60094));
    let all = [&SOCKET[..], &[wrong]].concat();
    assert_eq!(wire.get(HUB, &all).await.refused(), (403, 60108));
    let both = format!("{} {}", app.shows(), wrong.rsplit(' ').next().unwrap());
    let all = [&SOCKET[..], &[both.as_str()]].concat();
    assert_eq!(wire.get(HUB, &all).await.refused(), (403, 60108));
}

#[tokio::test]
async fn an_api_key_as_a_bearers_token_is_refused() {
    let (house, app) = scene(EventSettings::default()).await;
    let bearer = format!("Authorization: Bearer {}", app.key);
    let mut wire = house.connect(None).await;

    let path = "/service/event/signalr/negotiate";
    let answer = wire.ask("POST", path, &[&bearer], "").await;

    assert_eq!(answer.refused(), (401, 60094));
}

#[tokio::test]
async fn whoever_shakes_no_hands_is_not_waited_for() {
    let events = EventSettings {
        wait: Duration::from_millis(200),
        ..EventSettings::default()
    };
    let (house, app) = scene(events).await;
    let mut socket = socket(app.connect(&house).await, HUB, &[&app.shows()]).await;

    let last = next(&mut socket).await.unwrap();

    assert_eq!(last, "{\"error\":\"Hands were not shaken in time.\"}\u{1e}");
    assert_eq!(next(&mut socket).await, None);
}

#[tokio::test]
async fn pings_go_both_ways_and_whoever_is_silent_is_ended() {
    let events = EventSettings {
        ping: Duration::from_millis(50),
        silence: Duration::from_millis(300),
        ..EventSettings::default()
    };
    let (house, app) = scene(events).await;
    let mut socket = shaken(&house, &app).await;
    for _ in 0..20 {
        socket
            .send(Message::text("{\"type\":6}\u{1e}"))
            .await
            .unwrap();
        // Answers to pings of the socket's own go out by the way.
        let message = timeout(Duration::from_secs(10), socket.next())
            .await
            .unwrap();
        assert!(matches!(
            message,
            Some(Ok(Message::Text(_) | Message::Ping(_)))
        ));
    }

    let mut raw = socket.into_inner();
    let mut waste = Vec::new();
    let end = timeout(Duration::from_secs(10), raw.read_to_end(&mut waste)).await;

    assert!(end.is_ok(), "it is still open");
}

#[tokio::test]
async fn whoever_never_answers_a_ping_is_heard_as_long_as_a_feed() {
    let events = EventSettings {
        ping: Duration::from_millis(500),
        silence: Duration::from_millis(600),
        feed: Duration::from_millis(1500),
        ..EventSettings::default()
    };
    let (house, app) = scene(events).await;
    let mut raw = shaken(&house, &app).await.into_inner();

    let mut said = Vec::new();
    let end = timeout(Duration::from_secs(10), raw.read_to_end(&mut said)).await;

    assert!(end.is_ok(), "it is still open");
    let said = String::from_utf8_lossy(&said);
    assert!(
        said.contains("{\"type\":7,\"allowReconnect\":true}\u{1e}"),
        "{said}"
    );
}

#[tokio::test]
async fn a_door_that_closes_says_so_to_whoever_listens() {
    let (house, app) = scene(EventSettings::default()).await;
    let mut socket = shaken(&house, &app).await;
    let token = negotiate(&mut app.connect(&house).await, &[&app.shows()]).await;
    let path = format!("{HUB}?id={token}");
    let feed = Feed::open(app.connect(&house).await, &path, &[&app.shows()]).await;
    say(&house, &app, &token, HAND).await;

    house.closer.close();

    let pause = "{\"type\":7,\"allowReconnect\":true}\u{1e}";
    assert_eq!(next(&mut socket).await.unwrap(), pause);
    assert!(feed.end().await.contains("}\u{1e}"));
}

#[tokio::test]
async fn a_feed_whose_listener_says_nothing_for_too_long_is_asked_to_come_again() {
    let events = EventSettings {
        ping: Duration::from_millis(50),
        feed: Duration::from_secs(1),
        ..EventSettings::default()
    };
    let (house, app) = scene(events).await;
    let token = negotiate(&mut app.connect(&house).await, &[&app.shows()]).await;
    let path = format!("{HUB}?id={token}");
    let mut feed = Feed::open(app.connect(&house).await, &path, &[&app.shows()]).await;
    say(&house, &app, &token, HAND).await;
    feed.until("data: {}\u{1e}\r\n\r\n").await;
    for _ in 0..25 {
        feed.until("{\"type\":6}\u{1e}\r\n\r\n").await;
        let said = say(&house, &app, &token, "{\"type\":6}\u{1e}").await;
        assert_eq!(said.status, 200, "whoever speaks is heard on");
    }

    let last = feed.end().await;

    assert!(
        last.contains("{\"type\":7,\"allowReconnect\":true}\u{1e}"),
        "{last}"
    );
    let again = say(&house, &app, &token, "{\"type\":6}\u{1e}").await;
    assert_eq!(again.refused(), (404, 60107), "its place is free");
}
