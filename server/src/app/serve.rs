//! `claviger serve`: opens the doors, and closes them in order.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use certs::{
    Clients, Hints, IdentityFiles, OcspChecker, Resumption, ServerIdentity, ServerOptions,
    server_config,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use crate::admin::{AdminDoor, Desk, RemoteDesk, Tasks, to_text};
use crate::app::a2a::open_a2a;
use crate::app::events::tell;
use crate::app::files::Room;
use crate::app::folder::check_private;
use crate::app::house::unlock;
use crate::app::operator::{Front, admin_settings};
use crate::app::porch::{self, Porch};
use crate::app::resets::look_after;
use crate::app::restore::left_over;
use crate::app::ssh::open_ssh;
use crate::app::watch::{Seen, Watch, times};
use crate::app::{AppError, DataFolder, House, checks};
use crate::config::{Config, Doors, Listen};
use crate::domain::{Door, Operation};
use crate::doors::{
    A2a, Closer, Closing, Crowd, CrowdSettings, Gate, HealthDoor, Leaving, Limits, ListenSettings,
    Listener, Meter, Native, Rest, RestSettings, Ssh, Xmlrpc, XmlrpcSettings,
};
use crate::vault::AnchorState;

/// What the server tells whoever started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announcement<'a> {
    /// A door is open.
    Listening {
        /// The door's name.
        door: &'a str,
        /// Its true address.
        address: &'a str,
    },
    /// All doors are open.
    Ready,
    /// The doors are being closed.
    Closing,
}

/// What whoever starts the server wants of it.
pub struct Orders<'a> {
    /// Is told how far it is.
    pub announce: &'a mut (dyn FnMut(Announcement<'_>) + Send),
    /// Ends when the server shall stop; SIGTERM and SIGINT stop it, too.
    pub stop: Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
}

impl fmt::Debug for Orders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Orders(..)")
    }
}

/// Serves the vault in `folder` until a signal, or whoever started it, says stop.
///
/// # Errors
/// [`AppError`] when the house cannot be built, a door not be opened, or the end not be written.
pub async fn serve(
    folder: &DataFolder,
    config: Config,
    orders: Orders<'_>,
) -> Result<(), AppError> {
    folder.check()?;
    if !folder.is_whole() {
        return Err(AppError::Missing(folder.path().to_owned()));
    }
    let keys = unlock(folder, &config).await?;
    let house = House::open(folder, &config, keys).await?;
    let served = open_doors(folder, &config, &house, orders).await;
    let why = if served.is_ok() {
        "signal"
    } else {
        "a door could not be opened"
    };
    let closed = house.close(why).await;
    served?;
    closed
}

async fn open_doors(
    folder: &DataFolder,
    config: &Config,
    house: &House,
    orders: Orders<'_>,
) -> Result<(), AppError> {
    // Before anybody is told that it is ready, and may tell it to stop.
    let signals = Signals::catch()?;
    report_anchor(house).await?;
    for path in folder.leftovers() {
        warn!("{}", left_over(&path));
    }
    let closer = Closer::new();
    let mut doors = JoinSet::new();
    let meter = Arc::new(Meter::new());
    let watch = watcher(folder, config, house)?;
    let health = HealthDoor::new(house.vault.clone(), meter.clone(), watch.clone());
    let mut open = Vec::new();
    let room = room(config)?;
    let mut porch = None;
    if let Listen::On(address) = config.doors.xmlrpc.listen {
        let listener = xmlrpc_listener(config, (address, room), &meter)?;
        open.push((Xmlrpc::NAME, listener.address().to_string()));
        let door = Arc::new(xmlrpc(folder, config, house, &meter, &watch)?);
        let tls = Arc::new(tls(config, house, &watch, Clients::Required)?);
        doors.spawn(listener.serve_tls(tls, door, closer.closing()));
    }
    if let Listen::On(address) = config.doors.rest.listen {
        let listener = rest_listener(config, (address, room), &meter)?;
        open.push((Rest::NAME, listener.address().to_string()));
        let door = Arc::new(Porch::new(rest(config, house, &meter)));
        porch = Some(door.clone());
        let tls = Arc::new(tls(config, house, &watch, Clients::Anonymous)?);
        doors.spawn(listener.serve_tls(tls, door, closer.closing()));
    }
    let mut host_key = None;
    if let Listen::On(address) = config.doors.ssh.listen {
        let ssh = open_ssh((folder, config), house, (address, room), &meter)?;
        open.push((Ssh::NAME, ssh.listener.address().to_string()));
        host_key = Some(ssh.host_key.to_string());
        doors.spawn(ssh.door.serve(ssh.listener, closer.closing()));
    }
    let beside = (&*meter, closer.closing());
    if let Some(a2a) = open_a2a((folder, config), (house, &watch), room, beside)? {
        open.push((A2a::NAME, a2a.listener.address().to_string()));
        doors.spawn(a2a.listener.serve_tls(a2a.tls, a2a.door, closer.closing()));
    }
    if let Listen::On(address) = config.health.listen {
        let listener = health_listener(config, address, &meter)?;
        open.push((HealthDoor::NAME, listener.address().to_string()));
        doors.spawn(listener.serve_plain(Arc::new(health.clone()), closer.closing()));
    }
    let socket = AdminDoor::open(folder.path())?;
    house
        .vault
        .note(Operation::Start, env!("CARGO_PKG_VERSION"))
        .await?;
    let front = Front {
        watch: watch.clone(),
        health,
        folder: folder.clone(),
        config: config.clone(),
        started: to_text(house.vault.now()),
        doors: open.clone(),
        host_key,
    };
    let desk = desk(front, config, house);
    if let Some(porch) = porch {
        open_native(&porch, &desk, config, &meter);
    }
    doors.spawn(admin(socket, desk, config, closer.closing()));
    let (pause, sweep) = (&config.tls.poll_interval, &config.limits.expiry_sweep);
    doors.spawn(watch.run(pause.get(), sweep.get(), closer.closing()));
    let sweep = config.reset.sweep.get();
    doors.spawn(look_after(house.vault.clone(), sweep, closer.closing()));
    doors.spawn(tell(house.vault.clone(), closer.closing()));
    wait((orders, signals), &open, closer, doors).await;
    Ok(())
}

/// Tells that the doors are open, waits for the word to stop, and closes them.
async fn wait(
    (orders, signals): (Orders<'_>, Signals),
    open: &[(&'static str, String)],
    closer: Closer,
    mut doors: JoinSet<()>,
) {
    for (name, address) in open {
        (orders.announce)(Announcement::Listening {
            door: name,
            address,
        });
    }
    (orders.announce)(Announcement::Ready);
    signals.or(orders.stop).await;
    (orders.announce)(Announcement::Closing);
    info!("closing the doors");
    closer.close();
    while let Some(ended) = doors.join_next().await {
        if let Err(why) = ended {
            error!(%why, "a door broke");
        }
    }
}

/// Says so when the audit trail is shorter than the store remembers; whoever must know is told by
/// the log, by `status` and by the health check, and the server goes on.
async fn report_anchor(house: &House) -> Result<(), AppError> {
    if let Some(cut) = house.ledger.cut() {
        info!(
            ?cut,
            "the rest of a write that a crash tore was cut off the audit trail"
        );
    }
    match house.vault.check_anchor().await? {
        AnchorState::Whole => {}
        AnchorState::Cut { remembered, found } => {
            error!(remembered, found, "the audit trail was cut or put back");
        }
        AnchorState::Replaced { remembered } => {
            error!(
                remembered,
                "the audit trail was cut or put back, and has grown since"
            );
        }
        AnchorState::StoreBehind { remembered, found } => {
            error!(remembered, found, "the store was put back from an old copy");
        }
    }
    Ok(())
}

fn watcher(folder: &DataFolder, config: &Config, house: &House) -> Result<Arc<Watch>, AppError> {
    let files = [&config.tls.certificate, &config.tls.key].map(|file| file.within(folder.path()));
    let [certificate, key] = files.clone();
    check_private(&key)?;
    // Before it is read: what is written from here on is read again.
    let written = times(&files);
    let identity = ServerIdentity::from_files(IdentityFiles {
        certificate,
        key,
        password: None,
    });
    let warn_days = i64::try_from(config.tls.warn_days.as_usize()).unwrap_or(i64::MAX);
    Ok(Arc::new(Watch {
        vault: house.vault.clone(),
        trust: house.trust.clone(),
        identity: identity.map_err(AppError::certificate("the server's certificate"))?,
        files,
        warn_days,
        leaving: Arc::new(Leaving::within(warn_days)),
        seen: Mutex::new(Seen::since(written)),
    }))
}

fn desk(front: Front, config: &Config, house: &House) -> Desk {
    Desk {
        vault: house.vault.clone(),
        house: Arc::new(front),
        tasks: Tasks::default(),
        settings: admin_settings(config),
    }
}

/// Offers what the operator has at the socket beside the original's API, where it is wanted.
fn open_native(porch: &Porch, desk: &Desk, config: &Config, meter: &Meter) {
    if config.doors.rest.native_api {
        let strangers = config.doors.rest.max_strangers.get();
        let behind = porch::Desk(RemoteDesk::new(desk));
        let native = Native::new(desk.vault.clone(), behind, strangers, meter);
        porch.open_native(native);
    }
}

/// The operator's socket, open until `closing` says so.
fn admin(
    socket: AdminDoor,
    desk: Desk,
    config: &Config,
    mut closing: Closing,
) -> impl Future<Output = ()> + Send + 'static {
    let drain = config.limits.drain_timeout.get();
    async move {
        let (stop, stopped) = watch::channel(false);
        let serving = socket.serve(desk, stopped, drain);
        tokio::join!(serving, async {
            closing.said().await;
            stop.send_replace(true);
        });
    }
}

fn health_listener(
    config: &Config,
    address: SocketAddr,
    meter: &Meter,
) -> Result<Listener, AppError> {
    let most = config.health.max_connections.as_usize();
    let crowd = Crowd::new(CrowdSettings {
        all: most,
        per_address: most,
    });
    let settings = ListenSettings {
        limits: limits(config),
        ..ListenSettings::at(address)
    };
    Ok(Listener::bind(
        &settings,
        crowd,
        meter.door(HealthDoor::NAME),
    )?)
}

/// Room for the connections of all doors.
fn room(config: &Config) -> Result<Room, AppError> {
    let ours = [
        &config.health.max_connections,
        &config.admin.max_connections,
    ];
    let ours = ours.map(|most| most.as_usize()).into_iter().sum();
    let Doors {
        xmlrpc,
        rest,
        ssh,
        a2a,
    } = &config.doors;
    let wanted = [
        (xmlrpc.listen, &xmlrpc.max_connections),
        (rest.listen, &rest.max_connections),
        (ssh.listen, &ssh.max_connections),
        (a2a.listen, &a2a.max_connections),
    ];
    let wanted = wanted.iter().filter(|(listen, _)| *listen != Listen::Off);
    Room::make(wanted.map(|(_, most)| most.as_usize()).sum(), ours)
}

fn xmlrpc_listener(
    config: &Config,
    (address, room): (SocketAddr, Room),
    meter: &Meter,
) -> Result<Listener, AppError> {
    let door = &config.doors.xmlrpc;
    let crowd = Crowd::new(CrowdSettings {
        all: room.of(door.max_connections.as_usize()),
        per_address: door.max_connections_per_address.as_usize(),
    });
    let settings = ListenSettings {
        limits: limits(config),
        backlog: door.backlog.get(),
        ..ListenSettings::at(address)
    };
    Ok(Listener::bind(&settings, crowd, meter.door(Xmlrpc::NAME))?)
}

fn rest_listener(
    config: &Config,
    (address, room): (SocketAddr, Room),
    meter: &Meter,
) -> Result<Listener, AppError> {
    let door = &config.doors.rest;
    let crowd = Crowd::new(CrowdSettings {
        all: room.of(door.max_connections.as_usize()),
        per_address: door.max_connections_per_address.as_usize(),
    });
    let settings = ListenSettings {
        limits: rest_limits(config),
        backlog: door.backlog.get(),
        ..ListenSettings::at(address)
    };
    Ok(Listener::bind(&settings, crowd, meter.door(Rest::NAME))?)
}

/// The limits of a door whose section has the names of them all.
macro_rules! limits_of {
    ($door:expr, $config:expr) => {{
        let door = &$door;
        Limits {
            handshake: door.handshake_timeout.get(),
            header: door.header_timeout.get(),
            body: door.body_timeout.get(),
            idle: door.idle_timeout.get(),
            request: door.answer_timeout.get(),
            write: door.answer_timeout.get(),
            drain: $config.limits.drain_timeout.get(),
            header_bytes: door.max_header.as_usize(),
            headers: door.max_headers.as_usize(),
            body_bytes: door.max_body.as_usize(),
            gzip: door.gzip,
            inflated_bytes: door.max_unpacked.as_usize(),
            inflate_ratio: door.max_unpack_ratio.as_usize(),
            body_memory: door.body_memory.as_usize(),
            linger: door.linger_timeout.get(),
        }
    }};
}
pub(crate) use limits_of;

fn limits(config: &Config) -> Limits {
    limits_of!(config.doors.xmlrpc, config)
}

fn rest_limits(config: &Config) -> Limits {
    limits_of!(config.doors.rest, config)
}

fn rest(config: &Config, house: &House, meter: &Meter) -> Rest {
    let door = &config.doors.rest;
    let settings = RestSettings {
        input: input_data::Limits {
            bytes: door.max_body.as_usize(),
            parameters: door.max_parameters.as_usize(),
            depth: door.max_depth.as_usize(),
            values: door.max_values.as_usize(),
            text: door.max_text.as_usize(),
        },
        token_in_url: door.token_in_url,
        rows: door.max_rows.as_usize(),
        strangers: door.max_strangers.get(),
    };
    Rest::new(house.vault.clone(), settings, rest_limits(config), meter)
}

fn xmlrpc(
    folder: &DataFolder,
    config: &Config,
    house: &House,
    meter: &Meter,
    watch: &Watch,
) -> Result<Xmlrpc, AppError> {
    let door = &config.doors.xmlrpc;
    let responders = Arc::new(OcspChecker::new(checks::ocsp(folder, &config.tls)?));
    let trust = house.trust.store().clone();
    let gate = Gate::new(house.vault.clone(), trust, responders, Door::Xmlrpc)
        .telling(watch.leaving.clone());
    let settings = XmlrpcSettings {
        document: xmlrpc_codec::Limits {
            bytes: door.max_body.as_usize(),
            depth: door.max_depth.as_usize(),
            values: door.max_values.as_usize(),
            text: door.max_text.as_usize(),
            ..xmlrpc_codec::Limits::default()
        },
        multicall: door.max_multicall.as_usize(),
    };
    Ok(Xmlrpc::new(
        house.vault.clone(),
        gate,
        settings,
        limits(config),
        meter,
    ))
}

pub(crate) fn tls(
    config: &Config,
    house: &House,
    watch: &Watch,
    clients: Clients,
) -> Result<rustls::ServerConfig, AppError> {
    let options = ServerOptions {
        clients,
        hints: if config.tls.client_hints {
            Hints::Issuers
        } else {
            Hints::None
        },
        resumption: if config.tls.resumption {
            ServerOptions::default().resumption
        } else {
            Resumption::Off
        },
    };
    let made = server_config(&watch.identity, house.trust.store(), options);
    made.map_err(AppError::certificate("TLS"))
}

/// SIGTERM and SIGINT, caught from the moment this is made.
struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    fn catch() -> Result<Self, AppError> {
        let failed = |_| AppError::Other("signals cannot be received".to_owned());
        Ok(Self {
            term: signal(SignalKind::terminate()).map_err(failed)?,
            int: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    /// Waits for one of them, or for `stop`.
    async fn or(mut self, stop: impl Future<Output = ()>) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
            () = stop => {}
        }
    }
}
