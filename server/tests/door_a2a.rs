//! The A2A door over true TLS, in front of a true vault.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the tests share may stop them, too"
)]

#[path = "door_a2a/authority.rs"]
mod authority;
#[path = "door_a2a/credentials.rs"]
mod credentials;
#[path = "door_a2a/desk.rs"]
mod desk;
#[path = "admin/document.rs"]
mod document;
#[path = "door_a2a/documented.rs"]
mod documented;
#[path = "door_a2a/events.rs"]
mod events;
#[path = "door_a2a/frame.rs"]
mod frame;
#[path = "door_a2a/house.rs"]
mod house;
#[path = "door_a2a/listening_by_login.rs"]
mod listening_by_login;
#[path = "door_a2a/login.rs"]
mod login;
#[path = "door_a2a/people.rs"]
mod people;
#[path = "door_a2a/policies.rs"]
mod policies;
#[path = "door_a2a/registered.rs"]
mod registered;
#[path = "door_a2a/registrations.rs"]
mod registrations;
#[path = "door_a2a/requests.rs"]
mod requests;
#[path = "door_a2a/staff.rs"]
mod staff;
#[path = "door_a2a/terms.rs"]
mod terms;
#[path = "door_a2a/trusted.rs"]
mod trusted;

/// What the door is described by, below `docs/openapi`.
const DESCRIBED_IN: &str = "a2a.json";
