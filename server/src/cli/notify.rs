//! Telling systemd how the service is (sd_notify(3)), where it wants to know.

use std::env;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Sends `state` to the socket that `NOTIFY_SOCKET` names; does nothing without one. That it could
/// not be sent is no reason to stop: systemd notices by its own time-out.
pub(crate) fn tell(state: &str) {
    let Some(place) = env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let bytes = place.as_bytes();
    let address = match bytes.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&place),
    };
    let sent = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(error) = sent {
        tracing::warn!(%error, "systemd could not be told");
    }
}
