//! Request, approve, check out, check in, over a real store and a real ledger. A program of its own:
//! what it does at once keeps every core busy, beside which no other test could measure time.

#![expect(unreachable_pub, reason = "modules of one test program")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a step that fails stops the test"
)]

mod approver_groups;
mod by_id;
mod control;
mod crash;
mod custody;
#[expect(dead_code, reason = "shared with the vault's other tests")]
#[path = "../vault/fixture.rs"]
mod fixture;
mod history;
mod requests;
mod scene;
