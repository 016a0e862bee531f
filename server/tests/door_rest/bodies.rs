//! However a body is written, the password that was meant is the one that is kept.

use claviger::domain::{Level, Role};

use crate::house::House;

/// Passwords that tempt a reader to decode, cut or guess.
const AWKWARD: [&str; 8] = [
    "aB1%d@,$9-and-More",
    "a+b&c=d-Long3nough",
    "100%25-%41-Long+Enough",
    "quote\\\"s and bl anks 1",
    "{brace}s [and] br4ckets",
    "back\\\\slash-Long3nough",
    "Ümläut-and-Euro-€-1x",
    "semi;colon:and/slash7A",
];

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[tokio::test]
async fn raw_and_percent_encoded_bodies_keep_the_password_exactly() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::Modify).await;
    let mut talk = house.talk(&app).await;
    let path = format!(
        "/resources/{}/accounts/{}/password",
        made.resource, made.account
    );
    let target = format!("/restapi/json/v1{path}");
    let token = format!("AUTHTOKEN: {}", app.token);
    let types = [
        "Content-Type: text/json",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: application/json; charset=utf-8",
        "X-None: x",
    ];
    let mut number = 0;
    for written in AWKWARD {
        let data = |number: usize| {
            format!(r#"{{"operation":{{"Details":{{"NEWPASSWORD":"{written}{number}"}}}}}}"#)
        };
        for kind in types {
            for raw in [true, false] {
                number += 1;
                let text = data(number);
                let body = if raw {
                    format!("INPUT_DATA={text}")
                } else {
                    format!("INPUT_DATA={}", encoded(&text))
                };
                let fields = [token.as_str(), kind];
                let answer = talk
                    .wire
                    .ask("PUT", &target, &fields, body.as_bytes())
                    .await;
                assert_eq!(
                    answer.told().2,
                    "Success",
                    "{kind} {body}: {}",
                    answer.text()
                );

                let kept = talk.details(&path).await["PASSWORD"].clone();
                let meant: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(
                    kept, meant["operation"]["Details"]["NEWPASSWORD"],
                    "{kind} {body}"
                );
            }
        }
    }
}

#[tokio::test]
async fn input_data_is_taken_as_clients_write_it() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::Modify).await;
    let mut talk = house.talk(&app).await;
    let path = format!(
        "/resources/{}/accounts/{}/password",
        made.resource, made.account
    );
    let target = format!("/restapi/json/v1{path}");
    let token = format!("AUTHTOKEN: {}", app.token);
    let table = [
        (
            "{operation:{Details:{NEWPASSWORD:Test12345$-long,RESETTYPE:LOCAL,REASON:test}}}",
            "Test12345$-long",
        ),
        (
            "{'operation': {'Details': {'NEWPASSWORD': 'Second-1-Long', 'REASON': None}}}",
            "Second-1-Long",
        ),
        (
            "{\"operation\":{\"Details\":{\"NEWPASSWORD\":\"Third-1-Long!\"}}} and so on",
            "Third-1-Long!",
        ),
    ];

    for (data, password) in table {
        let body = format!("INPUT_DATA={data}");
        let answer = talk
            .wire
            .ask("PUT", &target, &[&token], body.as_bytes())
            .await;
        assert_eq!(answer.told().2, "Success", "{data}: {}", answer.text());
        assert_eq!(talk.details(&path).await["PASSWORD"], password);
    }
    let query = encoded("{\"operation\":{\"Details\":{\"NEWPASSWORD\":\"Fourth-1-Long\"}}}");
    let target = format!("{target}?INPUT_DATA={query}");
    let answer = talk.wire.ask("PUT", &target, &[&token], b"").await;
    assert_eq!(answer.told().2, "Success", "{}", answer.text());
    assert_eq!(talk.details(&path).await["PASSWORD"], "Fourth-1-Long");
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_and_the_connection_lives_on() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::Modify).await;
    let mut talk = house.talk(&app).await;
    let path = format!(
        "/resources/{}/accounts/{}/password",
        made.resource, made.account
    );
    let target = format!("/restapi/json/v1{path}");
    let token = format!("AUTHTOKEN: {}", app.token);
    let deep = format!("INPUT_DATA={}", "[".repeat(100_000));
    let table = [
        (deep.as_str(), "lists and objects inside each other"),
        (
            "INPUT_DATA={\"operation\":{\"Details\":{\"REASON\":\"a\",\"REASON\":\"b\"}}}",
            "a second member REASON",
        ),
        (
            "INPUT_DATA={}&INPUT_DATA={}",
            "a second parameter INPUT_DATA",
        ),
        ("{\"operation\":{}}", "which begins with `INPUT_DATA=`"),
        (
            "INPUT_DATA={\"operation\":{}}",
            "operation.Details is missing",
        ),
        (
            "INPUT_DATA={\"operation\":{\"Details\":{\"NEWPASSWORD\":\"cut-S3cret",
            "ends inside",
        ),
        ("INPUT_DATA=\u{0}", "INPUT_DATA"),
    ];

    for (body, words) in table {
        let answer = talk
            .wire
            .ask("PUT", &target, &[&token], body.as_bytes())
            .await;
        let (status, name, result, message, code) = answer.told();
        assert_eq!(
            (status, name.as_str(), result.as_str(), code.as_str()),
            (200, "CHANGE PASSWORD", "Failed", "7"),
            "{message}"
        );
        assert!(message.contains(words), "{message}");
        assert!(!message.contains("S3cret"), "{message}");
    }
    assert_eq!(talk.get(&path).await.told().2, "Success");
}

#[tokio::test]
async fn json_may_stand_in_a_url_as_it_is() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::View).await;
    let mut talk = house.talk(&app).await;
    let path = format!(
        "/resources/{}/accounts/{}/password",
        made.resource, made.account
    );

    let query = r#"INPUT_DATA={"operation":{"Details":{"REASON":"to%20log+in"}}}"#;
    let answer = talk.get(&format!("{path}?{query}")).await;
    let again = talk.get(&path).await;

    assert_eq!(answer.told().2, "Success");
    assert_eq!(again.told().2, "Success");
    assert_eq!(house.trail(3).await[1].reason, "to log+in");
}
