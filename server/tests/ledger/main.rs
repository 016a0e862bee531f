//! The audit ledger on a real disk: what is acknowledged is there, and whatever was done to it shows.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a fixture that fails is a failed test, and one that cannot run says so"
)]

mod append;
mod disk;
mod fixture;
mod kill;
mod read;
mod tamper;
mod torn;
