//! Listeners for changes at the A2A door: what each costs, and how soon all of them hear.

use std::fs;

use crate::load::{Listeners, listen, run_each};
use crate::measures::files_allowed;
use crate::options::{Options, root};
use crate::peers::claviger::Claviger;
use crate::peers::{Peer, Verb};
use crate::proc::size_mib;
use crate::report::{Measure, Report};
use crate::trouble::Trouble;
use crate::works::middle;

const LISTENERS: usize = 2000;
const SPARE_FILES: usize = 512;

/// Measures the memory of 2 000 listeners to one account, and the time until all have heard of its
/// change.
///
/// # Errors
/// When the server cannot be set up, or a listener is refused or hears of nothing.
pub fn measure(options: &Options, report: &mut Report) -> Result<(), Trouble> {
    let dir = options.dir.join("events");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    let program = Claviger::program(root(), options.claviger.as_deref())?;
    let claviger = Claviger::init(&program, &dir.join("claviger"))?;
    let count = files_allowed()?.saturating_sub(SPARE_FILES).min(LISTENERS);
    let running = claviger.serve()?;
    claviger.populate(&running.process, 1)?;
    let (changes, a2a) = (claviger.peer(&running, 1), claviger.a2a_peer(&running, 1)?);
    let pid = running.process.pid();
    // What the first one alone costs the server is no listener's.
    drop(listen(&a2a, &keys(&a2a)?, 1)?);
    let before = size_mib(pid, "VmRSS")?;
    let mut listeners = listen(&a2a, &keys(&a2a)?, count)?;
    let after = size_mib(pid, "VmRSS")?;
    let mut times = Vec::new();
    for _ in 0..options.runs.max(3) {
        times.push(told(&mut listeners, &changes)?);
    }
    report.measure(Measure::told("listeners", count as f64, ""));
    let each = (after - before) * 1024.0 / count as f64;
    let most = Some(64.0);
    report.measure(Measure::at_most(
        "memory for each listener",
        each,
        "KiB",
        most,
    ));
    let name = "a change heard by all of them";
    let (typical, most) = (middle(times), Some(1000.0));
    report.measure(Measure::at_most(name, typical, "ms", most));
    Ok(())
}

/// Milliseconds from before a change until all have heard of it.
fn told(listeners: &mut Listeners, changes: &Peer) -> Result<f64, Trouble> {
    let took = listeners.hear(|| run_each(changes, Verb::Change, 0..1, 1))?;
    Ok(took.as_secs_f64() * 1000.0)
}

/// The header line that shows an API key of the peer's.
fn keys(peer: &Peer) -> Result<String, Trouble> {
    let (mut request, mut needle) = (Vec::new(), Vec::new());
    peer.words
        .write(Verb::Retrieve, 0, &mut request, &mut needle);
    let request = String::from_utf8_lossy(&request).into_owned();
    let mut lines = request.lines();
    let line = lines.find(|line| line.starts_with("Authorization: "));
    line.map(str::to_owned)
        .ok_or_else(|| Trouble::new("there is no API key"))
}
