//! A password that can be recognised goes everywhere a password may go; then it is looked for
//! everywhere else.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Server, SetUp, claviger_program, xml};

const CANARY: &str = "C4naryBird-sings-in-the-M1ne";
const SECOND: &str = "C4naryBird-sings-once-M0re!";
/// What both have in common.
const SONG: &str = "C4naryBird-sings";

/// The ways in which it could lie about: as it is, in UTF-16, in hexadecimal, in base64.
fn shapes() -> Vec<Vec<u8>> {
    let plain = SONG.as_bytes();
    let wide: Vec<u8> = SONG.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let hex: String = plain.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut shapes = vec![plain.to_vec(), wide, hex.clone().into_bytes()];
    shapes.push(hex.to_uppercase().into_bytes());
    // Base64 looks different at each of three offsets; the ends depend on what is beside.
    for skip in 0..3 {
        let whole = (plain.len() - skip) / 3 * 3;
        shapes.push(STANDARD.encode(&plain[skip..skip + whole]).into_bytes());
    }
    shapes
}

fn holds_it(bytes: &[u8]) -> bool {
    // Files are filled ahead of their use.
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    let bytes = &bytes[..end];
    let holds = |shape: &Vec<u8>| bytes.windows(shape.len()).any(|window| window == shape);
    shapes().iter().any(holds)
}

#[track_caller]
fn assert_silent(what: &str, bytes: &[u8]) {
    assert!(!holds_it(bytes), "{what} holds the password");
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

fn talkative() -> Server {
    let set_up = SetUp::default()
        .set("log", "level", "\"trace\"")
        .environment("RUST_LOG", "trace")
        .argument("--health")
        .argument("127.0.0.1:0");
    Server::start(set_up)
}

/// Every command that takes or could show a password; what they all said.
fn operate(server: &Server) -> String {
    let path = |name: &str| server.outside().join(name).to_string_lossy().into_owned();
    fs::write(path("phrase"), "correct horse battery staple").unwrap();
    let csv =
        format!("resource,type,account,password\nimported,Linux,root,{CANARY}\n,x,y,{CANARY}\n");
    fs::write(path("in.csv"), csv).unwrap();
    let (input, sealed, backup) = (path("in.csv"), path("sealed"), path("backup"));
    let (phrase, trail) = (path("phrase"), path("trail"));
    let mut said = String::new();
    let mut run = |words: &[&str], input: &str| {
        said.push_str(&server.claviger_with_input(words, input).to_string());
    };
    run(&["account", "add", "db", "app", "--password-stdin"], CANARY);
    run(&["account", "add", "db", "app", "--password-stdin"], CANARY);
    run(
        &["account", "add", "nowhere", "app", "--password-stdin"],
        CANARY,
    );
    run(&["import", &input], "");
    run(&["import", &input, "--yes", "--skip-bad"], "");
    run(
        &["export", "--out", &sealed, "--passphrase-file", &phrase],
        "",
    );
    run(&["backup", &backup], "");
    run(&["audit", "export", "--out", &trail], "");
    for words in [
        &["audit", "tail", "-n", "1000", "--json"][..],
        &["audit", "verify"],
        &["resource", "show", "db", "--json"],
        &["account", "show", "db", "root", "--json"],
        &["account", "history", "db", "root", "--json"],
        &["status", "--json"],
    ] {
        run(words, "");
    }
    for file in [sealed, backup, trail] {
        assert_silent(&file, &fs::read(&file).unwrap());
    }
    said
}

/// Calls that carry the password and fail; what was answered.
fn fail(server: &Server, app: &harness::Identity) -> String {
    let wrong =
        format!("<methodCall><methodName>a</methodName><params><param><value>{CANARY}</wrong>");
    let typed = format!("<struct><member><name>{CANARY}</name></member></struct>");
    let bodies = [
        wrong.into_bytes(),
        xml::call_raw("changePassword", &[&typed]),
        xml::call_raw("changePassword", &[&format!("<int>{CANARY}</int>")]),
        xml::call("changePassword", &["db", "root", CANARY, "why", CANARY]),
        xml::call(
            "changePassword",
            &["db", "root", CANARY, "why", "false", CANARY, CANARY],
        ),
        xml::call("changePassword", &["db", "nobody", CANARY, "why", "false"]),
        xml::call("createResource", &["db", "Linux", "root", CANARY, "notes"]),
        format!("{CANARY}<").into_bytes(),
    ];
    let mut said = String::new();
    let mut wire = server.connect(Some(app)).unwrap();
    for (number, body) in bodies.into_iter().enumerate() {
        let answer = wire.post(&body, &[]).unwrap();
        said.push_str(&format!(
            "{} {:?} {}\n",
            answer.status,
            answer.headers,
            answer.text()
        ));
        let text = answer.text();
        assert!(xml::is_fault(&text), "{number}: {text}");
    }
    let mut stranger = server.connect(Some(&server.issue("stranger"))).unwrap();
    let body = xml::call("changePassword", &["db", "root", CANARY, "why", "false"]);
    said.push_str(&stranger.post(&body, &[]).unwrap().text());
    said
}

#[test]
fn a_password_is_nowhere_but_in_the_answer() {
    let mut server = talkative();
    let app = server.issue("app");
    server.register(&app, "password-administrator");
    let call = |method: &str, words: &[&str]| server.call(&app, method, words).text();

    let made = call("createResource", &["db", "Linux", "root", CANARY, "notes"]);
    let first = call("retrievePassword", &["db", "root"]);
    let changed = call("changePassword", &["db", "root", SECOND, "why", "false"]);
    let second = call("retrievePassword", &["db", "root"]);
    let refused = fail(&server, &app);
    let operated = operate(&server);

    assert_eq!(xml::value(&first).as_deref(), Some(CANARY));
    assert_eq!(xml::value(&second).as_deref(), Some(SECOND));
    assert_silent(
        "an answer to a change",
        format!("{made}{changed}").as_bytes(),
    );
    assert_silent("a refusal", refused.as_bytes());
    assert_silent("a command's words", operated.as_bytes());
    let (_, metrics) = harness::get(server.door("health"), "/metrics");
    assert_silent("the metrics", metrics.as_bytes());
    for file in ["cmdline", "environ"] {
        let path = format!("/proc/{}/{file}", server.pid());
        assert_silent(&path, &fs::read(&path).unwrap());
    }
    // While it runs, and after everything has been written and closed.
    for file in files_below(server.data()) {
        assert_silent(
            &file.display().to_string(),
            &fs::read(&file).unwrap_or_default(),
        );
    }
    assert!(server.terminate().success());
    for file in files_below(server.data()) {
        assert_silent(&file.display().to_string(), &fs::read(&file).unwrap());
    }
    let log = server.log();
    assert!(
        log.contains("answered method") && log.contains("malformed"),
        "not talkative: {log}"
    );
    assert_silent("the log", log.as_bytes());
}

#[test]
fn a_command_that_reads_a_password_shows_it_to_nobody() {
    let server = Server::start(SetUp::default());
    server.resource("db", "root", "Tr0ub4dor-and-3");
    let mut child = Command::new(claviger_program())
        .args(["account", "add", "db", "app", "--password-stdin", "--data"])
        .arg(server.data())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();

    stdin.write_all(CANARY.as_bytes()).unwrap();
    for file in ["cmdline", "environ"] {
        let path = format!("/proc/{}/{file}", child.id());
        assert_silent(&path, &fs::read(&path).unwrap());
    }
    drop(stdin);

    assert!(child.wait().unwrap().success());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    child.stdout.take().unwrap().read_to_end(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_end(&mut err).unwrap();
    assert_silent("its output", &[out, err].concat());
}

#[test]
fn the_search_finds_what_it_is_for() {
    let hidden = |text: &str| format!("before {text} after").into_bytes();

    assert!(holds_it(&hidden(CANARY)) && holds_it(&hidden(SECOND)));
    assert!(!holds_it(&hidden("C4naryBird")));
    for pad in ["", "x", "xy"] {
        let text = STANDARD.encode(format!("{pad}{CANARY}"));
        assert!(holds_it(text.as_bytes()), "{text}");
    }
    let wide: Vec<u8> = CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(holds_it(&wide));
}

#[test]
fn a_server_that_breaks_leaves_no_core() {
    let server = Server::start(SetUp::default());

    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();

    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file"));
    let words: Vec<_> = core.unwrap().split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"]);
}
