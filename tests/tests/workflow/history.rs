//! Many clients request, approve, check out, retrieve and check in at random while the server is
//! killed and started again; afterwards the whole history is judged.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use harness::{Identity, PATIENCE, Server, SetUp, Wire, client_config, tell, xml};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use crate::judge::{
    Answered, Deed, Event, assert_approved, assert_held_while_read, assert_one_holder,
    assert_recorded, done,
};
use crate::{PASSWORD, furnished};

const USERS: usize = 4;
/// Two at work for each user.
const WORKERS: usize = 8;
/// Each costs a start, about a tenth of a second.
const KILLS: u64 = 20;

#[derive(Default)]
struct History {
    counter: Mutex<u64>,
    ticked: Condvar,
    events: Mutex<Vec<Event>>,
    stop: AtomicBool,
}

impl History {
    fn tick(&self) -> u64 {
        let mut counter = self.counter.lock().unwrap();
        *counter += 1;
        self.ticked.notify_all();
        *counter
    }

    /// Waits until so much more has happened.
    fn await_more(&self, count: u64) {
        let counter = self.counter.lock().unwrap();
        let enough = *counter + count;
        let waited = self
            .ticked
            .wait_timeout_while(counter, PATIENCE, |counter| *counter < enough);
        assert!(!waited.unwrap().1.timed_out(), "nothing happens any more");
    }

    fn begin(&self, user: usize, deed: Deed) -> usize {
        let begun = self.tick();
        let mut events = self.events.lock().unwrap();
        events.push(Event {
            user,
            deed,
            begun,
            over: u64::MAX,
            answer: None,
        });
        events.len() - 1
    }

    fn end(&self, index: usize, yes: bool, request: String) {
        let over = self.tick();
        let event = &mut self.events.lock().unwrap()[index];
        event.over = over;
        event.answer = Some(Answered { yes, request });
    }

    /// The server is gone: what it has not answered it never will.
    fn killed(&self) {
        let over = self.tick();
        let mut events = self.events.lock().unwrap();
        let under_way = events.iter_mut().filter(|event| event.over == u64::MAX);
        under_way.for_each(|event| event.over = over);
    }
}

/// Where the server is, and who talks to it.
#[derive(Clone)]
struct Scene {
    data: PathBuf,
    ca: PathBuf,
    door: SocketAddr,
    users: Vec<Identity>,
}

fn login(user: usize) -> String {
    format!("user{user}@127.0.0.1")
}

fn scene(server: &Server) -> Scene {
    let users = (0..USERS).map(|user| {
        let identity = server.app(&format!("user{user}"));
        server.share("db1", &identity, "view");
        identity
    });
    let users = users.collect();
    let set = [
        "access-control",
        "set",
        "db1",
        "--exclusive",
        "--max",
        "24h",
    ];
    server.claviger(&set).ok();
    Scene {
        data: server.data().to_owned(),
        ca: server.ca(),
        door: server.xmlrpc(),
        users,
    }
}

/// xorshift: which steps, not when they meet.
fn rolled(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed >> 11
}

/// Works for one user until the server is gone.
fn work(user: usize, mut seed: u64, scene: &Scene, history: &History) {
    let ca = CertificateDer::from_pem_file(&scene.ca).unwrap();
    let config = client_config(&[ca], scene.users.get(user), rustls::ALL_VERSIONS);
    let Ok(mut wire) = Wire::open(scene.door, config) else {
        return;
    };
    while !history.stop.load(Ordering::SeqCst) {
        let dice = rolled(&mut seed);
        let other = (user + 1 + (dice >> 8) as usize % (USERS - 1)) % USERS;
        let went = match dice % 7 {
            0 => operate(Deed::Raise, "", user, scene, history),
            1 | 2 => operate(Deed::Approve, "/approve", other, scene, history),
            3 => operate(Deed::CheckOut, "/checkout", user, scene, history),
            4 => retrieve(user, &mut wire, history),
            5 => operate(Deed::CheckIn, "/checkin", user, scene, history),
            _ => operate(Deed::CheckIn, "/checkin", other, scene, history),
        };
        if went.is_none() {
            return;
        }
    }
}

/// The operator does it for `user`.
fn operate(deed: Deed, step: &str, user: usize, scene: &Scene, history: &History) -> Option<()> {
    let body = json!({"resource": "db1", "account": "root", "user": login(user)});
    let index = history.begin(user, deed);
    let told = tell(&scene.data, "POST", &format!("/v1/requests{step}"), &body).ok()?;
    // A step that cannot be made is 404 or 409; anything else is wrong on a healthy disk.
    assert!([204, 404, 409, 422].contains(&told.status), "{told:?}");
    history.end(index, told.status == 204, told.request);
    Some(())
}

fn retrieve(user: usize, wire: &mut Wire, history: &History) -> Option<()> {
    let index = history.begin(user, Deed::Retrieve);
    let body = xml::call("retrievePassword", &["db1", "root"]);
    let answer = wire.post(&body, &[]).ok()?;
    let text = answer.text();
    match xml::member(&text, "faultCode").as_deref() {
        None => assert_eq!(xml::value(&text).as_deref(), Some(PASSWORD)),
        Some(code) => assert!(["13", "14"].contains(&code), "{text}"),
    }
    let request = answer.header("x-request-id").unwrap().to_owned();
    history.end(index, !xml::is_fault(&text), request);
    Some(())
}

/// Everybody works; after some answers the server is killed.
fn round(server: &mut Server, scene: &mut Scene, history: &Arc<History>, seed: &mut u64) {
    scene.door = server.xmlrpc();
    history.stop.store(false, Ordering::SeqCst);
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (scene, history, seed) = (scene.clone(), Arc::clone(history), rolled(seed) | 1);
            thread::spawn(move || work(worker % USERS, seed, &scene, &history))
        })
        .collect();
    history.await_more(100 + rolled(seed) % 200);
    server.kill9();
    history.stop.store(true, Ordering::SeqCst);
    for worker in workers {
        assert!(worker.join().is_ok(), "answered badly\n{}", server.log());
    }
    history.killed();
    server.restart();
}

/// Who holds it, as the operator is told.
fn holders(server: &Server) -> Vec<String> {
    let listed = server.claviger(&["request", "list", "--json"]).ok().stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let rows = listed.as_array().unwrap().iter();
    rows.filter(|row| row["state"] == "checked-out")
        .map(|row| row["user"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn no_kill_makes_two_holders_an_unapproved_read_a_lost_check_in_or_an_answer_without_record() {
    let mut server = furnished(SetUp::default());
    let mut scene = scene(&server);
    let history = Arc::new(History::default());
    let mut seed = 0x5EED;

    for _ in 0..KILLS {
        round(&mut server, &mut scene, &history, &mut seed);
    }

    let events = history.events.lock().unwrap().clone();
    eprintln!("{} events", events.len());
    let begun = std::time::Instant::now();
    let least = usize::try_from(KILLS).unwrap();
    for deed in [Deed::CheckOut, Deed::Retrieve, Deed::CheckIn] {
        let count = done(&events, deed);
        assert!(count > least, "a poor history: {count} of {deed:?}");
    }
    let unclear = events.iter().filter(|event| event.answer.is_none());
    assert!(unclear.count() > least, "nothing was under way at a kill");
    let holds = assert_one_holder(&events, USERS);
    assert_held_while_read(&events, USERS);
    assert_approved(&events, USERS);
    eprintln!("judged in {:?}", begun.elapsed());
    let holders = holders(&server);
    assert!(holders.len() <= 1, "{holders:?}");
    if let Some(user) = holds {
        assert_eq!(holders, [login(user)], "a check-out is lost");
    }
    assert_trail(&server, &events);
}

fn assert_trail(server: &Server, events: &[Event]) {
    server.claviger(&["audit", "verify"]).ok();
    let out = server.outside().join("trail.json");
    let words = ["audit", "export", "--out", &out.to_string_lossy()];
    server.claviger(&words).ok();
    assert_recorded(events, Path::new(&out));
}
