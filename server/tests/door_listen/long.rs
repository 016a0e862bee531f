//! Answers that last, and what comes after HTTP.

use std::time::Duration;

use claviger::doors::{CrowdSettings, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{CLOSE, answer, assert_status, open, open_with, rest};

#[tokio::test]
async fn an_answer_may_have_long_pauses() {
    let limits = Limits {
        idle: Duration::from_millis(50),
        ..Limits::default()
    };
    let open = open_with(limits);
    let mut stream = open.connect().await;
    let request = format!("GET /long HTTP/1.1\r\nHost: a\r\n{CLOSE}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();

    let early = tokio::time::timeout(Duration::from_millis(400), rest(&mut stream)).await;
    assert!(early.is_err(), "it was cut: {early:?}");
    open.toy.released.notify_one();

    let text = rest(&mut stream).await;
    assert!(text.contains("ended"), "{text}");
}

#[tokio::test]
async fn a_door_may_speak_on_in_another_protocol_and_keeps_its_place() {
    let limits = Limits {
        idle: Duration::from_millis(50),
        ..Limits::default()
    };
    let crowd = CrowdSettings {
        per_address: 1,
        ..CrowdSettings::default()
    };
    let open = open(limits, crowd);
    let mut stream = open.connect().await;
    let request = "GET /switch HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: toy\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let said = answer(&mut stream).await;
    assert_status(&said, 101);

    // Nothing of it is HTTP any more, however it looks, and nobody is late.
    for words in [
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "\"x\"",
    ] {
        let mut back = vec![0; words.len()];
        let quiet = tokio::time::timeout(Duration::from_millis(200), stream.read(&mut back)).await;
        assert!(quiet.is_err(), "{quiet:?}");
        stream.write_all(words.as_bytes()).await.unwrap();
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(back, words.as_bytes());
    }
    let mut second = open.connect().await;
    assert_eq!(rest(&mut second).await, "");
    stream.shutdown().await.unwrap();

    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn nothing_is_switched_that_was_not_asked_for() {
    let open = open_with(Limits::default());

    let said = open
        .say(&format!(
            "GET /switch HTTP/1.1\r\nHost: a\r\n{CLOSE}\r\nabc"
        ))
        .await;

    assert!(!said.contains("abc"), "{said}");
}

#[tokio::test]
async fn whoever_has_had_its_answer_is_idle() {
    let limits = Limits {
        idle: Duration::from_millis(50),
        ..Limits::default()
    };
    let open = open_with(limits);
    let mut stream = open.connect().await;
    for path in ["/peer", "/long"] {
        open.toy.released.notify_one();
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
    }

    let said = rest(&mut stream).await;

    assert!(said.contains("begun") && said.contains("ended"), "{said}");
}
