//! The agent: answers retrievals on a Unix socket for programs of its own user. It asks the server
//! every time; while no server can be reached it answers what the server last said, for a stated
//! time.
//!
//! - `place`: the socket
//! - `wire`: what goes over it
//! - `memory`: what the server said, sealed
//! - `outage`: who asks while no server can be reached

mod memory;
mod outage;
mod place;
mod wire;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::program::options::{self, Reach};
use crate::program::output::{complain, tell};
use crate::program::source::{Wanted, builder};
use crate::program::trouble::{Trouble, status};
use crate::{Client, Code, Error, Secret};

use memory::Memory;
use outage::Outage;
use place::Place;
use wire::Answer;

/// What everybody who asks is answered from.
struct Agent {
    client: Mutex<Client>,
    memory: Mutex<Memory>,
    outage: Mutex<Outage>,
    /// How long asking may take.
    probe: Duration,
    owner: u32,
}

/// Serves the socket until it is told to stop.
pub(super) async fn serve(options: options::Agent, reach: Reach) -> Result<(), Trouble> {
    let clients = options.clients.clamp(1, MOST_CLIENTS);
    let agent = Arc::new(Agent {
        probe: (reach.connect_timeout + reach.timeout).saturating_mul(ASKED_TWICE),
        client: Mutex::new(client(reach.clone(), clients)?),
        memory: Mutex::new(Memory::new(options.keep, options.most)?),
        outage: Mutex::default(),
        owner: rustix::process::geteuid().as_raw(),
    });
    let stopped = |kind| signal(kind).map_err(Trouble::Runtime);
    let (mut terminate, mut interrupt) = (
        stopped(SignalKind::terminate())?,
        stopped(SignalKind::interrupt())?,
    );
    let mut hangup = stopped(SignalKind::hangup())?;
    let renewed = async {
        while hangup.recv().await.is_some() {
            agent.renew(client(reach.clone(), clients));
        }
    };
    let (place, listener) = Place::make(&options.socket).await?;
    tell(&[&format!("agent listening on {}", options.socket.display())])?;
    tokio::select! {
        () = agent.attend_all(&listener, clients) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = renewed => {}
    }
    drop(place);
    Ok(())
}

/// A client with a connection for everybody who is served at once: a silent server holds each of
/// them, and nobody waits behind those.
fn client(reach: Reach, clients: usize) -> Result<Client, Trouble> {
    let builder = builder(reach)?.0.connections(clients);
    // Whoever asks waits: how often to try is theirs to say.
    Ok(builder.retries(0).build()?)
}

/// Asks the agent on `socket`; for at most `patience` beyond what the agent itself may take.
pub(super) async fn ask(
    socket: &Path,
    wanted: &Wanted,
    patience: Duration,
) -> Result<Secret, Trouble> {
    let absent = |source| Trouble::NoAgent {
        path: socket.to_owned(),
        source,
    };
    let asking = async {
        let mut stream = UnixStream::connect(socket).await?;
        // Somebody else's agent could answer with passwords of its own making.
        if stream.peer_cred()?.uid() != rustix::process::geteuid().as_raw() {
            let words = "the agent there belongs to another user";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
        }
        wire::send(&mut stream, wanted).await?;
        wire::answer(&mut stream).await
    };
    let answer = match timeout(patience.saturating_mul(ASKED_TWICE), asking).await {
        Ok(answer) => answer.map_err(absent)?,
        Err(_) => return Err(absent(io::ErrorKind::TimedOut.into())),
    };
    match answer {
        Answer::Password(password) => Ok(password),
        Answer::No { status, message } => Err(Trouble::Agent { status, message }),
    }
}

impl Agent {
    /// Answers whoever comes, so many at once, and forgets in time what is kept too long.
    async fn attend_all(self: &Arc<Self>, listener: &UnixListener, clients: usize) {
        let places = Arc::new(Semaphore::new(clients));
        let mut attended = JoinSet::new();
        let mut sweep = interval(SWEEP);
        loop {
            tokio::select! {
                come = come(listener, &places) => {
                    if let Some((stream, place)) = come {
                        let agent = Arc::clone(self);
                        attended.spawn(async move {
                            // Whoever goes away while it is answered needs no answer.
                            let _gone = agent.attend(stream).await;
                            drop(place);
                        });
                    }
                }
                Some(_) = attended.join_next() => {}
                _ = sweep.tick() => self.memory().sweep(Instant::now()),
            }
        }
    }

    async fn attend(&self, mut stream: UnixStream) -> io::Result<()> {
        let wanted = match timeout(READ, wire::wanted(&mut stream)).await {
            Ok(wanted) => wanted?,
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        };
        let answer = if stream.peer_cred()?.uid() == self.owner {
            self.answer(&wanted).await
        } else {
            no(status::REFUSED, STRANGER.to_owned())
        };
        match timeout(READ, wire::reply(&mut stream, &answer)).await {
            Ok(sent) => sent,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// What the server says, or, where none can be reached, what it said not long ago.
    async fn answer(&self, wanted: &Wanted) -> Answer {
        let begun = Instant::now();
        let kept = self.memory().find(wanted, begun);
        if let Some(password) = kept
            && self.outage().spares(begun, self.probe)
        {
            return Answer::Password(password);
        }
        let asked = self.memory().ask(wanted);
        let client = self.client().clone();
        let said = wanted.from(&client).await;
        self.notice(begun, &said);
        let mut memory = self.memory();
        let answer = learn(&mut memory, wanted, asked, said);
        memory.end(wanted);
        answer
    }

    /// What an ask that began then says of whether a server can be reached.
    fn notice(&self, begun: Instant, said: &Result<Secret, Error>) {
        let now = Instant::now();
        match said {
            Err(error) if is_away(error) => self.outage().find(begun, now),
            Err(error) if error.code().is_none() && !is_shut_out(error) => {
                self.outage().doubt(now);
            }
            Ok(_) | Err(_) => self.outage().end(now),
        }
    }

    /// Asks by the new client from now on; the old one stays where there is none.
    fn renew(&self, client: Result<Client, Trouble>) {
        match client {
            Ok(client) => {
                *self.client() = client;
                self.outage().doubt(Instant::now());
            }
            Err(trouble) => complain(&format!(
                "{}; what was read before counts",
                trouble.in_full()
            )),
        }
    }

    fn client(&self) -> MutexGuard<'_, Client> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer to what the server said; the memory goes by it.
fn learn(memory: &mut Memory, wanted: &Wanted, asked: u64, said: Result<Secret, Error>) -> Answer {
    let now = Instant::now();
    match said {
        Ok(password) => {
            memory.keep(wanted, asked, &password, now);
            Answer::Password(password)
        }
        Err(error) if is_away(&error) => match memory.find(wanted, now) {
            Some(password) => Answer::Password(password),
            None => refusal(error),
        },
        Err(error) => {
            if is_shut_out(&error) {
                memory.forget_all();
            } else if is_final(&error) {
                memory.forget(wanted);
            }
            refusal(error)
        }
    }
}

/// The next one to be answered, when there is room for it.
async fn come(
    listener: &UnixListener,
    places: &Arc<Semaphore>,
) -> Option<(UnixStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(_) => {
            // Too many files are open: others must end first.
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}

/// Whether no server could be reached. One that answers that it cannot do it is there.
fn is_away(error: &Error) -> bool {
    matches!(
        error,
        Error::Connect { .. } | Error::TimedOut { .. } | Error::Interrupted { .. }
    )
}

/// Whether the server knows this machine's application no more: then it may have nothing at all.
fn is_shut_out(error: &Error) -> bool {
    matches!(error, Error::Rejected { .. }) || error.code() == Some(Code::NotAuthenticated)
}

/// Whether the server has said no, so that what it said before counts no more.
fn is_final(error: &Error) -> bool {
    let passing = matches!(error.code(), Some(Code::Unavailable | Code::Conflict));
    error.code().is_some() && !passing
}

fn refusal(error: Error) -> Answer {
    let trouble = Trouble::from(error);
    no(trouble.status(), trouble.in_full())
}

fn no(status: u8, message: String) -> Answer {
    Answer::No { status, message }
}

/// A primary and a secondary may each take their time.
const ASKED_TWICE: u32 = 3;
const MOST_CLIENTS: usize = 10_000;
/// For a request to come, and for an answer to be taken.
const READ: Duration = Duration::from_secs(5);
const SWEEP: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);
const STRANGER: &str = "this agent answers its own user only";

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(account: &str) -> Wanted {
        Wanted {
            resource: "r".to_owned(),
            account: account.to_owned(),
            ..Wanted::default()
        }
    }

    fn answered(code: Code) -> Error {
        Error::Answered {
            code,
            message: String::new(),
        }
    }

    fn rejected() -> Error {
        Error::Rejected {
            server: String::new(),
            source: rustls::Error::General(String::new()),
        }
    }

    /// Whether the agent still answers each of two names without the server, when it said that to
    /// one who asked for the first.
    fn left_after(said: Error) -> [bool; 2] {
        let mut memory = Memory::new(Duration::from_secs(60), 9).unwrap();
        let mut ask = |account, said| {
            let wanted = wanted(account);
            let asked = memory.ask(&wanted);
            let answer = learn(&mut memory, &wanted, asked, said);
            memory.end(&wanted);
            matches!(answer, Answer::Password(_))
        };
        for account in ["a", "b"] {
            assert!(ask(account, Ok(Secret::from("s3cret"))));
        }
        assert!(!ask("a", Err(said)));
        ["a", "b"].map(|account| {
            let server = String::new();
            ask(account, Err(Error::TimedOut { server }))
        })
    }

    #[test]
    fn who_is_shut_out_is_given_nothing_more_and_a_refusal_concerns_its_name_alone() {
        assert_eq!(left_after(rejected()), [false, false]);
        let locked = answered(Code::NotAuthenticated);
        assert_eq!(left_after(locked), [false, false]);
        for code in [Code::Refused, Code::NotAllowed, Code::WaitingForApproval] {
            assert_eq!(left_after(answered(code)), [false, true], "{code:?}");
        }
        for code in [Code::Unavailable, Code::Conflict] {
            assert_eq!(left_after(answered(code)), [true, true], "{code:?}");
        }
    }
}
