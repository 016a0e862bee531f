//! The load generator: N connections that ask, wait for the answer, check it, and ask again.
//!
//! Lean on purpose, for it shares the machine with what it measures: two single-threaded
//! runtimes with half of the connections each, requests written by hand, one buffer a connection.

mod histogram;
mod http;
mod listen;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::HandshakeKind;
use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::LocalSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub use histogram::Histogram;
pub use http::{find, read_answer};
pub use listen::{Listeners, listen};
pub use tls::{Handshake, Passport, read_chain};

use crate::peers::{Peer, Verb};
use crate::proc::cpu_time;
use crate::trouble::Trouble;

/// What a connection does with its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// One handshake, then request after request.
    KeptAlive,
    /// A new connection for each request.
    OneShot(Handshake),
}

/// One load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// What is asked for.
    pub verb: Verb,
    /// Over which kind of connection.
    pub link: Link,
    /// How many callers there are at once.
    pub connections: usize,
    /// How long before anything is counted.
    pub warm_up: Duration,
    /// How long it is counted.
    pub duration: Duration,
}

/// What came of a load.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Answers a second.
    pub rate: f64,
    /// Latency in ms: half, 99 %, 99.9 % of all answers were as fast.
    pub p50: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p999: f64,
    /// The server process' own CPU for an answer, in µs.
    pub cpu: f64,
    /// Which part of the connections resumed a session.
    pub resumed: f64,
}

/// What one connection saw.
#[derive(Debug, Default)]
struct Tally {
    latencies: Histogram,
    handshakes: u64,
    resumed: u64,
}

/// The times at which counting begins and ends.
#[derive(Clone, Copy)]
struct Window {
    begin: Instant,
    end: Instant,
}

const THREADS: usize = 2;
/// How many idle connections are opened at a time, and from one address.
const OPENERS: usize = 32;
const PER_ADDRESS: usize = 900;
/// The longest that any single request may take before the run is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Puts `load` on `peer` and measures.
///
/// # Errors
/// The first thing that went wrong on any connection: a run with a wrong answer counts for nothing.
pub fn run(peer: &Peer, load: Load) -> Result<Outcome, Trouble> {
    let begin = Instant::now() + load.warm_up;
    let window = Window {
        begin,
        end: begin + load.duration,
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|at| scope.spawn(move || work(peer, load, window, at)))
            .collect();
        sleep_until(window.begin);
        let before = cpu_time(peer.pid);
        sleep_until(window.end);
        let cpu = cpu_time(peer.pid)?.saturating_sub(before?);
        let mut total = Tally::default();
        for worker in workers {
            let tally = worker
                .join()
                .map_err(|_| Trouble::new("a load thread died"))??;
            total.add(&tally);
        }
        total.outcome(load, cpu)
    })
}

/// Asks `peer` for `verb` exactly once for each number in `picks`, in turn over `connections`.
///
/// # Errors
/// The first thing that went wrong.
pub fn run_each(
    peer: &Peer,
    verb: Verb,
    picks: std::ops::Range<u64>,
    connections: usize,
) -> Result<(), Trouble> {
    runtime()?.block_on(async {
        let local = LocalSet::new();
        let mut tasks = Vec::new();
        for at in 0..connections as u64 {
            let caller = Caller::new(peer, Handshake::Full)?;
            let (picks, step) = (picks.clone(), connections);
            tasks.push(local.spawn_local(async move {
                let mut caller = caller;
                let (mut stream, _) = caller.connect().await?;
                for pick in picks.skip(at as usize).step_by(step) {
                    caller.ask(&mut stream, verb, pick).await?;
                }
                Ok::<(), Trouble>(())
            }));
        }
        local.await;
        for task in tasks {
            task.await.map_err(|_| Trouble::new("a load task died"))??;
        }
        Ok(())
    })
}

/// Connections that are open and say nothing, until this is dropped.
pub struct Idle {
    streams: Vec<TlsStream<TcpStream>>,
    runtime: tokio::runtime::Runtime,
}

/// Opens `count` connections to `peer`, from as many loopback addresses as a server's limit for one
/// address asks for.
///
/// # Errors
/// The first connection that was refused.
pub fn idle(peer: &Peer, count: usize) -> Result<Idle, Trouble> {
    let runtime = runtime()?;
    let streams = runtime.block_on(async {
        let local = LocalSet::new();
        let mut tasks = Vec::new();
        for at in 0..OPENERS {
            let caller = Caller::new(peer, Handshake::Full)?;
            tasks.push(local.spawn_local(async move {
                let mut streams = Vec::new();
                for number in (at..count).step_by(OPENERS) {
                    let host = 2 + u8::try_from(number / PER_ADDRESS)?;
                    let from = SocketAddr::from(([127, 0, 0, host], 0));
                    streams.push(caller.connect_from(from).await?);
                }
                Ok::<_, Trouble>(streams)
            }));
        }
        local.await;
        let mut streams = Vec::new();
        for task in tasks {
            streams.extend(task.await.map_err(|_| Trouble::new("a load task died"))??);
        }
        Ok::<_, Trouble>(streams)
    })?;
    Ok(Idle { streams, runtime })
}

fn work(peer: &Peer, load: Load, window: Window, thread: usize) -> Result<Tally, Trouble> {
    let mine = (0..load.connections).filter(|at| at % THREADS == thread);
    runtime()?.block_on(async {
        let local = LocalSet::new();
        let mut tasks = Vec::new();
        for at in mine {
            let caller = Caller::new(peer, load.handshake())?;
            let random = Random::new(window, at);
            tasks.push(local.spawn_local(caller.live(load, window, random)));
        }
        local.await;
        let mut total = Tally::default();
        for task in tasks {
            total.add(&task.await.map_err(|_| Trouble::new("a load task died"))??);
        }
        Ok(total)
    })
}

/// One caller with its connection settings and its buffers.
struct Caller {
    peer: Peer,
    tls: TlsConnector,
    request: Vec<u8>,
    needle: Vec<u8>,
    answer: Vec<u8>,
}

impl Caller {
    fn new(peer: &Peer, handshake: Handshake) -> Result<Self, Trouble> {
        let tls = TlsConnector::from(Arc::new(peer.passport.client(handshake)?));
        let peer = peer.clone();
        Ok(Self {
            peer,
            tls,
            request: Vec::new(),
            needle: Vec::new(),
            answer: Vec::new(),
        })
    }

    async fn live(
        mut self,
        load: Load,
        window: Window,
        mut random: Random,
    ) -> Result<Tally, Trouble> {
        let mut tally = Tally::default();
        match load.link {
            Link::KeptAlive => {
                let (mut stream, _) = self.connect().await?;
                while Instant::now() < window.end {
                    let start = Instant::now();
                    self.ask(&mut stream, load.verb, random.next()).await?;
                    tally.count(window, start);
                }
            }
            Link::OneShot(_) => {
                while Instant::now() < window.end {
                    let start = Instant::now();
                    let (mut stream, resumed) = self.connect().await?;
                    self.ask(&mut stream, load.verb, random.next()).await?;
                    tally.count(window, start);
                    tally.handshakes += 1;
                    tally.resumed += u64::from(resumed);
                    // The answer is here: how the peer says good-bye is not our business.
                    drop(stream.shutdown().await);
                }
            }
        }
        Ok(tally)
    }

    async fn connect(&self) -> Result<(TlsStream<TcpStream>, bool), Trouble> {
        let address = self.peer.address;
        let opened = tokio::time::timeout(PATIENCE, async {
            let socket = TcpStream::connect(address).await?;
            socket.set_nodelay(true)?;
            self.tls
                .connect(ServerName::from(address.ip()), socket)
                .await
        });
        let stream = opened
            .await
            .map_err(|_| Trouble::new("no connection in time"))??;
        let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        Ok((stream, resumed))
    }

    /// The same from a loopback address of the caller's choice.
    async fn connect_from(&self, from: SocketAddr) -> Result<TlsStream<TcpStream>, Trouble> {
        let address = self.peer.address;
        let opened = tokio::time::timeout(PATIENCE, async {
            let socket = TcpSocket::new_v4()?;
            socket.bind(from)?;
            let stream = socket.connect(address).await?;
            self.tls
                .connect(ServerName::from(address.ip()), stream)
                .await
        });
        Ok(opened
            .await
            .map_err(|_| Trouble::new("no connection in time"))??)
    }

    async fn ask(
        &mut self,
        stream: &mut TlsStream<TcpStream>,
        verb: Verb,
        pick: u64,
    ) -> Result<(), Trouble> {
        self.request.clear();
        self.needle.clear();
        self.peer
            .words
            .write(verb, pick, &mut self.request, &mut self.needle);
        stream.write_all(&self.request).await?;
        let (status, body) = read_answer(stream, &mut self.answer).await?;
        let right = status == self.peer.words.status(verb)
            && find(&self.answer[body..], &self.needle).is_some();
        if right {
            return Ok(());
        }
        Err(Trouble::new(format!(
            "{} answered {status}: {}",
            self.peer.name,
            String::from_utf8_lossy(&self.answer[body..])
        )))
    }
}

impl Load {
    fn handshake(&self) -> Handshake {
        match self.link {
            Link::KeptAlive => Handshake::Full,
            Link::OneShot(handshake) => handshake,
        }
    }
}

impl Tally {
    fn count(&mut self, window: Window, start: Instant) {
        let now = Instant::now();
        if now >= window.begin && now <= window.end {
            self.latencies.record(now - start);
        }
    }

    fn add(&mut self, other: &Self) {
        self.latencies.merge(&other.latencies);
        self.handshakes += other.handshakes;
        self.resumed += other.resumed;
    }

    fn outcome(&self, load: Load, cpu: Duration) -> Result<Outcome, Trouble> {
        let count = self.latencies.count();
        if count == 0 {
            return Err(Trouble::new("not one answer in the time measured"));
        }
        Ok(Outcome {
            rate: count as f64 / load.duration.as_secs_f64(),
            p50: self.latencies.quantile_ms(0.5),
            p99: self.latencies.quantile_ms(0.99),
            p999: self.latencies.quantile_ms(0.999),
            cpu: cpu.as_secs_f64() * 1e6 / count as f64,
            resumed: self.resumed as f64 / self.handshakes.max(1) as f64,
        })
    }
}

/// A small generator of numbers, different for each connection and each run.
struct Random(u64);

impl Random {
    fn new(window: Window, connection: usize) -> Self {
        let seed = window.begin.elapsed().subsec_nanos() ^ (std::process::id() << 8);
        Self((u64::from(seed) << 16) ^ (connection as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// Xorshift (Marsaglia): enough to spread the load.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

fn sleep_until(when: Instant) {
    thread::sleep(when.saturating_duration_since(Instant::now()));
}
