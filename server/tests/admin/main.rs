//! The admin API as its document says it: routes, shapes, and stories over the true socket.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a step that fails stops the test"
)]

mod applications;
mod document;
mod groups;
mod people;
mod records;
mod registrations;
mod requests;
mod resets;
mod resource_groups;
mod routes;
mod second_factors;
mod secrets;
mod server;
mod shapes;
mod socket;
mod ssh_keys;
mod stories;
mod things;

/// What the API is described by, below `docs/openapi`.
const DESCRIBED_IN: &str = "admin.json";
