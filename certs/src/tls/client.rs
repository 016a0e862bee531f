//! The client's side: which servers it believes, and what it shows of itself.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    sign::SingleCertAndKey,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{HTTP_1_1, VERSIONS, provider, signature};
use crate::{CertError, Identity, info};

/// Which servers a client believes.
#[derive(Clone, Debug, Default)]
pub struct ServerTrust {
    /// CA certificates: a server's certificate must be issued by one of them for its name.
    pub roots: Vec<CertificateDer<'static>>,
    /// Server certificates that are believed byte for byte within their dates, whatever name
    /// and shape they have.
    pub pins: Vec<CertificateDer<'static>>,
}

/// What a client's TLS does beside that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// The most servers whose sessions are remembered for resumption; 0 turns it off.
    /// Default: 32.
    pub sessions: usize,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { sessions: 32 }
    }
}

/// TLS for a client that believes the servers of `trust` and shows `identity`, if it has one.
///
/// # Errors
/// [`CertError::NoCertificate`] when `trust` is empty, since it would believe nobody;
/// [`CertError::Certificate`] when a certificate in it cannot be read; [`CertError::Tls`].
pub fn client_config(
    trust: &ServerTrust,
    identity: Option<&Identity>,
    options: ClientOptions,
) -> Result<ClientConfig, CertError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .map_err(CertError::Tls)?
        // The name is rustls' for any verifier of one's own; this one verifies.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ServerVerifier::new(trust)?));
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let certified = identity.certified_key()?;
            let shown = SingleCertAndKey::from(certified);
            builder.with_client_cert_resolver(Arc::new(shown))
        }
    };
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    config.resumption = match options.sessions {
        0 => Resumption::disabled(),
        sessions => Resumption::in_memory_sessions(sessions),
    };
    Ok(config)
}

/// Verifies a server: pinned byte for byte, or issued by a root for the name it is called by.
struct ServerVerifier {
    pins: Vec<CertificateDer<'static>>,
    roots: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerVerifier {
    fn new(trust: &ServerTrust) -> Result<Self, CertError> {
        if trust.roots.is_empty() && trust.pins.is_empty() {
            return Err(CertError::NoCertificate {
                hint: Some("a client needs a CA or a server certificate to believe"),
            });
        }
        for pin in &trust.pins {
            info::parse_whole(pin)?;
        }
        Ok(Self {
            pins: trust.pins.clone(),
            roots: by_roots(&trust.roots)?,
        })
    }
}

fn by_roots(
    roots: &[CertificateDer<'static>],
) -> Result<Option<Arc<WebPkiServerVerifier>>, CertError> {
    if roots.is_empty() {
        return Ok(None);
    }
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).map_err(CertError::Tls)?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider())
        .build()
        .map(Some)
        .map_err(|error| CertError::Tls(Error::General(error.to_string())))
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.pins.iter().any(|pin| pin == end_entity) {
            return within_dates(end_entity, now).map(|()| ServerCertVerified::assertion());
        }
        match &self.roots {
            None => Err(CertificateError::UnknownIssuer.into()),
            Some(roots) => {
                roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
        }
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

impl fmt::Debug for ServerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerVerifier")
            .field("pins", &self.pins.len())
            .field("roots", &self.roots.is_some())
            .finish()
    }
}

fn within_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let parsed = info::parse_whole(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < parsed.validity().not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > parsed.validity().not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}
