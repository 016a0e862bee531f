//! What is to be trusted, and one generation of it, parsed.

use std::{collections::HashMap, fmt, sync::Arc};

use rustls::DistinguishedName;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor};
use webpki::{CertRevocationList, OwnedCertRevocationList, anchor_from_trusted_cert};
use x509_parser::{
    certificate::X509Certificate, prelude::FromDer, revocation_list::CertificateRevocationList,
};

use super::{Trust, TrustPolicy, Verified, cache::Cache, verified::Span};
use crate::{CertError, Fingerprint, PeerName, info};

/// What is to be trusted.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    /// Certificates that are accepted byte for byte, and nothing that they signed.
    pub pins: Vec<CertificateDer<'static>>,
    /// CA certificates: what they issue for clients is accepted.
    pub roots: Vec<CertificateDer<'static>>,
    /// Revocation lists, as [`load_revocation_lists`](crate::load_revocation_lists) reads them.
    pub revocation_lists: Vec<CertificateRevocationListDer<'static>>,
    /// How strictly.
    pub policy: TrustPolicy,
}

/// One generation of what is trusted, parsed.
pub(super) struct Snapshot {
    pub(super) generation: u64,
    pub(super) policy: TrustPolicy,
    pub(super) pins: HashMap<Fingerprint, Arc<Verified>>,
    pub(super) roots: Vec<Root>,
    pub(super) anchors: Vec<TrustAnchor<'static>>,
    pub(super) lists: Vec<List>,
    pub(super) cache: Cache,
}

/// A CA root; `anchors` holds the same one in the same place.
pub(super) struct Root {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) fingerprint: Fingerprint,
    pub(super) dates: Span,
}

pub(super) struct List {
    pub(super) parsed: CertRevocationList<'static>,
    pub(super) issuer: Vec<u8>,
    pub(super) next_update: i64,
}

impl Snapshot {
    pub(super) fn new(anchors: Anchors, generation: u64) -> Result<Self, CertError> {
        let pins = anchors
            .pins
            .iter()
            .map(|pin| pinned(pin, generation).map(|pin| (pin.fingerprint, Arc::new(pin))))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            generation,
            policy: anchors.policy,
            pins,
            anchors: anchors.roots.iter().map(anchor).collect::<Result<_, _>>()?,
            roots: anchors
                .roots
                .into_iter()
                .map(root)
                .collect::<Result<_, _>>()?,
            lists: anchors
                .revocation_lists
                .iter()
                .map(|der| list(der))
                .collect::<Result<_, _>>()?,
            cache: Cache::new(anchors.policy.remembered),
        })
    }

    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn root_subjects(&self) -> Vec<DistinguishedName> {
        let subjects = self.anchors.iter().map(|anchor| anchor.subject.as_ref());
        subjects.map(DistinguishedName::in_sequence).collect()
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("generation", &self.generation)
            .field("pins", &self.pins.len())
            .field("roots", &self.roots.len())
            .field("lists", &self.lists.len())
            .finish_non_exhaustive()
    }
}

fn pinned(certificate: &CertificateDer<'static>, generation: u64) -> Result<Verified, CertError> {
    let parsed = info::parse_whole(certificate)?;
    Ok(Verified {
        fingerprint: Fingerprint::of(certificate),
        trust: Trust::Pinned,
        name: PeerName::from_subject(parsed.subject()),
        ocsp_responders: info::ocsp_responders(&parsed),
        not_after: parsed.validity().not_after.timestamp(),
        holds: dates(&parsed),
        generation,
        path: vec![certificate.clone()],
    })
}

fn root(certificate: CertificateDer<'static>) -> Result<Root, CertError> {
    let dates = dates(&info::parse_whole(&certificate)?);
    Ok(Root {
        fingerprint: Fingerprint::of(&certificate),
        certificate,
        dates,
    })
}

fn anchor(certificate: &CertificateDer<'static>) -> Result<TrustAnchor<'static>, CertError> {
    let anchor = anchor_from_trusted_cert(certificate).map_err(|error| CertError::Certificate {
        position: 1,
        reason: format!("{error:?}"),
    })?;
    Ok(anchor.to_owned())
}

fn list(der: &[u8]) -> Result<List, CertError> {
    let malformed = |reason: String| CertError::Crl { reason };
    let (_, read) =
        CertificateRevocationList::from_der(der).map_err(|error| malformed(error.to_string()))?;
    let parsed =
        OwnedCertRevocationList::from_der(der).map_err(|error| malformed(format!("{error:?}")))?;
    Ok(List {
        parsed: parsed.into(),
        issuer: read.issuer().as_raw().to_vec(),
        next_update: read.next_update().map_or(i64::MAX, |time| time.timestamp()),
    })
}

pub(super) fn dates(certificate: &X509Certificate<'_>) -> Span {
    Span {
        from: certificate.validity().not_before.timestamp(),
        until: certificate.validity().not_after.timestamp(),
    }
}
