//! What comes through the REST door stays there: no token, no password, no INPUT_DATA and no query
//! is in a log, a metric, a file, or an answer to somebody else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Server, SetUp, run};

const CANARY: &str = "C4nary-in-the-B0dy!";
const IN_URL: &str = "C4nary-in-the-Ur1!";
const STRANGE: &str = "0123CAFE-5BF7-4459-9ED2-8D4F499CB902";

fn talkative() -> Server {
    let set_up = SetUp::default()
        .set("log", "level", "\"trace\"")
        .environment("RUST_LOG", "trace")
        .argument("--health")
        .argument("127.0.0.1:0");
    Server::start(set_up)
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

#[track_caller]
fn assert_silent(what: &str, bytes: &[u8], secrets: &[&str]) {
    for secret in secrets {
        let held = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!held, "{what} holds {secret}");
    }
}

/// What curl was answered.
fn ask(server: &Server, words: &[&str]) -> String {
    let base = format!("https://{}/restapi/json/v1", server.door("rest"));
    let mut command = Command::new("curl");
    command.args([
        "-sS",
        "-g",
        "--max-time",
        "30",
        "--noproxy",
        "*",
        "--cacert",
    ]);
    command.arg(server.ca());
    command.args(words.iter().map(|word| word.replace("{H}", &base)));
    run(&mut command).ok().stdout
}

/// Requests that are done, refused and malformed, all of them with secrets.
fn talk(server: &Server, token: &str) -> Vec<String> {
    let header = format!("AUTHTOKEN: {token}");
    let in_url = format!("{{H}}/resources?AUTHTOKEN={token}");
    let strange = format!("{{H}}/resources?AUTHTOKEN={STRANGE}");
    let named = format!("{{H}}/user/getUserId?USERNAME={IN_URL}&AUTHTOKEN={token}");
    let data = |details: &str| format!("INPUT_DATA={{\"operation\":{{\"Details\":{details}}}}}");
    let create = data(&format!(
        r#"{{"RESOURCENAME":"db1","ACCOUNTNAME":"root","RESOURCETYPE":"Linux","PASSWORD":"{CANARY}"}}"#
    ));
    let cut = format!("INPUT_DATA={{\"operation\":{{\"Details\":{{\"PASSWORD\":\"{CANARY}");
    let twice = data(&format!(
        r#"{{"PASSWORD":"{CANARY}","PASSWORD":"{CANARY}"}}"#
    ));
    let query = format!(
        "{{H}}/resources?{}",
        data(&format!(
            r#"{{"SEARCHVALUE":"{IN_URL}","SEARCHCOLUMN":"x"}}"#
        ))
    );
    let lost = format!("{{H}}/nowhere/{IN_URL}?AUTHTOKEN={token}");
    let requests: [&[&str]; 11] = [
        &["-H", &header, "-X", "POST", "{H}/resources", "-d", &create],
        &["-H", &header, "-X", "POST", "{H}/resources", "-d", &create],
        &["-H", &header, "-X", "POST", "{H}/resources", "-d", &cut],
        &["-H", &header, "-X", "POST", "{H}/resources", "-d", &twice],
        &["-X", "POST", "{H}/resources", "-d", &create],
        &["-H", &header, "-X", "PATCH", "{H}/resources", "-d", &create],
        &["-H", &header, &query],
        &[&in_url],
        &[&strange],
        &[&named],
        &[&lost],
    ];
    requests.iter().map(|words| ask(server, words)).collect()
}

#[test]
fn a_token_and_what_comes_with_it_are_nowhere_else() {
    let mut server = talkative();
    let login = "script@127.0.0.1";
    server
        .claviger(&["user", "add", login, "--api", "--role", "administrator"])
        .ok();
    let issued = server.claviger(&["user", "token", "issue", login]).ok();
    let token = issued.stdout.trim().to_owned();

    let answers = talk(&server, &token);
    let (_, metrics) = harness::get(server.door("health"), "/metrics");
    let trail = server
        .claviger(&["audit", "tail", "-n", "1000", "--json"])
        .ok();

    let secrets = [CANARY, token.as_str(), STRANGE];
    assert!(
        answers[0].contains("has been added successfully"),
        "{}",
        answers[0]
    );
    for answer in &answers {
        assert_silent(
            answer,
            answer.as_bytes(),
            &[CANARY, IN_URL, &token, STRANGE],
        );
    }
    assert_silent("the metrics", metrics.as_bytes(), &secrets);
    assert_silent("the metrics", metrics.as_bytes(), &[IN_URL]);
    assert_silent("the audit trail", trail.stdout.as_bytes(), &secrets);
    for file in ["cmdline", "environ"] {
        let path = format!("/proc/{}/{file}", server.pid());
        assert_silent(&path, &fs::read(&path).unwrap(), &secrets);
    }
    assert!(server.terminate().success());
    for file in files_below(server.data()) {
        let bytes = fs::read(&file).unwrap();
        assert_silent(&file.display().to_string(), &bytes, &secrets);
    }
    let log = server.log();
    assert!(
        log.contains("door=rest") || log.contains("operation="),
        "not talkative: {log}"
    );
    let unsaid = [CANARY, IN_URL, &token, STRANGE, "INPUT_DATA", "AUTHTOKEN="];
    assert_silent("the log", log.as_bytes(), &unsaid);
}
