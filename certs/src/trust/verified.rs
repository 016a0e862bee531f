//! A peer whose certificate was accepted.

use rustls_pki_types::{CertificateDer, UnixTime};

use crate::{Fingerprint, NameError, PeerName};

/// A certificate that was accepted, why, and for how long that holds.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(super) fingerprint: Fingerprint,
    pub(super) trust: Trust,
    pub(super) name: Result<PeerName, NameError>,
    pub(super) ocsp_responders: Vec<String>,
    pub(super) not_after: i64,
    pub(super) holds: Span,
    pub(super) generation: u64,
    pub(super) path: Vec<CertificateDer<'static>>,
}

/// Why a certificate is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// It is itself pinned.
    Pinned,
    /// It leads to a trusted CA root.
    IssuedBy {
        /// The root's fingerprint.
        root: Fingerprint,
    },
}

/// The time in which a judgement holds (Unix seconds, both ends included).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Span {
    pub(super) fn contains(self, now: UnixTime) -> bool {
        (self.from..=self.until).contains(&seconds(now))
    }

    /// The time in which both hold.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            from: self.from.max(other.from),
            until: self.until.min(other.until),
        }
    }
}

impl Verified {
    /// The SHA-256 of the peer's certificate: what users are bound to.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Why it is trusted.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.trust
    }

    /// The name in its subject.
    ///
    /// # Errors
    /// [`NameError`] when the subject names nobody beyond doubt; the certificate is trusted all
    /// the same, but must not become a user by its name.
    pub const fn name(&self) -> Result<&PeerName, &NameError> {
        self.name.as_ref()
    }

    /// When the certificate itself expires (Unix seconds).
    #[must_use]
    pub const fn not_after(&self) -> i64 {
        self.not_after
    }

    /// The generation of the truststore that accepted it.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The certificates from its own to the root; a pinned one stands alone, or before the
    /// trusted root that issued it.
    #[must_use]
    pub fn path(&self) -> &[CertificateDer<'static>] {
        &self.path
    }

    /// What the peer may have shown: roots are ours.
    pub(super) fn without_root(&self) -> &[CertificateDer<'static>] {
        match self.path.split_last() {
            Some((_, shown)) if !shown.is_empty() => shown,
            _ => &self.path,
        }
    }

    /// The certificate's issuer, which answers for it by OCSP. A pinned one has it only when its
    /// issuer is a trusted root.
    #[must_use]
    pub fn issuer(&self) -> Option<&CertificateDer<'static>> {
        self.path.get(1)
    }

    /// Where the issuer answers by OCSP, as the certificate says.
    #[must_use]
    pub fn ocsp_responders(&self) -> &[String] {
        &self.ocsp_responders
    }

    /// Whether the judgement still holds at `now`, as far as dates go: those of every
    /// certificate in the path and of the revocation lists that cover them.
    #[must_use]
    pub fn holds_at(&self, now: UnixTime) -> bool {
        self.holds.contains(now)
    }
}

pub(super) fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
