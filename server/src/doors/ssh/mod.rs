//! The SSH command line: one command a channel, by users who prove a key.
//!
//! `session` says what a client may ask for, `login` finds out who it is, `guest` keeps what is
//! known of a connection and when it is over, `wire` is the connection that ends then, `lobby` is where
//! it waits for its log-in, `unwritten` counts refusals beyond number; `command` reads what came in,
//! `perform` has it done, `answer` holds the lines and exit statuses.

mod answer;
mod command;
mod guest;
mod host_key;
mod lobby;
mod login;
mod perform;
mod session;
mod unwritten;
mod wire;

pub use host_key::HostKey;

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::server::{Config, RunningSession, run_stream};
use russh::{
    Limits as Rekeying, MethodKind, MethodSet, Preferred, SshId, cipher, compression, kex, mac,
};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info};

use crate::doors::rarely::Rarely;
use crate::doors::ssh::command::Verb;
use crate::doors::ssh::guest::Guest;
use crate::doors::ssh::lobby::Lobby;
use crate::doors::ssh::session::Session;
use crate::doors::ssh::unwritten::Unwritten;
use crate::doors::ssh::wire::{Scissors, Wire};
use crate::doors::strangers::Strangers;
use crate::doors::{Closing, DoorMeter, Ending, Listener, Meter, OperationMeter};
use crate::vault::Vault;

/// What an operator may set about this door alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshSettings {
    /// What ends a line. Default a line feed.
    pub line_end: LineEnd,
    /// Whether errors go to standard output. Default no.
    pub errors_to_stdout: bool,
    /// Bytes in a command. Default 32 KiB.
    pub command: usize,
    /// Bytes in an answer. Default 1 MiB.
    pub output: usize,
    /// Bytes that a client may send before it has logged in. Default 32 KiB.
    pub login_input: usize,
    /// Bytes that it may send between two commands, the second included. Default 256 KiB.
    pub idle_input: usize,
    /// Attempts to log in on a connection. Default 6.
    pub attempts: usize,
    /// How long a refused attempt takes at least. Default 500 ms.
    pub refusal: Duration,
    /// Refused log-ins a minute that are written down one by one, from one address. Default 60.
    pub strangers: u32,
    /// Connections at once on which nobody has logged in. Default 2000.
    pub half_open: usize,
    /// Those of one network. Default 600.
    pub half_open_of_network: usize,
    /// Channels at once on a connection. Default 10.
    pub channels: usize,
    /// Commands in all on a connection. Default 1000.
    pub commands: usize,
    /// From the connection to the log-in. Default 20 s.
    pub login: Duration,
    /// From a command to its answer. Default 120 s.
    pub answer: Duration,
    /// Between two commands, and for the client to read an answer. Default 120 s.
    pub idle: Duration,
    /// For a client to hang up once it must. Default 2 s.
    pub linger: Duration,
}

impl Default for SshSettings {
    fn default() -> Self {
        Self {
            line_end: LineEnd::Lf,
            errors_to_stdout: false,
            command: 32 * 1024,
            output: 1024 * 1024,
            login_input: 32 * 1024,
            idle_input: 256 * 1024,
            attempts: 6,
            refusal: Duration::from_millis(500),
            strangers: 60,
            half_open: 2000,
            half_open_of_network: 600,
            channels: 10,
            commands: 1000,
            login: Duration::from_secs(20),
            answer: Duration::from_secs(120),
            idle: Duration::from_secs(120),
            linger: Duration::from_secs(2),
        }
    }
}

/// What ends a line of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// `\n`.
    Lf,
    /// `\r\n`.
    Crlf,
}

impl LineEnd {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::Crlf => "\r\n",
        }
    }
}

/// The door for scripts that have an SSH client.
pub struct Ssh {
    vault: Arc<Vault>,
    settings: SshSettings,
    config: Arc<Config>,
    strangers: Strangers,
    unwritten: Unwritten,
    lobby: Arc<Lobby>,
    meters: Meters,
    door: DoorMeter,
    outages: Rarely,
    failures: Rarely,
}

impl fmt::Debug for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ssh")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Ssh {
    /// The name of the door in metrics and logs.
    pub const NAME: &'static str = "ssh";

    /// A door to `vault` that proves itself by `key`.
    #[must_use]
    pub fn new(vault: Arc<Vault>, settings: SshSettings, key: &HostKey, meter: &Meter) -> Self {
        Self {
            vault,
            config: Arc::new(config(&settings, key)),
            strangers: Strangers::new(settings.strangers),
            unwritten: Unwritten::default(),
            lobby: Lobby::new(settings.half_open, settings.half_open_of_network),
            settings,
            meters: Meters::new(meter),
            door: meter.door(Self::NAME),
            outages: Rarely::new(Duration::from_secs(1)),
            failures: Rarely::new(Duration::from_secs(1)),
        }
    }

    /// Serves whoever `listener` lets in, until `closing` says so and the last connection has
    /// ended, or its time to end is over.
    pub async fn serve(self: Arc<Self>, listener: Listener, closing: Closing) {
        let (door, stop) = (self.clone(), closing.clone());
        let visit = move |socket, address| door.clone().visit(socket, address, stop.clone());
        tokio::select! {
            () = listener.run(closing, visit) => {}
            () = self.sum_up_each_minute() => {}
        }
        self.sum_up().await;
    }

    async fn visit(self: Arc<Self>, socket: TcpStream, address: SocketAddr, mut closing: Closing) {
        let address = address.ip().to_canonical();
        let seat = self.lobby.enter(address);
        let guest = Arc::new(Guest::new(address, seat, &self.settings));
        let (wire, scissors) = Wire::new(socket, guest.budget());
        let ended = match self.begin(&guest, wire, &mut closing).await {
            Ok(running) => self.attend(&guest, running, scissors, closing).await,
            Err(Some(why)) => why,
            Err(None) => return,
        };
        if guest.known().is_none() {
            self.door.fail_handshake(ended);
            if let Some(unsaid) = self.failures.now() {
                info!(door = Self::NAME, peer = %address, reason = ended, unsaid, "nobody logged in");
            }
            self.write_down(&guest).await;
        }
        debug!(door = Self::NAME, peer = %address, ended, "ended");
    }

    /// Exchanges banners; where that fails, says why, or nothing where the server is stopping.
    async fn begin(
        self: &Arc<Self>,
        guest: &Arc<Guest>,
        wire: Wire,
        closing: &mut Closing,
    ) -> Result<RunningSession<Session>, Option<&'static str>> {
        let session = Session::new(self.clone(), guest.clone());
        let begun = run_stream(self.config.clone(), wire, session);
        let begun = timeout(self.settings.login, begun);
        let given_up = guest.given_up();
        tokio::select! {
            biased;
            begun = begun => match begun {
                Err(_) => Err(Some(LATE)),
                Ok(begun) => begun.map_err(|error| Some(reason(&error))),
            },
            () = given_up.notified() => Err(Some(CROWDED)),
            () = closing.said() => Err(None),
        }
    }

    /// Waits for a connection's end, and brings it about when its time is up, or when others need
    /// its place before anybody has logged in.
    async fn attend(
        &self,
        guest: &Guest,
        mut running: RunningSession<Session>,
        scissors: Scissors,
        mut closing: Closing,
    ) -> &'static str {
        let mut phases = guest.phases();
        let mut is_closing = false;
        let (mut scissors, mut cut) = (Some(scissors), LATE);
        let given_up = guest.given_up();
        loop {
            let phase = *phases.borrow_and_update();
            let end = phase.end(is_closing, &self.settings);
            let end = end.filter(|_| scissors.is_some());
            tokio::select! {
                ended = &mut running => {
                    return match (ended, scissors) {
                        (_, None) => cut,
                        (Ok(()), _) => "closed",
                        (Err(error), _) => reason(&error),
                    };
                }
                // The sender is the guest's: it stands as long as this waits.
                _ = phases.changed() => {}
                // What is under way in the vault ends by itself; nothing is read any more.
                () = until(end) => drop(scissors.take()),
                () = given_up.notified() => {
                    if guest.known().is_none() {
                        cut = CROWDED;
                        drop(scissors.take());
                    }
                }
                () = closing.said(), if !is_closing => is_closing = true,
            }
        }
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

const LATE: &str = "late";
const CROWDED: &str = "crowded";

/// Why a connection ended, in one of a few words.
fn reason(error: &russh::Error) -> &'static str {
    match error {
        russh::Error::Disconnect | russh::Error::HUP => "closed",
        russh::Error::IO(error) if error.kind() == std::io::ErrorKind::QuotaExceeded => "too_much",
        russh::Error::IO(_) => "closed",
        russh::Error::NoCommonAlgo { .. } => "incompatible",
        russh::Error::Version => "not_ssh",
        _ => "protocol",
    }
}

/// Post-quantum first, strict key exchange, and neither SHA-1, CBC nor compression.
fn config(settings: &SshSettings, key: &HostKey) -> Config {
    let methods: &[MethodKind] = &[MethodKind::PublicKey];
    Config {
        // Which version of what it is, is nobody's business.
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Claviger")),
        methods: MethodSet::from(methods),
        auth_rejection_time: settings.refusal,
        // OpenSSH asks with `none` first, to learn which ways there are.
        auth_rejection_time_initial: Some(Duration::ZERO),
        max_auth_attempts: settings.attempts.saturating_add(1),
        keys: vec![key.key()],
        limits: Rekeying::new(REKEY_BYTES, REKEY_BYTES, REKEY_TIME),
        window_size: WINDOW,
        maximum_packet_size: WINDOW,
        channel_buffer_size: 1,
        event_buffer_size: 8,
        preferred: preferred(),
        // `attend` watches the time: pings do not prolong it.
        inactivity_timeout: None,
        keepalive_interval: None,
        nodelay: true,
        ..Config::default()
    }
}

fn preferred() -> Preferred {
    Preferred {
        kex: Cow::Borrowed(&[
            kex::MLKEM768X25519_SHA256,
            kex::CURVE25519,
            kex::CURVE25519_PRE_RFC_8731,
            kex::ECDH_SHA2_NISTP256,
            kex::ECDH_SHA2_NISTP384,
            kex::ECDH_SHA2_NISTP521,
            kex::EXTENSION_SUPPORT_AS_SERVER,
            kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
        ]),
        // The host key is the first; signatures are accepted by each (RFC 8308 §3.1).
        key: Cow::Borrowed(KEYS),
        // Not ChaCha20-Poly1305: with clients whose exchange is not strict, Terrapin cuts it.
        cipher: Cow::Borrowed(&[
            cipher::AES_256_GCM,
            cipher::AES_128_GCM,
            cipher::AES_256_CTR,
            cipher::AES_192_CTR,
            cipher::AES_128_CTR,
        ]),
        mac: Cow::Borrowed(&[
            mac::HMAC_SHA256_ETM,
            mac::HMAC_SHA512_ETM,
            mac::HMAC_SHA256,
            mac::HMAC_SHA512,
        ]),
        compression: Cow::Borrowed(&[compression::NONE]),
        ..Preferred::DEFAULT
    }
}

const KEYS: &[Algorithm] = &[
    Algorithm::Ed25519,
    ecdsa(EcdsaCurve::NistP256),
    ecdsa(EcdsaCurve::NistP384),
    ecdsa(EcdsaCurve::NistP521),
    rsa(HashAlg::Sha512),
    rsa(HashAlg::Sha256),
];

const fn ecdsa(curve: EcdsaCurve) -> Algorithm {
    Algorithm::Ecdsa { curve }
}

const fn rsa(hash: HashAlg) -> Algorithm {
    Algorithm::Rsa { hash: Some(hash) }
}

/// The least that RFC 4253 §6.1 lets a packet have; nobody sends more here.
const WINDOW: u32 = 32 * 1024;
const REKEY_BYTES: usize = 1 << 28;
const REKEY_TIME: Duration = Duration::from_secs(3600);

/// What is counted of each command.
#[derive(Debug)]
struct Meters {
    verbs: [OperationMeter; Verb::ALL.len()],
    malformed: OperationMeter,
}

impl Meters {
    fn new(meter: &Meter) -> Self {
        Self {
            verbs: Verb::ALL.map(|verb| meter.operation(Ssh::NAME, verb.as_str())),
            malformed: meter.operation(Ssh::NAME, "malformed"),
        }
    }

    fn count(&self, verb: Option<Verb>, ending: Ending, since: Instant) {
        let of_verb = verb.and_then(|verb| self.verbs.get(verb as usize));
        let meter = of_verb.unwrap_or(&self.malformed);
        meter.count(ending, since.elapsed());
    }
}
