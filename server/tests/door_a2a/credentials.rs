//! Secrets by certificate and API key, and new ones.

use claviger::domain::{Lock, Material, Operation, Outcome, RefusalReason};
use claviger::vault::UserEdit;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::ssh_key::{LineEnding, PrivateKey};
use serde_json::json;

use crate::house::{Answer, House};
use crate::registered::{PASSWORD, Registered, text};

const RETRIEVE: &str = "/service/a2a/v4/Credentials?type=Password";
const PRIVATE_KEY: &str = "/service/a2a/v4/Credentials?type=PrivateKey";
const PUT_PASSWORD: &str = "/service/a2a/v4/Credentials/Password";
const PUT_KEY: &str = "/service/a2a/v4/Credentials/SshKey";
const JSON: &str = "Content-Type: application/json";

/// An SSH private key, as OpenSSH writes it.
fn key() -> String {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
    key.to_openssh(LineEnding::LF).unwrap().to_string()
}

#[tokio::test]
async fn a_password_is_a_json_text_and_each_retrieval_a_record() {
    let house = House::open().await;
    let app = Registered::with(&house, false).await;
    let mut wire = app.connect(&house).await;
    let shows = app.shows();

    for path in [
        RETRIEVE,
        "/service/A2A/V2/Credentials?Type=password",
        "/Service//a2a/v3/credentials?type=PASSWORD&key_format=openssh",
    ] {
        let answer = wire.get(path, &[&shows]).await;
        assert_eq!((answer.status, answer.json()), (200, json!(PASSWORD)));
    }
    let answer = wire.get(RETRIEVE, &[&shows, "Accept: text/plain"]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, PASSWORD));

    let trail = house.trail().await;
    assert_eq!(trail.len(), 4);
    for entry in trail {
        assert_eq!(entry.operation.known(), Some(&Operation::Retrieve));
        assert_eq!(entry.outcome.known(), Some(&Outcome::Allowed));
        assert_eq!(entry.caller, "registration Billing for billing@a2a");
        assert_eq!(
            (entry.resource.as_str(), entry.account.as_str()),
            ("db-1", "root")
        );
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_key_is_one_answer_and_told_apart_in_the_trail() {
    let house = House::open().await;
    let app = Registered::with(&house, false).await;
    let (shows, operator) = (app.shows(), house.operator().await);
    let unknown = "Authorization: A2A 6A4psUnrLv1hvoWSB3jsm2V50eFT62vwAI9Zlj/dDWw=";
    let malformed = "Authorization: A2A hunter2";
    let mut answers: Vec<Answer> = Vec::new();

    let mut wire = app.connect(&house).await;
    answers.push(wire.get(RETRIEVE, &[unknown]).await);
    answers.push(wire.get(RETRIEVE, &[malformed]).await);
    let mut other = house.connect(Some(&house.issue("billing"))).await;
    answers.push(other.get(RETRIEVE, &[&shows]).await);
    let from = ["192.0.2.0/24".to_owned()];
    let (id, account) = (app.id, app.account);
    let edited = house.vault.edit_retrievable(id, account, &from, &operator);
    edited.await.unwrap();
    answers.push(wire.get(RETRIEVE, &[&shows]).await);
    let edited = house.vault.edit_retrievable(id, account, &[], &operator);
    edited.await.unwrap();
    assert_eq!(wire.get(RETRIEVE, &[&shows]).await.status, 200);
    app.disable(&house.vault, &house, Lock::Locked).await;
    answers.push(wire.get(RETRIEVE, &[&shows]).await);
    app.disable(&house.vault, &house, Lock::Open).await;
    assert_eq!(wire.get(RETRIEVE, &[&shows]).await.status, 200);
    let locked = UserEdit::Lock(Lock::Locked);
    let edited = house.vault.edit_user("billing@a2a", &locked, &operator);
    edited.await.unwrap();
    answers.push(wire.get(RETRIEVE, &[&shows]).await);

    let first = answers[0].body.clone();
    for answer in &answers {
        assert_eq!(answer.refused(), (403, 60108));
        assert_eq!(answer.body, first);
    }
    let trail = house.trail().await;
    let mut reasons: Vec<RefusalReason> = Vec::new();
    for entry in trail.iter().rev() {
        if let Some(Outcome::Refused(why)) = entry.outcome.known() {
            reasons.push(*why);
        }
    }
    let unknown = RefusalReason::UnknownUser;
    let (host, locked) = (RefusalReason::WrongHost, RefusalReason::Locked);
    assert_eq!(reasons, [unknown, unknown, unknown, host, locked, locked]);
}

#[tokio::test]
async fn a_key_shown_with_the_right_certificate_counts_no_more_once_it_is_taken_away() {
    let house = House::open().await;
    let app = Registered::with(&house, false).await;
    let mut wire = app.connect(&house).await;
    assert_eq!(wire.get(RETRIEVE, &[&app.shows()]).await.status, 200);
    let operator = house.operator().await;

    let renewed = house.vault.renew_key(app.id, app.account, &operator).await;
    let renewed = format!("Authorization: A2A {}", renewed.unwrap().expose());

    assert_eq!(wire.get(RETRIEVE, &[&app.shows()]).await.status, 403);
    assert_eq!(wire.get(RETRIEVE, &[&renewed]).await.status, 200);
    let removed = house
        .vault
        .remove_retrievable(app.id, app.account, &operator);
    removed.await.unwrap();
    assert_eq!(wire.get(RETRIEVE, &[&renewed]).await.status, 403);
}

#[tokio::test]
async fn a_certificate_that_is_taken_back_is_401_on_an_open_connection() {
    let house = House::open().await;
    let app = Registered::with(&house, false).await;
    let mut wire = app.connect(&house).await;
    assert_eq!(wire.get(RETRIEVE, &[&app.shows()]).await.status, 200);

    house.distrust_authority().await;

    assert_eq!(
        wire.get(RETRIEVE, &[&app.shows()]).await.refused(),
        (401, 60094)
    );
}

#[tokio::test]
async fn keys_stand_beside_the_account_and_what_is_missing_is_404() {
    let house = House::open().await;
    let app = Registered::with(&house, false).await;
    let mut wire = app.connect(&house).await;
    let shows = app.shows();
    let api_keys = "/service/a2a/v4/Credentials?type=ApiKey";
    for path in [PRIVATE_KEY, api_keys] {
        assert_eq!(wire.get(path, &[&shows]).await.refused(), (404, 60107));
    }
    assert_eq!(house.trail().await.len(), 2, "a refusal is a record");

    let material = Material::ssh_key(text(&key())).unwrap();
    app.beside(&house, "root [SSH key]", material).await;
    let pair = Material::api_key("AKIA1", text("s3cr\"et")).unwrap();
    app.beside(&house, "root [API key 3]", pair).await;

    let answer = wire.get(PRIVATE_KEY, &[&shows]).await;
    assert_eq!(answer.json(), json!(key().replace('\n', "\r\n")));
    let answer = wire
        .get(&format!("{PRIVATE_KEY}&keyFormat=openssh"), &[&shows])
        .await;
    assert_eq!(answer.status, 200);
    let answer = wire
        .get(&format!("{PRIVATE_KEY}&keyFormat=Putty"), &[&shows])
        .await;
    assert_eq!(answer.refused(), (400, 70000));
    let answer = wire.get(api_keys, &[&shows]).await;
    let told = r#"[{"Id":3,"Name":"of root [API key 3]","Description":"","ClientId":"AKIA1","ClientSecret":"s3cr\"et","ClientSecretId":""}]"#;
    assert_eq!(answer.body, told);
}

#[tokio::test]
async fn a_bidirectional_registration_sets_what_it_retrieves() {
    let house = House::open().await;
    let app = Registered::with(&house, true).await;
    let material = Material::ssh_key(text(&key().replace('\n', "\r\n"))).unwrap();
    app.beside(&house, "root [SSH key]", material).await;
    let mut wire = app.connect(&house).await;
    let shows = app.shows();

    for (body, password) in [
        (r#""Second-\u0050ass2!word""#, "Second-Pass2!word"),
        (r#""Th"ird-Pass3!word""#, "Th\"ird-Pass3!word"),
        ("'Fourth-Pass4!word'", "Fourth-Pass4!word"),
    ] {
        let answer = wire.ask("PUT", PUT_PASSWORD, &[&shows, JSON], body).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{body}");
        let answer = wire.get(RETRIEVE, &[&shows]).await;
        assert_eq!(answer.json(), json!(password));
    }
    let body = json!({"PrivateKey": key(), "Passphrase": ""}).to_string();
    let answer = wire.ask("PUT", PUT_KEY, &[&shows, JSON], &body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["KeyType"], json!("ssh-ed25519"));
    assert!(!answer.body.contains("PRIVATE"));
}

#[tokio::test]
async fn one_that_is_not_sets_nothing() {
    let house = House::open().await;
    let app = Registered::with(&house, false).await;
    let material = Material::ssh_key(text(&key())).unwrap();
    app.beside(&house, "root [SSH key]", material).await;
    let mut wire = app.connect(&house).await;
    let shows = app.shows();

    let answer = wire
        .ask("PUT", PUT_PASSWORD, &[&shows, JSON], "\"Other-Pass9!word\"")
        .await;
    assert_eq!(answer.refused(), (403, 60108));
    let body = json!({ "PrivateKey": key() }).to_string();
    let answer = wire.ask("PUT", PUT_KEY, &[&shows, JSON], &body).await;
    assert_eq!(answer.refused(), (403, 60108));

    let refused = house.trail().await;
    assert_eq!(refused.len(), 2);
    for entry in refused {
        assert_eq!(entry.operation.known(), Some(&Operation::Change));
        let why = Outcome::Refused(RefusalReason::NotAllowed);
        assert_eq!(entry.outcome.known(), Some(&why));
    }
    assert_eq!(wire.get(RETRIEVE, &[&shows]).await.json(), json!(PASSWORD));
}

#[tokio::test]
async fn what_is_no_request_is_refused_in_words() {
    let house = House::open().await;
    let app = Registered::with(&house, true).await;
    let mut wire = app.connect(&house).await;
    let shows = app.shows();

    for path in [
        "/service/a2a/v4/Credentials",
        "/service/a2a/v4/Credentials?type=",
        "/service/a2a/v4/Credentials?type=File",
    ] {
        let answer = wire.get(path, &[&shows]).await;
        assert_eq!(answer.refused(), (400, 70000), "{path}");
        assert!(answer.json()["ModelState"]["type"].is_array());
    }
    for (verb, path) in [
        ("PUT", RETRIEVE),
        ("DELETE", RETRIEVE),
        ("POST", PUT_PASSWORD),
    ] {
        let answer = wire.ask(verb, path, &[&shows, JSON], "\"x\"").await;
        assert_eq!(answer.status, 405, "{verb} {path}");
        let allowed = if path == PUT_PASSWORD { "PUT" } else { "GET" };
        let allowed = format!("allow: {allowed}\r\n");
        assert!(
            answer.head.contains(&allowed),
            "{verb} {path}: {}",
            answer.head
        );
    }
    let plain = "Content-Type: text/plain";
    let answer = wire
        .ask("PUT", PUT_PASSWORD, &[&shows, plain], "\"x\"")
        .await;
    assert_eq!(answer.status, 415);
    for (body, code) in [("", 60245), ("word", 70000), ("\"\"", 60027), ("{}", 70000)] {
        let answer = wire.ask("PUT", PUT_PASSWORD, &[&shows, JSON], body).await;
        assert_eq!(answer.refused(), (400, code), "{body}");
    }
    let long = format!("\"{}\"", "x".repeat(8193));
    let answer = wire.ask("PUT", PUT_PASSWORD, &[&shows, JSON], &long).await;
    assert_eq!(answer.refused(), (400, 70004));
    let answer = wire.ask("PUT", PUT_KEY, &[&shows, JSON], "{}").await;
    assert_eq!(answer.refused(), (400, 70000));
    assert_eq!(wire.get(RETRIEVE, &[&shows]).await.json(), json!(PASSWORD));
}
