//! Registrations of the A2A interface.

use claviger::admin::wire::{
    ApiKeyText, Broker, NewBroker, NewRegistration, NewRetrievable, Page, Registration,
    RegistrationEdit, Retrievable,
};
use claviger::domain::ApiKey;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::server::Server;
use crate::shapes::{fits, reads, text, time};
use crate::stories::add_user;

fn registration() -> Registration {
    Registration {
        id: text(),
        name: text(),
        description: text(),
        user: Some(text()),
        thumbprint: None,
        disabled: false,
        visible: true,
        bidirectional: true,
        created: time(),
        author: None,
    }
}

fn retrievable() -> Retrievable {
    Retrievable {
        resource: text(),
        account: text(),
        account_id: text(),
        from: vec![text()],
    }
}

#[test]
fn registrations_are_written_and_read_as_documented() {
    let known = Registration {
        thumbprint: Some(text()),
        author: Some(text()),
        ..registration()
    };
    let new = NewRegistration {
        name: text(),
        description: text(),
        user: text(),
        visible: true,
        bidirectional: true,
    };
    let edit = RegistrationEdit {
        name: Some(text()),
        description: Some(text()),
        user: Some(text()),
        disabled: Some(true),
        visible: Some(true),
        bidirectional: Some(true),
    };
    let account = NewRetrievable {
        resource: text(),
        account: text(),
        from: vec![text()],
    };
    let lists = || (vec![text()], vec![text()], vec![text()]);
    let ((users, groups, from), page) = (lists(), |items| Page { items, next: None });

    fits("Registration", &registration());
    fits("Registration", &known);
    fits("RegistrationPage", &page(vec![registration()]));
    reads("NewRegistration", &new);
    reads("RegistrationEdit", &edit);
    fits("Retrievable", &retrievable());
    let items = vec![retrievable()];
    fits("RetrievablePage", &Page { items, next: None });
    reads("NewRetrievable", &account);
    let key = ApiKey::from_bytes(&Zeroizing::new([1; 32]));
    fits("ApiKey", &ApiKeyText::of(&key));
    fits(
        "Broker",
        &Broker {
            users,
            groups,
            from,
        },
    );
    let (users, groups, from) = lists();
    reads(
        "NewBroker",
        &NewBroker {
            users,
            groups,
            from,
        },
    );
}

#[test]
fn a_registration_is_made_given_an_account_shown_changed_and_removed() {
    let server = Server::start();
    add_user(&server, "ann@host");
    let resource =
        json!({"name": "db/1", "type": "Linux", "account": "root", "password": "s3cret-Pa55"});
    server.send("POST", "/v1/resources", resource).with(201);
    let new = json!({"name": "bill/ing", "user": "ann@host", "visible": true});
    let path = "/v1/registrations/bill%2Fing";

    let made = server.send("POST", "/v1/registrations", new.clone());
    let made = made.with(201).json();
    assert_eq!(
        (&made["visible"], &made["bidirectional"]),
        (&json!(true), &json!(false))
    );
    server.send("POST", "/v1/registrations", new).with(409);
    let applications = server.get("/v1/applications").with(200).json();
    assert_eq!(applications["items"][0]["name"], json!("bill/ing"));

    let account = json!({"resource": "db/1", "account": "root", "from": ["10.0.0.0/8"]});
    let accounts = format!("{path}/accounts");
    server.send("POST", &accounts, account).with(201);
    let wrong = json!({"resource": "db/1", "account": "root", "from": ["app.example"]});
    server.send("POST", &accounts, wrong).with(422);
    let missing = json!({"resource": "db/1", "account": "nobody"});
    server.send("POST", &accounts, missing).with(404);
    let listed = server.get(&accounts).with(200).json();
    assert_eq!(listed["items"][0]["from"], json!(["10.0.0.0/8"]));
    assert!(
        listed["items"][0].get("key").is_none(),
        "a list shows no key"
    );
    let key = format!("{accounts}/db%2F1/root/key");
    let first = server.get(&key).with(200).json();
    assert_eq!(first["key"].as_str().map(str::len), Some(44));
    let second = server.send("POST", &key, json!({})).with(200).json();
    assert_ne!(first, second);

    let broker = format!("{path}/broker");
    server.get(&broker).with(404);
    let whom = json!({"users": ["ann@host"]});
    let set = server.send("PUT", &broker, whom).with(200).json();
    assert_eq!(set["users"], json!(["ann@host"]));
    let whom = json!({"users": ["nobody@host"]});
    server.send("PUT", &broker, whom).with(404);
    let first = server.get(&format!("{broker}/key")).with(200).json();
    let second = server.send("POST", &format!("{broker}/key"), json!({}));
    assert_ne!(first, second.with(200).json());

    let edit = json!({"disabled": true, "description": "bills"});
    let edited = server.send("PATCH", path, edit).with(200).json();
    assert_eq!(
        (&edited["disabled"], &edited["visible"]),
        (&json!(true), &json!(true))
    );
    server
        .send("DELETE", &format!("{accounts}/db%2F1/root"), Value::Null)
        .with(204);
    server.send("DELETE", &broker, Value::Null).with(204);
    server.send("DELETE", path, Value::Null).with(204);
    server.get(path).with(404);
}
