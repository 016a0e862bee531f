//! Changing passwords on their targets, over a real store and a real ledger: every step of the
//! procedure with every outcome, against a target in memory that does what it is told to.

#![expect(unreachable_pub, reason = "modules of one test program")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a step that fails stops the test"
)]

mod administrator;
mod crash;
mod fake;
#[expect(dead_code, reason = "shared with the vault's other tests")]
#[path = "../vault/fixture.rs"]
mod fixture;
mod given_up;
mod heal;
mod order;
mod outcome;
mod refused;
mod rights;
mod rotation;
mod scene;
mod standstill;
mod still;
mod tended;
mod vouch;
mod word;
