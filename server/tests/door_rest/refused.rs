//! Who does not come in, and what is no request.

use std::time::Duration;

use claviger::domain::{Expiry, Level, Lock, Role, Scope};
use claviger::doors::{Limits, RestSettings};
use claviger::vault::UserEdit;
use serde_json::json;

use crate::house::{App, House, Wish};

const NOBODY: &str = "API key received is not associated to any user. Authentication failed.";
const STRANGE: &str = "B9A1809A-5BF7-4459-9ED2-8D4F499CB902";
const RESOURCES: &str = "/restapi/json/v1/resources";

/// Status, operation and message of a plain list under these header lines and this query.
async fn listed(house: &House, fields: &[&str], query: &str) -> (u16, String, String) {
    let target = format!("{RESOURCES}{query}");
    let answer = house.connect().await.ask("GET", &target, fields, b"").await;
    let (status, name, _, message, _) = answer.told();
    (status, name, message)
}

fn nobody() -> (u16, String, String) {
    (200, "Authentication".to_owned(), NOBODY.to_owned())
}

fn somebody() -> (u16, String, String) {
    let message = "Resources fetched successfully";
    (200, "GET RESOURCES".to_owned(), message.to_owned())
}

#[tokio::test]
async fn a_token_comes_in_five_ways() {
    let house = House::open().await;
    let App { token, .. } = house.app("app", Role::PasswordUser).await;
    let header = format!("AUTHTOKEN: {token}");
    let of_an_app = format!("APP_AUTHTOKEN: {token}");

    let ways = [
        (vec![header.as_str()], String::new()),
        (vec![], format!("?AUTHTOKEN={token}")),
        (vec![of_an_app.as_str()], String::new()),
        (vec![of_an_app.as_str(), "APP_TYPE: 17"], String::new()),
        (vec![], format!("?APP_AUTHTOKEN={token}&APP_NAME=tests")),
        (vec![header.as_str()], format!("?AUTHTOKEN={token}")),
    ];

    for (fields, query) in ways {
        assert_eq!(
            listed(&house, &fields, &query).await,
            somebody(),
            "{fields:?} {query}"
        );
    }
}

#[tokio::test]
async fn no_token_a_wrong_one_and_several_are_one_answer() {
    let house = House::open().await;
    let App { token, .. } = house.app("app", Role::PasswordUser).await;
    let good = format!("AUTHTOKEN: {token}");
    let lower = format!("AUTHTOKEN: {}", token.to_lowercase());
    let cookie = format!("Cookie: AUTHTOKEN={token}");
    let strange = format!("AUTHTOKEN: {STRANGE}");
    let other_way = format!("APP_AUTHTOKEN: {STRANGE}");

    for (fields, query) in [
        (vec![], String::new()),
        (vec![strange.as_str()], String::new()),
        (vec![lower.as_str()], String::new()),
        (vec![cookie.as_str()], String::new()),
        (vec!["AUTHTOKEN: "], String::new()),
        (vec![good.as_str(), strange.as_str()], String::new()),
        (vec![good.as_str(), other_way.as_str()], String::new()),
        (vec![good.as_str()], format!("?AUTHTOKEN={STRANGE}")),
        (vec![good.as_str()], format!("?APP_AUTHTOKEN={STRANGE}")),
        (vec![], format!("?authtoken={token}")),
    ] {
        assert_eq!(
            listed(&house, &fields, &query).await,
            nobody(),
            "{fields:?} {query}"
        );
    }
    let answer = house.connect().await.ask("GET", RESOURCES, &[], b"").await;
    assert_eq!(answer.told().4, "11");
    assert!(!answer.text().contains("Details"));
    assert_eq!(house.trail(2).await[0].caller, "(no token)");
}

#[tokio::test]
async fn a_token_in_the_url_is_refused_where_the_operator_says_so() {
    let settings = RestSettings {
        token_in_url: false,
        ..RestSettings::default()
    };
    let house = House::open_as(Wish {
        settings,
        ..Wish::default()
    })
    .await;
    let App { token, .. } = house.app("app", Role::PasswordUser).await;
    let header = format!("AUTHTOKEN: {token}");
    let words = "A token in the URL is not accepted here: send it in the header AUTHTOKEN.";
    let refused = (200, "Authentication".to_owned(), words.to_owned());

    let query = format!("?AUTHTOKEN={token}");
    assert_eq!(listed(&house, &[], &query).await, refused);
    assert_eq!(listed(&house, &[&header], &query).await, refused);
    assert_eq!(listed(&house, &[&header], "").await, somebody());
}

#[tokio::test]
async fn whoever_is_taken_back_is_out_on_an_open_connection() {
    let house = House::open().await;
    let operator = house.operator().await;
    let revoked = house.app("revoked", Role::PasswordUser).await;
    let locked = house.app("locked", Role::PasswordUser).await;
    let removed = house.app("removed", Role::PasswordUser).await;
    let renewed = house.app("renewed", Role::PasswordUser).await;
    let mut talks = Vec::new();
    for app in [&revoked, &locked, &removed, &renewed] {
        let mut talk = house.talk(app).await;
        assert_eq!(talk.get("/resources").await.told().2, "Success");
        talks.push(talk);
    }

    let vault = &house.vault;
    let id = vault.tokens(&revoked.login, &operator).await.unwrap()[0].id;
    vault
        .revoke_token(&revoked.login, id, &operator)
        .await
        .unwrap();
    let lock = UserEdit::Lock(Lock::Locked);
    vault
        .edit_user(&locked.login, &lock, &operator)
        .await
        .unwrap();
    vault.remove_user(&removed.login, &operator).await.unwrap();
    vault
        .regenerate_token(&renewed.login, None, &operator)
        .await
        .unwrap();

    for mut talk in talks {
        let (_, name, status, message, _) = talk.get("/resources").await.told();
        assert_eq!(
            (name.as_str(), status.as_str()),
            ("Authentication", "Failed")
        );
        assert_eq!(message, NOBODY);
    }
}

#[tokio::test]
async fn a_token_that_runs_out_is_out_on_an_open_connection() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let operator = house.operator().await;
    let now = house.vault.now();
    let short = Expiry::in_days(1, now).unwrap();
    let issued = house.vault.issue_token(&app.login, Some(short), &operator);
    let token = issued.await.unwrap().text.expose().to_owned();
    let mut talk = house.talk(&App { token, ..app }).await;
    assert_eq!(talk.get("/resources").await.told().2, "Success");

    house.clock.forward(Duration::from_secs(86_400));

    assert_eq!(talk.get("/resources").await.told().3, NOBODY);
}

#[tokio::test]
async fn a_user_comes_from_its_own_host_only_and_no_header_says_otherwise() {
    let house = House::open().await;
    let operator = house.operator().await;
    let far = house
        .app_of("far@192.0.2.7", Role::PasswordUser, Scope::Owned, &operator)
        .await;
    let lost = house
        .app_of(
            "lost@nowhere.invalid",
            Role::PasswordUser,
            Scope::Owned,
            &operator,
        )
        .await;
    let header = format!("AUTHTOKEN: {}", far.token);
    let wrong = (
        200,
        "Authentication".to_owned(),
        "User is not allowed to access from this host".to_owned(),
    );

    for forged in [
        "X-Forwarded-For: 192.0.2.7",
        "Forwarded: for=192.0.2.7",
        "X-Real-IP: 192.0.2.7",
        "Via: 192.0.2.7",
    ] {
        assert_eq!(
            listed(&house, &[&header, forged], "").await,
            wrong,
            "{forged}"
        );
    }
    let header = format!("AUTHTOKEN: {}", lost.token);
    let (_, name, message) = listed(&house, &[&header], "").await;
    assert_eq!(name, "Authentication");
    assert_eq!(
        message,
        "User is not allowed to access from this host: nowhere.invalid, the host of this API user, \
         has no address"
    );
}

#[tokio::test]
async fn an_organisation_is_the_callers_own_or_none() {
    let house = House::open().await;
    let operator = house.operator().await;
    house
        .vault
        .add_organisation("Other Ltd", &operator)
        .await
        .unwrap();
    let there = house.vault.within(&operator, "Other Ltd").await.unwrap();
    let theirs = house
        .app_of("theirs@127.0.0.1", Role::Administrator, Scope::All, &there)
        .await;
    let ours = house.admin().await;
    let made = house.resource("db1", "First-Pass1!word").await;
    let (our_token, their_token) = (
        format!("AUTHTOKEN: {}", ours.token),
        format!("AUTHTOKEN: {}", theirs.token),
    );

    let own = listed(&house, &[&their_token, "orgName: other ltd"], "").await;
    let foreign = listed(&house, &[&our_token, "orgName: Other Ltd"], "").await;
    let absent = listed(&house, &[&our_token, "orgName: Nowhere"], "").await;
    let mut talk = house.talk(&theirs).await;
    let (resource, account) = (made.resource, made.account);
    let path = format!("/resources/{resource}/accounts/{account}");
    let mut across = Vec::new();
    for path in [
        format!("{path}/password"),
        path,
        format!("/resources/{resource}/accounts"),
        "/resources/resourcename/db1".to_owned(),
        "/resources/getResourceIdAccountId?RESOURCENAME=db1&ACCOUNTNAME=root".to_owned(),
    ] {
        across.push(talk.get(&path).await.told().4);
    }

    assert_eq!(own, somebody());
    assert_eq!(foreign, absent);
    assert_eq!(foreign.1, "Authentication");
    assert_eq!(
        foreign.2,
        "User does not belong to the organization that orgName names."
    );
    assert_eq!(across, ["2"; 5]);
}

#[tokio::test]
async fn missing_and_not_shared_are_told_alike() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.resource("db1", "First-Pass1!word").await;
    let other = house.resource("db2", "First-Pass1!word").await;
    let mut talk = house.talk(&app).await;
    let (resource, account) = (made.resource, made.account);

    for path in [
        format!("/resources/{resource}/accounts/{account}/password"),
        format!("/resources/{resource}/accounts/{}/password", other.account),
        format!("/resources/{resource}/accounts/999/password"),
        format!("/resources/999/accounts/{account}/password"),
        format!("/resources/{resource}/accounts/{account}"),
        format!("/resources/{resource}/accounts"),
        "/resources/999/accounts".to_owned(),
        "/resources/resourcename/db1".to_owned(),
        "/resources/resourcename/db9".to_owned(),
    ] {
        let (status, _, result, message, code) = talk.get(&path).await.told();
        let words = "No such resource or account, or it is not shared with you.";
        assert_eq!(
            (status, result.as_str(), message.as_str(), code.as_str()),
            (200, "Failed", words, "2"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_view_share_reads_and_does_nothing_else() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::View).await;
    let mut talk = house.talk(&app).await;
    let resource = format!("/resources/{}", made.resource);
    let account = format!("{resource}/accounts/{}", made.account);
    let share = json!({"ACCESSTYPE": "view", "USERID": app.id.to_string()});

    let mut codes = vec![
        talk.put(
            &format!("{account}/password"),
            json!({"NEWPASSWORD": "Other-Pass1!"}),
        )
        .await,
        talk.put(&resource, json!({"LOCATION": "x"})).await,
        talk.put(&account, json!({"NOTES": "x"})).await,
        talk.put(&format!("{resource}/share"), share.clone()).await,
        talk.put(&format!("{account}/share"), share).await,
        talk.delete(&account).await,
        talk.delete(&resource).await,
        talk.post(
            "/resources",
            json!({"RESOURCENAME": "x", "ACCOUNTNAME": "y"}),
        )
        .await,
        talk.get("/user/getUserId?USERNAME=app@127.0.0.1").await,
        talk.get("/audit").await,
    ];
    let accounts = json!({"ACCOUNTLIST": [{"ACCOUNTNAME": "new"}]});
    codes.push(talk.post(&format!("{resource}/accounts"), accounts).await);

    for answer in codes {
        let (status, name, _, _, code) = answer.told();
        assert_eq!((status, code.as_str()), (200, "3"), "{name}");
    }
    assert_eq!(
        talk.get(&format!("{account}/password")).await.told().2,
        "Success"
    );
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_verb_are_answered_in_an_envelope() {
    let house = House::open().await;
    let mut wire = house.connect().await;

    for path in [
        "/",
        "/restapi/json/v1/resources/",
        "/restapi/json/v1//resources",
        "/xmlrpc",
    ] {
        let answer = wire.ask("GET", path, &[], b"").await;
        let (status, name, result, message, code) = answer.told();
        assert_eq!((status, code.as_str()), (404, "404"), "{path}");
        assert_eq!((name.as_str(), result.as_str()), ("HTTP", "Failed"));
        assert_eq!(message, "There is nothing at this path.");
    }
    let answer = wire.ask("DELETE", RESOURCES, &[], b"x").await;
    assert_eq!(answer.field("allow"), Some("GET, POST"));
    let (status, _, _, message, code) = answer.told();
    assert_eq!((status, code.as_str()), (405, "405"));
    assert_eq!(message, "This path takes GET, POST only.");
}

#[tokio::test]
async fn a_body_that_is_too_large_or_encoded_is_answered_in_an_envelope() {
    let limits = Limits {
        body_bytes: 1000,
        ..Limits::default()
    };
    let house = House::open_as(Wish {
        limits,
        ..Wish::default()
    })
    .await;
    let mut wire = house.connect().await;

    let answer = wire.ask("POST", RESOURCES, &[], &[b'x'; 1001]).await;
    let (status, name, _, message, code) = answer.told();
    assert_eq!((status, code.as_str()), (413, "413"));
    assert_eq!(name, "CREATE RESOURCE");
    assert_eq!(message, "The body has more than 1000 bytes.");
    let mut wire = house.connect().await;
    let answer = wire
        .ask("POST", RESOURCES, &["Content-Encoding: br"], b"x")
        .await;
    assert_eq!(answer.told().0, 415);
}

#[tokio::test]
async fn strangers_are_turned_away_unread_and_keep_nobody_else_out() {
    let settings = RestSettings {
        strangers: 5,
        ..RestSettings::default()
    };
    let house = House::open_as(Wish {
        settings,
        ..Wish::default()
    })
    .await;
    let app = house.app("app", Role::PasswordUser).await;
    let mut talk = house.talk(&app).await;
    assert_eq!(talk.get("/resources").await.told().2, "Success");
    let mut wire = house.connect().await;
    let strange = format!("AUTHTOKEN: {STRANGE}");

    let mut statuses = Vec::new();
    for number in 0..8 {
        let fields: &[&str] = if number % 2 == 0 { &[&strange] } else { &[] };
        statuses.push(wire.ask("GET", RESOURCES, fields, b"").await.status);
    }
    let last = wire.ask("GET", RESOURCES, &[&strange], b"").await;

    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
    assert_eq!(last.field("retry-after"), Some("60"));
    assert_eq!(last.told().4, "429");
    let turned = house.trail(50).await;
    let turned = turned
        .iter()
        .filter(|entry| entry.caller.starts_with('('))
        .count();
    assert_eq!(turned, 5, "no more records than answers");
    assert_eq!(talk.get("/resources").await.told().2, "Success");
    let mut fresh = house.talk(&app).await;
    assert_eq!(fresh.get("/resources").await.told().2, "Success");
}

#[tokio::test]
async fn a_secondary_answers_retrievals_and_says_why_it_does_no_more() {
    let wish = Wish {
        secondary: true,
        ..Wish::default()
    };
    let house = House::open_as(wish).await;

    let answer = house.connect().await.ask("GET", RESOURCES, &[], b"").await;

    assert_eq!(answer.told().3, NOBODY);
}

#[tokio::test]
async fn every_answer_is_named_counted_and_shown_as_data_only() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let mut talk = house.talk(&app).await;

    let answer = talk.get("/resources/resourcename/%3Cscript%3E").await;

    assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    assert_eq!(answer.field("x-request-id").map(str::len), Some(16));
    assert!(!answer.text().contains("script"), "nothing is reflected");
    let metrics = house.meter.to_text().unwrap();
    let counted =
        "claviger_requests_total{door=\"rest\",operation=\"GET_RESOURCEID\",outcome=\"refused\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
}
