//! The A2A door: its listener, its TLS, its settings.

use std::sync::Arc;

use certs::{Clients, OcspChecker};
use rustls::ServerConfig;

use crate::app::files::Room;
use crate::app::serve::{limits_of, tls};
use crate::app::watch::Watch;
use crate::app::{AppError, DataFolder, House, checks};
use crate::config::{Config, Listen};
use crate::domain::Door;
use crate::doors::{
    A2a, A2aSettings, Closing, Crowd, CrowdSettings, EventSettings, Gate, Limits, ListenSettings,
    Listener, Meter,
};

/// The door, open on its address and not served yet.
pub(crate) struct OpenA2a {
    pub(crate) listener: Listener,
    pub(crate) door: Arc<A2a>,
    pub(crate) tls: Arc<ServerConfig>,
}

/// Opens the door, unless it is to stay closed.
///
/// # Errors
/// [`AppError`] when its address cannot be listened on, or its TLS not be made.
pub(crate) fn open_a2a(
    (folder, config): (&DataFolder, &Config),
    (house, watch): (&House, &Watch),
    room: Room,
    (meter, closing): (&Meter, Closing),
) -> Result<Option<OpenA2a>, AppError> {
    let door = &config.doors.a2a;
    let Listen::On(address) = door.listen else {
        return Ok(None);
    };
    let crowd = Crowd::new(CrowdSettings {
        all: room.of(door.max_connections.as_usize()),
        per_address: door.max_connections_per_address.as_usize(),
    });
    let listen = ListenSettings {
        limits: limits(config),
        backlog: door.backlog.get(),
        ..ListenSettings::at(address)
    };
    let listener = Listener::bind(&listen, crowd, meter.door(A2a::NAME))?;
    // Certificates are asked for and not demanded: those who log in by name have none. Whether one
    // counts is found out at every request, which has a better answer than a broken handshake.
    let tls = tls(config, house, watch, Clients::DangerUnjudged)?;
    let responders = Arc::new(OcspChecker::new(checks::ocsp(folder, &config.tls)?));
    let trust = house.trust.store().clone();
    let gate =
        Gate::new(house.vault.clone(), trust, responders, Door::A2a).telling(watch.leaving.clone());
    let settings = A2aSettings {
        strangers: door.max_strangers.get(),
        keys: door.max_keys.as_usize(),
        port: listener.address().port(),
        events: EventSettings {
            most: door.max_listeners.as_usize(),
            by_one: door.max_listeners_per_certificate.as_usize(),
            waiting: door.max_negotiated.as_usize(),
            wait: door.negotiated_timeout.get(),
            ping: door.ping.get(),
            silence: door.silence_timeout.get(),
            feed: door.feed_timeout.get(),
        },
    };
    let door = A2a::new(house.vault.clone(), gate, settings, limits(config), meter);
    Ok(Some(OpenA2a {
        listener,
        door: door.telling_until(closing),
        tls: Arc::new(tls),
    }))
}

fn limits(config: &Config) -> Limits {
    limits_of!(config.doors.a2a, config)
}
