//! Second factors of persons.

use claviger::admin::wire::{FactorCode, FactorDemand, FactorOffer, SecondFactor};
use serde_json::{Value, json};

use crate::server::Server;
use crate::shapes::{fits, reads, secret, text, time};

const TOTP: &str = "/v1/users/alice/totp";

#[test]
fn second_factors_are_written_and_read_as_documented() {
    let factor = SecondFactor {
        demanded: true,
        state: text(),
        since: Some(time()),
    };
    let offer = FactorOffer {
        uri: secret(),
        secret: secret(),
    };

    fits("SecondFactor", &factor);
    fits("FactorOffer", &offer);
    reads("FactorCode", &FactorCode { code: secret() });
    reads("FactorDemand", &FactorDemand { demanded: true });
}

#[test]
fn a_second_factor_is_demanded_offered_shown_once_and_taken_away() {
    let server = Server::start();
    let new = json!({"login": "alice", "person": true, "role": "password-user",
        "password": "correct horse battery", "second_factor": true});
    server.send("POST", "/v1/users", new).with(201);
    let shown = || server.get(TOTP).with(200).json();
    assert_eq!(
        shown(),
        json!({"demanded": true, "state": "off", "since": null})
    );

    let offer = server.send("POST", TOTP, Value::Null).with(201).json();
    let secret = offer["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 32);
    let uri = offer["uri"].as_str().unwrap();
    let begin = format!("otpauth://totp/Claviger:alice?secret={secret}&issuer=Claviger");
    assert!(uri.starts_with(&begin), "{uri}");
    assert_eq!(shown()["state"], "offered");
    assert!(!shown().to_string().contains(secret));

    let confirm = format!("{TOTP}/confirm");
    for code in ["12345", "abcdef"] {
        let refused = server.send("POST", &confirm, json!({"code": code}));
        assert_eq!(refused.with(422).problem(), "invalid");
    }
    let free = json!({"demanded": false});
    server.send("PUT", TOTP, free).with(204);
    assert_eq!(shown()["demanded"], false);
    server.delete(TOTP).with(204);
    assert_eq!(server.delete(TOTP).with(404).problem(), "not-found");
    let late = server.send("POST", &confirm, json!({"code": "000000"}));
    assert_eq!(late.with(404).problem(), "not-found");
}
