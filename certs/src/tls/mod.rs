//! TLS set up as this project wants it: 1.2 and 1.3 only, the post-quantum hybrid key exchange
//! first, both sides verified.

mod client;
mod resolver;
mod server;
mod signature;

pub use client::{ClientOptions, ServerTrust, client_config};
pub use resolver::{IdentityFiles, ServerIdentity};
pub use server::{ClientVerifier, Clients, Hints, Resumption, ServerOptions, server_config};

use std::sync::{Arc, LazyLock};

use rustls::{
    SupportedProtocolVersion,
    crypto::{
        CryptoProvider,
        aws_lc_rs::{default_provider, kx_group},
    },
    version::{TLS12, TLS13},
};

/// The one provider of cryptography, passed explicitly everywhere.
///
/// Key exchange: X25519MLKEM768 first, since what is recorded today may be decrypted tomorrow;
/// then X25519, P-256 and P-384.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        Arc::new(CryptoProvider {
            kx_groups: vec![
                kx_group::X25519MLKEM768,
                kx_group::X25519,
                kx_group::SECP256R1,
                kx_group::SECP384R1,
            ],
            ..default_provider()
        })
    });
    Arc::clone(&PROVIDER)
}

const VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
const HTTP_1_1: &[u8] = b"http/1.1";
