//! The crate against what `openssl` makes: files, names, trust, handshakes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod authority;
mod handshake;
mod hostile;
mod house;
mod import;
mod keys;
mod names;
mod openssl_client;
mod own_certificate;
mod pkcs12;
mod revoked;
mod trust;
mod workshop;
