//! A server called `localhost`, its clients, and their handshakes in memory.

use std::{io::Cursor, sync::Arc};

use certs::{
    CertificateAuthority, CertificateDer, Identity, PrivateKey, Refusal, ServerIdentity,
    ServerOptions, Term, TrustStore, UnixTime, provider, server_config,
};
use rustls::{
    ClientConfig, ClientConnection, Error, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
    client::Resumption,
    crypto::aws_lc_rs::sign::any_supported_type,
    sign::{CertifiedKey, SingleCertAndKey},
    time_provider::TimeProvider,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::workshop::{now, today};

pub(crate) const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// Every shape that a pin may have, with the key it goes with.
pub(crate) const PINS: &[(&str, &str)] = &[
    ("own-rsa2048", "rsa2048"),
    ("own-san", "rsa2048"),
    ("own-rsa4096", "rsa4096"),
    ("own-p256", "p256"),
    ("own-p384", "p384"),
    ("own-p521", "p521"),
    ("own-ed25519", "ed25519"),
    ("own-sha1", "rsa2048"),
    ("own-v1", "rsa2048"),
    ("own-plain", "rsa2048"),
    ("own-keytool", "rsa2048"),
];

#[derive(Debug)]
pub(crate) struct Clock(pub(crate) UnixTime);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

/// A server called `localhost` and those who believe it.
pub(crate) struct House {
    pub(crate) authority: CertificateAuthority,
    shown: ServerIdentity,
}

impl House {
    pub(crate) fn new() -> Self {
        let authority = CertificateAuthority::create("House", now()).unwrap();
        let term = Term {
            now: now(),
            days: 4000,
        };
        let server = authority
            .issue_server(&["localhost".to_owned()], term)
            .unwrap();
        Self {
            shown: ServerIdentity::new(&server).unwrap(),
            authority,
        }
    }

    pub(crate) fn server(&self, trust: &TrustStore, options: ServerOptions) -> Arc<ServerConfig> {
        self.server_at(trust, options, today())
    }

    pub(crate) fn server_at(
        &self,
        trust: &TrustStore,
        options: ServerOptions,
        at: UnixTime,
    ) -> Arc<ServerConfig> {
        let mut config = server_config(&self.shown, trust, options).unwrap();
        config.time_provider = Arc::new(Clock(at));
        Arc::new(config)
    }

    /// A client of one TLS version that shows `chain` and signs with `key`, whether or not they
    /// belong together.
    pub(crate) fn client(
        &self,
        version: &'static SupportedProtocolVersion,
        shown: Option<(&[CertificateDer<'static>], &PrivateKey)>,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.certificate().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match shown {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.expose_pkcs8()));
                let certified =
                    CertifiedKey::new(chain.to_vec(), any_supported_type(&der).unwrap());
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
        };
        config.time_provider = Arc::new(Clock(today()));
        config.resumption = Resumption::in_memory_sessions(4);
        Arc::new(config)
    }

    pub(crate) fn client_as(
        &self,
        version: &'static SupportedProtocolVersion,
        who: &Identity,
    ) -> Arc<ClientConfig> {
        self.client(version, Some((who.chain(), who.key())))
    }
}

/// Both ends of a handshake, and how it ended for each.
pub(crate) struct Handshake {
    pub(crate) server: ServerConnection,
    pub(crate) client: ClientConnection,
    pub(crate) server_end: Result<(), Error>,
    pub(crate) client_end: Result<(), Error>,
}

impl Handshake {
    pub(crate) fn is_done(&self) -> bool {
        self.server_end.is_ok()
            && self.client_end.is_ok()
            && !self.server.is_handshaking()
            && !self.client.is_handshaking()
    }

    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        self.server_end
            .as_ref()
            .err()
            .and_then(Refusal::in_handshake)
    }

    pub(crate) fn peer(&self) -> &[CertificateDer<'static>] {
        self.server.peer_certificates().unwrap_or_default()
    }
}

pub(crate) fn shake(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> Handshake {
    let name = "localhost".try_into().unwrap();
    let mut both = Handshake {
        server: ServerConnection::new(Arc::clone(server)).unwrap(),
        client: ClientConnection::new(Arc::clone(client), name).unwrap(),
        server_end: Ok(()),
        client_end: Ok(()),
    };
    while both.server.wants_write() || both.client.wants_write() {
        let mut bytes = Vec::new();
        both.client.write_tls(&mut bytes).unwrap();
        read(&bytes, |cursor| both.server.read_tls(cursor).unwrap());
        keep(
            &mut both.server_end,
            both.server.process_new_packets().map(drop),
        );
        bytes.clear();
        both.server.write_tls(&mut bytes).unwrap();
        read(&bytes, |cursor| both.client.read_tls(cursor).unwrap());
        keep(
            &mut both.client_end,
            both.client.process_new_packets().map(drop),
        );
    }
    both
}

fn read(bytes: &[u8], mut into: impl FnMut(&mut Cursor<&[u8]>) -> usize) {
    let mut cursor = Cursor::new(bytes);
    while cursor.position() < bytes.len() as u64 && into(&mut cursor) > 0 {}
}

/// The first error is the reason.
fn keep(end: &mut Result<(), Error>, next: Result<(), Error>) {
    if end.is_ok() {
        *end = next;
    }
}
