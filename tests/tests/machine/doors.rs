//! `RESET_REMOTE` through every door that has it. Each time the new password logs in and is given
//! out, and where the machine refuses it the one before stays.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use harness::{Ran, run, xml};
use serde_json::Value;

use crate::Stand;
use crate::machine::User;

const FIRST: &str = "0ld-S3cret-of-it";
const SECOND: &str = "N3w-S3cret-of-it";

/// A resource `web1` whose one account is a user of this machine that changes its own password.
fn stand(name: &str) -> Option<(Stand, User)> {
    let stand = Stand::new(name)?;
    let user = User::with(FIRST);
    stand.server.resource("web1", &user.0, FIRST);
    stand.target("web1", &[]);
    Some((stand, user))
}

impl Stand {
    /// An API user of this role, and what it may do with `web1`.
    fn caller(&self, role: &str, level: &str) {
        let words = ["user", "add", LOGIN, "--api", "--role", role];
        self.server.claviger(&words).ok();
        let words = ["share", "web1", LOGIN, "--level", level];
        self.server.claviger(&words).ok();
    }
}

const LOGIN: &str = "script@127.0.0.1";

#[test]
fn xml_rpc_changes_a_password_on_a_machine() {
    let Some((stand, user)) = stand("xml_rpc_changes_a_password_on_a_machine") else {
        return;
    };
    let app = stand.server.app("app1");
    stand.server.share("web1", &app, "modify");
    let call = |method, words: &[&str]| stand.server.call(&app, method, words).text();
    let change = |password| {
        let words = ["web1", &user.0, password, "why", "true"];
        call("pmp.password.change", &words)
    };
    let given = || xml::value(&call("retrievePassword", &["web1", &user.0]));

    change(SECOND);
    assert_eq!(given().as_deref(), Some(SECOND));
    assert!(stand.lets_in(&user.0, SECOND) && !stand.lets_in(&user.0, FIRST));

    user.set("S0mebody-elses");
    let refused = change("Th1rd-S3cret-of-it");
    let message = xml::member(&refused, "message").unwrap();
    assert!(message.starts_with("Password reset failed"), "{message}");
    assert_eq!(given().as_deref(), Some(SECOND));
}

/// The REST door, by curl.
struct Rest<'a> {
    stand: &'a Stand,
    token: String,
}

impl Rest<'_> {
    #[track_caller]
    fn told(&self, path: &str, words: &[&str]) -> Value {
        let base = format!("https://{}/restapi/json/v1", self.stand.server.door("rest"));
        let mut command = Command::new("curl");
        command
            .args(["-sS", "--max-time", "60", "--noproxy", "*", "--cacert"])
            .arg(self.stand.server.ca())
            .args(["-H", &format!("AUTHTOKEN: {}", self.token)])
            .args(words)
            .arg(format!("{base}{path}"));
        let ran = run(&mut command).ok();
        serde_json::from_str(&ran.stdout).unwrap_or_else(|why| panic!("{why}: {ran}"))
    }

    #[track_caller]
    fn change(&self, path: &str, password: &str) -> Value {
        let input = format!(
            r#"INPUT_DATA={{"operation":{{"Details":{{"NEWPASSWORD":"{password}","RESETTYPE":"REMOTE","REASON":"why"}}}}}}"#
        );
        let answer = self.told(path, &["-X", "PUT", "--data-urlencode", &input]);
        answer["operation"]["result"].clone()
    }
}

#[test]
fn rest_changes_a_password_on_a_machine() {
    let Some((stand, user)) = stand("rest_changes_a_password_on_a_machine") else {
        return;
    };
    stand.caller("password-user", "modify");
    let token = stand.server.claviger(&["user", "token", "issue", LOGIN]);
    let token = token.ok().stdout.trim().to_owned();
    let rest = Rest {
        stand: &stand,
        token,
    };
    let names = format!(
        "/resources/getResourceIdAccountId?RESOURCENAME=web1&ACCOUNTNAME={}",
        user.0
    );
    let ids = rest.told(&names, &[]);
    let id = |name| ids["operation"]["Details"][name].as_str().unwrap();
    let path = format!(
        "/resources/{}/accounts/{}/password",
        id("RESOURCEID"),
        id("ACCOUNTID")
    );
    let given = || rest.told(&path, &[])["operation"]["Details"]["PASSWORD"].clone();

    let changed = rest.change(&path, SECOND);
    assert_eq!(changed["message"], "Password changed successfully");
    assert_eq!(given(), SECOND);
    assert!(stand.lets_in(&user.0, SECOND) && !stand.lets_in(&user.0, FIRST));

    user.set("S0mebody-elses");
    let refused = rest.change(&path, "Th1rd-S3cret-of-it");
    assert_eq!(refused["status"], "Failed");
    let message = refused["message"].as_str().unwrap();
    assert!(message.starts_with("Password reset failed"), "{message}");
    assert_eq!(given(), SECOND);
}

/// The SSH door, by OpenSSH's client.
struct Ssh<'a> {
    stand: &'a Stand,
    key: PathBuf,
}

impl Ssh<'_> {
    #[track_caller]
    fn says(&self, words: &[&str]) -> Ran {
        let port = self.stand.server.door("ssh").port().to_string();
        let mut command = Command::new("ssh");
        command
            .args(["-q", "-F", "none", "-p", &port, "-o", "BatchMode=yes"])
            .args(["-o", "StrictHostKeyChecking=no"])
            .args(["-o", "UserKnownHostsFile=/dev/null"])
            .args(["-o", "IdentitiesOnly=yes", "-l", "script", "127.0.0.1"])
            .arg("-i")
            .arg(&self.key)
            .args(words)
            .env_remove("SSH_AUTH_SOCK");
        run(&mut command)
    }
}

#[test]
fn ssh_changes_a_password_on_a_machine() {
    let Some((stand, user)) = stand("ssh_changes_a_password_on_a_machine") else {
        return;
    };
    stand.caller("password-user", "modify");
    let key = stand.server.outside().join("id");
    let mut made = Command::new("ssh-keygen");
    made.args(["-q", "-N", "", "-t", "ed25519", "-f"]).arg(&key);
    run(&mut made).ok();
    let public = format!("{}.pub", key.display());
    let words = ["user", "ssh-key", "add", LOGIN, &public];
    stand.server.claviger(&words).ok();
    let ssh = Ssh { stand: &stand, key };
    let account = format!("--account={}", user.0);
    let place = ["--resource=web1", account.as_str(), "--reason=why"];
    let given = || ssh.says(&[&["RETRIEVE"], &place[..]].concat()).ok().stdout;
    let change = |password: &str| {
        let new = format!("--newpassword={password}");
        ssh.says(&[&["RESET_REMOTE", new.as_str()], &place[..]].concat())
    };

    let changed = change(SECOND).ok();
    assert_eq!(changed.stdout, "Password changed successfully\n");
    assert_eq!(given(), format!("{SECOND}\n"));
    assert!(stand.lets_in(&user.0, SECOND) && !stand.lets_in(&user.0, FIRST));

    user.set("S0mebody-elses");
    let refused = change("Th1rd-S3cret-of-it").ended(4);
    assert!(
        refused.stderr.starts_with("ERROR: Password reset failed"),
        "{refused}"
    );
    assert_eq!(given(), format!("{SECOND}\n"));
}

#[test]
fn the_toolkit_changes_a_password_on_a_machine() {
    let Some((stand, user)) = stand("the_toolkit_changes_a_password_on_a_machine") else {
        return;
    };
    stand.caller("password-administrator", "manage");
    let identity = stand.server.issue("nightly");
    let cert = identity.cert.to_string_lossy();
    let who = ["app", "add", "nightly", "--host", "127.0.0.1"];
    let what = ["--type", "Linux", "--allow", "retrieve,reset"];
    let whose = ["--inherit", LOGIN, "--cert", &cert];
    let words = [&who[..], &what, &whose].concat();
    stand.server.claviger(&words).ok();
    let folder = stand.server.outside().join("toolkit");
    let out = folder.to_string_lossy().into_owned();
    let words = ["app", "toolkit", "nightly", "--out", &out];
    stand.server.claviger(&words).ok();
    let file = folder.join("PMP_API.conf");
    let text = fs::read_to_string(&file).unwrap();
    let text = text
        .replace("ClientCertPath=\n", &format!("ClientCertPath={cert}\n"))
        .replace(
            "ClientKeyPath=\n",
            &format!("ClientKeyPath={}\n", identity.key.display()),
        );
    fs::write(&file, text).unwrap();
    let api = |words: &[&str]| {
        let mut command = Command::new(folder.join("PMP_API.sh"));
        command.env_remove("CLAVIGER_AGENT");
        // Other tests keep this machine busy.
        command.env("CLAVIGER_CONNECT_TIMEOUT", "1m");
        run(command.args(words))
    };
    let given = || api(&["RETRIEVE", "web1", &user.0]).ok().stdout;

    let changed = api(&["RESET_REMOTE", "web1", &user.0, SECOND]).ok();
    assert_eq!(changed.stdout, "Password changed successfully\n");
    assert_eq!(given(), format!("{SECOND}\n"));
    assert!(stand.lets_in(&user.0, SECOND) && !stand.lets_in(&user.0, FIRST));

    user.set("S0mebody-elses");
    let refused = api(&["RESET_REMOTE", "web1", &user.0, "Th1rd-S3cret-of-it"]);
    let refused = refused.ended(4);
    assert_eq!(refused.stdout, "Password reset failed\n");
    assert_eq!(given(), format!("{SECOND}\n"));
}
