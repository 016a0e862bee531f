//! What is not a load: memory, start, import.

use std::fs;
use std::sync::Arc;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

use crate::load::{self, run_each};
use crate::options::{Options, root};
use crate::pages;
use crate::peers::claviger::{Claviger, Import, XmlRpc};
use crate::peers::{Peer, Process, Verb};
use crate::proc::size_mib;
use crate::report::{Measure, Report};
use crate::trouble::Trouble;
use crate::works::{self, in_turns, middle};

/// Retrievals after which memory is looked at again.
const MANY_RETRIEVALS: u64 = 1_000_000;
const STARTS: usize = 3;

/// Memory with the usual number of accounts: at rest, and after a million retrievals.
///
/// # Errors
/// When the server cannot be set up.
pub fn memory(options: &Options, report: &mut Report) -> Result<(), Trouble> {
    let small = Vault::fill(options, "memory", options.accounts)?;
    let (process, peer, _) = small.serve()?;
    run_each(&peer, Verb::Retrieve, 0..100, 8)?;
    let rest = size_mib(process.pid(), "VmRSS")?;
    report.measure(Measure::at_most("memory at rest", rest, "MiB", Some(64.0)));
    eprintln!("memory: {MANY_RETRIEVALS} retrievals, and as many again …");
    // The first ones fill what is filled once: the engine's cache, what is remembered. The second
    // million shows growth, if there is any.
    run_each(&peer, Verb::Retrieve, 0..MANY_RETRIEVALS, 32)?;
    let early = size_mib(process.pid(), "VmRSS")?;
    run_each(&peer, Verb::Retrieve, 0..MANY_RETRIEVALS, 32)?;
    let late = size_mib(process.pid(), "VmRSS")?;
    report.measure(Measure::at_most(
        "memory after 1 000 000 retrievals",
        early,
        "MiB",
        Some(64.0),
    ));
    let target = Some(early + 1.0);
    report.measure(Measure::at_most(
        "memory after 2 000 000 retrievals",
        late,
        "MiB",
        target,
    ));
    Ok(())
}

/// The large vault: its import, its start, retrievals from it against the usual one, and pages.
///
/// # Errors
/// When the server cannot be set up.
pub fn million(options: &Options, report: &mut Report) -> Result<(), Trouble> {
    let large = match Vault::left_by(options, "million", options.many)? {
        Some(large) => large,
        None => import(options, report)?,
    };
    for (name, signal) in [
        ("start after SIGTERM", Signal::TERM),
        ("start after SIGKILL", Signal::KILL),
    ] {
        let seconds = large.starts_after(signal)?;
        report.measure(Measure::at_most(name, seconds, "s", Some(1.0)));
    }
    against_the_usual(options, &large, report)?;
    let (_process, _, _) = large.serve()?;
    pages::measure(&large.claviger.socket(), large.accounts, report)
}

fn import(options: &Options, report: &mut Report) -> Result<Vault, Trouble> {
    eprintln!("million: importing {} accounts …", options.many);
    let large = Vault::fill(options, "million", options.many)?;
    let (seconds, most) = (large.import.seconds, Some(256.0));
    report.measure(Measure::at_most("import", seconds, "s", None));
    for (name, peak) in [
        ("import: server's peak", large.import.server_mib),
        ("import: command's peak", large.import.command_mib),
    ] {
        report.measure(Measure::at_most(name, peak, "MiB", most));
    }
    fs::write(options.dir.join("million/whole"), options.many.to_string())?;
    Ok(large)
}

/// Retrievals over 8 kept-alive connections, in turns: all of the large vault, as many of its
/// accounts as the usual one has, the usual one.
fn against_the_usual(options: &Options, large: &Vault, report: &mut Report) -> Result<(), Trouble> {
    let usual = Vault::fill(options, "usual", options.accounts)?;
    let (large_process, all_peer, _) = large.serve()?;
    let (_usual_process, usual_peer, _) = usual.serve()?;
    let some_peer = Peer {
        words: Arc::new(XmlRpc::new(options.accounts)),
        ..all_peer.clone()
    };
    let work = works::named("kept-8").ok_or_else(|| Trouble::new("no such load"))?;
    let outcomes = in_turns(&work, &[&all_peer, &some_peer, &usual_peer], options);
    let [Some(all), Some(some), Some(few)] = &outcomes[..] else {
        return Err(Trouble::new("a run went wrong"));
    };
    let size = size_mib(large_process.pid(), "VmRSS")?;
    let most = Some(few.p99 * 1.5);
    report.measure(Measure::told("memory of the large vault", size, "MiB"));
    for (name, p99, most) in [
        ("retrieve p99, usual vault", few.p99, None),
        (
            "retrieve p99, large vault, as many accounts",
            some.p99,
            most,
        ),
        ("retrieve p99, large vault, any of all", all.p99, most),
    ] {
        report.measure(Measure::at_most(name, p99, "ms", most));
    }
    for (name, rate) in [
        ("retrievals, usual vault", few.rate),
        ("retrievals, large vault, as many accounts", some.rate),
        ("retrievals, large vault, any of all", all.rate),
    ] {
        report.measure(Measure::told(name, rate, "/s"));
    }
    Ok(())
}

/// Connections that say nothing: what they cost, and what others notice of them.
///
/// # Errors
/// When the server cannot be set up.
pub fn idle(options: &Options, report: &mut Report) -> Result<(), Trouble> {
    let vault = Vault::fill(options, "idle", options.accounts)?;
    let (process, peer, _) = vault.serve()?;
    let work = works::named("kept-8").ok_or_else(|| Trouble::new("no such load"))?;
    let alone = in_turns(&work, &[&peer], options);
    let rest = size_mib(process.pid(), "VmRSS")?;
    let count = files_allowed()?.saturating_sub(SPARE_FILES).min(MOST_IDLE);
    eprintln!("idle: opening {count} connections …");
    let held = load::idle(&peer, count)?;
    let full = size_mib(process.pid(), "VmRSS")?;
    let beside = in_turns(&work, &[&peer], options);
    drop(held);
    let ([Some(alone)], [Some(beside)]) = (&alone[..], &beside[..]) else {
        return Err(Trouble::new("a run went wrong"));
    };
    report.measure(Measure::told("idle connections", count as f64, ""));
    report.measure(Measure::at_most("memory without them", rest, "MiB", None));
    // 32 KiB each: what TLS keeps, and no buffers.
    let target = 64.0 + count as f64 / 32.0;
    report.measure(Measure::at_most(
        "memory with them",
        full,
        "MiB",
        Some(target),
    ));
    let each = (full - rest) * 1024.0 / count as f64;
    report.measure(Measure::told("memory for each", each, "KiB"));
    report.measure(Measure::told("retrievals without them", alone.rate, "/s"));
    report.measure(Measure::told("retrievals beside them", beside.rate, "/s"));
    report.measure(Measure::at_most(
        "retrieve p99 beside them",
        beside.p99,
        "ms",
        Some(alone.p99 * 1.5),
    ));
    Ok(())
}

/// As many files as this process, and the server that it starts, may open; raised as far as it may.
pub fn files_allowed() -> Result<usize, Trouble> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.or(limit.current);
    let raised = Rlimit {
        current: most,
        ..limit
    };
    setrlimit(Resource::Nofile, raised)?;
    Ok(most.map_or(usize::MAX, |most| {
        usize::try_from(most).unwrap_or(usize::MAX)
    }))
}

/// The doors' own limit is 10 000: others are to be served, too.
const MOST_IDLE: usize = 9_900;
const SPARE_FILES: usize = 512;

/// A filled data directory that nobody serves at the moment.
struct Vault {
    claviger: Claviger,
    accounts: u64,
    import: Import,
}

impl Vault {
    fn fill(options: &Options, name: &str, accounts: u64) -> Result<Self, Trouble> {
        let dir = options.dir.join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(&dir)?;
        let program = Claviger::program(root(), options.claviger.as_deref())?;
        let claviger = Claviger::init(&program, &dir.join("claviger"))?;
        let running = claviger.serve()?;
        let import = claviger.populate(&running.process, accounts)?;
        end(running.process, Signal::TERM)?;
        Ok(Self {
            claviger,
            accounts,
            import,
        })
    }

    /// What an earlier run filled with as many accounts, if that will do.
    fn left_by(options: &Options, name: &str, accounts: u64) -> Result<Option<Self>, Trouble> {
        let dir = options.dir.join(name);
        let whole = fs::read_to_string(dir.join("whole")).unwrap_or_default();
        if !options.reuse || whole != accounts.to_string() {
            return Ok(None);
        }
        let program = Claviger::program(root(), options.claviger.as_deref())?;
        Ok(Some(Self {
            claviger: Claviger::left_at(&program, &dir.join("claviger")),
            accounts,
            import: Import::default(),
        }))
    }

    fn serve(&self) -> Result<(Process, Peer, f64), Trouble> {
        let running = self.claviger.serve()?;
        let peer = self.claviger.peer(&running, self.accounts);
        Ok((running.process, peer, running.seconds))
    }

    /// The median of some starts, each after an end by `signal` in the middle of changes.
    fn starts_after(&self, signal: Signal) -> Result<f64, Trouble> {
        let mut seconds = Vec::new();
        for _ in 0..STARTS {
            let (process, peer, _) = self.serve()?;
            run_each(&peer, Verb::Change, 0..100, 8)?;
            end(process, signal)?;
            seconds.push(self.serve()?.2);
        }
        Ok(middle(seconds))
    }
}

fn end(mut process: Process, signal: Signal) -> Result<(), Trouble> {
    let pid = i32::try_from(process.pid()).ok().and_then(Pid::from_raw);
    kill_process(pid.ok_or_else(|| Trouble::new("no process id"))?, signal)?;
    process.0.wait()?;
    Ok(())
}
