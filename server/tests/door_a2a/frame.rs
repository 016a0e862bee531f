//! What holds for every request, whatever it asks for.

use std::time::Duration;

use crate::house::{House, Wish};
use crate::registered::Registered;
use claviger::doors::A2aSettings;

const RETRIEVE: &str = "/service/a2a/v4/Credentials?type=Password";
const KEY: &str = "Authorization: A2A 6A4psUnrLv1hvoWSB3jsm2V50eFT62vwAI9Zlj/dDWw=";

#[tokio::test]
async fn a_certificate_is_asked_for_and_not_demanded() {
    let house = House::open().await;
    let (known, stranger) = (house.issue("app"), house.issue_elsewhere("app"));

    let mut wire = house.connect(None).await;
    let answer = wire.get(RETRIEVE, &[KEY]).await;
    assert_eq!(answer.refused(), (401, 60094));
    let mut wire = house.connect(Some(&stranger)).await;
    let answer = wire.get(RETRIEVE, &[KEY]).await;
    assert_eq!(answer.refused(), (401, 60094));
    let mut wire = house.connect(Some(&known)).await;
    let answer = wire.get(RETRIEVE, &[KEY]).await;
    assert_eq!(answer.refused(), (403, 60108));
}

#[tokio::test]
async fn a_certificate_that_expires_on_an_open_connection_counts_no_more() {
    let house = House::open().await;
    let mut wire = house.connect(Some(&house.issue("app"))).await;
    assert_eq!(wire.get(RETRIEVE, &[KEY]).await.refused(), (403, 60108));

    house.clock.forward(Duration::from_secs(40 * 86_400));

    assert_eq!(wire.get(RETRIEVE, &[KEY]).await.refused(), (401, 60094));
}

#[tokio::test]
async fn a_request_that_proves_nothing_is_one_record() {
    let house = House::open().await;
    let mut wire = house.connect(None).await;
    wire.get(RETRIEVE, &[KEY]).await;
    let mut wire = house.connect(Some(&house.issue("app"))).await;
    wire.get(RETRIEVE, &[]).await;
    let mut wire = house.connect(Some(&house.issue_elsewhere("app"))).await;
    wire.get(RETRIEVE, &[KEY]).await;

    let trail = house.trail().await;

    let callers: Vec<&str> = trail.iter().map(|entry| entry.caller.as_str()).collect();
    assert_eq!(callers.len(), 3);
    assert!(callers[0].starts_with("CN=app ["), "{callers:?}");
    assert_eq!(callers[1..], ["(no API key)", "(no certificate)"]);
}

#[tokio::test]
async fn strangers_beyond_the_limit_are_neither_read_nor_written_down() {
    let settings = A2aSettings {
        strangers: 2,
        ..A2aSettings::default()
    };
    let house = House::open_as(Wish {
        settings,
        ..Wish::default()
    })
    .await;
    let app = Registered::with(&house, false).await;
    let mut wire = house.connect(None).await;
    for _ in 0..2 {
        assert_eq!(wire.get(RETRIEVE, &[KEY]).await.status, 401);
    }

    let answer = wire.get(RETRIEVE, &[KEY]).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.field("retry-after"), Some("60"));
    let mut wire = house.connect(Some(&house.issue_elsewhere("app"))).await;
    assert_eq!(wire.get(RETRIEVE, &[KEY]).await.status, 429);
    assert_eq!(house.trail().await.len(), 2);
    let mut wire = app.connect(&house).await;
    assert_eq!(wire.get(RETRIEVE, &[KEY]).await.status, 429);
    assert_eq!(house.trail().await.len(), 2);
    assert_eq!(wire.get(RETRIEVE, &[&app.shows()]).await.status, 200);
}

#[tokio::test]
async fn every_answer_has_one_form_and_is_not_to_be_kept() {
    let house = House::open().await;
    let mut wire = house.connect(None).await;

    let answer = wire.get("/service/nothing/v4/x", &[]).await;

    let told = r#"{"Code":60107,"Message":"There is nothing at this path.","InnerError":null}"#;
    assert_eq!((answer.status, answer.body.as_str()), (404, told));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.field("x-request-id").unwrap().len(), 16);
    let crooked = "/service/a2a/../core/v4/Users";
    assert_eq!(wire.get(crooked, &[]).await.refused(), (400, 70000));
}

#[tokio::test]
async fn a_body_has_its_limit() {
    let mut wish = Wish::default();
    wish.limits.body_bytes = 10;
    let house = House::open_as(wish).await;
    let mut wire = house.connect(None).await;

    let answer = wire
        .ask(
            "PUT",
            "/service/a2a/v4/Credentials/Password",
            &[],
            "\"0123456789\"",
        )
        .await;

    assert_eq!(answer.refused(), (413, 70000));
}
