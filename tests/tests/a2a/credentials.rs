//! Credentials through the true program: by curl as the original's documents show it, and by the
//! vendor's own Python package in two of its versions.

use serde_json::json;

use crate::scene::{Furnished, NO_PACKAGE, PASSWORD, USER, python_with, ssh_key};

#[test]
fn the_documents_own_requests_work_with_curl() {
    let furnished = Furnished::new(true);
    let retrieve = "/service/A2A/V2/Credentials?type=Password";
    let json_type = ["-H", "Content-Type: application/json"];
    let told = furnished.a2a(&furnished.key, &json_type, retrieve);
    assert_eq!(told, (200, json!(PASSWORD).to_string()));
    let plain = [&json_type[..], &["-H", "Accept: text/plain"]].concat();
    let told = furnished.a2a(&furnished.key, &plain, retrieve);
    assert_eq!(told, (200, PASSWORD.to_owned()));
    let put = [
        &json_type[..],
        &["-X", "PUT", "-d", "\"Second-Pass2!word\""],
    ]
    .concat();
    let told = furnished.a2a(&furnished.key, &put, "/service/a2a/v4/Credentials/Password");
    assert_eq!(told, (204, String::new()));
    let told = furnished.a2a(&furnished.key, &[], retrieve);
    assert_eq!(told, (200, json!("Second-Pass2!word").to_string()));
    for version in ["1.2", "1.3"] {
        let tls = [
            format!("--tlsv{version}"),
            "--tls-max".to_owned(),
            version.to_owned(),
        ];
        let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
        assert_eq!(
            furnished.a2a(&furnished.key, &tls, retrieve).0,
            200,
            "{version}"
        );
    }
}

#[test]
fn who_may_not_is_refused_and_the_trail_tells_why() {
    let furnished = Furnished::new(false);
    let (server, key) = (&furnished.server, furnished.key.as_str());
    let retrieve = "/service/a2a/v4/Credentials?type=Password";
    let unknown = "6A4psUnrLv1hvoWSB3jsm2V50eFT62vwAI9Zlj/dDWw=";
    let shows = format!("Authorization: A2A {key}");

    let (status, words) = furnished.a2a(unknown, &[], retrieve);
    assert_eq!(status, 403);
    let stranger = harness::Openssl::new()
        .self_signed("billing")
        .kept_in(server.outside());
    for identity in [None, Some(&stranger)] {
        let ran = furnished.curl(identity, &["-H", &shows], retrieve);
        assert!(
            ran.stdout.ends_with("\n401") && ran.stdout.contains("60094"),
            "{ran}"
        );
    }
    let other = server.issue("other");
    let ran = furnished.curl(Some(&other), &["-H", &shows], retrieve);
    assert_eq!(ran.stdout, format!("{words}\n403"));
    let change = ["a2a", "account", "add", "Billing", "db1/root"];
    let from = [&change[..], &["--from", "192.0.2.0/24"]].concat();
    server.claviger(&from).ok();
    assert_eq!(furnished.a2a(key, &[], retrieve), (403, words.clone()));
    let from = [&change[..], &["--from", "127.0.0.1"]].concat();
    server.claviger(&from).ok();
    assert_eq!(furnished.a2a(key, &[], retrieve).0, 200);
    for disabled in ["true", "false"] {
        server
            .claviger(&["a2a", "edit", "Billing", "--disabled", disabled])
            .ok();
        let status = if disabled == "true" { 403 } else { 200 };
        assert_eq!(furnished.a2a(key, &[], retrieve).0, status);
    }
    let put = [
        "-X",
        "PUT",
        "-H",
        "Content-Type: application/json",
        "-d",
        "\"x\"",
    ];
    let (status, one_way) = furnished.a2a(key, &put, "/service/a2a/v4/Credentials/Password");
    assert!(
        status == 403 && one_way.contains("bidirectional"),
        "{one_way}"
    );
    server.claviger(&["user", "lock", USER]).ok();
    assert_eq!(furnished.a2a(key, &[], retrieve), (403, words));

    let trail = server
        .claviger(&["audit", "tail", "-n", "100", "--json"])
        .ok();
    for why in [
        "unknown-user",
        "untrusted",
        "wrong-host",
        "not-allowed",
        "locked",
    ] {
        assert!(
            trail.stdout.contains(&format!("refused: {why}")),
            "{why}: {trail}"
        );
    }
    assert!(!trail.stdout.contains(key) && !trail.stdout.contains(PASSWORD));
}

#[test]
fn the_vendors_package_works_unchanged() {
    let Some(python) = python_with("8.2.1") else {
        harness::not_run("the_vendors_package_works_unchanged", NO_PACKAGE);
        return;
    };
    let furnished = Furnished::new(true);
    furnished.add_keys();

    let told = furnished.python(&python, NEW_STORY, &json!(null));

    for (passphrase, status) in [("wrong", 400), ("pass", 200)] {
        let locked = ssh_key(&furnished.server, "pass");
        let body = json!({"PrivateKey": locked, "Passphrase": passphrase}).to_string();
        let put = [
            "-X",
            "PUT",
            "-H",
            "Content-Type: application/json",
            "-d",
            &body,
        ];
        let told = furnished.a2a(&furnished.key, &put, "/service/a2a/v4/Credentials/SshKey");
        assert_eq!(told.0, status, "{}", told.1);
    }
    let expected = json!([
        PASSWORD,
        "S\u{e9}cond-Pass2!\"word",
        true,
        true,
        [["AKIA1", "s3cret"]],
        [403, 60108]
    ]);
    assert_eq!(told, expected);
}

const NEW_STORY: &str = r#"
from pysafeguard import A2AContext
from pysafeguard.errors import ApiError
told = []
with A2AContext(host, cert, key, verify=ca) as a2a:
    told.append(a2a.retrieve_password(api_key).get_value())
    a2a.set_password(api_key, 'S\u00e9cond-Pass2!"word')
    told.append(a2a.retrieve_password(api_key).get_value())
    private = a2a.retrieve_private_key(api_key).get_value()
    told.append(private.startswith('-----BEGIN OPENSSH PRIVATE KEY-----\r\n'))
    a2a.set_private_key(api_key, private)
    told.append(a2a.retrieve_private_key(api_key).get_value() == private)
    told.append([[k['ClientId'], k['ClientSecret']] for k in a2a.retrieve_api_key_secret(api_key)])
    try:
        a2a.retrieve_password('6A4psUnrLv1hvoWSB3jsm2V50eFT62vwAI9Zlj/dDWw=')
    except ApiError as refused:
        told.append([refused.status_code, refused.error_code])
print(json.dumps(told))
"#;

#[test]
fn the_vendors_older_package_works_unchanged() {
    let Some(python) = python_with("7.4.0") else {
        harness::not_run("the_vendors_older_package_works_unchanged", NO_PACKAGE);
        return;
    };
    let furnished = Furnished::new(true);
    furnished.add_keys();

    let told = furnished.python(&python, OLD_STORY, &json!(null));

    assert_eq!(told, json!([PASSWORD, true]));
}

const OLD_STORY: &str = r#"
from pysafeguard import *
told = [PySafeguardConnection.a2a_get_credential(host, api_key, cert, key, ca)]
private = PySafeguardConnection.a2a_get_credential(host, api_key, cert, key, ca, A2ATypes.PRIVATEKEY)
told.append(private.startswith('-----BEGIN OPENSSH PRIVATE KEY-----\r\n'))
print(json.dumps(told))
"#;

#[test]
fn the_vendors_packages_find_their_keys_by_their_certificate() {
    let name = "the_vendors_packages_find_their_keys_by_their_certificate";
    let furnished = Furnished::new(false);
    let stories = [("8.2.1", NEW_SEARCH), ("7.4.0", OLD_SEARCH)];
    for (version, story) in stories {
        let Some(python) = python_with(version) else {
            harness::not_run(name, NO_PACKAGE);
            continue;
        };

        let told = furnished.python(&python, story, &json!(null));

        let found = json!(["Billing", "root", "db1", furnished.key]);
        assert_eq!(told, json!([[found], []]), "{version}");
    }
}

const NEW_SEARCH: &str = r#"
from pysafeguard import A2AContext
with A2AContext(host, cert, key, verify=ca) as a2a:
    found = [[[a['ApplicationName'], a['AccountName'], a['AssetName'], a['ApiKey']]
              for a in a2a.get_retrievable_accounts(filter=words)]
             for words in (None, "AccountName eq 'other'")]
print(json.dumps(found))
"#;

const OLD_SEARCH: &str = r#"
from pysafeguard import *
connection = PySafeguardConnection(host, ca)
connection.connect_certificate(cert, key)
def get(path, query={}):
    return connection.invoke(HttpMethods.GET, Services.CORE, path, query).json()
[registration] = get('A2ARegistrations')
path = f"A2ARegistrations/{registration['Id']}/RetrievableAccounts"
found = [[[registration['AppName'], a['AccountName'], a['AssetName'], a['ApiKey']]
          for a in get(path, query)]
         for query in ({}, {'filter': "AccountName eq 'other'"})]
print(json.dumps(found))
"#;
