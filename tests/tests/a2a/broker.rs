//! Requests that a program raises in a person's name, through the true program: by the vendor's
//! package in, by the REST door out.

use std::process::Command;

use harness::run;
use serde_json::{Value, json};

use crate::scene::{Furnished, NO_PACKAGE, PASSWORD, python_with};

/// Ann may request the account `root`, the chief approves, and a program raises it for her.
struct Scene {
    furnished: Furnished,
    /// The broker's API key.
    key: String,
    /// Their tokens at the REST door.
    ann: String,
    chief: String,
}

impl Scene {
    fn new() -> Self {
        let furnished = Furnished::new(false);
        let server = &furnished.server;
        let [ann, chief, _] = ["ann", "chief", "eve"].map(|name| {
            let add = ["user", "add", name, "--person", "--role", "password-user"];
            let words = [&add[..], &["--password-stdin"]].concat();
            server.claviger_with_input(&words, "Some-Pass1!word").ok();
            server
                .claviger(&["share", "db1", name, "--level", "view"])
                .ok();
            let ran = server.claviger(&["user", "token", "issue", name]).ok();
            ran.stdout.trim().to_owned()
        });
        for account in ["app1", "app2"] {
            let add = ["account", "add", "db1", account, "--password-stdin"];
            server.claviger_with_input(&add, PASSWORD).ok();
        }
        let control = ["access-control", "set", "db1/root", "--approver", "chief"];
        server.claviger(&control).ok();
        server
            .claviger(&["a2a", "broker", "set", "Billing", "--user", "ann"])
            .ok();
        let key = server.claviger(&["a2a", "broker", "key", "Billing"]).ok();
        Self {
            key: key.stdout.trim().to_owned(),
            furnished,
            ann,
            chief,
        }
    }

    /// The answer of the REST door to `GET` or, with words, to something else.
    #[track_caller]
    fn rest(&self, token: &str, words: &[&str], path: &str) -> Value {
        let server = &self.furnished.server;
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "30", "--noproxy", "*", "--cacert"]);
        command
            .arg(server.ca())
            .args(["-H", &format!("AUTHTOKEN: {token}")]);
        let url = format!("https://{}/restapi/json/v1/{path}", server.door("rest"));
        let ran = run(command.args(words).arg(url)).ok();
        let mut told: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|why| panic!("{why}: {ran}"));
        let result = &told["operation"]["result"];
        assert_eq!(result["status"], "Success", "{path}: {told}");
        told["operation"]["Details"].take()
    }

    /// What ann has in hand once the chief has approved what was raised for her.
    fn taken(&self) -> Value {
        let find = "resources/resourcename/db1/accounts/accountname/root";
        let ids = self.rest(&self.ann, &[], find);
        let [resource, account] = ["RESOURCEID", "ACCOUNTID"].map(|id| ids[id].as_str().unwrap());
        let accounts = self.rest(&self.ann, &[], &format!("resources/{resource}/accounts"));
        let list = accounts["ACCOUNT LIST"].as_array().unwrap();
        let waits = list
            .iter()
            .find(|row| row["ACCOUNT ID"] == account)
            .unwrap();
        assert_eq!(waits["PASSWORD STATUS"], "WAITING FOR APPROVAL / CHECKOUT");
        let requests = self.rest(&self.chief, &[], "accounts/passwordaccessrequests");
        let entry = &requests[0]["PASSWORDREQUESTLIST"][0];
        assert_eq!(entry["REASON"], "restart");
        let requester = requests[0]["REQUESTER USERID"].as_str().unwrap();
        let post = |token: &str, step: &str| {
            self.rest(
                token,
                &["-X", "POST"],
                &format!("accounts/{account}/{step}"),
            )
        };
        post(&self.chief, &format!("requester/{requester}/approve"));
        post(&self.ann, "checkout");
        let password = self.rest(
            &self.ann,
            &[],
            &format!("resources/{resource}/accounts/{account}/password"),
        );
        let back = post(&self.ann, "checkin");
        assert_eq!(back["STATUS"], "[REQUEST]");
        password["PASSWORD"].clone()
    }

    /// What the package is told of each of these requests: a state, or a refusal.
    fn broker(&self, version: &str, asked: &[Value]) -> Option<Value> {
        let python = python_with(version)?;
        let story = if version == "8.2.1" { NEW } else { OLD };
        let more = json!({"key": self.key, "asked": asked});
        Some(self.furnished.python(&python, story, &more))
    }
}

/// Its answer is the text of a Python dictionary.
const NEW: &str = r#"
import ast
from pysafeguard import A2AContext
from pysafeguard.errors import ApiError
told = []
with A2AContext(host, cert, key, verify=ca) as a2a:
    for asked in more['asked']:
        try:
            made = ast.literal_eval(a2a.broker_access_request(more['key'], asked))
            told.append([made['State'], made['RequesterUsername'], made['AccountName']])
        except ApiError as refused:
            model = json.loads(refused.response_body).get('ModelState', {})
            told.append([refused.status_code, refused.error_code, model])
print(json.dumps(told))
"#;

const OLD: &str = r#"
from pysafeguard import *
told = []
connection = PySafeguardConnection(host, ca)
for asked in more['asked']:
    shows = {'Authorization': 'A2A ' + more['key']}
    answer = connection.invoke(HttpMethods.POST, Services.A2A, 'AccessRequests', body=asked,
                               additionalHeaders=shows, cert=(cert, key))
    body = answer.json()
    if answer.status_code == 201:
        told.append([body['State'], body['RequesterUsername'], body['AccountName']])
    else:
        told.append([answer.status_code, body['Code'], body.get('ModelState', {})])
print(json.dumps(told))
"#;

fn request(user: &str, account: &str) -> Value {
    json!({"ForUser": user, "AssetName": "db1", "AccountName": account,
        "AccessRequestType": "Password", "ReasonComment": "restart"})
}

#[test]
fn a_brokered_request_is_approved_and_checked_out_through_rest() {
    let scene = Scene::new();
    for version in ["8.2.1", "7.4.0"] {
        let Some(told) = scene.broker(version, &[request("ann", "root")]) else {
            let name = "a_brokered_request_is_approved_and_checked_out_through_rest";
            harness::not_run(name, NO_PACKAGE);
            continue;
        };

        assert_eq!(
            told,
            json!([["PendingApproval", "ann", "root"]]),
            "{version}"
        );
        assert_eq!(scene.taken(), PASSWORD, "{version}");
    }
    let trail = ["audit", "tail", "-n", "100", "--json"];
    let trail = scene.furnished.server.claviger(&trail).ok();
    let who = "registration Billing for billing@127.0.0.1 in the name of ann";
    assert!(trail.stdout.contains(who), "{trail}");
}

#[test]
fn a_broker_that_means_nobody_or_may_not_is_refused() {
    let name = "a_broker_that_means_nobody_or_may_not_is_refused";
    let scene = Scene::new();
    let server = &scene.furnished.server;
    let eve = server.claviger(&["user", "show", "eve", "--json"]).ok();
    let eve: Value = serde_json::from_str(&eve.stdout).unwrap();
    let asked = [
        request("ann", "app"),
        request("ann", "nothing"),
        request("nobody", "root"),
        // She may, and not by this broker: by her name she is not found, and her number is no news.
        request("eve", "root"),
        json!({"ForUserId": eve["id"], "AssetName": "db1", "AccountName": "root",
            "AccessRequestType": "Password"}),
    ];
    for version in ["8.2.1", "7.4.0"] {
        let Some(told) = scene.broker(version, &asked) else {
            harness::not_run(name, NO_PACKAGE);
            continue;
        };

        for (at, member, words) in [
            (0, "AccountName", "more than one account"),
            (1, "AccountName", "no account"),
            (2, "ForUser", "no user"),
            (3, "ForUser", "no user"),
        ] {
            assert_eq!([&told[at][0], &told[at][1]], [400, 70000], "{told}");
            let why = told[at][2][format!("entity.{member}")][0].as_str();
            assert!(why.is_some_and(|why| why.contains(words)), "{told}");
        }
        assert_eq!(told[4], json!([403, 60108, {}]), "{version}");

        let set = ["a2a", "broker", "set", "Billing", "--user", "ann", "--from"];
        for (from, disabled) in [("192.0.2.0/24", "false"), ("127.0.0.1", "true")] {
            server.claviger(&[&set[..], &[from]].concat()).ok();
            server
                .claviger(&["a2a", "edit", "Billing", "--disabled", disabled])
                .ok();
            let told = scene.broker(version, &[request("ann", "root")]).unwrap();
            assert_eq!(told, json!([[403, 60108, {}]]), "{version}: {from}");
        }
        server
            .claviger(&["a2a", "edit", "Billing", "--disabled", "false"])
            .ok();
    }
    let trail = server
        .claviger(&["audit", "tail", "-n", "100", "--json"])
        .ok();
    for why in ["wrong-host", "locked", "no-such-thing"] {
        assert!(
            trail.stdout.contains(&format!("refused: {why}")),
            "{why}: {trail}"
        );
    }
    assert!(!trail.stdout.contains(&scene.key));
}
