//! What the door must withstand, over the wire.

use std::time::Duration;

use claviger::domain::{Level, Role, Scope};
use claviger::doors::Limits;
use serde_json::{Value, json};

use crate::house::{House, PASSWORD, Wish};

#[tokio::test]
async fn a_network_or_mapped_address_is_a_host_to_its_edges() {
    let house = House::open().await;
    let operator = house.operator().await;
    let table = [
        ("127.0.0.0/8", true),
        ("127.0.0.1/32", true),
        ("127.0.0.0/31", true),
        ("::ffff:127.0.0.1", true),
        ("127.0.0.2/31", false),
        ("127.0.0.2/32", false),
        ("128.0.0.0/8", false),
        ("::1", false),
        ("::ffff:127.0.0.2", false),
    ];

    for (number, (host, comes_in)) in table.into_iter().enumerate() {
        let login = format!("app{number}@{host}");
        let role = Role::PasswordUser;
        let app = house.app_of(&login, role, Scope::Owned, &operator).await;
        let told = house.talk(&app).await.get("/resources").await.told();
        let name = match comes_in {
            true => "GET RESOURCES",
            false => "Authentication",
        };
        assert_eq!(told.1, name, "{host}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_in_an_envelope_and_the_last() {
    let limits = Limits {
        body: Duration::from_millis(200),
        ..Limits::default()
    };
    let wish = Wish {
        limits,
        ..Wish::default()
    };
    let house = House::open_as(wish).await;
    let app = house.app("app", Role::PasswordUser).await;
    let mut wire = house.connect().await;
    let token = &app.token;

    let head = format!(
        "PUT /restapi/json/v1/resources/1 HTTP/1.1\r\nHost: x\r\nAUTHTOKEN: {token}\r\n\
         Content-Length: 100\r\n\r\nINPUT_DATA={{"
    );
    wire.send(head.as_bytes()).await;
    let answer = wire.answer().await;

    assert_eq!(
        answer.told(),
        (
            408,
            "EDIT RESOURCE".to_owned(),
            "Failed".to_owned(),
            "The body did not come in time.".to_owned(),
            "408".to_owned(),
        )
    );
    assert_eq!(answer.field("connection"), Some("close"));
}

#[tokio::test]
async fn a_secondary_gives_passwords_out_and_changes_nothing() {
    let house = House::open().await;
    let app = house.app("deploy", Role::PasswordAdministrator).await;
    let made = house.shared("db1", &app, Level::Manage).await;
    let house = house.again_as_secondary().await;
    let mut talk = house.talk(&app).await;
    let (resource, account) = (made.resource, made.account);
    let password = format!("/resources/{resource}/accounts/{account}/password");
    let new = json!({"RESOURCENAME": "x", "ACCOUNTNAME": "y", "PASSWORD": "Some-Pass1!word"});

    let got = talk.details(&password).await;
    let listed = talk.get("/resources").await.told();
    let refused = [
        talk.put(&password, json!({"NEWPASSWORD": "Other-Pass1!word"}))
            .await,
        talk.post("/resources", new).await,
        talk.put(&format!("/resources/{resource}"), json!({"LOCATION": "x"}))
            .await,
        talk.delete(&format!("/resources/{resource}")).await,
        talk.post(&format!("/accounts/{account}/requestpassword"), Value::Null)
            .await,
    ];

    assert_eq!(got["PASSWORD"], PASSWORD);
    assert_eq!(listed.2, "Success");
    for answer in refused {
        let (status, name, _, message, code) = answer.told();
        assert_eq!((status, code.as_str()), (200, "9"), "{name}");
        assert_eq!(
            message,
            "This server is a secondary: it answers retrievals only."
        );
    }
    assert_eq!(talk.details(&password).await["PASSWORD"], PASSWORD);
}

#[tokio::test]
async fn a_person_made_with_two_factors_is_let_in_by_no_token() {
    let house = House::open().await;
    let admin = house.admin().await;
    let mut talk = house.talk(&admin).await;
    let person = |name: &str, two: &str| json!({"USERNAME": name, "PASSWORD": "Pa55w0Rd123", "ENABLETWOFACTOR": two});

    let made = talk.post("/user", person("jason", "true")).await.told();
    let plain = talk.post("/user", person("mary", "false")).await.told();
    let odd = talk.post("/user", person("odd", "perhaps")).await.told();
    let token = json!({"USERNAME": "jason"});
    let refused = talk.put("/user/regenerateAuthtoken", token).await.told();
    let given = json!({"USERNAME": "mary"});
    let given = talk.put("/user/regenerateAuthtoken", given).await.told();

    assert_eq!((made.2.as_str(), plain.2.as_str()), ("Success", "Success"));
    assert_eq!(odd.4, "7");
    assert_eq!((refused.2.as_str(), refused.4.as_str()), ("Failed", "7"));
    assert!(refused.3.contains("second factor"), "{}", refused.3);
    assert_eq!(given.2, "Success");
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_where_another_does_not() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::View).await;
    let mut talk = house.talk(&app).await;
    let (resource, account) = (made.resource, made.account);

    for path in [
        format!("/resources/{resource}/../{resource}/accounts"),
        format!("/resources/{resource}/./accounts"),
        format!("/resources//{resource}/accounts"),
        format!("/resources/{resource}%2Faccounts"),
        format!("/resources/{resource}%2faccounts/{account}/password"),
        format!("/resources/{resource}/accounts/%2e%2e/accounts"),
        format!("/resources/{resource}/accounts/"),
        format!("/resources/+{resource}/accounts"),
        format!("/resources/0x{resource}/accounts"),
        format!("/RESOURCES/{resource}/accounts"),
        format!("/resources/{resource}/accounts;a=b"),
        format!("/resources/{resource}/accounts%00"),
        "/../../api/v1/users".to_owned(),
    ] {
        let (status, name, _, _, _) = talk.get(&path).await.told();
        assert_eq!((status, name.as_str()), (404, "HTTP"), "{path}");
    }
    let good = format!("/resources/{resource}/accounts");
    assert_eq!(talk.get(&good).await.told().2, "Success", "it lives on");
}

#[tokio::test]
async fn nothing_that_was_sent_is_reflected_in_a_refusal() {
    let house = House::open().await;
    let app = house.app("deploy", Role::PasswordAdministrator).await;
    let made = house.shared("db1", &app, Level::Manage).await;
    let mut talk = house.talk(&app).await;
    let evil = "<script>alert(1)</script>";
    let url = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let resource = made.resource;

    let answers = [
        talk.get(&format!("/resources/resourcename/{url}")).await,
        talk.get(&format!("/{url}")).await,
        talk.get(&format!("/audit?AUDITTYPE={url}")).await,
        talk.say("GET", "/resources", &json!({"VIEWTYPE": evil}))
            .await,
        talk.say("GET", "/resources", &json!({"GROUPID": evil}))
            .await,
        talk.put(
            &format!("/resources/{resource}"),
            json!({"RESOURCEGROUPNAME": evil}),
        )
        .await,
        talk.post("/resources", json!({"RESOURCENAME": evil})).await,
        talk.post("/user", json!({"USERNAME": "x", "ROLE": evil}))
            .await,
        talk.put("/user/lock", json!({"USERNAME": evil})).await,
        talk.post(
            &format!("/resources/{resource}/accounts"),
            json!({"ACCOUNTLIST": evil}),
        )
        .await,
    ];

    for answer in answers {
        assert_eq!(answer.told().2, "Failed", "{}", answer.text());
        assert!(!answer.text().contains("script"), "{}", answer.text());
        assert_eq!(answer.field("content-type"), Some("application/json"));
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn another_organisations_ids_are_nothing_whatever_is_asked_of_them() {
    let house = House::open().await;
    let operator = house.operator().await;
    let vault = &house.vault;
    vault
        .add_organisation("Other Ltd", &operator)
        .await
        .unwrap();
    let there = vault.within(&operator, "Other Ltd").await.unwrap();
    let theirs = house
        .app_of("theirs@127.0.0.1", Role::Administrator, Scope::All, &there)
        .await;
    let ours = house.admin().await;
    let made = house.resource("db1", PASSWORD).await;
    let mut talk = house.talk(&theirs).await;
    let (resource, account) = (made.resource, made.account);
    let (one, whole) = (
        format!("/resources/{resource}/accounts/{account}"),
        format!("/resources/{resource}"),
    );
    let share = json!({"USERID": theirs.id, "ACCESSTYPE": "view"});
    let list = json!({"ACCOUNTLIST": [{"ACCOUNTNAME": "x", "PASSWORD": "Some-Pass1!word"}]});

    let codes = [
        talk.delete(&whole).await.told().4,
        talk.put(&whole, json!({"LOCATION": "x"})).await.told().4,
        talk.put(&format!("{whole}/share"), share.clone())
            .await
            .told()
            .4,
        talk.get(&format!("{whole}/associatedGroups"))
            .await
            .told()
            .4,
        talk.delete(&one).await.told().4,
        talk.put(&one, json!({"NOTES": "x"})).await.told().4,
        talk.put(&format!("{one}/share"), share).await.told().4,
        talk.put(
            &format!("{one}/password"),
            json!({"NEWPASSWORD": "Some-Pass1!word"}),
        )
        .await
        .told()
        .4,
        talk.post(&format!("/accounts/{account}/checkout"), Value::Null)
            .await
            .told()
            .4,
    ];
    let added = talk.post(&format!("{whole}/accounts"), list).await.told().4;
    let user = talk.delete(&format!("/user/{}", ours.id)).await.told();

    assert_eq!(codes, ["2"; 9]);
    assert_eq!(added, "2");
    assert_eq!(user.3, "There is no such user.");
    let mut ours = house.talk(&ours).await;
    let password = ours.details(&format!("{one}/password")).await;
    assert_eq!(password["PASSWORD"], PASSWORD);
}
