//! Who a TLS peer is and whom we trust.
//!
//! ```text
//!   files, PEM, DER, PKCS#12 ──load──▶ CertificateDer, PrivateKey, Identity
//!                                            │
//!   Anchors { pins, roots, lists } ──▶ TrustStore ──verify──▶ Verified | Refusal
//!                                            │
//!                     server_config, client_config (rustls, aws-lc-rs, TLS 1.2 and 1.3)
//! ```
//!
//! Two lists of trust are kept apart: **pins** are accepted byte for byte and nothing that they
//! signed; **roots** are CAs. [`classify`] decides what an imported certificate becomes.
//! Whoever serves a request asks [`TrustStore::recheck`] first.
//!
//! This crate opens no listening socket and knows nothing of the server.
//!
//! ```
//! use certs::{Anchors, CertificateAuthority, CommonName, Term, TrustStore, UnixTime};
//!
//! let now = 1_800_000_000;
//! let authority = CertificateAuthority::create("Example CA", now)?;
//! let billing = CommonName::parse("billing")?;
//! let client = authority.issue_client(&billing, None, Term { now, days: 365 })?;
//!
//! let trust = TrustStore::new(Anchors {
//!     roots: vec![authority.certificate().clone()],
//!     ..Anchors::default()
//! })?;
//! let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_060));
//! let verified = trust.verify(client.chain(), at)?;
//!
//! assert_eq!(verified.name().map(|name| name.common_name.as_str()), Ok("billing"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authority;
mod distinguished_name;
mod error;
mod fingerprint;
mod identity;
mod info;
mod key;
mod load;
mod name;
mod revocation;
mod tls;
mod trust;

pub use authority::{CertificateAuthority, Term, certificate_pem, self_signed};
pub use error::CertError;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use identity::Identity;
pub use info::{CertificateInfo, KeyKind, Strength};
pub use key::PrivateKey;
pub use load::{
    certificates as load_certificates, file as read_file, load_pkcs12,
    private_key as load_private_key, revocation_lists as load_revocation_lists, write_pkcs12,
};
pub use name::{Attribute, CommonName, NameError, PeerName};
pub use revocation::{
    CrlFault, CrlLimits, CrlProblem, CrlSet, Decision, HttpProxy, LoadedCrl, NonceUse, OcspChecker,
    OcspFailure, OcspMode, OcspSettings, OcspStatus, ProxyError, RevocationReason, load_crls,
};
pub use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
pub use tls::{
    ClientOptions, ClientVerifier, Clients, Hints, IdentityFiles, Resumption, ServerIdentity,
    ServerOptions, ServerTrust, client_config, provider, server_config,
};
pub use trust::{
    Anchors, Depth, Import, ImportAs, ImportError, ImportWish, Refusal, Stale, Trust, TrustPolicy,
    TrustStore, Uncovered, Verified, Warning, classify,
};
