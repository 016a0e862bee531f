//! DOORS: each speaks one protocol, and nothing else.
//!
//! `listen` accepts connections for all of them, within limits; `xmlrpc`, `rest`, `ssh` and `a2a` speak;
//! `native` finds out who comes to the admin API, and hands on.
//! A door may use the domain, the vault, `certs` and its codec; never the store, the locks, or
//! another door.

mod a2a;
mod body;
mod closing;
mod connection;
mod crowd;
mod error;
mod framing;
mod gate;
mod health;
mod leaving;
mod listen;
mod meter;
mod native;
mod pace;
mod peer;
mod percent;
mod protocol;
mod quotes;
mod rarely;
mod refusal;
mod rest;
mod settings;
mod ssh;
mod strangers;
mod xmlrpc;

pub use a2a::{A2a, A2aGuest, A2aSettings, EventSettings, a2a_routes};
pub use closing::{Closer, Closing};
pub use crowd::Crowd;
pub use error::DoorError;
pub use gate::{Gate, Visitor};
pub use health::{Beyond, Expiring, HealthDoor};
pub use leaving::Leaving;
pub use listen::Listener;
pub use meter::{DoorMeter, Ending, Meter, OperationMeter};
pub use native::{Approach, Away, Behind, Native};
pub use peer::Peer;
pub use protocol::Protocol;
pub use rest::{Guest, Rest, RestSettings};
pub use settings::{CrowdSettings, Limits, ListenSettings};
pub use ssh::{HostKey, LineEnd, Ssh, SshSettings};
pub use xmlrpc::{Xmlrpc, XmlrpcSettings};
