//! The vault's rules, over a real store and a real ledger.

#![expect(unreachable_pub, reason = "modules of one test program")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a step that fails stops the test"
)]

mod access;
mod accounts;
mod applications;
mod create_change;
mod events;
mod fixture;
mod groups;
mod identify;
mod ids;
mod keys;
mod leftovers;
mod material;
mod pages;
mod persons;
mod registrations;
mod registrations_reach;
mod resource_groups;
mod retrieve;
mod second_factor;
mod sessions;
mod shortcut;
mod ssh_keys;
mod together;
mod tokens;
mod trail;
mod transfer;
mod trust;
mod users;
mod world;
