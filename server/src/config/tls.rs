//! The settings about certificates.

use serde::{Deserialize, Serialize};

use crate::config::section::section;
use crate::config::{Count, Place, Size, Span, Text};

section! {
    /// Certificates: the server's own, and how those of clients are checked.
    Tls {
        /// The server's certificate with its chain (PEM); reloaded when it changes.
        certificate: Place = Place::beside("tls/server.crt");
        /// The key of that certificate (PEM, not encrypted, readable by its owner only).
        key: Place = Place::beside("tls/server.key");
        /// Whether a client may resume a session without a full handshake. Who it is and whether
        /// it is still trusted is checked again on every request all the same.
        resumption: bool = true;
        /// Whether the names of all trusted certificates are sent to everybody who connects. Some
        /// Windows clients offer no certificate without them; to strangers they tell who you know.
        client_hints: bool = false;
        /// The most certificates that a client may show beside its own.
        max_intermediates: Count = Count::new(8);
        /// The folder with revocation lists (*.crl, *.pem); it need not exist.
        crl_dir: Place = Place::beside("crl");
        /// A client whose CA has no list there: "accept", or "refuse".
        crl_missing: Lenience = Lenience::Accept;
        /// A client whose CA's list is past its date: "refuse", or "accept".
        crl_stale: Lenience = Lenience::Refuse;
        /// The largest file with revocation lists that is read.
        crl_max_file: Size = Size::from_mib(32);
        /// The most files with revocation lists that are read.
        crl_max_files: Count = Count::new(256);
        /// How often certificate files and revocation lists are looked at for changes.
        poll_interval: Span = Span::from_secs(30);
        /// What to do when a client's certificate names an OCSP responder: "soft" asks it and
        /// lets the client in when no answer can be had, "hard" keeps it out then, "off" never asks.
        ocsp: Ocsp = Ocsp::Soft;
        /// How long all responders of a certificate together may take.
        ocsp_timeout: Span = Span::from_secs(5);
        /// The only hosts that may be asked, as the certificates spell them, without port.
        ocsp_hosts: Option<Vec<Text>> = None, such as "[\"ocsp.example\"]";
        /// The HTTP proxy through which responders are asked.
        ocsp_proxy: Option<Text> = None, such as "\"http://proxy.example:3128\"";
        /// The file with the proxy's login, `user:password`, readable by its owner only.
        ocsp_proxy_login: Option<Place> = None, such as "\"/run/keys/claviger-proxy\"";
        /// Whether a question carries a nonce: "send" (an answer without it counts all the same),
        /// "require" (it does not), "never" (for responders that refuse questions with one).
        ocsp_nonce: Nonce = Nonce::Send;
        /// How long a responder that could not be reached, or a check that failed, is left alone.
        ocsp_retry: Span = Span::from_secs(30);
        /// How long an answer counts that does not say when the next one is due.
        ocsp_max_age: Span = Span::from_secs(60 * 60);
        /// How far a responder's clock and this machine's may be apart.
        ocsp_clock_skew: Span = Span::from_secs(5 * 60);
        /// The largest answer.
        ocsp_max_answer: Size = Size::from_kib(64);
        /// The most responders of one certificate that are tried.
        ocsp_max_responders: Count = Count::new(4);
        /// The most answers that are remembered.
        ocsp_max_remembered: Count = Count::new(10_000);
        /// How many days before its end a certificate is warned of, in `status` and in the log.
        warn_days: Count = Count::new(30);
    }
}

/// What becomes of a client about whom something cannot be known for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lenience {
    /// It is let in.
    Accept,
    /// It is kept out.
    Refuse,
}

/// What becomes of a client whose certificate's responder gives no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ocsp {
    /// Responders are asked; without an answer the client is let in.
    Soft,
    /// Responders are asked; without an answer the client is kept out.
    Hard,
    /// Responders are not asked.
    Off,
}

/// Whether a question to a responder carries a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Nonce {
    /// Never.
    Never,
    /// Always; an answer without it counts all the same.
    Send,
    /// Always, and an answer without it does not count.
    Require,
}
