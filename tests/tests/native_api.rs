//! The native admin API away from the machine: persons who sign in, and programs with a token,
//! through the true program by curl.

use std::process::Command;

use harness::{Server, SetUp, run};
use serde_json::{Value, json};

/// A server where Argon2id costs what it must at least, with an administrator and a user who are
/// persons.
fn served(set_up: SetUp) -> Server {
    let server = Server::start(set_up);
    for (name, value) in [("sign-in-memory-mib", "19"), ("sign-in-passes", "2")] {
        server.claviger(&["setting", "set", name, value]).ok();
    }
    for (name, role) in [("ann", "administrator"), ("ben", "password-user")] {
        let words = ["user", "add", name, "--person", "--role", role];
        let words = [&words[..], &["--password-stdin"]].concat();
        server.claviger_with_input(&words, PASSWORD).ok();
    }
    server
}

const PASSWORD: &str = "correct horse battery";

/// An answer: its status, and its JSON if it has any.
struct Told {
    status: u16,
    json: Value,
}

impl Told {
    fn problem(&self) -> &str {
        let kind = self.json["type"].as_str().unwrap_or_default();
        kind.strip_prefix("tag:claviger,2026:").unwrap_or_default()
    }
}

/// One request below `/api`.
fn ask(server: &Server, token: &str, (method, path): (&str, &str), body: &Value) -> Told {
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "30", "--noproxy", "*", "--cacert"]);
    command.arg(server.ca());
    command.args(["-w", "\n%{http_code}", "-X", method]);
    if !token.is_empty() {
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    if !body.is_null() {
        command.args(["-H", "Content-Type: application/json", "-d"]);
        command.arg(body.to_string());
    }
    command.arg(format!("https://{}/api{path}", server.door("rest")));
    let ran = run(&mut command).ok();
    let (body, status) = ran.stdout.rsplit_once('\n').unwrap();
    Told {
        status: status.parse().unwrap(),
        json: serde_json::from_str(body).unwrap_or_default(),
    }
}

fn sign_in(server: &Server, name: &str) -> String {
    let with = json!({"name": name, "password": PASSWORD});
    let told = ask(server, "", ("POST", "/v1/session"), &with);
    assert_eq!(told.status, 201, "{}", told.json);
    told.json["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_person_signs_in_administers_by_its_own_rights_and_signs_out() {
    let server = served(SetUp::default());
    let (ann, ben) = (sign_in(&server, "ann"), sign_in(&server, "Ben"));
    let users = ("GET", "/v1/users");

    let who = ask(&server, &ann, ("GET", "/v1/session"), &Value::Null);
    let all = ask(&server, &ann, users, &Value::Null);
    let none = ask(&server, &ben, users, &Value::Null);
    let out = ask(&server, &ann, ("DELETE", "/v1/session"), &Value::Null);
    let after = ask(&server, &ann, users, &Value::Null);

    assert_eq!(
        who.json,
        json!({"login": "ann", "role": "administrator", "organisation": "default"})
    );
    assert_eq!(
        (all.status, all.json["items"][0]["login"].as_str()),
        (200, Some("ann"))
    );
    assert_eq!((none.status, none.problem()), (403, "forbidden"));
    assert_eq!(out.status, 204);
    assert_eq!((after.status, after.problem()), (401, "unknown"));
    let trail = server
        .claviger(&["audit", "tail", "-n", "1000", "--json"])
        .ok()
        .stdout;
    let refused = trail
        .lines()
        .find(|line| line.contains("\"caller\":\"ben\"") && line.contains("not-allowed"));
    assert!(
        refused.is_some_and(|line| line.contains("127.0.0.1")),
        "{trail}"
    );
    for told in [trail, server.log()] {
        assert!(!told.contains(&ann) && !told.contains(PASSWORD), "{told}");
    }
}

#[test]
fn an_administrator_makes_users_and_applications_whose_trust_is_not_its_to_know() {
    let server = served(SetUp::default());
    let ann = sign_in(&server, "ann");
    let pem = |name: &str| std::fs::read_to_string(server.issue(name).cert).unwrap();
    let user = json!({"login": "app@127.0.0.1", "role": "password-user",
        "certificates": [pem("app")]});
    let app = json!({"name": "nightly", "host": "127.0.0.1", "type": "Linux",
        "allow": ["retrieve"], "inherit": "app@127.0.0.1", "certificates": [pem("nightly")]});

    let user = ask(&server, &ann, ("POST", "/v1/users"), &user);
    let app = ask(&server, &ann, ("POST", "/v1/applications"), &app);
    let trusted = ask(&server, &ann, ("GET", "/v1/certificates"), &Value::Null);

    for made in [user, app] {
        assert_eq!(made.status, 201, "{}", made.json);
        let warning = made.json["warnings"][0].as_str().unwrap_or_default();
        assert!(warning.contains("govern the whole house"), "{warning}");
        assert_eq!(made.json["warnings"].as_array().map(Vec::len), Some(1));
    }
    assert_eq!((trusted.status, trusted.problem()), (403, "forbidden"));
}

#[test]
fn whoever_is_nobody_learns_nothing_here() {
    let server = served(SetUp::default());
    let session = ("POST", "/v1/session");
    let with = |name: &str, password: &str| json!({"name": name, "password": password});

    let wrong = ask(&server, "", session, &with("ann", "wrong password"));
    let unknown = ask(&server, "", session, &with("zoe", PASSWORD));
    let bare = ask(&server, "", ("GET", "/v1/users"), &Value::Null);
    let token = "B9A1809A-5BF7-4459-9ED2-8D4F499CB902";
    let other = ask(&server, token, ("GET", "/v1/users"), &Value::Null);
    let nowhere = ask(&server, token, ("GET", "/v1/nowhere"), &Value::Null);
    let health = ask(&server, "", ("GET", "/health"), &Value::Null);
    let long = json!({"name": "a".repeat(20_000), "password": PASSWORD});
    let long = ask(&server, "", session, &long);

    assert_eq!((wrong.status, wrong.problem()), (401, "unknown"));
    assert_eq!(wrong.json["detail"], unknown.json["detail"]);
    for told in [bare, other, nowhere] {
        assert_eq!((told.status, told.problem()), (401, "unknown"));
    }
    assert_eq!(health.status, 404);
    assert!(long.status >= 400 && long.status < 500, "{}", long.status);
}

#[test]
fn a_second_factor_is_demanded_here() {
    let server = served(SetUp::default());
    server
        .claviger(&["user", "totp", "demand", "ann", "yes"])
        .ok();
    let with = json!({"name": "ann", "password": PASSWORD});
    let coded = json!({"name": "ann", "password": PASSWORD, "code": "123456"});

    let without = ask(&server, "", ("POST", "/v1/session"), &with);
    let wrong = ask(&server, "", ("POST", "/v1/session"), &coded);

    assert_eq!((without.status, without.problem()), (401, "unknown"));
    assert_eq!(without.json["detail"], wrong.json["detail"]);
}

#[test]
fn a_program_administers_with_its_token_and_from_its_host() {
    let server = served(SetUp::default());
    let login = "robot@127.0.0.1";
    let words = ["user", "add", login, "--api", "--role", "administrator"];
    server.claviger(&words).ok();
    let token = server.claviger(&["user", "token", "issue", login]).ok();
    let token = token.stdout.trim().to_owned();
    let group = json!({"name": "dba"});

    let made = ask(&server, &token, ("POST", "/v1/groups"), &group);
    let settings = json!({"value": "1"});
    let house = ask(
        &server,
        &token,
        ("PUT", "/v1/settings/token-days"),
        &settings,
    );
    let status = ask(&server, &token, ("GET", "/v1/status"), &Value::Null);
    server.claviger(&["user", "lock", login]).ok();
    let locked = ask(&server, &token, ("GET", "/v1/groups"), &Value::Null);

    assert_eq!(
        (made.status, made.json["name"].as_str()),
        (201, Some("dba"))
    );
    for told in [house, status] {
        assert_eq!((told.status, told.problem()), (403, "forbidden"));
    }
    assert_eq!((locked.status, locked.problem()), (401, "unknown"));
}

#[test]
fn the_native_api_is_not_there_where_it_is_switched_off() {
    let set_up = SetUp::default().set("doors.rest", "native_api", "false");
    let server = served(set_up);

    let told = ask(&server, "", ("GET", "/v1/session"), &Value::Null);

    assert_eq!(told.status, 404);
    assert_eq!(told.json["operation"]["name"], "HTTP");
}

#[test]
fn whoever_follows_the_trail_is_cut_off_when_it_is_locked() {
    let server = served(SetUp::default());
    let words = ["user", "add", "eve", "--person", "--role", "administrator"];
    let words = [&words[..], &["--scope", "all", "--password-stdin"]].concat();
    server.claviger_with_input(&words, PASSWORD).ok();
    let eve = sign_in(&server, "eve");
    let trail = || server.claviger(&["audit", "tail", "-n", "50", "--json"]);
    let follows = |line: &str| line.contains("\"caller\":\"eve\"") && line.contains("follow");

    let (status, told) = std::thread::scope(|scope| {
        let following = scope.spawn(|| {
            let mut command = Command::new("curl");
            command.args(["-sS", "--max-time", "30", "--noproxy", "*", "--cacert"]);
            command
                .arg(server.ca())
                .args(["-w", "\n%{http_code}", "-H"]);
            command.arg(format!("Authorization: Bearer {eve}"));
            let url = format!("https://{}/api/v1/audit/follow", server.door("rest"));
            let ran = run(command.arg(url)).ok();
            let (told, status) = ran.stdout.rsplit_once('\n').unwrap();
            (status.to_owned(), told.to_owned())
        });
        while !trail().ok().stdout.lines().any(follows) {
            assert!(!following.is_finished());
        }
        server.claviger(&["user", "lock", "eve"]).ok();
        server.claviger(&["group", "list"]).ok();
        following.join().unwrap()
    });

    assert_eq!(status, "200");
    let after = trail().ok().stdout;
    assert!(after.contains("\"detail\":\"groups\""), "{after}");
    assert!(!told.contains("\"detail\":\"groups\""), "{told}");
}
