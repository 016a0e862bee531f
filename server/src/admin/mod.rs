//! DOOR for the operator: the native JSON API on `DIR/admin.sock`. May use `domain`, `vault`,
//! `certs`; never `store` or `crypto`.
//!
//! Root and the user whom the server runs as may come in, and act with an administrator's reach;
//! whoever comes by another door (`remote`) acts by its own rights.
//! Real HTTP statuses; errors are RFC 9457 problems; lists come in pages with cursors; long work
//! tells how far it is in lines of JSON. `docs/openapi/admin.json` says all of it, and a test
//! compares it with [`routes`]. No password is ever given out here but by the export, and no file or
//! key but by its own route, for that is what doors are for.

mod access_controls;
mod accounts;
mod answer;
mod applications;
mod asked;
mod audit;
mod backups;
mod certificates;
mod desk;
mod error;
mod exports;
mod groups;
mod health;
mod imports;
mod keys;
mod lines;
mod listen;
mod moment;
mod organisations;
mod policies;
mod problem;
mod registrations;
mod remote;
mod requests;
mod resets;
mod resource_groups;
mod resources;
mod rotations;
mod routes;
mod second_factors;
mod secrets;
mod sessions;
mod settings;
mod shares;
pub mod socket;
mod ssh_keys;
mod tasks;
mod tokens;
mod trusted;
mod users;
pub mod wire;

pub use audit::{head_in_words, read_head, resumption, verification};
pub use desk::{Desk, House};
pub use error::AdminError;
pub use listen::{AdminDoor, AdminSettings};
pub use moment::{seconds_to_text, to_text};
pub(crate) use problem::with_causes;
pub use remote::{Nobody, RemoteDesk, Visitor};
pub use routes::routes;
pub use tasks::Tasks;
