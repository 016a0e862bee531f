//! Who does something at the door, and with what.

use std::sync::Arc;

use certs::Identity;
use claviger::domain::{CertBinding, Password, Role, Scope, Thumbprint, User};
use claviger::vault::{
    AccountEdit, Made, NewPassword, NewPerson, NewResource, NewUser, ResourceEdit,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::house::{House, Wire};

pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const LOCAL: &str = "rsts:sts:primaryproviderid:local";
pub(crate) const CERTIFICATE: &str = "rsts:sts:primaryproviderid:certificate";

/// A person who signs in with [`PASSWORD`], hashed as fast as may be.
pub(crate) async fn person(house: &House, name: &str, role: Role, scope: Scope) -> User {
    let operator = house.operator().await;
    for (setting, value) in [("sign-in-memory-mib", "19"), ("sign-in-passes", "2")] {
        house
            .vault
            .set_setting(setting, value, &operator)
            .await
            .unwrap();
    }
    let new = NewPerson {
        name: name.to_owned(),
        role,
        scope,
        first: String::new(),
        last: String::new(),
        email: String::new(),
        full_name: None,
        department: String::new(),
        location: String::new(),
        expires: None,
        second_factor: false,
        password: Arc::new(Password::parse(Zeroizing::new(PASSWORD.to_owned())).unwrap()),
    };
    house.vault.add_person(&new, &operator).await.unwrap()
}

/// The header of an administrator who reaches everything.
pub(crate) async fn administrator(house: &House) -> String {
    person(house, "olga", Role::Administrator, Scope::All).await;
    log_in(house, "olga").await
}

/// The header of a person who has logged in.
pub(crate) async fn log_in(house: &House, name: &str) -> String {
    let mut wire = house.connect(None).await;
    let body = json!({
        "grant_type": "password", "username": name, "password": PASSWORD, "scope": LOCAL,
    });
    let answer = wire
        .ask("POST", "/RSTS/oauth2/token", &[], &body.to_string())
        .await;
    bearer(&mut wire, &answer.json()).await
}

/// The header for what the token service has answered.
pub(crate) async fn bearer(wire: &mut Wire, granted: &Value) -> String {
    let body = json!({"StsAccessToken": granted["access_token"]});
    let path = "/service/core/v4/Token/LoginResponse";
    let answer = wire.ask("POST", path, &[], &body.to_string()).await;
    assert_eq!(
        (answer.status, &answer.json()["Status"]),
        (200, &json!("Success"))
    );
    format!(
        "Authorization: Bearer {}",
        answer.json()["UserToken"].as_str().unwrap()
    )
}

/// A certificate user, bound by its thumbprint.
pub(crate) async fn program(house: &House, name: &str) -> (Identity, User) {
    let identity = house.issue(name);
    let binding = CertBinding::Thumbprint {
        thumbprint: Thumbprint::of(identity.certificate()),
        seen: None,
    };
    let new = NewUser {
        login: format!("{name}@a2a"),
        role: Role::PasswordUser,
        scope: Scope::Owned,
        full_name: None,
        any_host: true,
        certificates: vec![binding],
        department: String::new(),
        location: String::new(),
        expires: None,
    };
    let user = house
        .vault
        .add_user(&new, &house.operator().await)
        .await
        .unwrap();
    (identity, user)
}

/// A resource of the operator's with an account `root`.
pub(crate) async fn resource(house: &House, name: &str) -> Made {
    let new = NewResource {
        resource: name,
        kind: "Linux",
        account: "root",
        notes: "",
        owner: None,
        more: ResourceEdit::default(),
        more_of_account: AccountEdit::default(),
    };
    let password = NewPassword::parse(Zeroizing::new("s3cret".to_owned())).unwrap();
    let operator = house.operator().await;
    house.vault.create(&new, password, &operator).await.unwrap()
}
