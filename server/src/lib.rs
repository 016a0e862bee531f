//! The bank: doors above the vault, the vault above store, ledger and connectors, crypto below
//! them, the domain as ground. `ARCHITECTURE.md` has the picture and says which floor may use
//! which.

pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod connectors;
pub mod crypto;
pub mod domain;
pub mod doors;
pub mod ledger;
pub mod store;
pub mod vault;
