//! Users, and the certificates that prove them.

use certs::{CommonName, Term};
use serde_json::json;

use crate::server::Server;
use crate::stories::add_user;

/// A self-signed certificate as an application makes it.
fn certificate(name: &str) -> String {
    let term = Term {
        now: now(),
        days: 30,
    };
    let identity = certs::self_signed(&CommonName::parse(name).unwrap(), &[], term).unwrap();
    certs::certificate_pem(identity.certificate())
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[test]
fn a_user_is_made_locked_unlocked_and_removed() {
    let server = Server::start();
    let new = json!({
        "login": "billing@10.0.0.0/8", "role": "password-administrator", "scope": "all",
        "expires": "2099-01-01T00:00:00+01:00", "department": "Money",
        "certificates": [certificate("billing")],
    });

    let made = server
        .send("POST", "/v1/users", new.clone())
        .with(201)
        .json();
    let path = "/v1/users/billing%4010.0.0.0%2F8";
    assert_eq!(made["user"]["full_name"], "billing@10.0.0.0/8 - API User");
    assert_eq!(made["user"]["expires"], "2098-12-31T23:00:00.000Z");
    let warnings = made["warnings"].as_array().unwrap();
    assert_eq!(
        warnings.len(),
        1,
        "the certificate is not trusted yet: {warnings:?}"
    );
    assert_eq!(
        server.send("POST", "/v1/users", new).with(409).problem(),
        "exists"
    );

    server
        .send("POST", &format!("{path}/lock"), json!(null))
        .with(204);
    assert_eq!(server.get(path).with(200).json()["locked"], true);
    server
        .send("POST", &format!("{path}/unlock"), json!(null))
        .with(204);
    assert_eq!(server.get(path).with(200).json()["locked"], false);
    assert_eq!(
        server.get("/v1/users").with(200).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    server.delete(path).with(204);
    assert_eq!(server.get(path).with(404).problem(), "not-found");
    assert_eq!(server.delete(path).with(404).problem(), "not-found");
}

#[test]
fn a_certificate_is_bound_with_a_word_about_what_is_wrong_with_it() {
    let server = Server::start();
    add_user(&server, "app@host");
    let path = "/v1/users/app%40host/certificates";
    let own = certificate("app");
    let others = certificate("somebody");
    server
        .send("POST", "/v1/certificates", json!({"pem": own}))
        .with(201);

    let bound = server
        .send("POST", path, json!({"pem": own, "ca": false}))
        .with(201)
        .json();
    let strange = server
        .send("POST", path, json!({"pem": others}))
        .with(201)
        .json();
    let again = server.send("POST", path, json!({"pem": own})).with(409);

    assert_eq!(bound["warnings"], json!([]));
    let warnings = strange["warnings"].to_string();
    assert!(
        warnings.contains("the CN of") && warnings.contains("not trusted yet"),
        "{warnings}"
    );
    assert_eq!(again.problem(), "exists");
    let print = bound["certificate"]["fingerprint"].as_str().unwrap();
    server.delete(&format!("{path}/{print}")).with(204);
    assert_eq!(
        server
            .delete(&format!("{path}/{print}"))
            .with(404)
            .problem(),
        "not-found"
    );
    assert_eq!(
        server.delete(&format!("{path}/abc")).with(422).problem(),
        "invalid"
    );
    let issuer = server
        .send("POST", path, json!({"pem": own, "ca": true}))
        .with(201)
        .json();
    assert_eq!(issuer["certificate"]["issuer"], true);
    assert_eq!(issuer["warnings"].as_array().unwrap().len(), 1);
}

#[test]
fn certificates_are_trusted_issued_and_distrusted() {
    let server = Server::start();
    let pem = certificate("app");

    let imported = server
        .send("POST", "/v1/certificates", json!({"pem": pem}))
        .with(201)
        .json();
    let as_ca = json!({"pem": pem, "ca": true});
    assert_eq!(
        server
            .send("POST", "/v1/certificates", as_ca)
            .with(422)
            .problem(),
        "invalid"
    );
    let nonsense = json!({"pem": "nonsense"});
    assert_eq!(
        server
            .send("POST", "/v1/certificates", nonsense)
            .with(422)
            .problem(),
        "invalid"
    );
    assert_eq!(imported["certificate"]["kind"], "pin");
    let listed = server.get("/v1/certificates").with(200).json();
    let kinds: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].clone())
        .collect();
    assert!(
        kinds.contains(&json!("ca")) && kinds.contains(&json!("pin")),
        "{kinds:?}"
    );

    let issue = json!({"name": "billing", "days": 90});
    let issued = server
        .send("POST", "/v1/certificates/issue", issue)
        .with(201)
        .json();
    let text = |member: &str| issued[member].as_str().unwrap().as_bytes().to_vec();
    let key = certs::load_private_key(&text("key"), None).unwrap();
    let chain = certs::load_certificates(&text("certificate")).unwrap();
    let identity = certs::Identity::new(chain, key).unwrap();
    assert_eq!(identity.info().unwrap().subject, "CN=billing");
    assert_eq!(identity.info().unwrap().issuer, "CN=Claviger built-in CA");
    let nobody = json!({"name": "", "days": 90});
    let refused = server
        .send("POST", "/v1/certificates/issue", nobody)
        .with(422);
    assert_eq!(refused.problem(), "invalid");

    let print = imported["certificate"]["fingerprint"].as_str().unwrap();
    server
        .delete(&format!("/v1/certificates/{print}"))
        .with(204);
    let again = server
        .delete(&format!("/v1/certificates/{print}"))
        .with(404);
    assert_eq!(again.problem(), "not-found");
}
