//! Registrations: made, shown, changed and removed; what they may have; whom they speak for.

use claviger::domain::{CertBinding, Lock, Role, Scope, Thumbprint};
use claviger::vault::{UserEdit, UserRef};
use serde_json::{Value, json};

use crate::house::{Answer, House, Wire, print};
use crate::registered::Registered;
use crate::staff;

const LIST: &str = "/service/core/v4/A2ARegistrations";

/// A house, its administrator, and a registration of the program `app`.
struct Scene {
    house: House,
    bearer: String,
    app: certs::Identity,
    user: u64,
    registration: Value,
}

impl Scene {
    /// What its certificate user is, said by the operator.
    async fn lock_user(&self, lock: Lock) {
        let operator = self.house.operator().await;
        let edit = UserEdit::Lock(lock);
        let done = self.house.vault.edit_user("app@a2a", &edit, &operator);
        done.await.unwrap();
    }

    async fn new(more: &Value) -> Self {
        let house = House::open().await;
        let bearer = staff::administrator(&house).await;
        let (app, user) = staff::program(&house, "app").await;
        let mut wire = house.connect(None).await;
        let mut body = json!({"AppName": "billing", "CertificateUserId": user.id.0});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = wire.ask("POST", LIST, &[&bearer], &body.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let registration = answer.json();
        Self {
            house,
            bearer,
            app,
            user: user.id.0,
            registration,
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("{LIST}/{}{rest}", self.registration["Id"])
    }

    async fn wire(&self) -> Wire {
        self.house.connect(None).await
    }

    async fn ask(&self, verb: &str, rest: &str, body: &str) -> Answer {
        let (mut wire, path) = (self.wire().await, self.path(rest));
        wire.ask(verb, &path, &[&self.bearer], body).await
    }

    /// Lets it have the account `root` of a new resource.
    async fn grant(&self, resource: &str) -> Value {
        let made = staff::resource(&self.house, resource).await;
        let body = json!({"AccountId": made.account.0}).to_string();
        let answer = self.ask("POST", "/RetrievableAccounts", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }
}

#[tokio::test]
async fn a_registration_is_made_shown_changed_and_removed() {
    let scene =
        Scene::new(&json!({"Description": "bills", "VisibleToCertificateUsers": true})).await;
    let made = &scene.registration;
    let thumbprint = claviger::domain::Thumbprint::of(scene.app.certificate()).to_string();
    assert_eq!(made["CertificateUserThumbPrint"], json!(thumbprint));
    assert_eq!(made["CertificateUser"], "app");
    assert_eq!(made["CreatedByUserDisplayName"], "olga");
    assert_eq!(
        [&made["Disabled"], &made["BidirectionalEnabled"]],
        [&json!(false); 2]
    );
    assert_eq!(scene.ask("GET", "", "").await.json(), *made);

    let mut changed = made.clone();
    changed["AppName"] = json!("invoices");
    changed["Disabled"] = json!(true);
    let answer = scene.ask("PUT", "", &changed.to_string()).await;
    assert_eq!((answer.status, answer.json()), (200, changed.clone()));
    assert_eq!(scene.ask("GET", "", "").await.json(), changed);
    assert_eq!(scene.ask("DELETE", "", "").await.status, 204);
    assert_eq!(scene.ask("GET", "", "").await.status, 404);
    assert_eq!(scene.ask("DELETE", "", "").await.status, 404);
}

#[tokio::test]
async fn what_is_no_registration_is_refused_with_its_code() {
    let scene = Scene::new(&json!({})).await;
    let mut wire = scene.wire().await;
    let bearer = scene.bearer.as_str();

    let none = wire.ask("POST", LIST, &[bearer], "").await;
    assert_eq!(none.refused(), (400, 60245));
    let nameless = json!({"CertificateUserId": scene.user}).to_string();
    let answer = wire.ask("POST", LIST, &[bearer], &nameless).await;
    assert_eq!(answer.refused(), (400, 70000));
    assert!(answer.json()["ModelState"]["entity.AppName"].is_array());
    for (length, status) in [(256, 400), (255, 201)] {
        let long = json!({"AppName": "x".repeat(length), "CertificateUserId": scene.user});
        let answer = wire.ask("POST", LIST, &[bearer], &long.to_string()).await;
        assert_eq!(answer.status, status, "{length}: {}", answer.body);
    }
    let nobodys = json!({"AppName": "x"}).to_string();
    assert_eq!(
        wire.ask("POST", LIST, &[bearer], &nobodys).await.refused(),
        (400, 70000)
    );
    let unknown = json!({"AppName": "x", "CertificateUserId": 999_999}).to_string();
    assert_eq!(
        wire.ask("POST", LIST, &[bearer], &unknown).await.status,
        404
    );
    let other = json!({"Id": 7777, "AppName": "x", "CertificateUserId": scene.user}).to_string();
    assert_eq!(scene.ask("PUT", "", &other).await.refused(), (400, 60102));
    assert_eq!(scene.ask("PUT", "", "").await.refused(), (400, 60245));
    assert_eq!(scene.ask("PATCH", "", "{}").await.status, 405);
    assert_eq!(wire.get(&format!("{LIST}/x"), &[bearer]).await.status, 404);
}

#[tokio::test]
async fn only_an_administrator_makes_registrations_and_others_see_none() {
    let scene = Scene::new(&json!({})).await;
    staff::person(&scene.house, "paul", Role::PasswordUser, Scope::Owned).await;
    let paul = staff::log_in(&scene.house, "paul").await;
    let mut wire = scene.wire().await;
    let body = json!({"AppName": "x", "CertificateUserId": scene.user}).to_string();

    assert_eq!(
        wire.ask("POST", LIST, &[&paul], &body).await.refused(),
        (403, 60108)
    );
    assert_eq!(wire.get(LIST, &[&paul]).await.body, "[]");
    assert_eq!(wire.get(&scene.path(""), &[&paul]).await.status, 404);
    assert_eq!(
        wire.ask("DELETE", &scene.path(""), &[&paul], "")
            .await
            .refused(),
        (403, 60108)
    );
    assert_eq!(wire.get(LIST, &[]).await.refused(), (401, 60094));
}

#[tokio::test]
async fn the_certificate_alone_lists_what_is_to_be_seen_and_nothing_else() {
    let shown = Scene::new(&json!({"VisibleToCertificateUsers": true})).await;
    let granted = shown.grant("db-1").await;
    let path = shown.path("/RetrievableAccounts");
    let mut wire = shown.house.connect(Some(&shown.app)).await;
    for fields in [&[][..], &["Authorization: A2A NONE"]] {
        assert_eq!(wire.get(LIST, fields).await.json()[0]["AppName"], "billing");
        assert_eq!(
            wire.get(&path, fields).await.json()[0]["ApiKey"],
            granted["ApiKey"]
        );
    }
    assert_eq!(
        wire.ask("DELETE", &shown.path(""), &[], "").await.refused(),
        (401, 60094)
    );
    let (other, _) = staff::program(&shown.house, "other").await;
    let mut wire = shown.house.connect(Some(&other)).await;
    assert_eq!(wire.get(LIST, &[]).await.body, "[]");
    assert_eq!(wire.get(&path, &[]).await.status, 404);
    let mut wire = shown.house.connect(Some(&shown.house.issue("app"))).await;
    assert_eq!(wire.get(LIST, &[]).await.refused(), (401, 60094));

    let hidden = Scene::new(&json!({})).await;
    let mut wire = hidden.house.connect(Some(&hidden.app)).await;
    assert_eq!(wire.get(LIST, &[]).await.body, "[]");
    assert_eq!(
        wire.get(&hidden.path("/RetrievableAccounts"), &[])
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_registrations_user_that_is_locked_disables_it() {
    let scene = Scene::new(&json!({})).await;
    scene.lock_user(Lock::Locked).await;

    assert_eq!(scene.ask("GET", "", "").await.json()["Disabled"], true);
}

#[tokio::test]
async fn to_put_back_what_was_shown_makes_no_lock_last_longer_than_its_users() {
    let scene = Scene::new(&json!({})).await;
    scene.lock_user(Lock::Locked).await;
    let mut shown = scene.ask("GET", "", "").await.json();
    shown["Description"] = json!("bills");
    let answer = scene.ask("PUT", "", &shown.to_string()).await;
    assert_eq!((answer.status, answer.json()), (200, shown.clone()));
    scene.lock_user(Lock::Open).await;
    assert_eq!(scene.ask("GET", "", "").await.json()["Disabled"], false);

    let answer = scene.ask("PUT", "", &shown.to_string()).await;
    assert_eq!(answer.json()["Disabled"], true, "its own lock");
    scene.lock_user(Lock::Locked).await;
    assert_eq!(scene.ask("PUT", "", &shown.to_string()).await.status, 200);
    scene.lock_user(Lock::Open).await;
    assert_eq!(scene.ask("GET", "", "").await.json()["Disabled"], true);
}

#[tokio::test]
async fn registrations_are_filtered_ordered_counted_and_cut() {
    let scene = Scene::new(&json!({})).await;
    let mut wire = scene.wire().await;
    for name in ["alpha", "O'Neil"] {
        let body = json!({"AppName": name, "CertificateUserId": scene.user}).to_string();
        let answer = wire.ask("POST", LIST, &[&scene.bearer], &body).await;
        assert_eq!(answer.status, 201);
    }
    let bearer = scene.bearer.as_str();
    let table = [
        (
            "filter=AppName%20eq%20%22billing%22&fields=AppName",
            r#"[{"AppName":"billing"}]"#,
        ),
        (
            "filter=appname+ieq+'o\\'neil'&fields=AppName",
            r#"[{"AppName":"O'Neil"}]"#,
        ),
        ("filter=AppName%20eq%20%22none%22", "[]"),
        ("count=true", "3"),
        (
            "fields=AppName&orderby=-AppName&limit=1&page=1",
            r#"[{"AppName":"billing"}]"#,
        ),
    ];

    for (query, expected) in table {
        let answer = wire.get(&format!("{LIST}?{query}"), &[bearer]).await;
        assert_eq!(answer.body, expected, "{query}");
    }
    let refused = [
        ("filter=Nmae%20eq%201", 70009),
        ("filter=AppName%20startswith%20'x'", 70003),
        ("filter=)", 70003),
        ("fields=Nmae", 70002),
        ("orderby=Nmae", 70001),
    ];
    for (query, code) in refused {
        let answer = wire.get(&format!("{LIST}?{query}"), &[bearer]).await;
        assert_eq!(answer.refused(), (400, code), "{query}");
    }
}

#[tokio::test]
async fn an_account_is_given_by_one_key_until_it_is_taken_back() {
    let scene = Scene::new(&json!({})).await;
    let given = scene.grant("db-1").await;
    let (account, key) = (given["AccountId"].clone(), given["ApiKey"].clone());
    assert_eq!(key.as_str().unwrap().len(), 44);
    assert_eq!(
        [&given["AssetName"], &given["AccountName"]],
        [&json!("db-1"), &json!("root")]
    );
    assert_eq!(
        (&given["AccountDisabled"], &given["IpRestrictions"]),
        (&json!(0), &Value::Null)
    );

    for kind in ["PrivateKey", "ApiKey"] {
        let body = json!({"AccountId": account, "Type": kind}).to_string();
        let again = scene.ask("POST", "/RetrievableAccounts", &body).await;
        assert_eq!((again.status, &again.json()["ApiKey"]), (200, &key));
    }
    let listed = scene.ask("GET", "/RetrievableAccounts", "").await.json();
    assert_eq!(listed, json!([given]));
    let one = format!("/RetrievableAccounts/{account}");
    assert_eq!(scene.ask("GET", &one, "").await.json(), given);
    assert_eq!(
        scene.ask("GET", &format!("{one}/ApiKey"), "").await.json(),
        key
    );
    let renewed = scene.ask("POST", &format!("{one}/ApiKey"), "").await.json();
    assert_ne!(renewed, key);
    assert_eq!(
        scene.ask("GET", &format!("{one}/ApiKey"), "").await.json(),
        renewed
    );
    assert_eq!(scene.ask("DELETE", &one, "").await.status, 204);
    assert_eq!(scene.ask("GET", &one, "").await.status, 404);
    assert_eq!(
        scene.ask("GET", "/RetrievableAccounts", "").await.body,
        "[]"
    );
}

#[tokio::test]
async fn the_seeds_own_search_finds_the_key_in_version_2() {
    let scene = Scene::new(&json!({})).await;
    let given = scene.grant("db-1").await;
    scene.grant("db-2").await;
    let mut wire = scene.wire().await;
    let path = format!(
        "/service/core/V2/A2ARegistrations/{}/RetrievableAccounts?filter=AccountName%20eq%20%22root%22\
         %20and%20SystemName%20eq%20%22db-1%22&fields=ApiKey",
        scene.registration["Id"]
    );

    let answer = wire.get(&path, &[&scene.bearer]).await;
    assert_eq!(answer.json(), json!([{"ApiKey": given["ApiKey"]}]));
    let one = path.replace("fields=ApiKey", "fields=SystemName,SystemId");
    let answer = wire.get(&one, &[&scene.bearer]).await.json();
    assert_eq!(
        answer,
        json!([{"SystemId": given["AssetId"], "SystemName": "db-1"}])
    );
}

#[tokio::test]
async fn addresses_are_addresses_or_networks() {
    let scene = Scene::new(&json!({})).await;
    let given = scene.grant("db-1").await;
    let one = format!("/RetrievableAccounts/{}", given["AccountId"]);
    let put =
        |from: Value| json!({"AccountId": given["AccountId"], "IpRestrictions": from}).to_string();

    let from = json!(["10.5.32.4", "10.5.0.0/16", "2001:db8::/32"]);
    let answer = scene.ask("PUT", &one, &put(from.clone())).await;
    assert_eq!(
        (answer.status, &answer.json()["IpRestrictions"]),
        (200, &from)
    );
    assert_eq!(answer.json()["ApiKey"], given["ApiKey"]);
    for wrong in [
        json!(["db.example"]),
        json!(["10.5.0.1/16"]),
        json!(["10.5.0"]),
        json!([7]),
    ] {
        let answer = scene.ask("PUT", &one, &put(wrong.clone())).await;
        assert_eq!(answer.refused(), (400, 70000), "{wrong}");
    }
    assert_eq!(
        scene.ask("GET", &one, "").await.json()["IpRestrictions"],
        from
    );
    let answer = scene.ask("PUT", &one, &put(Value::Null)).await;
    assert_eq!(answer.json()["IpRestrictions"], Value::Null);
    let other = json!({"AccountId": 7777}).to_string();
    assert_eq!(scene.ask("PUT", &one, &other).await.refused(), (400, 60102));
    assert_eq!(scene.ask("PUT", &one, "").await.refused(), (400, 60245));
    assert_eq!(
        scene
            .ask("POST", "/RetrievableAccounts", "{}")
            .await
            .refused(),
        (400, 70000)
    );
}

#[tokio::test]
async fn who_does_not_manage_an_account_gives_it_to_no_program() {
    let scene = Scene::new(&json!({})).await;
    let made = staff::resource(&scene.house, "db-1").await;
    staff::person(&scene.house, "anna", Role::Administrator, Scope::Owned).await;
    let anna = staff::log_in(&scene.house, "anna").await;
    let mut wire = scene.wire().await;
    let body = json!({"AccountId": made.account.0}).to_string();

    let path = scene.path("/RetrievableAccounts");
    let refused = wire.ask("POST", &path, &[&anna], &body).await;
    let unknown = json!({"AccountId": 999_999}).to_string();
    let missing = wire.ask("POST", &path, &[&anna], &unknown).await;

    assert_eq!(refused.refused().0, 404);
    assert_eq!(refused.body, missing.body);
    assert_eq!(
        scene.ask("GET", "/RetrievableAccounts", "").await.body,
        "[]"
    );
}

#[tokio::test]
async fn a_broker_is_said_kept_renewed_and_taken_back() {
    let scene = Scene::new(&json!({})).await;
    let paul = staff::person(&scene.house, "paul", Role::PasswordUser, Scope::Owned).await;
    let broker = "/AccessRequestBroker";
    let before = scene.ask("GET", broker, "").await.json();
    assert_eq!(
        (&before["ApiKey"], &before["Users"]),
        (&Value::Null, &json!([]))
    );
    assert_eq!(
        scene
            .ask("GET", "/AccessRequestBroker/ApiKey", "")
            .await
            .status,
        404
    );

    let body =
        json!({"Users": [{"UserId": paul.id.0}], "Groups": [], "IpRestrictions": ["127.0.0.1"]});
    let said = scene.ask("PUT", broker, &body.to_string()).await.json();
    assert_eq!(said["Users"][0]["UserName"], "paul");
    assert_eq!(said["IpRestrictions"], json!(["127.0.0.1"]));
    let again = scene
        .ask("PUT", broker, &json!({"Users": null}).to_string())
        .await
        .json();
    assert_eq!(
        (&again["ApiKey"], &again["Users"]),
        (&said["ApiKey"], &json!([]))
    );
    let key = scene
        .ask("GET", "/AccessRequestBroker/ApiKey", "")
        .await
        .json();
    assert_eq!(key, said["ApiKey"]);
    let renewed = scene
        .ask("POST", "/AccessRequestBroker/ApiKey", "")
        .await
        .json();
    assert_ne!(renewed, key);
    assert_eq!(scene.ask("DELETE", broker, "").await.status, 204);
    let after = scene.ask("PUT", broker, &body.to_string()).await.json();
    assert!(![&key, &renewed].contains(&&after["ApiKey"]));
}

#[tokio::test]
async fn a_broker_for_nobody_who_is_there_or_by_nobody_who_may_is_refused() {
    let scene = Scene::new(&json!({})).await;
    let unknown = json!({"Users": [{"UserId": 999_999}]}).to_string();
    assert_eq!(
        scene
            .ask("PUT", "/AccessRequestBroker", &unknown)
            .await
            .status,
        404
    );
    let wrong = json!({"IpRestrictions": ["somewhere"]}).to_string();
    let answer = scene.ask("PUT", "/AccessRequestBroker", &wrong).await;
    assert_eq!(answer.refused(), (400, 70000));
    assert_eq!(
        scene.ask("PUT", "/AccessRequestBroker", "").await.refused(),
        (400, 60245)
    );

    staff::person(&scene.house, "paul", Role::PasswordUser, Scope::Owned).await;
    let paul = staff::log_in(&scene.house, "paul").await;
    let (mut wire, path) = (scene.wire().await, scene.path("/AccessRequestBroker"));
    assert_eq!(
        wire.ask("PUT", &path, &[&paul], "{}").await.refused(),
        (403, 60108)
    );
    assert_eq!(wire.get(&path, &[&paul]).await.status, 404);
    assert_eq!(
        wire.ask("DELETE", &path, &[&paul], "").await.refused(),
        (403, 60108)
    );
}

#[tokio::test]
async fn whoever_only_audits_sees_registrations_and_none_of_their_keys() {
    let scene = Scene::new(&json!({})).await;
    let granted = scene.grant("db-1").await;
    let account = granted["AccountId"].as_u64().unwrap();
    scene.ask("PUT", "/AccessRequestBroker", "{}").await;
    let role = Role::PasswordAuditor;
    staff::person(&scene.house, "aud", role, Scope::Owned).await;
    let auditor = staff::log_in(&scene.house, "aud").await;
    let one = format!("/RetrievableAccounts/{account}");
    let keys = [
        format!("{one}/ApiKey"),
        "/AccessRequestBroker/ApiKey".to_owned(),
    ];
    let mut wire = scene.wire().await;

    let list = wire
        .get(&scene.path("/RetrievableAccounts"), &[&auditor])
        .await;
    assert_eq!(list.json()[0]["AccountId"], account);
    assert_eq!(list.json()[0]["ApiKey"], Value::Null);
    for path in [&one, "/AccessRequestBroker"] {
        let shown = wire.get(&scene.path(path), &[&auditor]).await;
        assert_eq!((shown.status, &shown.json()["ApiKey"]), (200, &Value::Null));
        let shown = scene.ask("GET", path, "").await.json();
        assert!(shown["ApiKey"].is_string(), "whoever administers sees it");
    }
    for path in &keys {
        let refused = wire.get(&scene.path(path), &[&auditor]).await;
        assert_eq!(refused.refused(), (403, 60108), "{path}");
        assert!(scene.ask("GET", path, "").await.json().is_string());
    }
    let filter = "/RetrievableAccounts?filter=ApiKey%20eq%20null&fields=AccountId";
    let seen = wire.get(&scene.path(filter), &[&auditor]).await;
    assert_eq!(seen.json(), json!([{"AccountId": account}]));
}

#[tokio::test]
async fn a_registration_whose_user_was_removed_is_seen_with_what_is_broken_about_it() {
    let scene = Scene::new(&json!({})).await;
    let mut wire = scene.wire().await;
    let path = format!("/service/core/v4/Users/{}", scene.user);
    assert_eq!(
        wire.ask("DELETE", &path, &[&scene.bearer], "").await.status,
        204
    );

    let listed = wire.get(LIST, &[&scene.bearer]).await.json();
    let mut shown = scene.ask("GET", "", "").await.json();

    assert_eq!(listed, json!([shown]));
    assert_eq!(
        [
            &shown["Disabled"],
            &shown["CertificateUserId"],
            &shown["CertificateUser"],
            &shown["CertificateUserThumbPrint"],
        ],
        [&json!(true), &json!(-1), &json!(""), &Value::Null]
    );
    shown["Disabled"] = json!(false);
    let same = scene.ask("PUT", "", &shown.to_string()).await;
    assert_eq!(same.refused(), (400, 70000), "{}", same.body);
    let (_, other) = staff::program(&scene.house, "other").await;
    shown["CertificateUserId"] = json!(other.id.0);
    let mended = scene.ask("PUT", "", &shown.to_string()).await.json();
    assert_eq!(mended["CertificateUser"], "other");
    assert_eq!(mended["Disabled"], false);
}

#[tokio::test]
async fn the_thumbprint_of_a_users_very_certificate_is_known_once_it_was_seen() {
    let house = House::open().await;
    let app = Registered::with(&house, false).await;
    let bearer = staff::administrator(&house).await;
    let called = Thumbprint::of(app.identity.certificate());
    let list = format!("{LIST}?filter=CertificateUserThumbprint%20eq%20'{called}'&count=true");
    let mut wire = house.connect(None).await;
    assert_eq!(wire.get(&list, &[&bearer]).await.body, "0", "never seen");

    let retrieve = "/service/a2a/v4/Credentials?type=Password";
    let mut own = app.connect(&house).await;
    for _ in 0..2 {
        assert_eq!(own.get(retrieve, &[&app.shows()]).await.status, 200);
        assert_eq!(wire.get(&list, &[&bearer]).await.body, "1");
    }
}

#[tokio::test]
async fn a_thumbprint_that_is_noted_goes_with_its_certificate_and_proves_nothing() {
    let house = House::open().await;
    let app = Registered::with(&house, false).await;
    let (vault, operator) = (&house.vault, house.operator().await);
    let (own, other) = (&app.identity, house.issue("other"));
    let of = |identity: &certs::Identity| {
        let certificate = identity.certificate();
        (print(certificate), Thumbprint::of(certificate))
    };
    let edit = async |edits: &[UserEdit]| {
        let edited = vault.edit_user_with(UserRef::Id(app.user), edits, &operator);
        vault.thumbprint_of(&edited.await.unwrap()).await.unwrap()
    };
    let bind = || UserEdit::Bind(CertBinding::Exactly(of(own).0));

    let unbound = edit(&[UserEdit::Unbind(of(own).0)]).await;
    assert_eq!(unbound, None);
    let noted = edit(&[bind(), UserEdit::Note(of(own).0, of(own).1)]).await;
    assert_eq!(noted, Some(of(own).1));
    edit(&[UserEdit::Unbind(of(own).0)]).await;
    assert_eq!(edit(&[bind()]).await, None, "it went with the certificate");
    let nobodys = edit(&[UserEdit::Note(of(&other).0, of(&other).1)]).await;
    assert_eq!(nobodys, None);
    edit(&[UserEdit::Note(of(own).0, of(&other).1)]).await;
    let mut wire = house.connect(Some(&other)).await;
    let retrieve = "/service/a2a/v4/Credentials?type=Password";
    assert_eq!(wire.get(retrieve, &[&app.shows()]).await.status, 403);
}
