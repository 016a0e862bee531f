//! Why a check brought no answer.

use std::net::SocketAddr;

use thiserror::Error;

/// Why the status of a certificate could not be learnt.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OcspFailure {
    /// No answer came in time.
    #[error("no answer came in time")]
    TimedOut,
    /// The responder, or the proxy, could not be connected to.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// The responder's or proxy's host and port.
        host: String,
        /// What the system says.
        why: String,
    },
    /// The responder could not be reached a moment ago and is left alone for a while.
    #[error("{url} could not be reached a moment ago and is not asked again yet")]
    Resting {
        /// The responder.
        url: String,
    },
    /// The connection broke, or what came was no HTTP.
    #[error("no HTTP answer came from {from}: {why}")]
    Http {
        /// Where the connection went.
        from: SocketAddr,
        /// What went wrong.
        why: String,
    },
    /// The HTTP status was not 200. Redirections are not followed.
    #[error("the responder answered with HTTP status {status}")]
    HttpStatus {
        /// The status.
        status: u16,
    },
    /// The answer is larger than the limit.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The answer is no DER-encoded OCSP response.
    #[error("the answer is no OCSP response: {what}")]
    Malformed {
        /// Which part is not.
        what: &'static str,
    },
    /// The responder will not answer.
    #[error("the responder will not answer: {status}")]
    Declined {
        /// Its reason.
        status: &'static str,
    },
    /// The answer is about other certificates only.
    #[error("the answer is about another certificate")]
    OtherCertificate,
    /// The signature's algorithm is unknown or too weak, such as SHA-1.
    #[error("the answer is signed with an algorithm that is not accepted, such as SHA-1")]
    WeakSignature,
    /// Neither the issuer nor a responder that it appointed has signed the answer.
    #[error("the answer is not signed by the issuer nor by a responder it appointed: {why}")]
    Forged {
        /// What is wrong with the one who signed.
        why: String,
    },
    /// A newer answer was due already.
    #[error("the answer is out of date since {since} (seconds since 1970)")]
    Stale {
        /// When the next answer was due, in seconds since 1970.
        since: i64,
    },
    /// The answer is from the future: one of the clocks is wrong.
    #[error("the answer holds only from {from} (seconds since 1970): one of the clocks is wrong")]
    Early {
        /// From when it holds, in seconds since 1970.
        from: i64,
    },
    /// The answer's times contradict each other.
    #[error("the answer's times contradict each other")]
    Times,
    /// The nonce is not the one of the request, or is missing and required.
    #[error("the answer does not belong to this request: its nonce is wrong or missing")]
    Nonce,
    /// The answer holds a critical extension that we do not know.
    #[error("the answer holds the unknown critical extension {oid}")]
    CriticalExtension {
        /// Its object identifier.
        oid: String,
    },
    /// The responder answered, rightly signed, that it does not know the certificate.
    #[error("the responder does not know the certificate")]
    NotKnown,
    /// The certificate names a responder that cannot be asked; only `http://` can.
    #[error("the responder {url} cannot be asked: only plain `http://host[:port]/path` can")]
    Url {
        /// The responder as the certificate names it, shortened and escaped.
        url: String,
    },
    /// The responder's host is not among the allowed ones.
    #[error("the responder's host {host} is not among the allowed ones")]
    HostNotAllowed {
        /// The host.
        host: String,
    },
    /// The certificate or its issuer could not be read.
    #[error("{which} cannot be read")]
    Certificate {
        /// Which of the two.
        which: &'static str,
    },
    /// The certificate names another issuer than the one given.
    #[error("the certificate was issued by somebody else than the issuer given")]
    NotIssuer,
    /// The system gave no random bytes for a nonce.
    #[error("the system gave no random bytes")]
    Random,
}

impl OcspFailure {
    /// Whether the responder itself is to blame, so that asking it about another certificate would
    /// only cost time again.
    pub(super) fn is_transport(&self) -> bool {
        matches!(
            self,
            Self::TimedOut | Self::Unreachable { .. } | Self::Http { .. }
        )
    }
}
