//! What the operator sets in `claviger.toml` is what the XML-RPC door keeps.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::{Identity, PATIENCE, Server, SetUp, Wire, run, xml};

const DOOR: &str = "doors.xmlrpc";

fn list_methods() -> Vec<u8> {
    xml::call("system.listMethods", &[])
}

#[track_caller]
fn assert_answers(wire: &mut Wire) {
    let answer = wire.post(&list_methods(), &[]).unwrap();
    assert_eq!(answer.status, 200);
    assert!(!xml::is_fault(&answer.text()), "{}", answer.text());
}

fn fault_code(text: &str) -> Option<i32> {
    xml::member(text, "faultCode")?.parse().ok()
}

#[test]
fn sizes_are_kept_and_a_refused_client_sees_why() {
    let set_up = SetUp::default()
        .set(DOOR, "max_body", "\"2KiB\"")
        .set(DOOR, "max_header", "\"8KiB\"")
        .set(DOOR, "max_headers", "10")
        .set(DOOR, "max_depth", "3")
        .set(DOOR, "max_values", "20")
        .set(DOOR, "max_multicall", "2");
    let server = Server::start(set_up);
    let app = server.app("app");
    let wire = || server.connect(Some(&app)).unwrap();

    let answer = wire().post(&vec![b' '; 10 << 20], &[]).unwrap();
    assert_eq!(
        (answer.status, fault_code(&answer.text())),
        (413, Some(-32600))
    );
    let long = format!("X-Long: {}", "x".repeat(9000));
    assert_eq!(wire().post(b"", &[&long]).unwrap().status, 431);
    assert_eq!(wire().post(b"", &["X: y"; 8]).unwrap().status, 431);
    let mut wire = wire();
    for parameter in [
        "<array><data><value><array><data><value><array><data><value><array><data/></array></value>\
         </data></array></value></data></array></value></data></array>",
        &format!("<array><data>{}</data></array>", "<value/>".repeat(25)),
    ] {
        let answer = wire.post(&xml::call_raw("a", &[parameter]), &[]).unwrap();
        assert_eq!(
            (answer.status, fault_code(&answer.text())),
            (200, Some(-32600))
        );
    }
    let call = "<value><struct><member><name>methodName</name><value>system.listMethods</value>\
                </member></struct></value>";
    let calls = |count| format!("<array><data>{}</data></array>", call.repeat(count));
    let answer = wire
        .post(&xml::call_raw("system.multicall", &[&calls(2)]), &[])
        .unwrap();
    assert_eq!(fault_code(&answer.text()), None);
    let answer = wire
        .post(&xml::call_raw("system.multicall", &[&calls(3)]), &[])
        .unwrap();
    assert_eq!(fault_code(&answer.text()), Some(-32602));
}

/// The most memory that a process has had, in KiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_bomb_costs_no_memory_and_the_connection_lives_on() {
    let server = Server::start(SetUp::default());
    let app = server.app("app");
    let mut wire = server.connect(Some(&app)).unwrap();
    let blanks = server.outside().join("blanks");
    std::fs::write(&blanks, vec![b' '; 100 << 20]).unwrap();
    run(Command::new("gzip").arg(&blanks)).ok();
    let bomb = std::fs::read(blanks.with_extension("gz")).unwrap();
    assert!(bomb.len() < 200_000);
    assert_answers(&mut wire);
    let before = peak(server.pid());

    let answer = wire.post(&bomb, &["Content-Encoding: gzip"]).unwrap();

    let said = (answer.status, fault_code(&answer.text()));
    assert_eq!(said, (413, Some(-32600)));
    assert_answers(&mut wire);
    let more = peak(server.pid()) - before;
    assert!(more < 16 << 10, "{more} KiB for a bomb of 100 MiB");
}

#[test]
fn a_million_params_are_too_many_and_the_connection_lives_on() {
    let server = Server::start(SetUp::default().set(DOOR, "max_body", "\"32MiB\""));
    let app = server.app("app");
    let mut wire = server.connect(Some(&app)).unwrap();

    let answer = wire
        .post(&xml::call_raw("a", &[""; 1_000_000]), &[])
        .unwrap();

    let text = answer.text();
    assert_eq!((answer.status, fault_code(&text)), (200, Some(-32600)));
    let words = xml::member(&text, "faultString").unwrap();
    assert!(words.contains("10000"), "{words}");
    assert_answers(&mut wire);
}

#[test]
fn times_are_kept() {
    let set_up = SetUp::default()
        .set(DOOR, "handshake_timeout", "\"300ms\"")
        .set(DOOR, "header_timeout", "\"300ms\"")
        .set(DOOR, "body_timeout", "\"300ms\"")
        .set(DOOR, "idle_timeout", "\"2s\"");
    let server = Server::start(set_up);
    let app = server.app("app");

    let mut stalled = TcpStream::connect(server.xmlrpc()).unwrap();
    stalled.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(
        stalled.read(&mut [0]).unwrap_or(0),
        0,
        "a handshake that never begins"
    );
    let mut wire = server.connect(Some(&app)).unwrap();
    wire.send(b"POST /xmlrpc HTTP/1.1\r\nHost").unwrap();
    assert_eq!(
        wire.answer().unwrap().status,
        408,
        "a head that does not end"
    );
    let mut wire = server.connect(Some(&app)).unwrap();
    wire.send(b"POST /xmlrpc HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n<")
        .unwrap();
    let answer = wire.answer().unwrap();
    assert_eq!(
        (answer.status, fault_code(&answer.text())),
        (408, Some(-32300))
    );
    let mut wire = server.connect(Some(&app)).unwrap();
    assert_answers(&mut wire);
    let start = Instant::now();
    assert_eq!(wire.rest(), b"", "an idle connection");
    assert!(start.elapsed() >= Duration::from_secs(1));
}

/// A door whose limit `setting` is three connections: three are served, and a fourth is not.
fn full_of_three(setting: &str) -> (Server, Identity, Vec<Wire>) {
    let server = Server::start(SetUp::default().set(DOOR, setting, "3"));
    let app = server.app("app");
    let mut wires: Vec<_> = (0..3)
        .map(|_| server.connect(Some(&app)).unwrap())
        .collect();
    wires.iter_mut().for_each(assert_answers);

    assert!(server.connect(Some(&app)).is_err(), "the fourth");

    wires.iter_mut().for_each(assert_answers);
    (server, app, wires)
}

#[test]
fn an_address_gets_its_share_of_connections() {
    full_of_three("max_connections_per_address");
}

#[test]
fn strangers_and_idlers_do_not_keep_anybody_out() {
    let server = Server::start(SetUp::default());
    let app = server.app("app");
    let idle: Vec<_> = (0..200)
        .map(|_| TcpStream::connect(server.xmlrpc()).unwrap())
        .collect();
    let mut slow: Vec<_> = (0..20)
        .map(|_| server.connect(Some(&app)).unwrap())
        .collect();
    for wire in &mut slow {
        wire.send(b"POST /xmlrpc HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n<")
            .unwrap();
    }

    assert_answers(&mut server.connect(Some(&app)).unwrap());

    drop((idle, slow));
}

#[test]
fn the_end_comes_in_time_and_takes_answers_along() {
    let set_up = SetUp::default().set("limits", "drain_timeout", "\"1s\"");
    let mut server = Server::start(set_up);
    let app = server.app("app");
    let mut idle = server.connect(Some(&app)).unwrap();
    assert_answers(&mut idle);
    let mut halfway = server.connect(Some(&app)).unwrap();
    halfway
        .send(b"POST /xmlrpc HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n<")
        .unwrap();
    let mut stalled = TcpStream::connect(server.xmlrpc()).unwrap();
    stalled.write_all(&[22, 3, 1]).unwrap();

    let status = server.terminate();

    assert!(status.success(), "{status}: {}", server.log());
    assert_eq!(idle.rest(), b"");
}

#[test]
fn in_all_there_are_only_so_many_connections_and_a_place_that_is_given_back_is_taken() {
    let (server, app, mut wires) = full_of_three("max_connections");
    drop(wires.pop());

    let end = Instant::now() + PATIENCE;
    let mut again = loop {
        match server.connect(Some(&app)) {
            Ok(wire) => break wire,
            Err(why) => assert!(Instant::now() < end, "{why}"),
        }
    };
    assert_answers(&mut again);
}
