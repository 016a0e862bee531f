//! The server is killed at random moments while many clients write; everything that was answered
//! must be there afterwards.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use harness::{Identity, Server, SetUp, Wire, xml};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Kills in one run; each costs a start, about a tenth of a second.
const KILLS: u64 = 200;
const WRITERS: usize = 6;

/// What a client knows for certain of one account.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The last password whose change was answered.
    acknowledged: String,
    /// Passwords whose change was asked for and not answered since.
    unclear: Vec<String>,
}

#[derive(Default)]
struct Ledger {
    accounts: Mutex<BTreeMap<String, Known>>,
    retrieved: Mutex<HashSet<String>>,
    stop: AtomicBool,
    done: Mutex<u64>,
    answered: Condvar,
    /// Answers that said the server could not do it now: no acknowledgement, and no loss.
    unavailable: Mutex<Vec<String>>,
}

#[test]
fn nothing_that_was_answered_is_lost_by_a_kill() {
    let mut server = Server::start(SetUp::default());
    let identity = server.issue("writer");
    server.register(&identity, "password-administrator");
    let book = Arc::new(Ledger::default());
    let mut random = Random(0x5EED);
    let ca = server.ca();
    let mut first = server.connect(Some(&identity)).unwrap();
    for writer in 0..WRITERS {
        create(&mut first, &book, &format!("r{writer}"));
    }
    drop(first);

    for round in 0..KILLS {
        book.stop.store(false, Ordering::SeqCst);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (book, identity) = (Arc::clone(&book), identity.clone());
                let (address, ca) = (server.xmlrpc(), ca.clone());
                thread::spawn(move || write(writer, round, address, &ca, &identity, &book))
            })
            .collect();
        // Killed after so many answers, wherever the others stand at that moment.
        let enough = *book.done.lock().unwrap() + random.below(24);
        let waited = book.answered.wait_timeout_while(
            book.done.lock().unwrap(),
            Duration::from_secs(20),
            |done| *done < enough,
        );
        drop(waited.unwrap());
        server.kill9();
        book.stop.store(true, Ordering::SeqCst);
        for writer in writers {
            assert!(
                writer.join().is_ok(),
                "a writer was answered badly\n{}",
                server.log()
            );
        }
        server.restart();
    }

    assert!(
        *book.done.lock().unwrap() > KILLS * 6,
        "there was hardly any traffic"
    );
    let unavailable = book.unavailable.lock().unwrap().clone();
    assert!(
        unavailable.is_empty(),
        "a healthy disk, and yet {unavailable:?}\n{}",
        server.log()
    );
    check_accounts(&server, &identity, &book);
    check_trail(&server, &book);
}

/// Changes, retrieves and creates until the connection breaks.
fn write(
    writer: usize,
    round: u64,
    address: std::net::SocketAddr,
    ca: &std::path::Path,
    identity: &Identity,
    book: &Ledger,
) {
    let ca = CertificateDer::from_pem_file(ca).unwrap();
    let config = harness::client_config(&[ca], Some(identity), rustls::ALL_VERSIONS);
    let Ok(mut wire) = Wire::open(address, config) else {
        return;
    };
    for turn in 0.. {
        if book.stop.load(Ordering::SeqCst) {
            return;
        }
        let name = format!("r{writer}");
        let went = match turn % 3 {
            0 => change(&mut wire, book, &name, &format!("{name}-{round}-{turn}")),
            1 => retrieve(&mut wire, book, &name),
            _ => create(&mut wire, book, &format!("n{writer}-{round}-{turn}")),
        };
        if went.is_none() {
            return;
        }
        *book.done.lock().unwrap() += 1;
        book.answered.notify_all();
    }
}

fn ask(wire: &mut Wire, method: &str, parameters: &[&str]) -> Option<harness::Answer> {
    wire.post(&xml::call(method, parameters), &[])
        .ok()
        .filter(|answer| answer.status == 200)
}

fn change(wire: &mut Wire, book: &Ledger, name: &str, new: &str) -> Option<()> {
    let unclear = |known: &mut Known| known.unclear.push(new.to_owned());
    book.accounts
        .lock()
        .unwrap()
        .entry(name.to_owned())
        .and_modify(unclear);
    let answer = ask(wire, "changePassword", &[name, "root", new, "why", "false"])?.text();
    done_or_unavailable(&answer, book)?;
    let mut accounts = book.accounts.lock().unwrap();
    let known = accounts.get_mut(name).unwrap();
    known.acknowledged = new.to_owned();
    known.unclear.clear();
    Some(())
}

fn retrieve(wire: &mut Wire, book: &Ledger, name: &str) -> Option<()> {
    let answer = ask(wire, "retrievePassword", &[name, "root"])?;
    let text = answer.text();
    done_or_unavailable(&text, book)?;
    let password = xml::value(&text).unwrap();
    {
        let accounts = book.accounts.lock().unwrap();
        let known = &accounts[name];
        let fits = known.acknowledged == password || known.unclear.contains(&password);
        assert!(fits, "{name}: {password} is neither of {known:?}");
    }
    let request = answer
        .header("x-request-id")
        .expect("every answer names its request");
    book.retrieved.lock().unwrap().insert(request.to_owned());
    Some(())
}

fn create(wire: &mut Wire, book: &Ledger, name: &str) -> Option<()> {
    let answer = ask(
        wire,
        "createResource",
        &[name, "Linux", "root", "first", "notes"],
    )?
    .text();
    done_or_unavailable(&answer, book)?;
    let known = Known {
        acknowledged: "first".to_owned(),
        unclear: Vec::new(),
    };
    book.accounts.lock().unwrap().insert(name.to_owned(), known);
    Some(())
}

/// A success, or a clear "not now" (code 10), which acknowledges nothing; anything else is wrong.
fn done_or_unavailable(answer: &str, book: &Ledger) -> Option<()> {
    if !xml::is_fault(answer) {
        return Some(());
    }
    assert_eq!(
        xml::member(answer, "faultCode").as_deref(),
        Some("10"),
        "{answer}"
    );
    book.unavailable.lock().unwrap().push(answer.to_owned());
    None
}

/// Every acknowledged change is there, and none is half there.
fn check_accounts(server: &Server, identity: &Identity, book: &Ledger) {
    let mut wire = server.connect(Some(identity)).unwrap();
    for (name, known) in book.accounts.lock().unwrap().iter() {
        let answer = ask(&mut wire, "retrievePassword", &[name, "root"])
            .unwrap()
            .text();
        let password = xml::value(&answer).unwrap();
        let fits = known.acknowledged == password || known.unclear.contains(&password);
        assert!(fits, "{name}: {password} is neither of {known:?}");
    }
    let listed = server.claviger(&["resource", "list", "--json"]).ok().stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    for resource in listed.as_array().unwrap() {
        let name = resource["name"].as_str().unwrap();
        let answer = ask(&mut wire, "retrievePassword", &[name, "root"])
            .unwrap()
            .text();
        assert!(!xml::is_fault(&answer), "{name} is half there: {answer}");
    }
}

/// The trail verifies, and every answered retrieval has its record.
fn check_trail(server: &Server, book: &Ledger) {
    server.claviger(&["audit", "verify"]).ok();
    let out = server.outside().join("trail.json");
    server
        .claviger(&["audit", "export", "--out", &out.to_string_lossy()])
        .ok();
    let trail = std::fs::read_to_string(out).unwrap();
    let missing: Vec<_> = {
        let retrieved = book.retrieved.lock().unwrap();
        retrieved
            .iter()
            .filter(|request| !trail.contains(request.as_str()))
            .cloned()
            .collect()
    };
    assert!(
        missing.is_empty(),
        "{} retrievals without a record: {missing:?}",
        missing.len()
    );
}

/// Numbers for moments; a fixed seed, though the moments themselves differ from run to run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }
}
