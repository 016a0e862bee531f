//! The server's side: which clients it lets in, and how their sessions are resumed.

use std::{fmt, sync::Arc};

use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::aws_lc_rs::Ticketer,
    server::{
        NoServerSessionStorage, ServerSessionMemoryCache,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{HTTP_1_1, ServerIdentity, VERSIONS, provider, signature};
use crate::{CertError, TrustStore};

/// How a door's TLS behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// Whether clients must show a certificate. Default: they must.
    pub clients: Clients,
    /// Whether they are told whose certificates are trusted. Default: no.
    pub hints: Hints,
    /// How sessions are resumed. Default: 4096 of them, remembered by the server.
    pub resumption: Resumption,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            clients: Clients::Required,
            hints: Hints::None,
            resumption: Resumption::Remembered { sessions: 4096 },
        }
    }
}

/// Whether clients show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// They must.
    Required,
    /// They may; one that is shown must be good.
    Optional,
    /// They may, and one that nobody trusts comes in, too: only that its key is the client's is
    /// proved. Whoever accepts the connection must have it verified ([`TrustStore::verify`]) before
    /// it counts for anything.
    DangerUnjudged,
    /// They are not asked.
    Anonymous,
}

/// Whether the names of those who issue client certificates are sent to everybody who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hints {
    /// No: they are nobody's business, and clients offer their certificate all the same.
    None,
    /// Those of the roots and of the pins' issuers, at the time the configuration is made. Some
    /// Windows clients offer a certificate only to a server that names its issuer; for one that
    /// signed itself, that is its own name. At most 32 KiB of names are sent.
    Issuers,
}

/// How a client may go on with a session instead of a full handshake.
///
/// A resumed session does not show its certificate again: whoever accepts the connection must
/// have the remembered one verified ([`TrustStore::verify`]) before the first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumption {
    /// Not at all.
    Off,
    /// The server remembers the last `sessions`.
    Remembered {
        /// The most sessions that are remembered.
        sessions: usize,
    },
    /// The client keeps the session, sealed under a key that changes every six hours.
    Tickets,
}

/// TLS for a door: `identity` is shown, clients are verified by `trust`.
///
/// # Errors
/// [`CertError::Tls`] when the ticket key cannot be made.
pub fn server_config(
    identity: &ServerIdentity,
    trust: &TrustStore,
    options: ServerOptions,
) -> Result<ServerConfig, CertError> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .map_err(CertError::Tls)?;
    let verifier = match options.clients {
        Clients::Anonymous => builder.with_no_client_auth(),
        clients => builder.with_client_cert_verifier(Arc::new(ClientVerifier::new(
            trust.clone(),
            clients,
            options.hints,
        ))),
    };
    let mut config = verifier.with_cert_resolver(Arc::new(identity.clone()));
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    match options.resumption {
        Resumption::Off => {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Resumption::Remembered { sessions } => {
            config.session_storage = ServerSessionMemoryCache::new(sessions);
            config.send_tls13_tickets = 1;
        }
        Resumption::Tickets => {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.ticketer = Ticketer::new().map_err(CertError::Tls)?;
            config.send_tls13_tickets = 1;
        }
    }
    Ok(config)
}

/// Verifies the certificates that clients show, by what a [`TrustStore`] trusts at that moment.
pub struct ClientVerifier {
    trust: TrustStore,
    clients: Clients,
    hints: Vec<DistinguishedName>,
}

impl ClientVerifier {
    /// A verifier over `trust`.
    #[must_use]
    pub fn new(trust: TrustStore, clients: Clients, hints: Hints) -> Self {
        let hints = match hints {
            Hints::None => Vec::new(),
            Hints::Issuers => trust.issuers(),
        };
        Self {
            trust,
            clients,
            hints,
        }
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.clients == Clients::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.clients == Clients::DangerUnjudged {
            return Ok(ClientCertVerified::assertion());
        }
        let shown = std::iter::once(end_entity).chain(intermediates);
        let chain: Vec<_> = shown.map(|c| CertificateDer::from(c.as_ref())).collect();
        self.trust.verify(&chain, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls12(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls13(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        signature::schemes()
    }
}

impl fmt::Debug for ClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientVerifier")
            .field("clients", &self.clients)
            .field("hints", &self.hints.len())
            .finish_non_exhaustive()
    }
}
