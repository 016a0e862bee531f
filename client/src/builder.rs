//! From settings to a client.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use certs::{CertError, CertificateDer, ClientOptions, Identity, ServerTrust};
use hyper::header::HeaderValue;
use rustls::{ClientConfig, pki_types::ServerName};
use zeroize::Zeroizing;

use crate::{
    Client, Secret, SetupError, blocking,
    connection::Address,
    java_conf::{JavaConf, Keys},
    server::Server,
    settings::Settings,
};

/// Describes a client: where the server is, who the client is, and whom it trusts.
///
/// ```no_run
/// use claviger_client::{Client, Secret};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder()
///     .server("vault-1.example.org", 7070)
///     .secondary("vault-2.example.org", 7070)
///     .pkcs12_file("billing.p12", Secret::from(std::env::var("BILLING_P12")?))
///     .ca_file("ca.pem")
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
#[must_use = "a builder does nothing until it builds"]
pub struct Builder {
    primary: Option<(String, u16)>,
    secondary: Option<(String, u16)>,
    identity: Option<Credentials>,
    key_password: Option<Secret>,
    roots: Vec<Source>,
    pins: Vec<Source>,
    issuers_are_trusted: bool,
    settings: Settings,
}

/// What shows who the client is.
enum Credentials {
    Pem { certificate: Source, key: Source },
    Pkcs12 { file: Source, password: Secret },
}

/// Where bytes come from.
enum Source {
    File(PathBuf),
    Bytes(Zeroizing<Vec<u8>>),
}

impl Builder {
    /// The server, by host name or address. The usual port is 7070.
    pub fn server(mut self, host: impl Into<String>, port: u16) -> Self {
        self.primary = Some((host.into(), port));
        self
    }

    /// The server that answers retrievals while the first is down.
    pub fn secondary(mut self, host: impl Into<String>, port: u16) -> Self {
        self.secondary = Some((host.into(), port));
        self
    }

    /// The client's certificate, with its issuers after it where the server needs them, and its
    /// private key: PEM files, or DER.
    pub fn identity_files(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        let (certificate, key) = (Source::File(certificate.into()), Source::File(key.into()));
        self.identity = Some(Credentials::Pem { certificate, key });
        self
    }

    /// The same from memory.
    pub fn identity_pem(mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        let (certificate, key) = (Source::bytes(certificate), Source::bytes(key));
        self.identity = Some(Credentials::Pem { certificate, key });
        self
    }

    /// The password of the private key given by [`identity_files`](Self::identity_files) or
    /// [`identity_pem`](Self::identity_pem), when it is encrypted.
    pub fn key_password(mut self, password: impl Into<Secret>) -> Self {
        self.key_password = Some(password.into());
        self
    }

    /// The client's certificate and key as a PKCS#12 file (`.p12`, `.pfx`).
    pub fn pkcs12_file(mut self, path: impl Into<PathBuf>, password: impl Into<Secret>) -> Self {
        let file = Source::File(path.into());
        self.identity = Some(Credentials::Pkcs12 {
            file,
            password: password.into(),
        });
        self
    }

    /// The same from memory.
    pub fn pkcs12(mut self, bytes: impl AsRef<[u8]>, password: impl Into<Secret>) -> Self {
        let file = Source::bytes(bytes);
        self.identity = Some(Credentials::Pkcs12 {
            file,
            password: password.into(),
        });
        self
    }

    /// A file of CA certificates, PEM or DER: a server is trusted when one of them issued its
    /// certificate for the name it is called by. May be given several times.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.roots.push(Source::File(path.into()));
        self
    }

    /// The same from memory.
    pub fn ca_pem(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.roots.push(Source::bytes(bytes));
        self
    }

    /// A file with the server's own certificate, such as a self-signed one: the server is trusted
    /// when it shows exactly this one, whatever its name, within its dates. May be given several
    /// times.
    pub fn pinned_server_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.pins.push(Source::File(path.into()));
        self
    }

    /// The same from memory.
    pub fn pinned_server_pem(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.pins.push(Source::bytes(bytes));
        self
    }

    /// How long connecting may take, handshake included. Default: 2 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect = timeout;
        self
    }

    /// How long one attempt may take, once connected. Default: 30 seconds.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.settings.request = timeout;
        self
    }

    /// How often a retrieval is asked for again when no server could be had. Changes never are.
    /// Default: 2.
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.retries = retries;
        self
    }

    /// How long to wait before asking again: at most `first`, then at most twice that, and so on
    /// up to `longest`; by chance less. Default: 100 milliseconds, 2 seconds.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.settings.backoff = first;
        self.settings.longest_backoff = longest;
        self
    }

    /// The most connections to each server; whoever comes then waits, for the request's time-out
    /// at most. Default: 8.
    pub fn connections(mut self, connections: usize) -> Self {
        self.settings.connections = connections;
        self
    }

    /// How long an unused connection is kept. Less than the server's own time is wise. Default:
    /// 50 seconds.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings.idle = timeout;
        self
    }

    /// How long a server that could not be reached is asked last. Default: 30 seconds.
    pub fn remember_down(mut self, time: Duration) -> Self {
        self.settings.down = time;
        self
    }

    /// The most bytes that an answer may have. Default: 1 MiB.
    pub fn answer_limit(mut self, bytes: usize) -> Self {
        self.settings.answer = bytes;
        self
    }

    /// What `JAVA_API.conf` says, as the Java wrapper reads it: Java properties with the keys
    /// `ServerName`, `ServerPort` (7070), `SecondaryServerName` (blank: none),
    /// `SecondaryServerPort` (7070), `KeyStorePath` (PKCS#12) and `KeyStorePassword`, and one of
    /// our own, `CAPath`: a file with the CA certificates, or the server's own certificate.
    /// Without it the issuers in the keystore are trusted. Relative paths start at the file's
    /// folder. A file with the toolkit's `ClientCertPath` and `ClientKeyPath` (PEM, or DER) needs
    /// no keystore.
    ///
    /// # Errors
    /// [`SetupError`] when the file cannot be read or understood.
    pub fn java_conf(path: impl AsRef<Path>) -> Result<Self, SetupError> {
        Ok(Self::from(JavaConf::read(path.as_ref())?))
    }

    /// Reads the files and makes the client. It connects when it is used.
    ///
    /// # Errors
    /// [`SetupError`] when something is missing or cannot be used.
    pub fn build(self) -> Result<Client, SetupError> {
        let primary = self.primary.as_ref().ok_or(SetupError::Missing {
            what: "the server's name (server, ServerName)",
        })?;
        let tls = Arc::new(self.tls()?);
        let places = self.settings.connections;
        let servers = std::iter::once(primary)
            .chain(&self.secondary)
            .map(|(host, port)| server(host, *port, &tls, places))
            .collect::<Result<_, _>>()?;
        Ok(Client::new(servers, self.settings))
    }

    /// The same for a program without a runtime.
    ///
    /// # Errors
    /// [`SetupError`] when something is missing or cannot be used.
    pub fn build_blocking(self) -> Result<blocking::Client, SetupError> {
        blocking::Client::new(self.build()?)
    }

    fn tls(&self) -> Result<ClientConfig, SetupError> {
        let identity = self.identity()?;
        let mut roots = certificates(&self.roots)?;
        if self.issuers_are_trusted {
            roots.extend(identity.chain().iter().skip(1).cloned());
        }
        let trust = ServerTrust {
            roots,
            pins: certificates(&self.pins)?,
        };
        if trust.roots.is_empty() && trust.pins.is_empty() {
            return Err(SetupError::Missing {
                what: "whom to trust (ca_file, pinned_server_file, CAPath)",
            });
        }
        certs::client_config(&trust, Some(&identity), ClientOptions::default())
            .map_err(|source| unusable("the certificates", source))
    }

    fn identity(&self) -> Result<Identity, SetupError> {
        match &self.identity {
            None => Err(SetupError::Missing {
                what: "the client's certificate (identity_files, pkcs12_file, KeyStorePath)",
            }),
            Some(Credentials::Pkcs12 { file, password }) => {
                let bytes = file.read()?;
                certs::load_pkcs12(&bytes, password.expose())
                    .map_err(|source| unusable(&file.shown("the keystore"), source))
            }
            Some(Credentials::Pem { certificate, key }) => {
                let chain = certs::load_certificates(&certificate.read()?)
                    .map_err(|source| unusable(&certificate.shown("the certificate"), source))?;
                let password = self.key_password.as_ref().map(Secret::expose);
                certs::load_private_key(&key.read()?, password)
                    .and_then(|key| Identity::new(chain, key))
                    .map_err(|source| unusable(&key.shown("the private key"), source))
            }
        }
    }
}

impl From<JavaConf> for Builder {
    fn from(conf: JavaConf) -> Self {
        let builder = Self {
            secondary: conf.secondary,
            ..Self::default().server(conf.server.0, conf.server.1)
        };
        let builder = match conf.identity {
            Keys::Store { file, password } => builder.pkcs12_file(file, password),
            Keys::Pem {
                certificate,
                key,
                password,
            } => Self {
                key_password: password,
                ..builder.identity_files(certificate, key)
            },
        };
        match conf.ca {
            // Trusting a CA's certificate as a server's too gives its owner nothing new.
            Some(ca) => builder.ca_file(&ca).pinned_server_file(ca),
            None => Self {
                issuers_are_trusted: true,
                ..builder
            },
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("primary", &self.primary)
            .field("secondary", &self.secondary)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Source {
    fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bytes(Zeroizing::new(bytes.as_ref().to_vec()))
    }

    fn read(&self) -> Result<Zeroizing<Vec<u8>>, SetupError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::File(path) => {
                certs::read_file(path).map_err(|source| unusable(&self.shown(""), source))
            }
        }
    }

    /// The path, or the words for what has none.
    fn shown(&self, otherwise: &str) -> String {
        match self {
            Self::Bytes(_) => otherwise.to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

fn certificates(sources: &[Source]) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let mut all = Vec::new();
    for source in sources {
        let found = certs::load_certificates(&source.read()?)
            .map_err(|error| unusable(&source.shown("the certificate to trust"), error))?;
        all.extend(found);
    }
    Ok(all)
}

fn server(
    host: &str,
    port: u16,
    tls: &Arc<ClientConfig>,
    places: usize,
) -> Result<Server, SetupError> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let wrong = || SetupError::Host {
        name: host.to_owned(),
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|_| wrong())?;
    let shown = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let header = HeaderValue::try_from(shown).map_err(|_| wrong())?;
    let address = Address {
        host: host.to_owned(),
        port,
        name,
    };
    Ok(Server::new(address, header, Arc::clone(tls), places))
}

fn unusable(what: &str, source: CertError) -> SetupError {
    SetupError::Certificate {
        what: what.to_owned(),
        source,
    }
}
