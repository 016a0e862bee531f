//! A connection to a target, and TLS on it with the one certificate that is pinned.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::connectors::{ConnectorError, Site, Trouble};
use crate::domain::Pin;

/// Connects to the first of the addresses that answers, and to no other. Those that stay silent
/// share half of the time that there is.
pub(super) async fn dial(site: &Site<'_>) -> Result<TcpStream, Trouble> {
    let (begun, patience) = (Instant::now(), site.patience / 2);
    for (left, address) in (1..=site.addresses.len()).rev().zip(site.addresses) {
        let share = patience.saturating_sub(begun.elapsed()) / u32::try_from(left).unwrap_or(1);
        if let Ok(Ok(line)) = timeout(share, TcpStream::connect(address)).await {
            let _as_it_is = line.set_nodelay(true);
            return Ok(line);
        }
    }
    Err(Trouble::Unreachable)
}

/// `entering`, which tells the target no new password, given up while there is time left to tell
/// it: a line that stalls until then has changed nothing.
pub(super) async fn untold<T>(
    site: &Site<'_>,
    entering: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, ConnectorError> {
    let entered = timeout(site.patience * 3 / 4, entering).await;
    entered
        .unwrap_or(Err(Trouble::Slow))
        .map_err(Trouble::before)
}

/// TLS over `line`, if the target shows the certificate that is expected; `None` expects none, and
/// is for looking only.
pub(super) async fn tls(
    line: TcpStream,
    address: SocketAddr,
    expected: Option<Pin>,
) -> Result<(TlsStream<TcpStream>, Pin), Trouble> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Pinned {
        expected,
        seen: Mutex::new(None),
        provider: provider.clone(),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Trouble::Setting("this server's TLS is broken"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    let name = ServerName::IpAddress(address.ip().into());
    let shaken = TlsConnector::from(Arc::new(config))
        .connect(name, line)
        .await;
    match (shaken, verifier.seen()) {
        (Ok(stream), Some(seen)) => Ok((stream, seen)),
        (Err(_), Some(seen)) if expected.is_some_and(|pin| pin != seen) => {
            Err(Trouble::Changed(seen))
        }
        _ => Err(Trouble::Cut),
    }
}

/// Where the connection leads; for the name that TLS wants.
pub(super) fn peer(line: &TcpStream) -> Result<SocketAddr, Trouble> {
    line.peer_addr().map_err(|_| Trouble::Cut)
}

/// The pin that there must be before anything is said; what the target shows, else.
pub(super) fn pinned(site: &Site<'_>, shown: Pin) -> Result<(), Trouble> {
    match site.target.pin {
        Some(pin) if pin == shown => Ok(()),
        Some(_) => Err(Trouble::Changed(shown)),
        None => Err(Trouble::Unpinned(shown)),
    }
}

/// Verifies that the peer has the key of the certificate that is pinned. Names, dates and issuers
/// say nothing: the operator said which certificate it is.
struct Pinned {
    expected: Option<Pin>,
    seen: Mutex<Option<Pin>>,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    fn seen(&self) -> Option<Pin> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pinned({:?})", self.expected)
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = Pin(Sha256::digest(end_entity.as_ref()).into());
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        match self.expected {
            Some(pin) if pin != shown => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = &self.provider.signature_verification_algorithms;
        known.supported_schemes()
    }
}
