//! The REST door through the true program, by curl as the manual shows it, and by the Python package
//! that people have.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use harness::{Ran, Server, SetUp, run};
use serde_json::{Value, json};

/// A server with an API user of this role and its token.
fn served(role: &str) -> (Server, String) {
    let server = Server::start(SetUp::default());
    let token = user(&server, "script", role);
    (server, token)
}

fn user(server: &Server, name: &str, role: &str) -> String {
    let login = format!("{name}@127.0.0.1");
    server
        .claviger(&["user", "add", &login, "--api", "--role", role])
        .ok();
    let ran = server.claviger(&["user", "token", "issue", &login]).ok();
    ran.stdout.trim().to_owned()
}

/// curl with these words, to the end; `{H}` is the API's base and `{T}` the token.
fn curl(server: &Server, token: &str, words: &[&str]) -> Ran {
    let base = format!("https://{}/restapi/json/v1", server.door("rest"));
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "30", "--noproxy", "*", "--cacert"]);
    command.arg(server.ca());
    for word in words {
        command.arg(word.replace("{H}", &base).replace("{T}", token));
    }
    run(&mut command)
}

#[track_caller]
fn told(server: &Server, token: &str, words: &[&str]) -> Value {
    let ran = curl(server, token, words).ok();
    serde_json::from_str(&ran.stdout).unwrap_or_else(|why| panic!("{why}: {ran}"))
}

/// The name, status and message of an answer.
fn ending(answer: &Value) -> [&str; 3] {
    let operation = &answer["operation"];
    [
        &operation["name"],
        &operation["result"]["status"],
        &operation["result"]["message"],
    ]
    .map(|value| value.as_str().unwrap_or_default())
}

/// The lines as they stand in the manual, but for host, token, ids and the line breaks that its
/// page has put into names.
#[test]
fn the_manuals_own_curl_lines_work() {
    let (server, token) = served("password-administrator");
    let new = r#"INPUT_DATA={"operation":{"Details":{"RESOURCENAME":"Windows Server","ACCOUNTNAME":"Administrator","RESOURCETYPE":"Windows","PASSWORD":"Test123#@!","NOTES":"Testing API","RESOURCEURL":"http://windowsserver/adminconsole","RESOURCECUSTOMFIELD":[{"CUSTOMLABEL":"Secure Resource","CUSTOMVALUE":"YES"}]}}}"#;
    let json = ["-H", "Content-Type: text/json"];

    let words = [
        &["-X", "POST", "-k"],
        &json[..],
        &["{H}/resources?AUTHTOKEN={T}", "-d", new],
    ];
    let created = told(&server, &token, &words.concat());
    let listed = told(&server, &token, &["-k", "{H}/resources?AUTHTOKEN={T}"]);
    let row = &listed["operation"]["Details"][0];
    let resource = row["RESOURCE ID"].as_str().unwrap();
    let accounts = format!("{{H}}/resources/{resource}/accounts");
    let accounts_url = format!("{accounts}?AUTHTOKEN={{T}}");
    let list = told(&server, &token, &["-k", &accounts_url]);
    let account = list["operation"]["Details"]["ACCOUNT LIST"][0]["ACCOUNT ID"]
        .as_str()
        .unwrap();
    let details = told(
        &server,
        &token,
        &["-k", &format!("{accounts}/{account}?AUTHTOKEN={{T}}")],
    );
    let password = format!("{accounts}/{account}/password?AUTHTOKEN={{T}}");
    let first = told(&server, &token, &["-k", &password]);
    let change = r"INPUT_DATA=\{operation:\{Details:\{NEWPASSWORD:Test12345$,RESETTYPE:LOCAL,REASON:test\}\}\}";
    let words = [
        &["-X", "PUT", "-k"],
        &json[..],
        &["--url", &password, "-d", change],
    ];
    let changed = told(&server, &token, &words.concat());
    let second = told(&server, &token, &["-k", &password]);
    let names = "{H}/resources/resourcename/Windows%20Server/accounts/accountname/Administrator?AUTHTOKEN={T}";
    let ids = told(&server, &token, &["-k", names]);
    let delete = format!("{{H}}/resources/{resource}?AUTHTOKEN={{T}}");
    let words = [&["-X", "POST", "-k"], &json[..], &[delete.as_str()]];
    let deleted = told(&server, &token, &words.concat());

    let message = "Resource Windows Server has been added successfully";
    assert_eq!(ending(&created), ["CREATE RESOURCE", "Success", message]);
    assert_eq!(
        ending(&listed)[1..],
        ["Success", "Resources fetched successfully"]
    );
    assert_eq!(ending(&list)[1], "Success");
    assert_eq!(ending(&details)[2], "Account details fetched successfully");
    assert_eq!(
        first["operation"]["Details"],
        json!({"PASSWORD": "Test123#@!"})
    );
    assert_eq!(ending(&changed)[2], "Password changed successfully");
    assert_eq!(
        second["operation"]["Details"],
        json!({"PASSWORD": "Test12345$"})
    );
    assert_eq!(
        ids["operation"]["Details"],
        json!({"RESOURCEID": resource, "ACCOUNTID": account})
    );
    assert_eq!(ending(&deleted)[2], "Resources deleted successfully.");
}

#[test]
fn a_password_on_request_goes_all_the_way_by_curl() {
    let (server, token) = served("password-user");
    let chief = user(&server, "chief", "password-administrator");
    server.resource("db1", "root", "First-Pass1!word");
    let approver = ["--approver", "chief@127.0.0.1"];
    server
        .claviger(&[&["access-control", "set", "db1/root"], &approver[..]].concat())
        .ok();
    server
        .claviger(&["share", "db1", "script@127.0.0.1", "--level", "view"])
        .ok();
    let names =
        "{H}/resources/getResourceIdAccountId?RESOURCENAME=db1&ACCOUNTNAME=root&AUTHTOKEN={T}";
    let ids = told(&server, &token, &[names]);
    let account = ids["operation"]["Details"]["ACCOUNTID"]
        .as_str()
        .unwrap()
        .to_owned();
    let resource = ids["operation"]["Details"]["RESOURCEID"]
        .as_str()
        .unwrap()
        .to_owned();
    let post = |token: &str, path: &str, data: &[&str]| {
        let url = format!("{{H}}/accounts/{account}/{path}?AUTHTOKEN={{T}}");
        told(&server, token, &[&["-X", "POST", &url], data].concat())
    };
    let reason = r#"INPUT_DATA={ "operation" : { "Details" : { "REASON" : "Testing"}}}"#;

    let asked = post(
        &token,
        "requestpassword",
        &["-G", "--data-urlencode", reason],
    );
    let list = told(
        &server,
        &chief,
        &["{H}/accounts/passwordaccessrequests?AUTHTOKEN={T}"],
    );
    let requester = list["operation"]["Details"][0]["REQUESTER USERID"]
        .as_str()
        .unwrap();
    let approved = post(&chief, &format!("requester/{requester}/approve"), &[]);
    let out = post(&token, "checkout", &["-d", reason]);
    let path = format!("{{H}}/resources/{resource}/accounts/{account}/password?AUTHTOKEN={{T}}");
    let password = told(&server, &token, &[&path]);
    let back = post(&token, "checkin", &[]);

    assert_eq!(
        asked["operation"]["Details"]["STATUS"],
        "WAITING FOR APPROVAL / CHECKOUT"
    );
    let entry = &list["operation"]["Details"][0]["PASSWORDREQUESTLIST"][0];
    assert_eq!(entry["REASON"], "Testing");
    assert_eq!(ending(&approved)[2], "Password Approved successfully");
    assert_eq!(out["operation"]["Details"]["STATUS"], "***** [checkIn]");
    assert_eq!(
        password["operation"]["Details"]["PASSWORD"],
        "First-Pass1!word"
    );
    assert_eq!(back["operation"]["Details"]["STATUS"], "[REQUEST]");
}

#[test]
fn curl_checks_the_servers_certificate_by_its_own_ca() {
    let (server, token) = served("password-user");

    let good = curl(&server, &token, &["-H", "AUTHTOKEN: {T}", "{H}/resources"]);
    let lost = curl(&server, &token, &["-w", "%{http_code}", "{H}/nowhere"]);

    assert_eq!(good.code(), 0, "{good}");
    assert!(good.stdout.contains("Resources fetched successfully"));
    assert!(lost.stdout.ends_with("404"), "{lost}");
}

/// The same story by the Python package `pypmp`, unchanged.
const STORY: &str = "
import json, os
from pypmp import PasswordManagerProClient
host, port = os.environ['PMP_ADDRESS'].split(':')
vault = PasswordManagerProClient(host, os.environ['PMP_TOKEN'], port=int(port), verify=os.environ['PMP_CA'])
vault.create_resource('db1', 'root', 'aB1%d@,$9', resource_type='Linux', notes='by pypmp',
    resource_password_policy='Low', account_password_policy='Low',
    custom_fields={'RESOURCECUSTOMFIELD': [{'CUSTOMLABEL': 'Secure', 'CUSTOMVALUE': 'YES'}]})
first = vault.get_password('db1', 'root')
resource = vault.get_resource_id('db1')
vault.add_account('app', 'a+b&c=d1X', resource, accountpasswordpolicy='Low', notes='second')
account = vault.get_account_by_name('db1', 'app')
second = vault.get_account_password(resource, account['ACCOUNT ID'])
details = vault.get_account(resource, account['ACCOUNT ID'])
names = [row['RESOURCE NAME'] for row in vault.get_resources()]
listed = [row['ACCOUNT NAME'] for row in vault.get_accounts(resource)['ACCOUNT LIST']]
vault.create_user('jason', 'Pa55w0Rd123', first_name='Jason', last_name='Thomas', role='Password User')
user = vault.get_user_id('jason')
vault.lock_user('jason')
vault.unlock_user('jason')
vault.delete_user(user)
gone = vault.get_user_id('jason') if False else None
generated = vault.generate_password('Strong')
requests = vault.get_password_requests()
vault.delete_resource(resource)
left = vault.get_resources()
print(json.dumps([first, second, details['PASSWORD STATUS'], names, listed, user is not None,
    len(generated) > 7, requests, left]))
";

#[test]
fn the_python_package_works_unchanged() {
    let Some(python) = python_with_pypmp() else {
        harness::not_run(
            "the_python_package_works_unchanged",
            "pip cannot install pypmp here",
        );
        return;
    };
    let (server, token) = served("administrator");
    let mut command = Command::new(python);
    command
        .args(["-W", "ignore", "-c", STORY])
        .env("PMP_ADDRESS", server.door("rest").to_string())
        .env("PMP_TOKEN", &token)
        .env("PMP_CA", server.ca())
        .env("NO_PROXY", "*");

    let ran = run(&mut command).ok();

    let answers: Value = serde_json::from_str(ran.stdout.trim()).unwrap();
    let expected = json!([
        "aB1%d@,$9",
        "a+b&c=d1X",
        "****",
        ["db1"],
        ["root", "app"],
        true,
        true,
        null,
        null
    ]);
    assert_eq!(answers, expected, "{ran}");
}

/// A Python that has the package, made once and kept beside the test programs.
fn python_with_pypmp() -> Option<PathBuf> {
    let home = harness::claviger_program().parent()?.join("pypmp-venv");
    let python = home.join("bin/python");
    let has_it = |python: &PathBuf| {
        let mut command = Command::new(python);
        python.is_file() && run(command.args(["-c", "import pypmp"])).code() == 0
    };
    if has_it(&python) {
        return Some(python);
    }
    let mut make = Command::new("python3");
    if run(make.args(["-m", "venv", "--clear"]).arg(&home)).code() != 0 {
        return None;
    }
    let mut install = Command::new(home.join("bin/pip"));
    let pinned = [
        "install",
        "--quiet",
        "--timeout",
        "15",
        "--retries",
        "1",
        "pypmp==0.3.0.post1",
    ];
    let installed = harness::run_for(install.args(pinned), Duration::from_secs(180));
    (installed.code() == 0 && has_it(&python)).then_some(python)
}
