//! Whom we trust: pinned certificates and CA roots, kept apart, and revocation lists.

mod anchors;
mod cache;
mod import;
mod judge;
mod policy;
mod refusal;
mod verified;

pub use anchors::Anchors;
pub use import::{Import, ImportAs, ImportError, ImportWish, Warning, classify};
pub use policy::{Depth, Stale, TrustPolicy, Uncovered};
pub use refusal::Refusal;
pub use verified::{Trust, Verified};

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::CertError;
use anchors::Snapshot;

/// Whom we trust, as one cheap handle that all doors share.
///
/// What is trusted is replaced as a whole and at once; every replacement has a number, its
/// *generation*. Who verified a peer keeps the [`Verified`] and has it
/// [checked again](Self::recheck) on every request, so that a removed certificate stops working
/// on open connections and resumed sessions too.
#[derive(Clone, Debug)]
pub struct TrustStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    current: ArcSwap<Snapshot>,
    replacing: Mutex<()>,
}

impl TrustStore {
    /// A store that trusts `anchors`; its generation is 1.
    ///
    /// # Errors
    /// As [`replace`](Self::replace).
    pub fn new(anchors: Anchors) -> Result<Self, CertError> {
        let first = Snapshot::new(anchors, 1)?;
        Ok(Self(Arc::new(Shared {
            current: ArcSwap::from_pointee(first),
            replacing: Mutex::new(()),
        })))
    }

    /// Trusts `anchors` and nothing else from now on; answers the new generation.
    ///
    /// # Errors
    /// [`CertError`] when a certificate or revocation list in it cannot be read; what was
    /// trusted before stays.
    pub fn replace(&self, anchors: Anchors) -> Result<u64, CertError> {
        let _one_at_a_time = self
            .0
            .replacing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let generation = self.generation() + 1;
        let next = Snapshot::new(anchors, generation)?;
        self.0.current.store(Arc::new(next));
        Ok(generation)
    }

    /// How often what is trusted has changed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.current.load().generation()
    }

    /// Verifies the certificates that a client shows, its own first.
    ///
    /// Pins come first: a certificate that is byte for byte a pinned one is accepted within its
    /// dates, whatever shape it has. Any other must lead to a trusted root, be made for client
    /// authentication, and not be revoked.
    ///
    /// # Errors
    /// [`Refusal`], why not.
    pub fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Arc<Verified>, Refusal> {
        self.0.current.load().verify(chain, now)
    }

    /// Verifies again what was verified before: costs nothing while nothing was replaced and
    /// nothing expired. To be asked on every request.
    ///
    /// # Errors
    /// [`Refusal`], when it would no longer be accepted.
    pub fn recheck(
        &self,
        verified: &Arc<Verified>,
        now: UnixTime,
    ) -> Result<Arc<Verified>, Refusal> {
        let current = self.0.current.load();
        if verified.generation() == current.generation() && verified.holds_at(now) {
            return Ok(Arc::clone(verified));
        }
        current.verify(verified.without_root(), now)
    }

    /// The names of all issuers, for those doors that send them as hints.
    pub(crate) fn issuers(&self) -> Vec<rustls::DistinguishedName> {
        self.0.current.load().issuers()
    }
}
