//! Trusted certificates, and the service as such.

use base64::prelude::{BASE64_STANDARD, Engine};
use claviger::domain::{Role, Scope, Thumbprint};
use serde_json::{Value, json};

use crate::house::{Answer, House};
use crate::staff;

const TRUSTED: &str = "/service/core/v4/TrustedCertificates";
const SERVICE: &str = "/service/appliance/v4/A2AService";

async fn post(house: &House, bearer: &str, data: &str) -> Answer {
    let body = json!({"Base64CertificateData": data}).to_string();
    let mut wire = house.connect(None).await;
    wire.ask("POST", TRUSTED, &[bearer], &body).await
}

#[tokio::test]
async fn a_certificate_comes_as_der_pem_or_pem_in_base64_and_goes_by_its_thumbprint() {
    let house = House::open().await;
    let bearer = staff::administrator(&house).await;
    let stranger = house.issue_elsewhere("app");
    let (der, pem) = (
        stranger.certificate(),
        certs::certificate_pem(stranger.certificate()),
    );
    let print = Thumbprint::of(der).to_string();
    let path = format!("{TRUSTED}/{print}");
    let mut wire = house.connect(None).await;

    for data in [
        BASE64_STANDARD.encode(der),
        pem.clone(),
        BASE64_STANDARD.encode(&pem),
    ] {
        let answer = post(&house, &bearer, &data).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let made = answer.json();
        assert_eq!(made["Thumbprint"], json!(print));
        assert_eq!(made["IsCertificateAuthority"], false);
        assert_eq!(wire.get(&path, &[&bearer]).await.json(), made);
        assert_eq!(wire.ask("DELETE", &path, &[&bearer], "").await.status, 204);
        assert_eq!(wire.get(&path, &[&bearer]).await.status, 404);
    }
    assert_eq!(wire.ask("DELETE", &path, &[&bearer], "").await.status, 404);
    assert_eq!(
        wire.ask("DELETE", TRUSTED, &[&bearer], "").await.refused(),
        (400, 60097)
    );
}

#[tokio::test]
async fn a_ca_counts_for_what_it_issues() {
    let house = House::open().await;
    let bearer = staff::administrator(&house).await;
    let now = claviger::vault::Clock::now(&*house.clock).unix_seconds();
    let authority = certs::CertificateAuthority::create("branch CA", now).unwrap();

    let answer = post(&house, &bearer, &authority.certificate_pem()).await;

    assert_eq!(answer.json()["IsCertificateAuthority"], true);
    let mut wire = house.connect(None).await;
    let listed = wire.get(&format!("{TRUSTED}?count=true"), &[&bearer]).await;
    assert_eq!(listed.body, "2");
}

#[tokio::test]
async fn what_is_no_certificate_and_who_may_not_trust_one_are_refused() {
    let house = House::open().await;
    let bearer = staff::administrator(&house).await;
    for data in ["", "x", "AAAA", "-----BEGIN CERTIFICATE-----"] {
        let answer = post(&house, &bearer, data).await;
        assert_eq!(answer.refused(), (400, 70000), "{data}");
    }
    staff::person(&house, "paul", Role::PasswordUser, Scope::Owned).await;
    let paul = staff::log_in(&house, "paul").await;
    let pem = certs::certificate_pem(house.issue_elsewhere("app").certificate());
    assert_eq!(post(&house, &paul, &pem).await.refused(), (403, 60108));
    let mut wire = house.connect(None).await;
    assert_eq!(wire.get(TRUSTED, &[&paul]).await.refused(), (403, 60108));
}

#[tokio::test]
async fn a_disabled_service_gives_nothing_by_key_until_it_is_enabled_again() {
    let house = House::open().await;
    let bearer = staff::administrator(&house).await;
    let (app, user) = staff::program(&house, "app").await;
    let made = staff::resource(&house, "db-1").await;
    let mut admin = house.connect(None).await;
    let body = json!({"AppName": "billing", "CertificateUserId": user.id.0}).to_string();
    let list = "/service/core/v4/A2ARegistrations";
    let registration = admin.ask("POST", list, &[&bearer], &body).await.json();
    let body = json!({"AccountId": made.account.0}).to_string();
    let path = format!("{list}/{}/RetrievableAccounts", registration["Id"]);
    let given = admin.ask("POST", &path, &[&bearer], &body).await.json();
    let key = format!("Authorization: A2A {}", given["ApiKey"].as_str().unwrap());
    let retrieve = "/service/a2a/v4/Credentials?type=Password";
    let mut wire = house.connect(Some(&app)).await;
    assert_eq!(wire.get(retrieve, &[&key]).await.json(), json!("s3cret"));

    let off = admin
        .ask("POST", &format!("{SERVICE}/Disable"), &[&bearer], "")
        .await;
    assert_eq!(
        off.json(),
        json!({"IsRunning": false, "StartMode": "Disabled"})
    );
    assert_eq!(wire.get(retrieve, &[&key]).await.refused(), (403, 60108));
    let on = admin
        .ask("POST", &format!("{SERVICE}/Enable"), &[&bearer], "")
        .await;
    assert_eq!(
        (on.status, &on.json()["IsRunning"]),
        (200, &Value::Bool(true))
    );
    assert_eq!(wire.get(retrieve, &[&key]).await.json(), json!("s3cret"));
    let status = admin.get(&format!("{SERVICE}/Status"), &[&bearer]).await;
    assert_eq!(
        status.json(),
        json!({"IsRunning": true, "StartMode": "Automatic"})
    );
}

#[tokio::test]
async fn the_service_is_an_administrators_and_its_port_is_the_files() {
    let house = House::open().await;
    let bearer = staff::administrator(&house).await;
    staff::person(&house, "paul", Role::PasswordUser, Scope::Owned).await;
    let paul = staff::log_in(&house, "paul").await;
    let mut wire = house.connect(None).await;

    for (verb, what) in [
        ("POST", "Enable"),
        ("POST", "Disable"),
        ("GET", "Status"),
        ("PUT", "Config"),
    ] {
        let answer = wire
            .ask(verb, &format!("{SERVICE}/{what}"), &[&paul], "")
            .await;
        assert_eq!(answer.refused(), (403, 60108), "{what}");
    }
    let config = wire.get(&format!("{SERVICE}/Config"), &[&bearer]).await;
    assert!(config.json()["ServicePort"].is_number());
    let put = wire
        .ask(
            "PUT",
            &format!("{SERVICE}/Config"),
            &[&bearer],
            r#"{"ServicePort":443}"#,
        )
        .await;
    assert_eq!(put.refused(), (400, 70000));
}
