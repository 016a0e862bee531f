//! Telling of changes through the true program: by whatever door a secret is changed, whoever may
//! retrieve it hears of that, until it may no more.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use harness::{Identity, Openssl, PATIENCE, Server, SetUp, claviger_program, run};
use serde_json::{Value, json};

use crate::scene::{Furnished, NO_PACKAGE, PASSWORD, python_with, ssh_key};

const HUB: &str = "/service/a2a/signalr";

/// A client that goes on listening; it ends with its owner.
struct Listening {
    child: Child,
    lines: Receiver<String>,
}

impl Listening {
    #[track_caller]
    fn start(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        Self { child, lines }
    }

    /// The next line with `words` in it.
    #[track_caller]
    fn until(&self, words: &str) -> String {
        let mut passed = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => passed.push(line),
                Err(why) => panic!("{why}, and never heard {words:?} after {passed:?}"),
            }
        }
    }

    /// Waits until it ends by itself.
    #[track_caller]
    fn end(mut self) {
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whoever changes the password, by every door there is.
struct Changers<'a> {
    server: &'a Server,
    program: Identity,
    token: String,
    key: std::path::PathBuf,
}

impl<'a> Changers<'a> {
    fn new(server: &'a Server) -> Self {
        let program = server.app("changer");
        server.share("db1", &program, "modify");
        let login = "changer@127.0.0.1";
        let token = server.claviger(&["user", "token", "issue", login]).ok();
        ssh_key(server, "");
        let key = server.outside().join("id0");
        let public = format!("{}.pub", key.display());
        server
            .claviger(&["user", "ssh-key", "add", login, &public])
            .ok();
        let keeper = keeper(server.outside());
        let mut set = Command::new(claviger_program());
        set.arg("--data").arg(server.data());
        set.args([
            "resource",
            "target",
            "set",
            "db1",
            "--connector",
            "command",
            "--",
        ]);
        run(set.arg(keeper)).ok();
        Self {
            server,
            program,
            token: token.stdout.trim().to_owned(),
            key,
        }
    }

    /// On its target, by the operator's command: first, for the other doors change it here only.
    fn by_command(&self) {
        self.server.claviger(&["reset", "db1/root"]).ok();
    }

    fn by_xmlrpc(&self) {
        let words = ["db1", "root", "By-Xmlrpc1!word", "why", "false"];
        let answer = self.server.call(&self.program, "changePassword", &words);
        assert!(!harness::xml::is_fault(&answer.text()), "{}", answer.text());
    }

    fn by_rest(&self) {
        let base = format!("https://{}/restapi/json/v1", self.server.door("rest"));
        let find = "resources/resourcename/db1/accounts/accountname/root";
        let ids = self.rest(&["-X", "GET"], &format!("{base}/{find}"));
        let ids = &ids["operation"]["Details"];
        let [resource, account] = ["RESOURCEID", "ACCOUNTID"].map(|id| ids[id].as_str().unwrap());
        let url = format!("{base}/resources/{resource}/accounts/{account}/password");
        let change = json!({"operation": {"Details": {
            "NEWPASSWORD": "By-Rest1!word", "RESETTYPE": "LOCAL", "REASON": "why",
        }}});
        let change = format!("INPUT_DATA={change}");
        let told = self.rest(&["-X", "PUT", "--data-urlencode", &change], &url);
        let result = &told["operation"]["result"];
        assert_eq!(result["status"], "Success", "{told}");
    }

    fn rest(&self, words: &[&str], url: &str) -> Value {
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "30", "--noproxy", "*", "--cacert"]);
        command.arg(self.server.ca()).args(words);
        let token = format!("AUTHTOKEN: {}", self.token);
        let ran = run(command.args(["-H", &token, url])).ok();
        serde_json::from_str(&ran.stdout).unwrap_or_else(|why| panic!("{why}: {ran}"))
    }

    fn by_ssh(&self) {
        let port = self.server.door("ssh").port().to_string();
        let known = self.server.outside().join("known_hosts");
        let mut command = Command::new("ssh");
        command.args(["-F", "none", "-p", &port, "-o", "BatchMode=yes"]);
        command.args([
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "StrictHostKeyChecking=accept-new",
        ]);
        command
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", known.display()));
        command
            .args(["-l", "changer", "127.0.0.1", "-i"])
            .arg(&self.key);
        command.args(["RESET_LOCAL", "--resource=db1", "--account=root"]);
        command.args(["--newpassword=By-Ssh1!word", "--reason=why"]);
        run(command.env_remove("SSH_AUTH_SOCK")).ok();
    }
}

/// A target that keeps one password in a file, and who changes it.
fn keeper(home: &Path) -> std::path::PathBuf {
    let program = home.join("keeper");
    fs::write(&program, KEEPER).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(home.join("password"), PASSWORD).unwrap();
    program
}

const KEEPER: &str = r#"#!/bin/sh
here=$(dirname "$0")
IFS= read -r first
[ "$first" = "$(cat "$here/password")" ] || exit 1
[ "$CLAVIGER_ACTION" = verify ] && exit 0
IFS= read -r second
printf '%s' "$second" > "$here/password"
"#;

/// The vendor's own listeners show no certificate, so they log in with it; each line they print
/// names who has heard what.
#[test]
fn the_vendors_listeners_hear_of_a_change_by_every_door() {
    // They answer no pings: they are heard all the same.
    let set_up = SetUp::default().set("doors.a2a", "ping", "\"200ms\"").set(
        "doors.a2a",
        "silence_timeout",
        "\"1s\"",
    );
    let furnished = Furnished::set_up(set_up, false);
    let changers = Changers::new(&furnished.server);
    let mut listening = Vec::new();
    for (version, story, names) in [
        ("8.2.1", NEW_LISTENERS, &["persistent", "once"][..]),
        ("7.4.0", OLD_LISTENER, &["old"]),
    ] {
        let Some(python) = python_with(version) else {
            let name = "the_vendors_listeners_hear_of_a_change_by_every_door";
            harness::not_run(name, NO_PACKAGE);
            continue;
        };
        let mut command = furnished.python_command(&python, story, &json!(null));
        let listener = Listening::start(&mut command);
        listener.until("listens");
        listening.push((listener, names));
    }

    let doors: [(&str, &dyn Fn()); 4] = [
        ("claviger", &|| changers.by_command()),
        ("xmlrpc", &|| changers.by_xmlrpc()),
        ("rest", &|| changers.by_rest()),
        ("ssh", &|| changers.by_ssh()),
    ];
    for (door, change) in doors {
        change();

        for (listener, names) in &listening {
            let mut heard: Vec<String> = names.iter().map(|_| listener.until("heard")).collect();
            heard.sort();
            let mut expected = names.iter().map(told).collect::<Vec<_>>();
            expected.sort();
            assert_eq!(heard, expected, "{door}");
        }
    }
}

fn told(name: &&str) -> String {
    format!("heard {name} AssetAccountPasswordUpdated root db1")
}

const NEW_LISTENERS: &str = r#"
import os, threading
from pysafeguard import CertificateAuth, SafeguardClient
from pysafeguard.event import PersistentSafeguardEventListener
def hear(who):
    def heard(name, body):
        body = json.loads(body)
        # In one piece: each listener has a thread of its own.
        os.write(1, f"heard {who} {name} {body['AccountName']} {body['AssetName']}\n".encode())
    return heard
name = 'AssetAccountPasswordUpdated'
persistent = PersistentSafeguardEventListener.from_certificate(host, cert, key, verify=ca)
persistent.on(name, hear('persistent'))
persistent.start()
client = SafeguardClient(host, auth=CertificateAuth(cert, key), verify=ca)
client.login()
once = client.get_event_listener()
once.on(name, hear('once'))
once.start()
assert persistent.is_started and once.is_started
print('listens', flush=True)
threading.Event().wait()
"#;

const OLD_LISTENER: &str = r#"
import threading
from pysafeguard import *
def heard(events):
    for event in events:
        body = event['Data']
        print('heard old', event['Name'], body['AccountName'], body['AssetName'], flush=True)
connection = PySafeguardConnection(host, ca)
PySafeguardConnection.register_signalr_certificate(connection, heard, cert, key)
print('listens', flush=True)
threading.Event().wait()
"#;

/// What the vendor's package listens with, told to show the certificate.
const ALL_KEYS: &str = r#"
import ssl, threading
from signalrcore.hub_connection_builder import HubConnectionBuilder
from signalrcore.protocol.json_hub_protocol import JsonHubProtocol
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(cert, key)
options = {'headers': {'Authorization': 'A2A ' + ' '.join(more)}, 'ssl_context': context}
hub = HubConnectionBuilder().with_url(f'https://{host}/service/a2a/signalr', options=options)
hub = hub.with_hub_protocol(JsonHubProtocol(version=1)).build()
def heard(events):
    for event in events:
        print('heard', event['Name'], event['Data']['AccountName'], flush=True)
hub.on('NotifyEventAsync', heard)
closed = threading.Event()
hub.on_close(closed.set)
hub.start()
print('listens', flush=True)
closed.wait()
print('closed', flush=True)
"#;

impl Furnished {
    /// Lets the program have one more account: its key.
    fn one_more(&self, account: &str) -> String {
        let add = ["account", "add", "db1", account, "--password-stdin"];
        self.server.claviger_with_input(&add, PASSWORD).ok();
        let what = ["Billing", &format!("db1/{account}")];
        for verb in ["add", "key"] {
            let words = [&["a2a", "account", verb][..], &what].concat();
            let ran = self.server.claviger(&words).ok();
            if verb == "key" {
                return ran.stdout.trim().to_owned();
            }
        }
        String::new()
    }

    /// Sets the password of the account that `key` is for.
    fn set(&self, key: &str, password: &str) {
        let words = ["-X", "PUT", "-H", "Content-Type: application/json", "-d"];
        let body = json!(password).to_string();
        let path = "/service/a2a/v4/Credentials/Password";
        let told = self.a2a(key, &[&words[..], &[&body]].concat(), path);
        assert_eq!(told.0, 204, "{}", told.1);
    }

    /// curl that prints server-sent events as they come, its hands shaken.
    fn feed(&self, identity: &Identity) -> Listening {
        let key = format!("Authorization: A2A {}", self.key);
        let post = ["-X", "POST", "-H", &key];
        let path = format!("{HUB}/negotiate?negotiateVersion=1");
        let ran = self.curl(Some(identity), &post, &path);
        let (body, _) = ran.stdout.rsplit_once('\n').unwrap();
        let told: Value = serde_json::from_str(body).unwrap_or_else(|why| panic!("{why}: {ran}"));
        let token = told["connectionToken"].as_str().unwrap();
        let path = format!("{HUB}?id={token}");
        let hand = "{\"protocol\":\"json\",\"version\":1}\u{1e}";
        let words = ["-X", "POST", "-H", &key, "--data-binary", hand];
        assert!(
            self.curl(Some(identity), &words, &path)
                .stdout
                .ends_with("200")
        );
        let mut command = Command::new("curl");
        command
            .args(["-sS", "-N", "--noproxy", "*", "--cacert"])
            .arg(self.server.ca());
        command
            .arg("--cert")
            .arg(&identity.cert)
            .arg("--key")
            .arg(&identity.key);
        command.args(["-H", &key, "-H", "Accept: text/event-stream"]);
        command.arg(format!("https://{}{path}", self.server.door("a2a")));
        let feed = Listening::start(&mut command);
        feed.until("data: {}");
        feed
    }
}

#[test]
fn several_keys_listen_on_one_connection_until_one_of_them_is_removed() {
    let name = "several_keys_listen_on_one_connection_until_one_of_them_is_removed";
    let Some(python) = python_with("8.2.1") else {
        harness::not_run(name, NO_PACKAGE);
        return;
    };
    let furnished = Furnished::new(true);
    let keys = [furnished.key.clone(), furnished.one_more("app")];
    let unheard = furnished.one_more("other");
    let mut command = furnished.python_command(&python, ALL_KEYS, &json!(keys));
    let listener = Listening::start(&mut command);
    listener.until("listens");
    let feed = furnished.feed(&furnished.program);

    furnished.set(&unheard, "Third-Pass3!word");
    furnished.set(&keys[1], "Second-Pass2!word");
    let heard = listener.until("heard");
    assert_eq!(heard, "heard AssetAccountPasswordUpdated app");
    furnished.set(&keys[0], "Second-Pass2!word");
    let heard = listener.until("heard");
    assert_eq!(heard, "heard AssetAccountPasswordUpdated root");
    let heard = feed.until("NotifyEventAsync");
    assert!(heard.contains(r#""AccountName":"root""#), "{heard}");
    assert!(!heard.contains("Second-Pass2!word"));

    let remove = ["a2a", "account", "remove", "Billing", "db1/root"];
    furnished.server.claviger(&remove).ok();

    listener.until("closed");
    feed.until("You may not listen any more.");
    feed.end();
    furnished.set(&keys[1], "Third-Pass3!word");
}

#[test]
fn a_revoked_certificate_ends_an_open_stream() {
    let set_up = SetUp::default().set("tls", "poll_interval", "\"20ms\"");
    let openssl = Openssl::new();
    let furnished = Furnished::of_one_ca(set_up, &openssl);
    let list = |revoked: &[&Identity], times| {
        let (beside, place) = (
            furnished.server.outside().join("new"),
            furnished.server.data().join("crl/a.crl"),
        );
        fs::copy(openssl.revocation_list("root", revoked), &beside).unwrap();
        fs::rename(&beside, place).unwrap();
        furnished
            .server
            .await_log("the revocation lists were read again", times);
    };
    list(&[], 1);
    let feed = furnished.feed(&furnished.program);

    list(&[&furnished.program], 2);

    feed.until("You may not listen any more.");
    feed.end();
    let key = format!("Authorization: A2A {}", furnished.key);
    let path = format!("{HUB}/negotiate");
    let refused = furnished.curl(Some(&furnished.program), &["-X", "POST", "-H", &key], &path);
    assert!(refused.stdout.ends_with("401"), "{refused}");
}
