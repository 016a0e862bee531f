//! Logging in, by name and by certificate, and out again.

use std::time::Duration;

use claviger::domain::{Operation, Role, Scope};
use claviger::vault::UserEdit;
use serde_json::{Value, json};

use crate::house::House;
use crate::staff::{self, CERTIFICATE, LOCAL, PASSWORD};

const TOKEN: &str = "/RSTS/oauth2/token";
const EXCHANGE: &str = "/service/core/v4/Token/LoginResponse";
const LOG_OUT: &str = "/service/core/v4/Token/Logout";
const LIST: &str = "/service/core/v4/A2ARegistrations";
const JSON: &str = "Content-Type: application/json";

fn by_password(name: &str, password: &str) -> String {
    let scope = LOCAL;
    json!({"grant_type": "password", "username": name, "password": password, "scope": scope})
        .to_string()
}

fn by_certificate() -> String {
    json!({"grant_type": "client_credentials", "scope": CERTIFICATE}).to_string()
}

#[tokio::test]
async fn anybody_is_told_how_to_log_in() {
    let house = House::open().await;
    let mut wire = house.connect(None).await;

    for version in ["v2", "v3", "v4"] {
        let path = format!("/service/core/{version}/AuthenticationProviders");
        let answer = wire.get(&path, &[]).await;
        let listed = answer.json();
        assert_eq!(listed[0]["Id"], -1);
        assert_eq!(listed[0]["RstsProviderScope"], LOCAL);
        assert_eq!(listed[1]["RstsProviderId"], "certificate");
    }
}

#[tokio::test]
async fn a_person_logs_in_by_name_and_password() {
    let house = House::open().await;
    staff::person(&house, "olga", Role::Administrator, Scope::All).await;
    let mut wire = house.connect(None).await;

    let granted = wire
        .ask(
            "POST",
            "/RSTS//oauth2/token",
            &[JSON],
            &by_password("Olga", PASSWORD),
        )
        .await;

    assert_eq!(granted.status, 200, "{}", granted.body);
    assert!(
        granted.body.starts_with("{\"access_token\":\""),
        "{}",
        granted.body
    );
    assert!(
        granted
            .body
            .contains("\",\"token_type\":\"Bearer\",\"expires_in\":60,")
    );
    let body = json!({"StsAccessToken": granted.json()["access_token"]}).to_string();
    let answer = wire.ask("POST", EXCHANGE, &[JSON], &body).await;
    assert!(answer.body.contains("\"UserToken\":\""), "{}", answer.body);
    assert!(
        !answer.body.ends_with("\"}"),
        "a comma must follow the token"
    );
    let token = answer.json()["UserToken"].as_str().unwrap().to_owned();
    let bearer = format!("Authorization: Bearer {token}");
    assert_eq!(wire.get(LIST, &[&bearer]).await.body, "[]");
}

#[tokio::test]
async fn a_log_in_comes_as_a_form_too() {
    let house = House::open().await;
    staff::person(&house, "olga", Role::Administrator, Scope::All).await;
    let mut wire = house.connect(None).await;
    let form = "Content-Type: application/x-www-form-urlencoded";
    let body = "grant_type=password&username=olga&password=correct+horse";

    let granted = wire.ask("POST", TOKEN, &[form], body).await;

    let bearer = staff::bearer(&mut wire, &granted.json()).await;
    assert_eq!(wire.get(LIST, &[&bearer]).await.status, 200);
}

#[tokio::test]
async fn a_program_logs_in_by_its_certificate_for_as_long_as_persons_do() {
    let house = House::open().await;
    let (identity, _) = staff::program(&house, "app").await;
    let mut wire = house.connect(Some(&identity)).await;
    let granted = wire.ask("POST", TOKEN, &[], &by_certificate()).await;
    assert_eq!(granted.status, 200, "{}", granted.body);

    // The rest comes without the certificate.
    let mut wire = house.connect(None).await;
    let bearer = staff::bearer(&mut wire, &granted.json()).await;
    assert_eq!(wire.get(LIST, &[&bearer]).await.body, "[]");
    house.clock.forward(Duration::from_secs(14 * 60));
    assert_eq!(wire.get(LIST, &[&bearer]).await.status, 200);
    house.clock.forward(Duration::from_secs(2 * 60));
    assert_eq!(wire.get(LIST, &[&bearer]).await.refused(), (401, 60094));
    let trail = house.trail().await;
    let mut newest = trail.iter().rev();
    let signed_in = newest.find(|entry| entry.operation.known() == Some(&Operation::Identify));
    assert!(signed_in.unwrap().detail.starts_with("certificate "));
}

#[tokio::test]
async fn a_program_with_another_certificate_or_none_does_not_log_in() {
    let house = House::open().await;
    let (identity, user) = staff::program(&house, "app").await;

    for shown in [
        None,
        Some(&house.issue("app")),
        Some(&house.issue_elsewhere("app")),
    ] {
        let mut wire = house.connect(shown).await;
        let answer = wire.ask("POST", TOKEN, &[], &by_certificate()).await;
        assert_eq!(answer.status, 401, "{}", answer.body);
    }
    let locked = UserEdit::Lock(claviger::domain::Lock::Locked);
    let operator = house.operator().await;
    house
        .vault
        .edit_user(user.login().as_str(), &locked, &operator)
        .await
        .unwrap();
    let mut wire = house.connect(Some(&identity)).await;
    let answer = wire.ask("POST", TOKEN, &[], &by_certificate()).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (401, &json!("invalid_client"))
    );
}

#[tokio::test]
async fn a_locked_program_is_out_of_the_session_that_it_has() {
    let house = House::open().await;
    let (identity, user) = staff::program(&house, "app").await;
    let mut wire = house.connect(Some(&identity)).await;
    let granted = wire.ask("POST", TOKEN, &[], &by_certificate()).await;
    let bearer = staff::bearer(&mut wire, &granted.json()).await;
    assert_eq!(wire.get(LIST, &[&bearer]).await.status, 200);

    let locked = UserEdit::Lock(claviger::domain::Lock::Locked);
    let operator = house.operator().await;
    house
        .vault
        .edit_user(user.login().as_str(), &locked, &operator)
        .await
        .unwrap();

    assert_eq!(wire.get(LIST, &[&bearer]).await.refused(), (401, 60094));
}

#[tokio::test]
async fn wrong_names_and_passwords_are_one_answer_and_are_counted() {
    let house = House::open().await;
    staff::person(&house, "olga", Role::Administrator, Scope::All).await;
    let mut wire = house.connect(None).await;
    let told = |answer: &crate::house::Answer| (answer.status, answer.body.clone());

    let wrong = wire
        .ask("POST", TOKEN, &[], &by_password("olga", "wrong horse"))
        .await;
    let nobody = wire
        .ask("POST", TOKEN, &[], &by_password("nobody", PASSWORD))
        .await;
    assert_eq!(
        (wrong.status, &wrong.json()["error"]),
        (400, &json!("invalid_grant"))
    );
    assert_eq!(told(&wrong), told(&nobody));
    for _ in 0..4 {
        wire.ask("POST", TOKEN, &[], &by_password("olga", "wrong horse"))
            .await;
    }
    let locked = wire
        .ask("POST", TOKEN, &[], &by_password("olga", PASSWORD))
        .await;
    assert_eq!(locked.status, 400);
    assert!(locked.body.contains("try again later"), "{}", locked.body);
}

#[tokio::test]
async fn what_is_no_log_in_is_told_why() {
    let house = House::open().await;
    let mut wire = house.connect(None).await;
    let error = |answer: &crate::house::Answer| answer.json()["error"].as_str().unwrap().to_owned();

    let table = [
        (json!({"grant_type": "implicit"}), "unsupported_grant_type"),
        (
            json!({"grant_type": "password", "username": "a"}),
            "invalid_request",
        ),
        (
            json!({"grant_type": "password", "scope": CERTIFICATE}),
            "invalid_scope",
        ),
        (
            json!({"grant_type": "client_credentials", "scope": LOCAL}),
            "invalid_scope",
        ),
    ];
    for (body, expected) in table {
        let answer = wire.ask("POST", TOKEN, &[], &body.to_string()).await;
        assert_eq!((answer.status, error(&answer).as_str()), (400, expected));
    }
    for body in [
        "",
        "{}",
        "nonsense",
        "[]",
        r#"{"grant_type":"password","username":5}"#,
    ] {
        let answer = wire.ask("POST", TOKEN, &[], body).await;
        assert_eq!(
            (answer.status, error(&answer).as_str()),
            (400, "invalid_request"),
            "{body}"
        );
    }
    let answer = wire
        .ask("POST", TOKEN, &["Content-Type: text/plain"], "{}")
        .await;
    assert_eq!(
        (answer.status, error(&answer).as_str()),
        (415, "invalid_request")
    );
    assert_eq!(wire.get(TOKEN, &[]).await.status, 405);
    assert_eq!(
        wire.get("/RSTS/UserLogin/LoginController", &[])
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_log_ins_word_counts_once_and_for_a_minute_and_is_no_token() {
    let house = House::open().await;
    staff::person(&house, "olga", Role::Administrator, Scope::All).await;
    let mut wire = house.connect(None).await;
    let granted = wire
        .ask("POST", TOKEN, &[], &by_password("olga", PASSWORD))
        .await
        .json();
    let late = wire
        .ask("POST", TOKEN, &[], &by_password("olga", PASSWORD))
        .await
        .json();
    let word = granted["access_token"].as_str().unwrap().to_owned();
    let body = |granted: &Value| json!({"StsAccessToken": granted["access_token"]}).to_string();

    let bearer = format!("Authorization: Bearer {word}");
    assert_eq!(wire.get(LIST, &[&bearer]).await.refused(), (401, 60094));
    assert_eq!(
        wire.ask("POST", EXCHANGE, &[], &body(&granted))
            .await
            .status,
        200
    );
    assert_eq!(
        wire.ask("POST", EXCHANGE, &[], &body(&granted))
            .await
            .refused(),
        (400, 70000)
    );
    assert_eq!(
        wire.ask("POST", EXCHANGE, &[], "{}").await.refused(),
        (400, 70000)
    );
    assert_eq!(
        wire.ask("POST", EXCHANGE, &[], "").await.refused(),
        (400, 60245)
    );
    house.clock.forward(Duration::from_secs(61));
    assert_eq!(
        wire.ask("POST", EXCHANGE, &[], &body(&late))
            .await
            .refused(),
        (400, 70000)
    );
}

#[tokio::test]
async fn the_words_of_one_person_make_room_for_each_other() {
    let house = House::open().await;
    staff::person(&house, "olga", Role::Administrator, Scope::All).await;
    let operator = house.operator().await;
    let one = house
        .vault
        .set_setting("sessions-per-person", "1", &operator);
    one.await.unwrap();
    let mut wire = house.connect(None).await;
    let body = by_password("olga", PASSWORD);
    let first = wire.ask("POST", TOKEN, &[], &body).await.json();
    let second = wire.ask("POST", TOKEN, &[], &body).await.json();

    let late = json!({"StsAccessToken": first["access_token"]}).to_string();
    let answer = wire.ask("POST", EXCHANGE, &[], &late).await;

    assert_eq!(answer.refused(), (400, 70000));
    let bearer = staff::bearer(&mut wire, &second).await;
    assert_eq!(wire.get(LIST, &[&bearer]).await.status, 200);
}

#[tokio::test]
async fn whoever_logs_out_is_out() {
    let house = House::open().await;
    let bearer = staff::administrator(&house).await;
    let mut wire = house.connect(None).await;

    assert_eq!(wire.ask("POST", LOG_OUT, &[&bearer], "").await.status, 204);
    assert_eq!(
        wire.ask("POST", LOG_OUT, &[&bearer], "").await.refused(),
        (401, 60094)
    );
    assert_eq!(wire.get(LIST, &[&bearer]).await.refused(), (401, 60094));
}

#[tokio::test]
async fn the_time_comes_with_the_minutes_that_a_token_has_left() {
    let house = House::open().await;
    let bearer = staff::administrator(&house).await;
    let mut wire = house.connect(None).await;
    house.clock.forward(Duration::from_secs(5 * 60));

    for path in [
        "/service/appliance/v4/SystemTime",
        "/service/core/v4/LoginMessage",
    ] {
        let answer = wire.get(path, &[&bearer]).await;
        assert_eq!(
            answer.field("x-tokenlifetimeremaining"),
            Some("9"),
            "{path}"
        );
        assert_eq!(
            wire.get(path, &[]).await.field("x-tokenlifetimeremaining"),
            None
        );
        let wrong = "Authorization: Bearer B9A1809A-5BF7-4459-9ED2-8D4F499CB902";
        assert_eq!(wire.get(path, &[wrong]).await.refused(), (401, 60094));
    }
}
