//! The SSH door over true connections, in front of a true vault.
#![expect(
    clippy::unwrap_used,
    reason = "what the tests share may stop them, too"
)]

#[path = "door_ssh/commands.rs"]
mod commands;
#[path = "door_ssh/house.rs"]
mod house;
#[path = "door_ssh/late.rs"]
mod late;
#[path = "door_ssh/limits.rs"]
mod limits;
#[path = "door_ssh/login.rs"]
mod login;
#[path = "door_ssh/refused.rs"]
mod refused;
