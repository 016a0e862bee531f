//! Users, assets and their accounts, as a set-up script makes them.

use base64::prelude::{BASE64_STANDARD, Engine};
use claviger::domain::{CertBinding, Operation, Role, Scope};
use claviger::vault::NewUser;
use serde_json::{Value, json};

use crate::desk::{Desk, PASSWORD, id};
use crate::house::{House, print};
use crate::staff;

const RETRIEVE: &str = "/service/a2a/v4/Credentials?type=";

#[tokio::test]
async fn the_vendors_own_set_up_runs_unchanged() {
    let desk = Desk::open().await;
    let roles = [
        "GlobalAdmin",
        "AssetAdmin",
        "PolicyAdmin",
        "UserAdmin",
        "Auditor",
        "ApplicationAuditor",
    ];
    let (_, bearer) = desk.person("PySg_A2ATestAdmin", &roles).await;
    let desk = Desk { bearer, ..desk };
    let (user, identity) = desk.program("PySg_A2ACertUser").await;
    let (asset, account) = desk.account("PySg_A2ATestAsset", "PySg_a2a_testacct").await;
    let new = json!({"AppName": "PySg_A2ATest", "CertificateUserId": user});
    let mut registration = desk.make("A2ARegistrations", &new).await;
    let path = format!("A2ARegistrations/{}", id(&registration));
    registration["BidirectionalEnabled"] = json!(true);
    desk.put(&path, &registration, 200).await;
    let new = json!({"Name": "PySg_a2a_sshacct", "Asset": {"Id": asset}});
    let other = id(&desk.make("AssetAccounts", &new).await);
    let key = json!({"KeyType": "RSA", "KeyLength": 2048});
    let facts = desk
        .put(
            &format!("AssetAccounts/{other}/SshKey?keyFormat=OpenSsh"),
            &key,
            200,
        )
        .await;
    assert_eq!(facts.json()["KeyType"], "ssh-ed25519");
    let keys = format!("AssetAccounts/{other}/ApiKeys");
    let made = desk.make(&keys, &json!({"Name": "SgGo_A2AKey"})).await;
    let secret = json!({"ClientId": "client-1", "ClientSecret": "secret-1"});
    desk.put(&format!("{keys}/{}/ClientSecret", id(&made)), &secret, 204)
        .await;

    let retrievable = format!("{path}/RetrievableAccounts");
    let mut shown = Vec::new();
    for (account, kind) in [(account, "Password"), (other, "PrivateKey")] {
        let new = json!({"AccountId": account, "Type": kind});
        let answer = desk.ask("POST", &retrievable, &new).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let key = answer.json()["ApiKey"].as_str().unwrap().to_owned();
        shown.push(format!("Authorization: A2A {key}"));
    }
    let mut wire = desk.house.connect(Some(&identity)).await;
    let password = wire.get(&format!("{RETRIEVE}Password"), &[&shown[0]]).await;
    let private = wire
        .get(&format!("{RETRIEVE}PrivateKey"), &[&shown[1]])
        .await;
    let secrets = wire.get(&format!("{RETRIEVE}ApiKey"), &[&shown[1]]).await;

    assert_eq!(password.json(), json!(PASSWORD));
    assert!(private.json().as_str().unwrap().contains("PRIVATE KEY"));
    assert_eq!(secrets.json()[0]["ClientId"], "client-1");
    assert_eq!(secrets.json()[0]["ClientSecret"], "secret-1");
    assert_eq!(secrets.json()[0]["Name"], "SgGo_A2AKey");
}

#[tokio::test]
async fn a_user_is_made_shown_locked_and_removed() {
    let desk = Desk::open().await;
    let (ann, bearer) = desk.person("ann", &["AssetAdmin"]).await;
    let (app, _) = desk.program("app").await;
    let path = format!("Users/{ann}");

    let shown = desk.get(&path).await.json();
    assert_eq!(shown["Name"], "ann");
    assert_eq!(shown["AdminRoles"], json!(["AssetAdmin"]));
    assert_eq!(shown["PrimaryAuthenticationProvider"]["Id"], -1);
    let app = desk.get(&format!("Users/{app}")).await.json();
    assert_eq!(app["AdminRoles"], json!([]), "a program audits nothing");
    let identity = &app["PrimaryAuthenticationProvider"]["Identity"];
    assert_eq!(identity.as_str().unwrap().len(), 40);
    let filter = "Users?filter=Name%20eq%20'app'&fields=Id";
    assert_eq!(desk.get(filter).await.json(), json!([{"Id": app["Id"]}]));
    let me = desk.ask_as(&bearer, "GET", "Me", &Value::Null).await;
    assert_eq!((me.json()["Id"].as_u64(), me.status), (Some(ann), 200));

    let mut locked = shown.clone();
    locked["Disabled"] = json!(true);
    assert_eq!(desk.put(&path, &locked, 200).await.json(), locked);
    let me = desk.ask_as(&bearer, "GET", "Me", &Value::Null).await;
    assert_eq!(me.refused(), (401, 60094));
    for (member, value) in [
        ("Name", json!("eve")),
        ("AdminRoles", json!(["GlobalAdmin"])),
        (
            "PrimaryAuthenticationProvider",
            json!({"Id": -2, "Identity": identity}),
        ),
    ] {
        let mut other = shown.clone();
        other[member] = value;
        assert_eq!(desk.put(&path, &other, 400).await.refused(), (400, 70000));
    }
    let mut other = shown;
    other["Id"] = json!(ann + 1);
    assert_eq!(desk.put(&path, &other, 400).await.refused(), (400, 60102));
    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(desk.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_user_whose_thumbprint_is_not_known_is_put_back_as_it_was_shown_and_disabled() {
    let desk = Desk::open().await;
    let certificate = desk.house.issue_elsewhere("nightly");
    let new = NewUser {
        login: "nightly@app-1".to_owned(),
        role: Role::PasswordUser,
        scope: Scope::Owned,
        full_name: None,
        any_host: true,
        certificates: vec![CertBinding::Exactly(print(certificate.certificate()))],
        department: String::new(),
        location: String::new(),
        expires: None,
    };
    let operator = desk.house.operator().await;
    let made = desk.house.vault.add_user(&new, &operator).await.unwrap();
    let path = format!("Users/{}", made.id);

    let mut shown = desk.get(&path).await.json();
    assert_eq!(desk.put(&path, &shown, 200).await.json(), shown);
    shown["Disabled"] = json!(true);
    assert_eq!(desk.put(&path, &shown, 200).await.json(), shown);
    shown["PrimaryAuthenticationProvider"]["Identity"] = Value::Null;
    assert_eq!(desk.put(&path, &shown, 200).await.json()["Disabled"], true);
    for provider in [
        json!({"Id": -1}),
        json!({"Id": -2, "Identity": "A".repeat(40)}),
    ] {
        shown["PrimaryAuthenticationProvider"] = provider;
        assert_eq!(desk.put(&path, &shown, 400).await.refused(), (400, 70000));
    }
}

#[tokio::test]
async fn a_user_that_is_made_disabled_is_never_let_in() {
    let desk = Desk::open().await;
    let thumbprint = |name: &str| {
        let identity = desk.house.issue(name);
        claviger::domain::Thumbprint::of(identity.certificate()).to_string()
    };
    for new in [
        json!({"Name": "ann", "PrimaryAuthenticationProvider": {"Id": -1}, "Disabled": true}),
        json!({"Name": "app", "Disabled": true,
            "PrimaryAuthenticationProvider": {"Id": -2, "Identity": thumbprint("app")}}),
    ] {
        let made = desk.make("Users", &new).await;

        assert_eq!(made["Disabled"], true);
        let again = desk.get(&format!("Users/{}", id(&made))).await.json();
        assert_eq!(again, made);
        let trail = desk.house.trail().await;
        let about = |operation: Operation| {
            let its = trail.iter().filter(|entry| {
                entry.operation.known() == Some(&operation)
                    && entry.detail.starts_with(new["Name"].as_str().unwrap())
            });
            its.count()
        };
        assert_eq!(about(Operation::CreateUser), 1);
        assert_eq!(about(Operation::EditUser), 0, "one commit makes it so");
    }
}

#[tokio::test]
async fn a_users_names_change_with_its_lock_and_what_is_not_said_stays() {
    let desk = Desk::open().await;
    let (ann, _) = desk.person("ann", &[]).await;
    let (app, _) = desk.program("app").await;
    let path = format!("Users/{ann}");
    let mut user = desk.get(&path).await.json();
    for (member, value) in [
        ("DisplayName", json!("Ann A.")),
        ("FirstName", json!("Ann")),
        ("LastName", json!("Arbor")),
        ("EmailAddress", json!("ann@example.org")),
        ("Disabled", json!(true)),
    ] {
        user[member] = value;
    }

    assert_eq!(desk.put(&path, &user, 200).await.json(), user);
    assert_eq!(desk.get(&path).await.json(), user);
    let brief = json!({"Name": "ann", "LastName": "Zander"});
    user["LastName"] = json!("Zander");
    assert_eq!(desk.put(&path, &brief, 200).await.json(), user);
    for (member, value) in [
        ("EmailAddress", json!("x".repeat(5000))),
        ("FirstName", json!("a\u{0}b")),
    ] {
        let mut wrong = user.clone();
        wrong[member] = value;
        assert_eq!(desk.put(&path, &wrong, 400).await.refused(), (400, 70000));
    }
    let path = format!("Users/{app}");
    let mut program = desk.get(&path).await.json();
    program["DisplayName"] = json!("The application");
    assert_eq!(desk.put(&path, &program, 200).await.json(), program);
    program["EmailAddress"] = json!("app@example.org");
    assert_eq!(desk.put(&path, &program, 400).await.refused(), (400, 70000));
}

#[tokio::test]
async fn earlier_versions_have_users_with_flat_members() {
    let desk = Desk::open().await;
    let identity = desk.house.issue("app");
    let thumbprint = claviger::domain::Thumbprint::of(identity.certificate()).to_string();
    let new = json!({
        "UserName": "app", "IdentityProviderId": -1, "PrimaryAuthenticationProviderId": -2,
        "PrimaryAuthenticationIdentity": thumbprint,
    });

    let mut wire = desk.house.connect(None).await;
    let path = "/service/core/v3/Users";
    let made = wire
        .ask("POST", path, &[&desk.bearer], &new.to_string())
        .await;

    assert_eq!(made.status, 201, "{}", made.body);
    for (member, value) in new.as_object().unwrap() {
        assert_eq!(&made.json()[member], value, "{member}");
    }
    let narrowed =
        format!("{path}?filter=UserName%20eq%20'app'&fields=PrimaryAuthenticationProviderId");
    let narrowed = wire.get(&narrowed, &[&desk.bearer]).await;
    assert_eq!(narrowed.json()[0]["PrimaryAuthenticationProviderId"], -2);
    let whole = "Users?filter=Name%20eq%20'app'&fields=PrimaryAuthenticationProvider";
    let whole = desk.get(whole).await.json();
    assert_eq!(
        whole[0]["PrimaryAuthenticationProvider"]["Identity"],
        thumbprint
    );
    let twice = wire
        .ask("POST", path, &[&desk.bearer], &new.to_string())
        .await;
    assert_eq!(twice.status, 409, "{}", twice.body);
}

#[tokio::test]
async fn what_makes_no_user_is_refused_with_the_member_that_is_wrong() {
    let desk = Desk::open().await;
    let table = [
        (
            json!({"PrimaryAuthenticationProvider": {"Id": -1}}),
            "entity.Name",
        ),
        (
            json!({"Name": "x", "PrimaryAuthenticationProvider": {"Id": -2, "Identity": "ab"}}),
            "entity.PrimaryAuthenticationProvider.Identity",
        ),
        (
            json!({"Name": "x", "PrimaryAuthenticationProvider": {"Id": 7}}),
            "entity.PrimaryAuthenticationProvider.Id",
        ),
        (
            json!({"Name": "x", "AdminRoles": ["King"]}),
            "entity.AdminRoles",
        ),
    ];
    for (new, member) in table {
        let answer = desk.ask("POST", "Users", &new).await;
        assert_eq!(answer.refused(), (400, 70000), "{new}");
        assert!(
            answer.json()["ModelState"][member].is_array(),
            "{}",
            answer.body
        );
    }
    let empty = desk.ask("POST", "Users", &Value::Null).await;
    assert_eq!(empty.refused(), (400, 60245));
}

#[tokio::test]
async fn whoever_may_not_makes_no_users_and_no_assets() {
    let desk = Desk::open().await;
    let (_, ann) = desk.person("ann", &[]).await;
    let (_, max) = desk.person("max", &["AssetAdmin"]).await;
    let (_, account) = desk.account("db-1", "root").await;
    let user = json!({"Name": "eve", "PrimaryAuthenticationProvider": {"Id": -1}});
    let asset = json!({"Name": "db-2", "PlatformId": 501});

    let answer = desk.ask_as(&ann, "POST", "Assets", &asset).await;
    assert_eq!(answer.refused(), (403, 60108));
    for path in ["Users", "Roles", "AccessPolicies"] {
        for bearer in [&ann, &max] {
            let answer = desk.ask_as(bearer, "GET", path, &Value::Null).await;
            assert_eq!(answer.refused(), (403, 60108), "{path}");
        }
    }
    let answer = desk.ask_as(&max, "POST", "Users", &user).await;
    assert_eq!(answer.refused(), (403, 60108));
    // What is not theirs is not there.
    for bearer in [&ann, &max] {
        let path = format!("AssetAccounts/{account}");
        let answer = desk.ask_as(bearer, "GET", &path, &Value::Null).await;
        assert_eq!(answer.status, 404);
        let path = format!("{path}/Password");
        let answer = desk.ask_as(bearer, "PUT", &path, &json!(PASSWORD)).await;
        assert_eq!(answer.status, 404);
        let list = desk
            .ask_as(bearer, "GET", "AssetAccounts", &Value::Null)
            .await;
        assert_eq!(list.json(), json!([]));
    }
    let answer = desk.ask_as("X: y", "GET", "Users", &Value::Null).await;
    assert_eq!(answer.refused(), (401, 60094));
}

#[tokio::test]
async fn nobody_makes_a_user_who_reaches_more_than_they_do() {
    let house = House::open().await;
    let chief = staff::administrator(&house).await;
    staff::person(&house, "otto", Role::Administrator, Scope::Owned).await;
    let otto = staff::log_in(&house, "otto").await;
    let desk = Desk {
        house,
        bearer: chief,
    };
    let (boss, _) = desk.person("boss", &["GlobalAdmin"]).await;
    let path = format!("Users/{boss}/Password");

    let answer = desk.ask_as(&otto, "PUT", &path, &json!(PASSWORD)).await;

    assert_eq!(answer.refused(), (403, 60108));
    let path = format!("Users/{boss}");
    let answer = desk.ask_as(&otto, "DELETE", &path, &Value::Null).await;
    assert_eq!(answer.refused(), (403, 60108));
}

#[tokio::test]
async fn only_a_global_admin_reaches_what_is_not_its_own() {
    let desk = Desk::open().await;
    let (_, account) = desk.account("db-1", "root").await;
    let path = format!("AssetAccounts/{account}");
    let (_, boss) = desk
        .person("boss", &["GlobalAdmin", "ApplianceAdmin"])
        .await;
    let all = desk.ask_as(&boss, "GET", &path, &Value::Null).await;
    assert_eq!(all.status, 200);
    let whole = desk.ask_as(&boss, "GET", "Me", &Value::Null).await.json();
    assert_eq!(whole["AdminRoles"].as_array().unwrap().len(), 10);

    for (name, role) in [
        ("pia", "PolicyAdmin"),
        ("uma", "UserAdmin"),
        ("max", "AssetAdmin"),
        ("aud", "Auditor"),
    ] {
        let (id, bearer) = desk.person(name, &[role]).await;
        let roles = desk.get(&format!("Users/{id}")).await.json()["AdminRoles"].take();
        let roles = roles.as_array().unwrap().clone();
        assert!(roles.contains(&json!(role)), "{roles:?}");
        assert!(!roles.contains(&json!("GlobalAdmin")), "{roles:?}");
        let theirs = desk.ask_as(&bearer, "GET", &path, &Value::Null).await;
        assert_eq!(theirs.status, 404, "{role}");
        let leaf = desk.house.issue_elsewhere("leaf");
        let leaf = BASE64_STANDARD.encode(leaf.certificate());
        let trust = json!({"Base64CertificateData": leaf});
        for (verb, path, body) in [
            ("POST", "TrustedCertificates", &trust),
            (
                "POST",
                "Users",
                &json!({"Name": "eve", "AdminRoles": ["GlobalAdmin"]}),
            ),
        ] {
            let answer = desk.ask_as(&bearer, verb, path, body).await;
            assert_eq!(answer.refused(), (403, 60108), "{role} {path}");
        }
    }
    for roles in [json!(["ApplianceAdmin"]), json!(["HelpdeskAdmin"])] {
        let new = json!({"Name": "eve", "AdminRoles": roles});
        let answer = desk.ask("POST", "Users", &new).await;
        assert_eq!(answer.refused(), (400, 70000), "{roles}");
    }
}

#[tokio::test]
async fn an_asset_is_made_shown_changed_and_removed() {
    let desk = Desk::open().await;
    let (asset, account) = desk.account("db-1", "root").await;
    let path = format!("Assets/{asset}");

    let mut shown = desk.get(&path).await.json();
    assert_eq!(
        (&shown["PlatformId"], &shown["Name"]),
        (&json!(501), &json!("db-1"))
    );
    shown["Name"] = json!("db-9");
    shown["PlatformId"] = json!(521);
    let changed = desk.put(&path, &shown, 200).await.json();
    shown["PlatformDisplayName"] = json!("Platform 521");
    assert_eq!(changed, shown);
    let found = desk
        .get("Assets?filter=NetworkAddress%20eq%20'10.5.32.4'")
        .await;
    assert_eq!(found.json(), json!([shown]));
    let other = json!({"Name": "DB-9", "PlatformId": 501});
    let taken = desk.ask("POST", "Assets", &other).await;
    assert_eq!(taken.status, 409);
    for new in [
        json!({"Name": "x"}),
        json!({"PlatformId": 501}),
        json!({"Name": "x", "PlatformId": 501, "AssetPartitionId": 7}),
    ] {
        assert_eq!(
            desk.ask("POST", "Assets", &new).await.refused(),
            (400, 70000)
        );
    }

    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);
    for path in [path, format!("AssetAccounts/{account}")] {
        assert_eq!(desk.get(&path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn keys_stand_beside_an_account_and_go_with_it() {
    let desk = Desk::open().await;
    let (asset, account) = desk.account("db-1", "root").await;
    let path = format!("AssetAccounts/{account}");
    let first = desk.put(&format!("{path}/SshKey"), &Value::Null, 200).await;
    let second = desk.put(&format!("{path}/SshKey"), &Value::Null, 200).await;
    assert_ne!(first.json()["PublicKey"], second.json()["PublicKey"]);
    let keys = format!("{path}/ApiKeys");
    for (number, name) in [(1, "one"), (2, "two")] {
        let made = desk.make(&keys, &json!({"Name": name})).await;
        assert_eq!((&made["Id"], &made["Name"]), (&json!(number), &json!(name)));
    }
    let gone = desk.ask("DELETE", &format!("{keys}/1"), &Value::Null).await;
    assert_eq!(gone.status, 204);

    let listed = desk.get(&keys).await.json();
    assert_eq!(listed, json!([{"Id": 2, "Name": "two", "Description": ""}]));
    assert_eq!(desk.get(&format!("{keys}/1")).await.status, 404);
    let accounts = desk.get("AssetAccounts?fields=Name,Asset.Id").await;
    assert_eq!(
        accounts.json(),
        json!([{"Name": "root", "Asset": {"Id": asset}}])
    );
    let beside = json!({"Name": "root [SSH key]", "Asset": {"Id": asset}});
    let answer = desk.ask("POST", "AssetAccounts", &beside).await;
    assert_eq!(answer.refused(), (400, 70000));
    let weak = desk
        .put(&format!("{path}/Password"), &json!("x"), 400)
        .await;
    assert_eq!(weak.refused(), (400, 60247));

    assert_eq!(desk.ask("DELETE", &path, &Value::Null).await.status, 204);
    let new = json!({"Name": "root", "Asset": {"Id": asset}});
    let again = id(&desk.make("AssetAccounts", &new).await);
    let keys = format!("AssetAccounts/{again}/ApiKeys");
    assert_eq!(desk.get(&keys).await.json(), json!([]));
}
