//! The SSH door with OpenSSH's own client: a new connection for each password, and callers who say
//! no more than hello.

use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::options::{Options, root};
use crate::peers::claviger::{Claviger, Running, USER};
use crate::peers::password_head;
use crate::proc::{cpu_time, size_mib};
use crate::report::{Measure, Report};
use crate::trouble::Trouble;
use crate::works::middle;

const CALLERS: u64 = 8;
const HALF_OPEN: usize = 1000;
/// How many of them come from one address.
const PER_ADDRESS: usize = 10;
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures `RETRIEVE`, a connection each, and the same beside a thousand half-open sessions.
///
/// # Errors
/// When the server or a key cannot be set up, or an answer is wrong.
pub fn measure(options: &Options, report: &mut Report) -> Result<(), Trouble> {
    let dir = options.dir.join("ssh");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    let program = Claviger::program(root(), options.claviger.as_deref())?;
    let claviger = Claviger::init(&program, &dir.join("claviger"))?;
    let running = claviger.serve()?;
    claviger.populate(&running.process, options.accounts)?;
    let key = key_pair(&dir)?;
    let public = key.with_extension("pub");
    claviger.command(&["user", "ssh-key", "add", USER, &public.to_string_lossy()])?;
    let callers = Callers {
        key,
        port: running.ssh.port().to_string(),
        accounts: options.accounts,
    };
    let alone = callers.in_turns(&running, options)?;
    let (rate, cpu) = (alone.rate, alone.cpu_ms);
    report.measure(Measure::at_least(
        "ssh RETRIEVE, 8 at a time",
        rate,
        "/s",
        150.0,
    ));
    report.measure(Measure::at_most(
        "ssh: server's CPU each",
        cpu,
        "ms",
        Some(5.0),
    ));
    report.measure(Measure::told("ssh: median", alone.p50_ms, "ms"));
    let rest = size_mib(running.process.pid(), "VmRSS")?;
    let held = half_open(running.ssh)?;
    let full = size_mib(running.process.pid(), "VmRSS")?;
    let beside = callers.in_turns(&running, options)?;
    drop(held);
    report.measure(Measure::told(
        "memory without half-open sessions",
        rest,
        "MiB",
    ));
    report.measure(Measure::at_most(
        "memory with 1000 half-open sessions",
        full,
        "MiB",
        Some(100.0),
    ));
    report.measure(Measure::told("ssh RETRIEVE beside them", beside.rate, "/s"));
    Ok(())
}

/// What some seconds of calling came to.
struct Told {
    rate: f64,
    p50_ms: f64,
    cpu_ms: f64,
}

/// OpenSSH's client, as one API user.
struct Callers {
    key: PathBuf,
    port: String,
    accounts: u64,
}

impl Callers {
    fn in_turns(&self, running: &Running, options: &Options) -> Result<Told, Trouble> {
        let mut runs = Vec::new();
        for turn in 1..=options.runs {
            let told = self.run(running, options.duration)?;
            eprintln!(
                "ssh {turn}/{}: {:.0}/s  p50 {:.1} ms  {:.2} ms",
                options.runs, told.rate, told.p50_ms, told.cpu_ms
            );
            runs.push(told);
        }
        let of = |field: fn(&Told) -> f64| middle(runs.iter().map(field).collect());
        Ok(Told {
            rate: of(|told| told.rate),
            p50_ms: of(|told| told.p50_ms),
            cpu_ms: of(|told| told.cpu_ms),
        })
    }

    fn run(&self, running: &Running, duration: Duration) -> Result<Told, Trouble> {
        let (pid, next) = (running.process.pid(), AtomicU64::new(0));
        let (before, start) = (cpu_time(pid)?, Instant::now());
        let all: Result<Vec<Vec<f64>>, Trouble> = thread::scope(|scope| {
            let workers: Vec<_> = (0..CALLERS)
                .map(|_| scope.spawn(|| self.call_until(start + duration, &next)))
                .collect();
            let ended = workers.into_iter().map(|worker| {
                let ended = worker.join();
                ended.map_err(|_| Trouble::new("a caller died"))?
            });
            ended.collect()
        });
        let (times, seconds) = (all?.concat(), start.elapsed().as_secs_f64());
        let (count, cpu) = (times.len() as f64, cpu_time(pid)?.saturating_sub(before));
        Ok(Told {
            rate: count / seconds,
            p50_ms: middle(times),
            cpu_ms: cpu.as_secs_f64() * 1000.0 / count,
        })
    }

    fn call_until(&self, end: Instant, next: &AtomicU64) -> Result<Vec<f64>, Trouble> {
        let mut times = Vec::new();
        while Instant::now() < end {
            let number = next.fetch_add(7919, Ordering::Relaxed) % self.accounts;
            let start = Instant::now();
            self.call(number)?;
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(times)
    }

    fn call(&self, number: u64) -> Result<(), Trouble> {
        let user = USER.split('@').next().unwrap_or_default();
        let called = Command::new("ssh")
            .args(["-q", "-F", "none", "-p", &self.port, "-l", user, "-i"])
            .arg(&self.key)
            .args(["-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no"])
            .args([
                "-o",
                "UserKnownHostsFile=/dev/null",
                "127.0.0.1",
                "RETRIEVE",
            ])
            .args([&format!("--resource=server-{number:07}"), "--account=root"])
            .stdin(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&called.stdout);
        if called.status.success() && said.starts_with(&password_head(number)) {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&called.stderr).trim().to_owned();
        Err(Trouble::new(format!("ssh: {why}")))
    }
}

fn key_pair(dir: &Path) -> Result<PathBuf, Trouble> {
    let key = dir.join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status()?;
    match made.success() {
        true => Ok(key),
        false => Err(Trouble::new("ssh-keygen made no key")),
    }
}

/// Connections that hear the server's hello, and answer nothing.
fn half_open(address: SocketAddr) -> Result<Vec<TcpStream>, Trouble> {
    let mut held = Vec::new();
    for number in 0..HALF_OPEN {
        let host = u8::try_from(number / PER_ADDRESS + 2)?;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from(([127, 0, 0, host], 0)).into())?;
        socket.connect_timeout(&address.into(), PATIENCE)?;
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.read_exact(&mut [0; 4])?;
        held.push(stream);
    }
    Ok(held)
}
