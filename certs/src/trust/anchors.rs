//! What is to be trusted, and one generation of it, parsed.

use std::{collections::HashMap, fmt, sync::Arc};

use rustls::DistinguishedName;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor};
use webpki::{CertRevocationList, OwnedCertRevocationList, anchor_from_trusted_cert};
use x509_parser::{
    certificate::X509Certificate, prelude::FromDer, revocation_list::CertificateRevocationList,
};

use super::{Refusal, Trust, TrustPolicy, Verified, cache::Cache, judge::strong, verified::Span};
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
    pub(super) pins: HashMap<Fingerprint, Pin>,
    pub(super) roots: Vec<Root>,
    pub(super) anchors: Vec<TrustAnchor<'static>>,
    pub(super) lists: Vec<List>,
    pub(super) cache: Cache,
}

/// A pinned certificate, judged but for its dates.
pub(super) struct Pin {
    pub(super) verified: Arc<Verified>,
    pub(super) standing: Result<(), Refusal>,
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
        let lists: Vec<List> = anchors
            .revocation_lists
            .iter()
            .map(|der| list(der))
            .collect::<Result<_, _>>()?;
        let pins = anchors
            .pins
            .iter()
            .map(|der| pin(der, &anchors.roots, &lists, generation))
            .map(|pin| pin.map(|pin| (pin.verified.fingerprint, pin)))
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
            lists,
            cache: Cache::new(anchors.policy.remembered),
        })
    }

    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// The subjects of the roots and the issuers of the pins, each once, as far as they fit.
    pub(super) fn issuers(&self) -> Vec<DistinguishedName> {
        let roots = self.anchors.iter().map(|anchor| anchor.subject.as_ref());
        let mut names: Vec<_> = roots.map(DistinguishedName::in_sequence).collect();
        let pins = self.pins.values().map(|pin| pin.verified.path());
        for leaf in pins.filter_map(<[_]>::first) {
            names.extend(info::issuer(leaf).map(DistinguishedName::from));
        }
        names.sort_by(|one, other| one.as_ref().cmp(other.as_ref()));
        names.dedup_by(|one, other| one.as_ref() == other.as_ref());
        let mut length = 0;
        names.retain(|name| {
            length += name.as_ref().len() + 2;
            length <= LONGEST_HINTS
        });
        names
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

fn pin(
    certificate: &CertificateDer<'static>,
    roots: &[CertificateDer<'static>],
    lists: &[List],
    generation: u64,
) -> Result<Pin, CertError> {
    let parsed = info::parse_whole(certificate)?;
    let issuer = roots.iter().find(|root| is_issued_by(&parsed, root));
    let verified = Verified {
        fingerprint: Fingerprint::of(certificate),
        trust: Trust::Pinned,
        name: PeerName::from_subject(parsed.subject()),
        ocsp_responders: info::ocsp_responders(&parsed),
        not_after: parsed.validity().not_after.timestamp(),
        holds: dates(&parsed),
        generation,
        path: std::iter::once(certificate)
            .chain(issuer)
            .cloned()
            .collect(),
    };
    let standing = strong(&parsed).and_then(|()| match is_listed(&parsed, lists) {
        true => Err(Refusal::Revoked),
        false => Ok(()),
    });
    Ok(Pin {
        verified: Arc::new(verified),
        standing,
    })
}

/// Whether `root` signed the certificate, by name and by signature.
fn is_issued_by(certificate: &X509Certificate<'_>, root: &CertificateDer<'_>) -> bool {
    let issuer = certificate.issuer().as_raw();
    issuer != certificate.subject().as_raw()
        && info::parse_whole(root).is_ok_and(|root| {
            root.subject().as_raw() == issuer
                && certificate
                    .verify_signature(Some(root.public_key()))
                    .is_ok()
        })
}

/// Whether a list in the name of this certificate's issuer names its serial number. For a pin
/// nobody vouches for the list but the operator who loaded it; refusing is safe.
fn is_listed(certificate: &X509Certificate<'_>, lists: &[List]) -> bool {
    let issuer = certificate.issuer().as_raw();
    lists
        .iter()
        .filter(|list| list.issuer == issuer)
        .any(|list| !matches!(list.parsed.find_serial(certificate.raw_serial()), Ok(None)))
}

fn root(certificate: CertificateDer<'static>) -> Result<Root, CertError> {
    let dates = dates(&info::parse_whole(&certificate)?);
    Ok(Root {
        fingerprint: Fingerprint::of(&certificate),
        certificate,
        dates,
    })
}

pub(super) fn anchor(certificate: &CertificateDer<'_>) -> Result<TrustAnchor<'static>, CertError> {
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

/// TLS has room for 65535 bytes of names (RFC 8446 §4.2.4), and every handshake carries them.
const LONGEST_HINTS: usize = 32 * 1024;
