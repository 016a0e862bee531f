//! The SSH door with OpenSSH's own client: a new connection for each password, beside the same client
//! with OpenSSH's own server, and callers who say no more than hello.

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
use crate::peers::sshd::Sshd;
use crate::proc::{cpu_time, cpu_time_of_children, size_mib};
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
    let ours = Callers::of_claviger(&running, &key, options.accounts);
    let peer = match Sshd::is_there() {
        true => Some(Sshd::serve(&dir, &key, &public)?),
        false => None,
    };
    let theirs = peer.as_ref().map(|sshd| Callers::of_sshd(sshd, &key));
    let (alone, beside) = in_turns((&ours, theirs.as_ref()), options)?;
    tell(report, &alone, beside.as_ref());
    drop(peer);
    let rest = size_mib(running.process.pid(), "VmRSS")?;
    let held = half_open(running.ssh)?;
    let full = size_mib(running.process.pid(), "VmRSS")?;
    let (beside, _) = in_turns((&ours, None), options)?;
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

fn tell(report: &mut Report, ours: &Told, theirs: Option<&Told>) {
    let rate = |name, told: &Told| Measure::told(name, told.rate, "/s");
    report.measure(rate("ssh RETRIEVE, 8 at a time", ours));
    report.measure(Measure::at_least(
        "ssh RETRIEVE, without the clients' CPU",
        ours.net,
        "/s",
        150.0,
    ));
    report.measure(Measure::told(
        "ssh: client's CPU each",
        ours.client_ms,
        "ms",
    ));
    let cpu = ours.server_ms;
    report.measure(Measure::at_most(
        "ssh: server's CPU each",
        cpu,
        "ms",
        Some(5.0),
    ));
    report.measure(Measure::told("ssh: median", ours.p50_ms, "ms"));
    let Some(theirs) = theirs else {
        return;
    };
    report.measure(rate("OpenSSH's sshd with the same client", theirs));
    report.measure(Measure::told(
        "sshd: client's CPU each",
        theirs.client_ms,
        "ms",
    ));
    report.measure(Measure::told(
        "sshd: server's CPU each",
        theirs.server_ms,
        "ms",
    ));
    report.measure(Measure::told("sshd: median", theirs.p50_ms, "ms"));
}

/// What some seconds of calling came to.
struct Told {
    rate: f64,
    /// The rate of the time that is left when what the clients took of the processors is taken off.
    net: f64,
    p50_ms: f64,
    client_ms: f64,
    server_ms: f64,
}

/// OpenSSH's client, again and again.
struct Callers {
    name: &'static str,
    server: u32,
    port: String,
    user: String,
    key: PathBuf,
    /// How many accounts it asks for; none where it only logs in.
    accounts: Option<u64>,
}

/// First one, then the other, and again.
fn in_turns(
    (ours, theirs): (&Callers, Option<&Callers>),
    options: &Options,
) -> Result<(Told, Option<Told>), Trouble> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for turn in 1..=options.runs {
        eprintln!("ssh {turn}/{}", options.runs);
        first.push(ours.run(options.duration)?);
        if let Some(theirs) = theirs {
            second.push(theirs.run(options.duration)?);
        }
    }
    Ok((medians(&first), theirs.map(|_| medians(&second))))
}

fn medians(runs: &[Told]) -> Told {
    let of = |field: fn(&Told) -> f64| middle(runs.iter().map(field).collect());
    Told {
        rate: of(|told| told.rate),
        net: of(|told| told.net),
        p50_ms: of(|told| told.p50_ms),
        client_ms: of(|told| told.client_ms),
        server_ms: of(|told| told.server_ms),
    }
}

impl Callers {
    fn of_claviger(running: &Running, key: &Path, accounts: u64) -> Self {
        Self {
            name: "claviger",
            server: running.process.pid(),
            port: running.ssh.port().to_string(),
            user: USER.split('@').next().unwrap_or_default().to_owned(),
            key: key.to_owned(),
            accounts: Some(accounts),
        }
    }

    fn of_sshd(sshd: &Sshd, key: &Path) -> Self {
        let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
        Self {
            name: "sshd",
            server: sshd.process.pid(),
            port: sshd.address.port().to_string(),
            user,
            key: key.to_owned(),
            accounts: None,
        }
    }

    /// What the server, and every process that it has started, took of the processors.
    fn server_time(&self) -> Result<Duration, Trouble> {
        Ok(cpu_time(self.server)? + cpu_time_of_children(self.server)?)
    }

    fn run(&self, duration: Duration) -> Result<Told, Trouble> {
        let (own, next) = (std::process::id(), AtomicU64::new(0));
        let (server, client) = (self.server_time()?, cpu_time_of_children(own)?);
        let start = Instant::now();
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
        let count = times.len() as f64;
        let server = self.server_time()?.saturating_sub(server).as_secs_f64();
        let client = cpu_time_of_children(own)?.saturating_sub(client);
        let client = client.as_secs_f64();
        let processors = thread::available_parallelism()?.get() as f64;
        let told = Told {
            rate: count / seconds,
            net: count / (seconds - client / processors),
            p50_ms: middle(times),
            client_ms: client * 1000.0 / count,
            server_ms: server * 1000.0 / count,
        };
        eprintln!(
            "  {}: {:.0}/s  p50 {:.1} ms  client {:.2} ms  server {:.2} ms",
            self.name, told.rate, told.p50_ms, told.client_ms, told.server_ms
        );
        Ok(told)
    }

    fn call_until(&self, end: Instant, next: &AtomicU64) -> Result<Vec<f64>, Trouble> {
        let mut times = Vec::new();
        while Instant::now() < end {
            let number = next.fetch_add(7919, Ordering::Relaxed);
            let start = Instant::now();
            self.call(number)?;
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(times)
    }

    fn call(&self, number: u64) -> Result<(), Trouble> {
        let mut command = Command::new("ssh");
        command
            .args(["-q", "-F", "none", "-p", &self.port, "-l", &self.user, "-i"])
            .arg(&self.key)
            .args(["-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no"])
            .args(["-o", "UserKnownHostsFile=/dev/null"])
            .stdin(Stdio::null());
        let head = match self.accounts {
            None => {
                command.args(["-s", "127.0.0.1", "sftp"]);
                String::new()
            }
            Some(accounts) => {
                let number = number % accounts;
                let resource = format!("--resource=server-{number:07}");
                command.args(["127.0.0.1", "RETRIEVE", &resource, "--account=root"]);
                password_head(number)
            }
        };
        let called = command.output()?;
        let said = String::from_utf8_lossy(&called.stdout);
        if called.status.success() && said.starts_with(&head) {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&called.stderr).trim().to_owned();
        Err(Trouble::new(format!("{}: {why}", self.name)))
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
        // A network each: one of them may not have as many.
        socket.bind(&SocketAddr::from(([127, 0, host, 1], 0)).into())?;
        socket.connect_timeout(&address.into(), PATIENCE)?;
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.read_exact(&mut [0; 4])?;
        held.push(stream);
    }
    Ok(held)
}
