//! What the operator chooses about OCSP.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper::header::HeaderValue;
use thiserror::Error;

/// What a check that brought no answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OcspMode {
    /// Responders are not asked.
    Off,
    /// A revoked certificate is refused; one whose status cannot be learnt is let in, with a warning.
    /// Whoever can cut the server off from the responder can then use a revoked certificate.
    Soft,
    /// Only a certificate that its responder vouches for is let in. A responder that is down keeps
    /// everybody out whose last answer has run out. The default: it fails closed.
    #[default]
    Hard,
}

/// Whether a request carries a nonce, which ties the answer to it (RFC 9654).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum NonceUse {
    /// Never: for responders that refuse requests with extensions.
    Never,
    /// Always; an answer without one is taken all the same, since responders that sign in advance
    /// send none, but a wrong one is not. The default.
    #[default]
    Send,
    /// Always, and an answer without it is not taken: replays within the validity of an answer
    /// become impossible.
    Require,
}

/// Settings of an [`OcspChecker`](crate::OcspChecker).
#[derive(Clone, Debug)]
pub struct OcspSettings {
    /// What a check that brought no answer means. Default [`OcspMode::Hard`].
    pub mode: OcspMode,
    /// Longest time of a whole check, with all its responders. Default 3 s.
    pub timeout: Duration,
    /// Largest answer, in bytes. Default 64 KiB.
    pub max_answer_bytes: usize,
    /// The HTTP proxy that requests go through. Default none.
    pub proxy: Option<HttpProxy>,
    /// How far the responder's clock and ours may be apart. Default 5 min.
    pub clock_skew: Duration,
    /// Most answers that are remembered. Default 10 000.
    pub max_remembered: usize,
    /// How long an answer counts that does not say when the next one is due. Default 1 h.
    pub max_age: Duration,
    /// How long a check that failed, or a responder that could not be reached, is not tried again.
    /// Default 30 s.
    pub retry_after: Duration,
    /// Whether requests carry a nonce. Default [`NonceUse::Send`].
    pub nonce: NonceUse,
    /// The only hosts that may be asked, when set: names or addresses as the certificates spell them,
    /// without port, in any case. Default none set, since responders are named by certificates of
    /// trusted issuers.
    pub allowed_hosts: Option<Vec<String>>,
    /// Most responders of one certificate that are tried, in the certificate's order. Default 4.
    pub max_responders: usize,
}

impl Default for OcspSettings {
    fn default() -> Self {
        Self {
            mode: OcspMode::default(),
            timeout: Duration::from_secs(3),
            max_answer_bytes: 64 << 10,
            proxy: None,
            clock_skew: Duration::from_secs(5 * 60),
            max_remembered: 10_000,
            max_age: Duration::from_secs(60 * 60),
            retry_after: Duration::from_secs(30),
            nonce: NonceUse::default(),
            allowed_hosts: None,
            max_responders: 4,
        }
    }
}

/// An HTTP proxy: `http://host:port`.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpProxy {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) authorization: Option<HeaderValue>,
}

/// Why a text names no HTTP proxy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProxyError {
    /// It is not of the form `http://host:port`.
    #[error("a proxy is written `http://host:port`")]
    Form,
    /// It holds a user or a password, which would then stand in logs and listings.
    #[error("the proxy's user and password are settings of their own, not part of its address")]
    Login,
}

impl HttpProxy {
    /// The same proxy, asked with this user and password (HTTP Basic, RFC 7617).
    #[must_use]
    pub fn with_login(mut self, user: &str, password: &str) -> Self {
        let login = zeroize::Zeroizing::new(format!("{user}:{password}"));
        let basic = zeroize::Zeroizing::new(format!("Basic {}", STANDARD.encode(login.as_bytes())));
        // Base64 holds nothing that a header may not.
        self.authorization = HeaderValue::from_str(&basic).ok().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        self
    }
}

impl FromStr for HttpProxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        if text.contains('@') {
            return Err(ProxyError::Login);
        }
        let uri: Uri = text.parse().map_err(|_| ProxyError::Form)?;
        let plain = uri.scheme_str().is_none_or(|scheme| scheme == "http");
        let bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/");
        match (uri.host(), uri.port_u16()) {
            (Some(host), Some(port)) if plain && bare && port != 0 => Ok(Self {
                host: bare_host(host).to_owned(),
                port,
                authorization: None,
            }),
            _ => Err(ProxyError::Form),
        }
    }
}

impl fmt::Debug for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        write!(f, "HttpProxy({host}:{port})")
    }
}

/// An IPv6 address without its brackets, as a socket takes it.
pub(super) fn bare_host(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        let proxy: HttpProxy = "http://proxy.example:3128".parse().unwrap();

        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.example", 3128));
        assert_eq!(
            "http://[::1]:8080/".parse::<HttpProxy>().unwrap().host,
            "::1"
        );
        assert_eq!("proxy:3128".parse::<HttpProxy>().unwrap().port, 3128);
    }

    #[test]
    fn what_is_no_plain_proxy_is_refused() {
        for text in [
            "",
            "https://proxy:3128",
            "http://proxy",
            "http://proxy:1/way",
            "http://p:0",
        ] {
            assert_eq!(text.parse::<HttpProxy>(), Err(ProxyError::Form), "{text}");
        }
        assert_eq!(
            "http://u:p@proxy:1".parse::<HttpProxy>(),
            Err(ProxyError::Login)
        );
    }

    #[test]
    fn a_proxys_login_is_never_printed() {
        let proxy: HttpProxy = "http://proxy:3128".parse().unwrap();

        let text = format!("{:?}", proxy.with_login("sesame", "open"));

        assert_eq!(text, "HttpProxy(proxy:3128)");
    }
}
