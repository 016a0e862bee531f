//! The vendor's own set-up sequence through the true program: what it makes works, and is what every
//! other door sees.

use harness::{Identity, Openssl, Server, SetUp, xml};
use serde_json::{Value, json};

use crate::scene::{Furnished, NO_PACKAGE, PASSWORD, python_with};

const BOSS: &str = "Boss-Pass1!word";
const TAKEN: &str = "Taken-Pass1!word";

/// A server with an administrator who logs in by name, and a program that nobody knows yet.
fn bare(openssl: &Openssl, name: &str) -> Furnished {
    let server = Server::start(SetUp::default());
    let add = ["user", "add", "boss", "--person", "--role", "administrator"];
    let words = [&add[..], &["--scope", "all", "--password-stdin"]].concat();
    server.claviger_with_input(&words, BOSS).ok();
    Furnished {
        program: openssl.self_signed(name).kept_in(server.outside()),
        server,
        key: String::new(),
    }
}

/// How the two packages log in and ask.
const NEW: &str = r#"
from pysafeguard import HttpMethod, PasswordAuth, SafeguardClient, Service
def log_in(name, password):
    client = SafeguardClient(host, auth=PasswordAuth('local', name, password), verify=ca)
    client.login()
    return lambda verb, service, path, body=None: client.request(
        HttpMethod[verb], Service[service], path, json=body)
"#;
const OLD: &str = r#"
from pysafeguard import *
def log_in(name, password):
    connection = PySafeguardConnection(host, ca)
    connection.connect_password(name, password)
    return lambda verb, service, path, body=None: connection.invoke(
        getattr(HttpMethods, verb), getattr(Services, service), path, body=body)
"#;

/// The sequence: each call with the status that the vendor's own tests demand.
const STORY: &str = r#"
import base64, hashlib, ssl
def need(status, answer):
    assert answer.status_code == status, (answer.request.url, answer.status_code, answer.text)
    return answer.json() if answer.text else None
der = ssl.PEM_cert_to_DER_cert(open(cert).read())
thumbprint = hashlib.sha1(der).hexdigest().upper()

boss = log_in('boss', more['boss'])
roles = ['GlobalAdmin', 'AssetAdmin', 'PolicyAdmin', 'UserAdmin', 'Auditor', 'ApplicationAuditor']
def person(name, roles):
    made = need(201, boss('POST', 'CORE', 'Users', {
        'Name': name, 'PrimaryAuthenticationProvider': {'Id': -1}, 'AdminRoles': roles}))
    need(204, boss('PUT', 'CORE', f"Users/{made['Id']}/Password", more['boss']))
    return made['Id'], log_in(name, more['boss'])
_, admin = person('PySg_A2ATestAdmin', roles)
carl, by_carl = person('PySg_Carl', [])

need(200, boss('POST', 'APPLIANCE', 'A2AService/Enable'))
assert need(200, boss('GET', 'APPLIANCE', 'A2AService/Status'))['IsRunning']
trusted = need(201, boss('POST', 'CORE', 'TrustedCertificates', {
    'Base64CertificateData': base64.b64encode(der).decode()}))
assert trusted['Thumbprint'] == thumbprint
user = need(201, admin('POST', 'CORE', 'Users', {
    'Name': 'PySg_A2ACertUser', 'AdminRoles': [],
    'PrimaryAuthenticationProvider': {'Id': -2, 'Identity': thumbprint}}))
asset = need(201, admin('POST', 'CORE', 'Assets', {
    'Name': 'PySg_Asset', 'PlatformId': 501, 'NetworkAddress': '10.5.32.4', 'AssetPartitionId': -1}))
account = need(201, admin('POST', 'CORE', 'AssetAccounts', {
    'Name': 'PySg_account', 'Asset': {'Id': asset['Id']}}))['Id']
need(204, admin('PUT', 'CORE', f'AssetAccounts/{account}/Password', more['taken']))
need(200, admin('PUT', 'CORE', f'AssetAccounts/{account}/SshKey', {'KeyType': 'RSA'}))
number = need(201, admin('POST', 'CORE', f'AssetAccounts/{account}/ApiKeys', {'Name': 'key'}))['Id']
need(204, admin('PUT', 'CORE', f'AssetAccounts/{account}/ApiKeys/{number}/ClientSecret', {
    'ClientId': 'client-1', 'ClientSecret': 'secret-1'}))

registration = need(201, admin('POST', 'CORE', 'A2ARegistrations', {
    'AppName': 'PySg_A2ATest', 'CertificateUserId': user['Id'], 'VisibleToCertificateUsers': True}))
assert registration['CertificateUserThumbPrint'] == thumbprint
path = f"A2ARegistrations/{registration['Id']}"
registration['BidirectionalEnabled'] = True
need(200, admin('PUT', 'CORE', path, registration))
place = f'{path}/RetrievableAccounts'
given = [need(200, admin('POST', 'CORE', place, {'AccountId': account, 'Type': kind}))['ApiKey']
         for kind in ('Password', 'PrivateKey', 'ApiKey')]
assert len(set(given)) == 1 and len(need(200, admin('GET', 'CORE', place))) == 1
assert need(200, admin('GET', 'CORE', f'{place}/{account}/ApiKey')) == given[0]
renewed = need(200, admin('POST', 'CORE', f'{place}/{account}/ApiKey'))
restricted = need(200, admin('PUT', 'CORE', f'{place}/{account}', {
    'AccountId': account, 'IpRestrictions': ['127.0.0.0/8']}))
assert restricted['IpRestrictions'] == ['127.0.0.0/8'] and restricted['ApiKey'] == renewed

role = need(201, admin('POST', 'CORE', 'Roles', {
    'Name': 'PySg_Role', 'Members': [{'Id': carl, 'PrincipalKind': 'User'}]}))['Id']
need(201, admin('POST', 'CORE', 'AccessPolicies', {
    'Name': 'PySg_Policy', 'RoleId': role, 'ApproverProperties': {'RequireApproval': False},
    'AccessRequestProperties': {'AccessRequestType': 'Password'},
    'ScopeItems': [{'Id': account, 'ScopeItemType': 'Account'}]}))
broker = f'{path}/AccessRequestBroker'
answer = admin('PUT', 'CORE', broker, {'Users': [{'UserId': carl}]})
assert answer.status_code in (200, 201), answer.text
assert need(200, admin('GET', 'CORE', f'{broker}/ApiKey')) == answer.json()['ApiKey']

made = need(200, by_carl('POST', 'CORE', 'AccessRequests', {
    'AssetId': asset['Id'], 'AccountId': account, 'AccessRequestType': 'Password'}))
assert made['State'] == 'RequestAvailable', made
request = f"AccessRequests/{made['Id']}"
taken = need(200, by_carl('POST', 'CORE', f'{request}/CheckOutPassword'))
need(200, by_carl('POST', 'CORE', f'{request}/CheckIn'))
need(204, by_carl('POST', 'CORE', 'Token/Logout'))
assert by_carl('GET', 'CORE', 'Me').status_code == 401
print(json.dumps({'old': given[0], 'key': renewed, 'taken': taken, 'asset': asset['Id']}))
"#;

impl Furnished {
    /// What curl is told with the certificate alone, as `safeguard-bash` asks.
    fn discover(&self, path: &str) -> Value {
        let none = ["-H", "Authorization: A2A NONE"];
        let told = [&[][..], &none[..]].map(|words| {
            let path = format!("/service/core/v4/{path}");
            let ran = self.curl(Some(&self.program), words, &path);
            let (body, status) = ran.stdout.rsplit_once('\n').unwrap();
            assert_eq!(status, "200", "{ran}");
            serde_json::from_str::<Value>(body).unwrap()
        });
        assert_eq!(told[0], told[1]);
        told[0].clone()
    }

    #[track_caller]
    fn told(&self, words: &[&str]) -> Value {
        let ran = self.server.claviger(&[words, &["--json"]].concat()).ok();
        serde_json::from_str(&ran.stdout).unwrap_or_else(|why| panic!("{why}: {ran}"))
    }

    fn retrieve(&self, key: &str, kind: &str) -> (u16, Value) {
        let path = format!("/service/a2a/v4/Credentials?type={kind}");
        let (status, body) = self.a2a(key, &[], &path);
        (status, serde_json::from_str(&body).unwrap())
    }
}

fn set_up(version: &str, prelude: &str) -> Option<(Furnished, Value)> {
    let python = python_with(version)?;
    let openssl = Openssl::new();
    let furnished = bare(&openssl, "PySg_A2ACertUser");
    let more = json!({"boss": BOSS, "taken": TAKEN});
    let told = furnished.python(&python, &format!("{prelude}{STORY}"), &more);
    Some((furnished, told))
}

#[test]
fn the_vendors_own_set_up_makes_what_works_and_every_door_sees() {
    for (version, prelude) in [("8.2.1", NEW), ("7.4.0", OLD)] {
        let Some((furnished, told)) = set_up(version, prelude) else {
            let name = "the_vendors_own_set_up_makes_what_works_and_every_door_sees";
            harness::not_run(name, NO_PACKAGE);
            continue;
        };
        let [old, key] = ["old", "key"].map(|name| told[name].as_str().unwrap());

        assert_eq!(told["taken"], TAKEN, "{version}");
        assert_eq!(furnished.retrieve(key, "Password"), (200, json!(TAKEN)));
        assert_eq!(furnished.retrieve(key, "PrivateKey").0, 200);
        let (_, pairs) = furnished.retrieve(key, "ApiKey");
        assert_eq!(
            [&pairs[0]["ClientId"], &pairs[0]["ClientSecret"]],
            ["client-1", "secret-1"]
        );
        assert_eq!(furnished.retrieve(old, "Password").0, 403);
        is_discovered(&furnished, key);
        is_seen_elsewhere(&furnished);
    }
}

/// By the certificate alone, as long as it is to be seen.
fn is_discovered(furnished: &Furnished, key: &str) {
    let [found] = <[Value; 1]>::try_from(
        furnished
            .discover("A2ARegistrations")
            .as_array()
            .unwrap()
            .clone(),
    )
    .unwrap();
    assert_eq!(found["AppName"], "PySg_A2ATest");
    let path = format!("A2ARegistrations/{}/RetrievableAccounts", found["Id"]);
    let accounts = furnished.discover(&path);
    let shown =
        ["AccountName", "AssetName", "NetworkAddress", "ApiKey"].map(|name| &accounts[0][name]);
    assert_eq!(shown, ["PySg_account", "PySg_Asset", "10.5.32.4", key]);
    let filter = format!("{path}?filter=AccountName%20eq%20%27other%27");
    assert_eq!(furnished.discover(&filter), json!([]));

    let hide = ["a2a", "edit", "PySg_A2ATest", "--visible", "false"];
    furnished.server.claviger(&hide).ok();

    assert_eq!(furnished.discover("A2ARegistrations"), json!([]));
    assert_eq!(furnished.retrieve(key, "Password").0, 200);
}

/// A registration is an application, an asset a resource.
fn is_seen_elsewhere(furnished: &Furnished) {
    let server = &furnished.server;
    for list in [["app", "list"], ["a2a", "list"]] {
        let names = furnished.told(&list);
        let there = names.to_string().contains("\"PySg_A2ATest\"");
        assert!(there, "{list:?}: {names}");
    }
    let accounts = furnished
        .told(&["a2a", "account", "list", "PySg_A2ATest"])
        .to_string();
    assert!(
        accounts.contains("PySg_Asset") && accounts.contains("127.0.0.0/8"),
        "{accounts}"
    );
    let reader = server.app("reader");
    let retrieve = |identity: &Identity| {
        let words = ["PySg_Asset", "PySg_account", "why"];
        server.call(identity, "retrievePassword", &words).text()
    };
    assert!(xml::is_fault(&retrieve(&reader)));
    server.share("PySg_Asset", &reader, "view");
    // The policy is access control.
    let refused = retrieve(&reader);
    assert!(refused.contains("on request only"), "{refused}");
    let off = ["access-control", "off", "PySg_Asset/PySg_account"];
    server.claviger(&off).ok();
    assert!(retrieve(&reader).contains(TAKEN));
}

/// And the other way round.
const LOOK: &str = r#"
core = log_in('boss', more['boss'])
def names(path, name):
    return [row[name] for row in core('GET', 'CORE', path).json()]
[registration] = core('GET', 'CORE', "A2ARegistrations").json()
place = f"A2ARegistrations/{registration['Id']}/RetrievableAccounts"
[account] = core('GET', 'CORE', place).json()
print(json.dumps([
    registration['AppName'], registration['VisibleToCertificateUsers'],
    account['AssetName'], account['AccountName'], account['ApiKey'], account['IpRestrictions'],
    names('Assets', 'Name'), names('AssetAccounts', 'Name'),
    core('DELETE', 'CORE', f"A2ARegistrations/{registration['Id']}").status_code,
]))
"#;

#[test]
fn what_the_operator_makes_is_seen_and_removed_by_the_vendors_packages() {
    for (version, prelude) in [("8.2.1", NEW), ("7.4.0", OLD)] {
        let Some(python) = python_with(version) else {
            let name = "what_the_operator_makes_is_seen_and_removed_by_the_vendors_packages";
            harness::not_run(name, NO_PACKAGE);
            continue;
        };
        let furnished = Furnished::new(false);
        let boss = ["user", "add", "boss", "--person", "--role", "administrator"];
        let words = [&boss[..], &["--scope", "all", "--password-stdin"]].concat();
        furnished.server.claviger_with_input(&words, BOSS).ok();
        assert_eq!(
            furnished.retrieve(&furnished.key, "Password"),
            (200, json!(PASSWORD))
        );

        let told = furnished.python(&python, &format!("{prelude}{LOOK}"), &json!({"boss": BOSS}));

        let expected = json!([
            "Billing",
            true,
            "db1",
            "root",
            furnished.key,
            null,
            ["db1"],
            ["root"],
            204
        ]);
        assert_eq!(told, expected, "{version}");
        assert_eq!(furnished.retrieve(&furnished.key, "Password").0, 403);
        assert_eq!(furnished.told(&["app", "list"]), json!([]));
    }
}
