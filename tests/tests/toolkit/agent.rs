//! The agent: who it answers, what it keeps, and what it does without the server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use harness::{SetUp, client_program, not_run, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Agent, PASSWORD, USER, error_of, house, house_with};

#[test]
fn an_agent_answers_without_the_server_for_a_while_and_forgets_what_is_refused() {
    let mut house = house("retrieve");
    let agent = house.agent("agent", &["--keep", "1h"]);
    let got = agent.retrieve().ok();
    assert_eq!(got.stdout, format!("{PASSWORD}\n"));

    house.server.kill9();
    let kept = agent.retrieve().ok();
    assert_eq!(kept.stdout, format!("{PASSWORD}\n"));
    let ran = run(Command::new(client_program())
        .args([
            "exec",
            "--env",
            "DB=db1/root",
            "--",
            "sh",
            "-c",
            "echo \"$DB\"",
        ])
        .env("CLAVIGER_AGENT", &agent.socket));
    assert_eq!(ran.ok().stdout, format!("{PASSWORD}\n"));
    let unknown = run(Command::new(client_program())
        .args(["RETRIEVE", "db1", "nobody", "--agent"])
        .arg(&agent.socket));
    assert!(error_of(&unknown.ended(5)).contains("cannot connect"));
}

#[test]
fn everybody_who_asks_an_agent_at_once_has_what_is_kept_while_the_server_is_silent() {
    const MANY: usize = 24;
    let house = house("retrieve");
    let more = ["--keep", "1h", "--connect-timeout", "4s", "--timeout", "4s"];
    let agent = house.agent("agent", &more);
    agent.retrieve().ok();
    let pid = Pid::from_raw(i32::try_from(house.server.pid()).unwrap()).unwrap();

    // Its port still takes connections, and nothing comes back.
    kill_process(pid, Signal::STOP).unwrap();
    let told: Vec<_> = thread::scope(|scope| {
        let asks = [(); MANY].map(|()| scope.spawn(|| agent.retrieve()));
        asks.map(|ask| ask.join().unwrap()).into()
    });
    kill_process(pid, Signal::CONT).unwrap();

    for got in told {
        assert_eq!(got.ok().stdout, format!("{PASSWORD}\n"));
    }
}

#[test]
fn an_agent_asks_again_once_the_server_is_back() {
    // A port that stays the same: one that was free just now.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap();
    drop(free);
    let set_up = SetUp::default().listen(&port.to_string());
    let mut house = house_with(set_up, "retrieve,reset");
    let agent = house.agent("agent", &["--keep", "1h"]);
    agent.retrieve().ok();
    house.api(&["RESET_LOCAL", "db1", "root", "N3w one!x"]).ok();

    house.server.kill9();
    let kept = agent.retrieve().ok();
    assert_eq!(kept.stdout, format!("{PASSWORD}\n"), "what it said last");
    house.server.restart();
    let asked = agent.retrieve().ok();
    assert_eq!(asked.stdout, "N3w one!x\n");
    let lock = ["app", "edit", "nightly", "--lock"];
    house.server.claviger(&lock).ok();
    agent.retrieve().ended(1);
    house.server.kill9();
    agent.retrieve().ended(5);
}

#[test]
fn an_agent_forgets_what_the_server_refuses() {
    let mut house = house("retrieve");
    let agent = house.agent("agent", &["--keep", "1h"]);
    agent.retrieve().ok();

    house.server.claviger(&["unshare", "db1", USER]).ok();
    let refused = agent.retrieve().ended(1);
    assert!(error_of(&refused).contains("No such"), "{refused}");
    house.server.kill9();

    let away = agent.retrieve().ended(5);
    assert_eq!(away.stdout, "", "the refusal stands");
}

#[test]
fn an_agent_that_hangs_up_reads_its_files_anew_and_goes_on_where_it_cannot() {
    let house = house("retrieve");
    let mut agent = house.agent_with("agent", Stdio::piped());
    let pid = Pid::from_raw(i32::try_from(agent.child.id()).unwrap()).unwrap();
    let conf = house.toolkit.join("PMP_API.conf");
    let first = fs::read_to_string(&conf).unwrap();

    fs::write(&conf, "ServerName=\n").unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    let mut told = String::new();
    let mut said = BufReader::new(agent.child.stderr.take().unwrap());
    said.read_line(&mut told).unwrap();
    assert!(told.starts_with("ERROR: "), "{told}");
    assert!(told.contains("what was read before counts"), "{told}");
    agent.retrieve().ok();
    let next = house.server.issue("next");
    let app = |words: &[&str]| house.server.claviger(&[&["app"], words].concat()).ok();
    let shown: Value = serde_json::from_str(&app(&["show", "nightly", "--json"]).stdout).unwrap();
    let print = shown["certificates"][0].as_str().unwrap();
    let cert = next.cert.to_string_lossy();
    app(&["edit", "nightly", "--add-cert", &cert]);
    app(&["edit", "nightly", "--remove-cert", print]);
    agent.retrieve().ended(1);
    let named = |line: &str| match line.split_once('=') {
        Some(("ClientCertPath", _)) => format!("ClientCertPath={}\n", next.cert.display()),
        Some(("ClientKeyPath", _)) => format!("ClientKeyPath={}\n", next.key.display()),
        _ => format!("{line}\n"),
    };
    fs::write(&conf, first.lines().map(named).collect::<String>()).unwrap();
    kill_process(pid, Signal::HUP).unwrap();

    // A signal may come after what is asked behind it.
    let got = (0..50)
        .map(|_| agent.retrieve())
        .find(|got| got.code() == 0);
    assert_eq!(got.unwrap().stdout, format!("{PASSWORD}\n"));
    assert!(agent.socket.exists());
}

#[test]
fn an_agents_socket_is_its_owners_alone_and_ends_with_it() {
    use std::os::unix::fs::PermissionsExt;
    let house = house("retrieve");
    let mut agent = house.agent("agent", &[]);

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&agent.socket), 0o600);
    assert_eq!(mode(agent.socket.parent().unwrap()), 0o700);
    let socket = agent.socket.to_string_lossy().into_owned();
    let second = house.api(&["agent", "--socket", &socket]).ended(5);
    assert!(error_of(&second).contains("another agent"), "{second}");
    let pid = Pid::from_raw(i32::try_from(agent.child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert!(agent.child.wait().unwrap().success());
    assert!(!agent.socket.exists());
    error_of(&agent.retrieve().ended(5));
    let open = house.server.outside().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let socket = open.join("sock").to_string_lossy().into_owned();
    let refused = house.api(&["agent", "--socket", &socket]).ended(5);
    assert!(error_of(&refused).contains("0700"), "{refused}");
}

#[test]
fn an_agent_answers_its_own_user_only() {
    if !rustix::process::geteuid().is_root() {
        not_run(
            "an_agent_answers_its_own_user_only",
            "only root becomes another user",
        );
        return;
    }
    let house = house("retrieve");
    let outside = tempfile::tempdir_in("/tmp").unwrap();
    let own = outside.path().join("nobodys");
    fs::create_dir(&own).unwrap();
    let shared = |path: &Path, mode| {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    shared(outside.path(), 0o755);
    // Copies that the other user may read: the harness keeps its own files to itself.
    for name in ["claviger-client", "ca.pem"] {
        fs::copy(house.toolkit.join(name), outside.path().join(name)).unwrap();
        shared(&outside.path().join(name), 0o755);
    }
    let issued = house.server.outside().join("issued");
    for end in ["crt", "key"] {
        let from = issued.join(format!("nightly-certificate.{end}"));
        fs::copy(from, outside.path().join(format!("app.{end}"))).unwrap();
        shared(&outside.path().join(format!("app.{end}")), 0o644);
    }
    let port = house.server.xmlrpc().port();
    let conf = format!(
        "ServerName=127.0.0.1\nServerPort={port}\nCAPath=ca.pem\nClientCertPath=app.crt\n\
         ClientKeyPath=app.key\n"
    );
    let conf_file = outside.path().join("PMP_API.conf");
    fs::write(&conf_file, conf).unwrap();
    shared(&conf_file, 0o644);
    std::os::unix::fs::chown(&own, Some(NOBODY), Some(NOBODY)).unwrap();
    shared(&own, 0o700);
    let as_nobody = || {
        let mut command = Command::new("setpriv");
        let id = NOBODY.to_string();
        command
            .args(["--reuid", &id, "--regid", &id, "--clear-groups"])
            .arg(outside.path().join("claviger-client"))
            .current_dir("/")
            .env("CLAVIGER_CONNECT_TIMEOUT", "1m");
        command
    };
    let socket = own.join("sock");
    let mut command = as_nobody();
    command
        .arg("--conf")
        .arg(&conf_file)
        .args(["agent", "--socket"])
        .arg(&socket);
    let agent = Agent::start(&mut command, socket.clone());

    let ask = ["RETRIEVE", "db1", "root", "--agent"];
    let theirs = run(as_nobody().args(ask).arg(&socket)).ok();
    assert_eq!(theirs.stdout, format!("{PASSWORD}\n"));
    // Root passes every mode: what is left is who asks, on both sides.
    let python = "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n\
                  s.sendall(b'CLA1\\0\\0\\0\\3db1\\0\\0\\0\\4root' + bytes(8))\n\
                  sys.stdout.write(repr(s.recv(999)))";
    let asked = run(Command::new("python3").args(["-c", python]).arg(&socket)).ok();
    assert!(asked.stdout.contains("its own user only"), "{asked}");
    let trusting = agent.retrieve().ended(5);
    assert!(error_of(&trusting).contains("another user"), "{trusting}");
    let roots = house.agent("roots", &[]);
    let other = run(as_nobody().args(ask).arg(&roots.socket)).ended(5);
    assert_eq!(other.stdout, "");
}

const NOBODY: u32 = 65534;
