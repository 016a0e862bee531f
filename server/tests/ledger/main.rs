//! The audit ledger on a real disk: what is acknowledged is there, and whatever was done to it shows.
#![expect(clippy::expect_used, reason = "a fixture that fails is a failed test")]

mod append;
mod fixture;
