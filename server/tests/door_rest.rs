//! The REST door over true TLS, in front of a true vault.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what the tests share may stop them, too"
)]

#[path = "door_rest/bodies.rs"]
mod bodies;
#[path = "door_rest/groups.rs"]
mod groups;
#[path = "door_rest/house.rs"]
mod house;
#[path = "door_rest/later.rs"]
mod later;
#[path = "door_rest/manual.rs"]
mod manual;
#[path = "door_rest/refused.rs"]
mod refused;
#[path = "door_rest/threats.rs"]
mod threats;
