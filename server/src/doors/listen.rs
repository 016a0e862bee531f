//! The one accept loop, for every door.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use socket2::{Domain, Protocol as IpProtocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::doors::connection::{Tls, or_closing, serve};
use crate::doors::crowd::{Crowd, Full, Place};
use crate::doors::meter::{OpenConnection, handshake_failure};
use crate::doors::rarely::Rarely;
use crate::doors::{Closing, DoorError, DoorMeter, Limits, ListenSettings, Peer, Protocol};

/// A door that is open on its address and not served yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    limits: Limits,
    crowd: Arc<Crowd>,
    meter: DoorMeter,
    refusals: Rarely,
}

impl Listener {
    /// Opens the door. Whoever knocks waits until it is served.
    ///
    /// # Errors
    /// [`DoorError::Bind`] when the address cannot be listened on.
    pub fn bind(
        settings: &ListenSettings,
        crowd: Arc<Crowd>,
        meter: DoorMeter,
    ) -> Result<Self, DoorError> {
        let failed = |source| DoorError::Bind {
            address: settings.address,
            source,
        };
        let socket = open(settings).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self {
            socket: TcpListener::from_std(socket).map_err(failed)?,
            address,
            limits: settings.limits,
            crowd,
            meter,
            refusals: Rarely::new(Duration::from_secs(10)),
        })
    }

    /// The address it listens on, with the true port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Speaks `protocol` over TLS until `closing` says so and the last connection has ended, or
    /// its time to end is over.
    pub async fn serve_tls<P: Protocol>(
        self,
        tls: Arc<ServerConfig>,
        protocol: Arc<P>,
        closing: Closing,
    ) {
        let acceptor = TlsAcceptor::from(tls);
        let limits = self.limits;
        let failures = Arc::new(Failures::new(self.meter.clone()));
        let stop = closing.clone();
        self.run(closing, move |socket, address| {
            let shake = shake_hands(acceptor.clone(), socket, limits.handshake);
            let (failures, protocol, mut stop) =
                (Arc::clone(&failures), Arc::clone(&protocol), stop.clone());
            async move {
                // Boxed: what a handshake needs is given back before the first request.
                let Some(wire) = or_closing(Box::pin(shake), &mut stop).await else {
                    return;
                };
                match wire {
                    Ok(wire) => {
                        let session = protocol.open(Peer::new(address, chain(&wire)));
                        serve(wire, (protocol, session), limits, stop).await;
                    }
                    Err(error) => failures.note(address, &error),
                }
            }
        })
        .await;
    }

    /// Speaks `protocol` without TLS, as [`Self::serve_tls`] does with it: for an address that
    /// only the operator reaches.
    pub async fn serve_plain<P: Protocol>(self, protocol: Arc<P>, closing: Closing) {
        let limits = self.limits;
        let stop = closing.clone();
        self.run(closing, move |socket, address| {
            let (protocol, stop) = (Arc::clone(&protocol), stop.clone());
            async move {
                let session = protocol.open(Peer::new(address, Vec::new()));
                serve(socket, (protocol, session), limits, stop).await;
            }
        })
        .await;
    }

    /// Accepts until `closing`, then waits for what is under way, and no longer than it may take.
    pub(in crate::doors) async fn run<F>(
        self,
        mut closing: Closing,
        visit: impl Fn(TcpStream, SocketAddr) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut visits = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = closing.said() => break,
                Some(ended) = visits.join_next(), if !visits.is_empty() => note_end(ended),
                accepted = self.accept() => {
                    let (socket, address, place) = accepted;
                    let visit = visit(socket, address);
                    visits.spawn(async move {
                        let _place = place;
                        visit.await;
                    });
                }
            }
        }
        let Self {
            meter,
            limits,
            socket,
            ..
        } = self;
        drop(socket);
        drain(visits, limits.drain, meter.door()).await;
    }

    /// The next connection that there is a place for.
    async fn accept(&self) -> (TcpStream, SocketAddr, (Place, OpenConnection)) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.socket.accept().await {
                Ok((socket, address)) => match self.crowd.enter(address.ip().to_canonical()) {
                    Ok(place) => {
                        // An answer is one small write: to wait for more would only delay it.
                        let _ = socket.set_nodelay(true);
                        return (socket, address, (place, self.meter.accept()));
                    }
                    Err(full) => self.refuse(full, address),
                },
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => {
                    // No file descriptors, no memory: trying again at once would only burn CPU.
                    if let Some(unsaid) = self.refusals.now() {
                        warn!(door = self.meter.door(), %error, unsaid, "cannot accept");
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn refuse(&self, full: Full, address: SocketAddr) {
        self.meter.refuse(full);
        if let Some(unsaid) = self.refusals.now() {
            warn!(door = self.meter.door(), peer = %address.ip(), cap = ?full, unsaid, "full");
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

fn open(settings: &ListenSettings) -> io::Result<StdListener> {
    let address = settings.address;
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(IpProtocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    // Connections inherit it: a peer that is gone without a word is noticed by what it has not
    // acknowledged, however little that is.
    socket.set_tcp_user_timeout(Some(settings.limits.write))?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(settings.backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// Whether the connection failed before it could be accepted, and not the accepting.
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// The handshake, within `limit`.
async fn shake_hands(acceptor: TlsAcceptor, socket: TcpStream, limit: Duration) -> io::Result<Tls> {
    match timeout(limit, acceptor.accept(socket)).await {
        Ok(result) => result.map(Box::new),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

fn chain(wire: &Tls) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    let chain = wire.get_ref().1.peer_certificates().unwrap_or_default();
    chain
        .iter()
        .map(|certificate| certificate.clone().into_owned())
        .collect()
}

/// Tells of handshakes that failed: each counted, and one a second logged.
#[derive(Debug)]
struct Failures {
    meter: DoorMeter,
    rarely: Rarely,
}

impl Failures {
    fn new(meter: DoorMeter) -> Self {
        Self {
            meter,
            rarely: Rarely::new(Duration::from_secs(1)),
        }
    }

    fn note(&self, address: SocketAddr, error: &io::Error) {
        let reason = handshake_failure(error);
        self.meter.fail_handshake(reason);
        if let Some(unsaid) = self.rarely.now() {
            let (door, peer) = (self.meter.door(), address.ip().to_canonical());
            info!(door, %peer, reason, %error, unsaid, "handshake failed");
        }
    }
}

fn note_end(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "connection panicked");
    }
}

/// Waits for all `visits`, no longer than `limit`; then cuts those that are left.
async fn drain(mut visits: JoinSet<()>, limit: Duration, door: &'static str) {
    let all = async {
        while let Some(ended) = visits.join_next().await {
            note_end(ended);
        }
    };
    if timeout(limit, all).await.is_err() {
        warn!(
            door,
            connections = visits.len(),
            "cut at the end of the drain"
        );
        visits.shutdown().await;
    }
    info!(door, "closed");
}
