//! The toolkit as an application's host has it: the manual's commands as they are written there, by
//! the true server and the true client program.

mod agent;
mod terminal;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use harness::{Identity, Openssl, Ran, Server, SetUp, client_program, run, run_with_input};
use serde_json::Value;

const USER: &str = "billing@127.0.0.1";
const PASSWORD: &str = "Can4ry s3cret";

/// A server with `db1/root`, managed by a user, and an application that may do some of it.
struct House {
    server: Server,
    toolkit: PathBuf,
}

fn house(allow: &str) -> House {
    house_with(SetUp::default(), allow)
}

fn house_with(set_up: SetUp, allow: &str) -> House {
    let server = Server::start(set_up);
    server.resource("db1", "root", PASSWORD);
    let role = "password-administrator";
    server
        .claviger(&["user", "add", USER, "--api", "--role", role])
        .ok();
    server
        .claviger(&["share", "db1", USER, "--level", "manage"])
        .ok();
    let identity = server.issue("nightly-certificate");
    let cert = identity.cert.to_string_lossy();
    let add = [
        "app",
        "add",
        "nightly",
        "--host",
        "127.0.0.1",
        "--type",
        "Linux",
        "--allow",
        allow,
        "--inherit",
        USER,
        "--cert",
        &cert,
    ];
    server.claviger(&add).ok();
    let toolkit = server.outside().join("the toolkit's folder");
    let out = toolkit.to_string_lossy().into_owned();
    let written = server.claviger(&["app", "toolkit", "nightly", "--out", &out]);
    written.ok();
    name_certificate(&toolkit, &identity);
    House { server, toolkit }
}

/// What the manual has the user do: sets the two paths.
fn name_certificate(toolkit: &Path, identity: &Identity) {
    let file = toolkit.join("PMP_API.conf");
    let text = fs::read_to_string(&file).unwrap();
    let (cert, key) = (identity.cert.display(), identity.key.display());
    let text = text
        .replace("ClientCertPath=\n", &format!("ClientCertPath={cert}\n"))
        .replace("ClientKeyPath=\n", &format!("ClientKeyPath={key}\n"));
    fs::write(&file, text).unwrap();
}

impl House {
    fn script(&self) -> Command {
        let mut command = Command::new(self.toolkit.join("PMP_API.sh"));
        // From anywhere: the script's own folder counts.
        command.current_dir("/").env_remove("CLAVIGER_AGENT");
        // Other tests keep this machine busy.
        command.env("CLAVIGER_CONNECT_TIMEOUT", "1m");
        command
    }

    #[track_caller]
    fn api(&self, words: &[&str]) -> Ran {
        run(self.script().args(words))
    }

    #[track_caller]
    fn api_with_input(&self, words: &[&str], input: &str) -> Ran {
        run_with_input(self.script().args(words), input.as_bytes())
    }

    #[track_caller]
    fn newest(&self) -> Value {
        let caller = format!("application nightly for {USER}");
        let words = ["audit", "tail", "-n", "1", "--caller", &caller, "--json"];
        let told = self.server.claviger(&words);
        let told = told.ok().stdout;
        let line = told.lines().last().unwrap_or_default().to_owned();
        serde_json::from_str(&line).unwrap_or_else(|why| panic!("{why}: {line}"))
    }

    /// An agent on a socket of its own.
    #[track_caller]
    fn agent(&self, name: &str, more: &[&str]) -> Agent {
        let socket = self.server.outside().join(name).join("sock");
        let mut command = self.script();
        command.args(["agent", "--socket"]).arg(&socket);
        Agent::start(command.args(more), socket)
    }

    /// The same, what it complains of going there.
    #[track_caller]
    fn agent_with(&self, name: &str, complaints: Stdio) -> Agent {
        let socket = self.server.outside().join(name).join("sock");
        let mut command = self.script();
        command.args(["agent", "--socket"]).arg(&socket);
        Agent::start(command.stderr(complaints), socket)
    }
}

/// A running agent; dropping it ends it.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    #[track_caller]
    fn start(command: &mut Command, socket: PathBuf) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        assert_eq!(line, format!("agent listening on {}\n", socket.display()));
        Self { child, socket }
    }

    #[track_caller]
    fn retrieve(&self) -> Ran {
        run(Command::new(client_program())
            .args(["RETRIEVE", "db1", "root", "--agent"])
            .arg(&self.socket)
            .env_remove("CLAVIGER_CONF"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[track_caller]
fn error_of(ran: &Ran) -> &str {
    let line = ran.stderr.strip_suffix('\n').unwrap_or_default();
    assert!(!line.contains('\n'), "one line: {ran}");
    let words = line.strip_prefix("ERROR: ");
    words.unwrap_or_else(|| panic!("{ran}"))
}

#[test]
fn the_manuals_commands_work_as_they_are_written() {
    let house = house("retrieve,reset,create");

    let got = house.api(&["RETRIEVE", "db1", "root"]).ok();
    assert_eq!(got.stdout, format!("{PASSWORD}\n"), "the password alone");
    let changed = house.api(&["RESET_LOCAL", "db1", "root", "N3w one!x"]).ok();
    assert_eq!(changed.stdout, "Password changed successfully\n");
    let got = house.api(&["RETRIEVE", "db1", "root"]).ok();
    assert_eq!(got.stdout, "N3w one!x\n");
    let failed = house.api(&["RESET_REMOTE", "db1", "root", "An0ther!x"]);
    let failed = failed.ended(4);
    assert_eq!(failed.stdout, "Password reset failed\n");
    assert!(error_of(&failed).contains("reset failed"), "{failed}");
    let got = house.api(&["RETRIEVE", "db1", "root"]).ok();
    assert_eq!(got.stdout, "N3w one!x\n", "it has not changed");
    let made = house.api(&["CREATE", "new1", "admin", "F1rst!one"]).ok();
    let words = "Resource new1 with account admin created successfully\n";
    assert_eq!(made.stdout, words);
    let got = house.api(&["RETRIEVE", "new1", "admin"]).ok();
    assert_eq!(got.stdout, "F1rst!one\n");
    let made = house.api(&["CREATE", "new2", "admin"]).ok();
    let generated = made.stdout.lines().nth(1).unwrap();
    let got = house.api(&["RETRIEVE", "new2", "admin"]).ok();
    assert_eq!(got.stdout, format!("{generated}\n"));
    let shown = house
        .server
        .claviger(&["resource", "show", "new2", "--json"])
        .ok();
    assert!(shown.stdout.contains("\"Linux\""), "{shown}");
}

#[test]
fn a_password_on_standard_input_is_taken_without_its_line_end() {
    let house = house("retrieve,reset,create");

    for (input, password) in [
        ("Fr0m stdin!\n", "Fr0m stdin!"),
        ("-N0 end $x", "-N0 end $x"),
    ] {
        house
            .api_with_input(&["RESET_LOCAL", "db1", "root", "-"], input)
            .ok();
        let got = house.api(&["RETRIEVE", "db1", "root"]).ok();
        assert_eq!(got.stdout, format!("{password}\n"));
    }
    let help = house.api(&["RESET_LOCAL", "db1", "root", "--help"]);
    assert!(error_of(&help.ended(2)).contains("nothing was done"));
    let own = ["RESET_LOCAL", "db1", "root", "--", "--Help-me-0ut"];
    house.api(&own).ok();
    let got = house.api(&["RETRIEVE", "db1", "root"]).ok();
    assert_eq!(got.stdout, "--Help-me-0ut\n");
    let usual = house.api(&["RESET_LOCAL", "--help"]).ok();
    assert!(usual.stdout.contains("looks like an option"), "{usual}");
    let none = house.api_with_input(&["RESET_LOCAL", "db1", "root", "-"], "\n");
    assert!(error_of(&none.ended(2)).contains("empty"));
    house.api(&["RESET_LOCAL", "db1", "root", ""]).ended(2);
    let generated = house
        .api(&["RESET_LOCAL", "db1", "root", "--generate"])
        .ok();
    let generated = generated.stdout.lines().nth(1).unwrap().to_owned();
    let got = house.api(&["RETRIEVE", "db1", "root"]).ok();
    assert_eq!(got.stdout, format!("{generated}\n"));
}

#[test]
fn every_failure_has_its_status_and_is_one_line() {
    let mut house = house("retrieve,reset,create");
    let demanded = ["resource", "edit", "db1", "--require-reason", "yes"];
    house.server.claviger(&demanded).ok();

    let missing = house.api(&["RETRIEVE", "db1", "nobody"]).ended(1);
    assert!(error_of(&missing).contains("No such"), "{missing}");
    let twice = house.api(&["CREATE", "db1", "root", "F1rst!one"]).ended(1);
    assert!(error_of(&twice).contains("already exists"), "{twice}");
    let half = house.api(&["RETRIEVE", "db1"]).ended(2);
    assert!(error_of(&half).contains("ACCOUNT"), "{half}");
    error_of(&house.api(&[]).ended(2));
    error_of(&house.api(&["FETCH", "db1", "root"]).ended(2));
    let blank = house.api(&["RESET_LOCAL", "db1", "root", "half", "hidden"]);
    assert!(!error_of(&blank.ended(2)).contains("hidden"));
    let reason = house.api(&["RETRIEVE", "db1", "root"]).ended(3);
    assert!(error_of(&reason).contains("reason"), "{reason}");
    let got = house.api(&["RETRIEVE", "db1", "root", "--reason", "why not"]);
    assert_eq!(got.ok().stdout, format!("{PASSWORD}\n"));
    assert_eq!(house.newest()["reason"], "why not");
    house.server.kill9();
    let away = house.api(&["RETRIEVE", "db1", "root"]).ended(5);
    assert!(error_of(&away).contains("cannot connect"), "{away}");
    assert_eq!(away.stdout, "");
    fs::remove_file(house.toolkit.join("PMP_API.conf")).unwrap();
    error_of(&house.api(&["RETRIEVE", "db1", "root"]).ended(2));
}

#[test]
fn a_change_that_cannot_be_told_is_said_to_be_done() {
    let house = house("retrieve,reset,create");

    for words in [
        &["RESET_LOCAL", "db1", "root", "--generate"][..],
        &["CREATE", "new1", "root"],
    ] {
        // Nothing can be written there.
        let told = run(Command::new("sh")
            .args(["-c", "exec \"$@\" > /dev/full", "sh"])
            .arg(house.toolkit.join("PMP_API.sh"))
            .args(words)
            .env("CLAVIGER_CONNECT_TIMEOUT", "1m"));
        let error = error_of(&told.ended(5)).to_owned();
        assert!(error.ends_with("; it was done: retrieve the password"));
        let [_, resource, account, ..] = words else {
            unreachable!("every line names both")
        };
        let got = house.api(&["RETRIEVE", resource, account]).ok();
        assert_ne!(got.stdout, format!("{PASSWORD}\n"));
    }
}

#[test]
fn an_operation_that_is_not_allowed_is_refused_and_written_down_though_the_user_could() {
    let house = house("retrieve");
    let caller = format!("application nightly for {USER}");

    for (words, operation) in [
        (&["RESET_LOCAL", "db1", "root", "N3w one!x"][..], "change"),
        (&["RESET_REMOTE", "db1", "root", "N3w one!x"], "change"),
        (&["CREATE", "new1", "root", "N3w one!x"], "create-resource"),
    ] {
        let refused = house.api(words).ended(1);
        assert!(error_of(&refused).contains("not allowed"), "{refused}");
        let record = house.newest();
        assert_eq!(record["caller"], *caller, "{record}");
        assert_eq!(record["operation"], operation, "{record}");
        assert_eq!(record["outcome"], "refused: not-allowed", "{record}");
    }
    let got = house.api(&["RETRIEVE", "db1", "root"]).ok();
    assert_eq!(got.stdout, format!("{PASSWORD}\n"));
    let record = house.newest();
    assert_eq!(record["caller"], *caller, "{record}");
    assert_eq!(record["outcome"], "allowed", "{record}");
}

#[test]
fn a_locked_and_a_removed_application_get_nothing() {
    let house = house("retrieve");
    house
        .server
        .claviger(&["app", "edit", "nightly", "--lock"])
        .ok();
    house.api(&["RETRIEVE", "db1", "root"]).ended(1);
    house
        .server
        .claviger(&["app", "edit", "nightly", "--unlock"])
        .ok();
    house.api(&["RETRIEVE", "db1", "root"]).ok();
    house
        .server
        .claviger(&["app", "remove", "nightly", "--yes"])
        .ok();
    let gone = house.api(&["RETRIEVE", "db1", "root"]).ended(1);
    error_of(&gone);
}

#[test]
fn a_certificate_that_is_no_applications_any_more_may_prove_a_user_as_the_help_says() {
    let house = house("retrieve");
    let identity = house.server.issue("billing");
    let (cert, key) = (&identity.cert, &identity.key);
    let ca = house.server.ca();
    let (cert_word, ca_word) = (cert.to_string_lossy(), ca.to_string_lossy());
    let bind = ["user", "cert", "add", USER, &ca_word, "--ca"];
    house.server.claviger(&bind).ok();
    let add = ["app", "edit", "nightly", "--add-cert", &cert_word];
    house.server.claviger(&add).ok();
    let reset = |password: &str| {
        let server = format!("127.0.0.1:{}", house.server.xmlrpc().port());
        let mut command = Command::new(client_program());
        command.args(["--server", &server, "--connect-timeout", "1m", "--cert"]);
        command.arg(cert).arg("--key").arg(key);
        command.arg("--ca").arg(&ca);
        run(command.args(["RESET_LOCAL", "db1", "root", password]))
    };

    reset("N3w one!x").ended(1);
    let remove = ["app", "remove", "nightly", "--yes"];
    house.server.claviger(&remove).ok();
    reset("N3w one!x").ok();
    let help = house.server.claviger(&["app", "remove", "--help"]).ok();
    assert!(help.stdout.contains("user cert remove"), "{help}");
    let shown = house.server.claviger(&["user", "show", USER, "--json"]);
    let shown: Value = serde_json::from_str(&shown.ok().stdout).unwrap();
    let print = shown["certificates"][0]["fingerprint"].as_str().unwrap();
    let unbind = ["user", "cert", "remove", USER, print];
    house.server.claviger(&unbind).ok();
    reset("An0ther!x").ended(1);
}

#[test]
fn a_toolkit_has_all_that_its_manual_names_and_keeps_what_is_there() {
    let house = house("retrieve");
    let file = |name: &str| fs::read_to_string(house.toolkit.join(name)).unwrap();
    let port = house.server.xmlrpc().port();

    let conf = file("PMP_API.conf");
    assert!(conf.contains("\nServerName=127.0.0.1\n"), "{conf}");
    assert!(conf.contains(&format!("\nServerPort={port}\n")), "{conf}");
    assert!(conf.contains("\nCAPath=ca.pem\n"), "{conf}");
    assert!(conf.contains("\nResourceType=Linux\n"), "{conf}");
    assert!(!conf.contains('@'), "{conf}");
    let readme = file("README.txt");
    assert!(readme.contains("application nightly"), "{readme}");
    assert!(!readme.contains('@'), "{readme}");
    assert!(readme.contains("claviger-client.exe --conf"), "{readme}");
    let batch = file("PMP_API.bat");
    let (before, _) = batch.split_once("%*\r\n").unwrap();
    // Or cmd takes exclamation marks out of what it passes on.
    assert!(before.contains("\r\nsetlocal DisableDelayedExpansion\r\n"));
    assert_eq!(
        file("ca.pem"),
        fs::read_to_string(house.server.ca()).unwrap()
    );
    assert!(house.toolkit.join("claviger-client").is_file());
    run(Command::new("sh")
        .arg("-n")
        .arg(house.toolkit.join("PMP_API.sh")))
    .ok();

    let out = house.toolkit.to_string_lossy().into_owned();
    let words = ["app", "toolkit", "nightly", "--out", &out];
    let again = house.server.claviger(&words).ended(1);
    assert!(again.stderr.contains("is there already"), "{again}");
    assert!(again.stderr.contains("--force"), "{again}");
    let filled = file("PMP_API.conf");
    fs::write(house.toolkit.join("README.txt"), "mine").unwrap();
    let forced = house.server.claviger(&[&words[..], &["--force"]].concat());
    assert!(forced.ok().stdout.contains("is filled in and stays"));
    assert_eq!(file("PMP_API.conf"), filled);
    assert_eq!(file("README.txt"), readme);
    let more = ["--force", "--server", "vault.example:7171"];
    let told = house.server.claviger(&[&words[..], &more].concat());
    assert!(told.ended(1).stderr.contains("change the server there"));
    assert_eq!(file("PMP_API.conf"), filled);
    fs::remove_file(house.toolkit.join("PMP_API.conf")).unwrap();
    let told = house.server.claviger(&[&words[..], &more].concat()).ok();
    let doubt = "warning: the server's certificate has no name vault.example: ";
    assert!(told.stderr.starts_with(doubt), "{told}");
    let conf = file("PMP_API.conf");
    assert!(conf.contains("\nServerName=vault.example\n"), "{conf}");
    assert!(conf.contains("\nServerPort=7171\n"), "{conf}");
    let wrong = ["--force", "--server", "a\nb"];
    let told = house.server.claviger(&[&words[..], &wrong].concat());
    told.ended(2);
}

#[test]
fn a_ca_that_is_not_the_built_in_one_must_be_named() {
    let house = house("retrieve");
    let bench = Openssl::new();
    let own = bench.self_signed("vault.example");
    fs::copy(&own.cert, house.server.data().join("tls/server.crt")).unwrap();
    let out = house.toolkit.to_string_lossy().into_owned();
    let words = ["app", "toolkit", "nightly", "--out", &out, "--force"];

    let told = house.server.claviger(&words).ended(1);
    assert!(told.stderr.contains("--ca"), "{told}");
    let ca = own.cert.to_string_lossy();
    house
        .server
        .claviger(&[&words[..], &["--ca", &ca]].concat())
        .ok();

    let written = fs::read_to_string(house.toolkit.join("ca.pem")).unwrap();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        lines(&written),
        lines(&fs::read_to_string(&own.cert).unwrap())
    );
}

#[test]
fn the_script_finds_its_folder_through_a_link() {
    let house = house("retrieve");
    let link = house.server.outside().join("linked");
    std::os::unix::fs::symlink(house.toolkit.join("PMP_API.sh"), &link).unwrap();

    let got = run(Command::new(&link).args(["RETRIEVE", "db1", "root"])).ok();

    assert_eq!(got.stdout, format!("{PASSWORD}\n"));
}

#[test]
fn a_program_has_the_password_in_its_environment_and_not_among_its_arguments() {
    let house = house("retrieve");
    let script = "tr '\\0' ' ' < /proc/$$/cmdline; echo; echo \"$DB $OTHER\"; exit 7";

    let ran = house.api(&[
        "exec",
        "--env",
        "DB=db1/root",
        "--env",
        "OTHER=db1/root",
        "--",
        "sh",
        "-c",
        script,
        "a b",
        "--env",
    ]);

    let ran = ran.ended(7);
    let (arguments, environment) = ran.stdout.split_once('\n').unwrap();
    assert!(arguments.ends_with("a b --env "), "{arguments}");
    assert!(!arguments.contains("s3cret"), "{arguments}");
    assert_eq!(environment, format!("{PASSWORD} {PASSWORD}\n"));
    let none = house.api(&["exec", "--env", "DB=db1/root", "--", "/nowhere/at/all"]);
    assert!(error_of(&none.ended(127)).contains("cannot run"));
    let refused = house.api(&["exec", "--env", "DB=db1/nobody", "--", "echo", "ran"]);
    assert_eq!(refused.ended(1).stdout, "", "the program is not run");
    house.api(&["exec", "--env", "DB", "--", "true"]).ended(2);
}
