//! The verification of one chain by one generation of what is trusted.

use std::{sync::Arc, time::Duration};

use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, KeyUsage, RevocationOptions, RevocationOptionsBuilder,
    VerifiedPath,
};
use x509_parser::certificate::X509Certificate;

use super::{
    Refusal, Stale, Trust, Uncovered, Verified,
    anchors::{Pin, Root, Snapshot, dates},
    verified::{Span, seconds},
};
use crate::{CertError, Fingerprint, KeyKind, PeerName, Strength, info, tls::provider};

impl Snapshot {
    pub(super) fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Arc<Verified>, Refusal> {
        let (leaf, beside) = chain.split_first().ok_or(Refusal::NoCertificate)?;
        let fingerprint = Fingerprint::of(leaf);
        if let Some(pin) = self.pins.get(&fingerprint) {
            return verify_pinned(pin, leaf, now);
        }
        if let Some(known) = self.cache.get(fingerprint, now) {
            return Ok(known);
        }
        let verified = Arc::new(self.verify_issued(leaf, beside, now)?);
        self.cache.insert(&verified);
        Ok(verified)
    }

    fn verify_issued(
        &self,
        leaf: &CertificateDer<'_>,
        beside: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Verified, Refusal> {
        if beside.len() > self.policy.most_intermediates {
            return Err(Refusal::TooMany {
                limit: self.policy.most_intermediates,
            });
        }
        let parsed = info::parse_whole(leaf).map_err(|error| match error {
            CertError::TrailingBytes { .. } => Refusal::TrailingBytes,
            _ => Refusal::Malformed,
        })?;
        strong(&parsed)?;
        may_sign_handshakes(&parsed)?;
        if self.lists.is_empty() && self.policy.uncovered == Uncovered::Refuse {
            return Err(Refusal::RevocationUnknown);
        }
        let end_entity = EndEntityCert::try_from(leaf)?;
        let lists: Vec<_> = self.lists.iter().map(|list| &list.parsed).collect();
        let path = end_entity.verify_for_usage(
            provider().signature_verification_algorithms.all,
            &self.anchors,
            beside,
            now,
            KeyUsage::client_auth(),
            self.revocation(&lists),
            Some(&|path| self.accept_path(path, now)),
        )?;
        self.verified(leaf, &parsed, &path)
    }

    fn revocation<'a>(
        &self,
        lists: &'a [&'a CertRevocationList<'a>],
    ) -> Option<RevocationOptions<'a>> {
        let builder = RevocationOptionsBuilder::new(lists).ok()?;
        Some(
            builder
                .with_depth(self.policy.depth.into())
                .with_status_policy(self.policy.uncovered.into())
                .with_expiration_policy(self.policy.stale.into())
                .build(),
        )
    }

    /// What webpki leaves out: the dates of the root itself, and the key usage of issuers.
    fn accept_path(&self, path: &VerifiedPath<'_>, now: UnixTime) -> Result<(), webpki::Error> {
        let root = self.root_of(path).ok_or(webpki::Error::UnknownIssuer)?;
        if !root.dates.contains(now) {
            return Err(webpki::Error::CertExpired {
                time: now,
                not_after: UnixTime::since_unix_epoch(Duration::from_secs(
                    u64::try_from(root.dates.until).unwrap_or(0),
                )),
            });
        }
        let mut issuers = path.intermediate_certificates();
        issuers
            .all(|issuer| may_sign_certificates(&issuer.der()))
            .then_some(())
            .ok_or(webpki::Error::EndEntityUsedAsCa)
    }

    fn root_of(&self, path: &VerifiedPath<'_>) -> Option<&Root> {
        let found = self
            .anchors
            .iter()
            .position(|anchor| std::ptr::eq(anchor, path.anchor()))?;
        self.roots.get(found)
    }

    fn verified(
        &self,
        leaf: &CertificateDer<'_>,
        parsed: &X509Certificate<'_>,
        path: &VerifiedPath<'_>,
    ) -> Result<Verified, Refusal> {
        let root = self.root_of(path).ok_or(Refusal::UnknownIssuer)?;
        let mut certificates = vec![leaf.clone().into_owned()];
        certificates.extend(
            path.intermediate_certificates()
                .map(|c| c.der().into_owned()),
        );
        let holds = certificates
            .iter()
            .filter_map(|certificate| self.holds(certificate))
            .fold(root.dates, Span::and);
        certificates.push(root.certificate.clone());
        Ok(Verified {
            fingerprint: Fingerprint::of(leaf),
            trust: Trust::IssuedBy {
                root: root.fingerprint,
            },
            name: PeerName::from_subject(parsed.subject()),
            ocsp_responders: info::ocsp_responders(parsed),
            not_after: parsed.validity().not_after.timestamp(),
            holds,
            generation: self.generation,
            path: certificates,
        })
    }

    /// How long a certificate holds: by its dates, and by the lists that cover it.
    fn holds(&self, certificate: &CertificateDer<'_>) -> Option<Span> {
        let parsed = info::parse_whole(certificate).ok()?;
        let dates = dates(&parsed);
        let issuer = parsed.issuer().as_raw();
        let until = match self.policy.stale {
            Stale::Accept => None,
            Stale::Refuse => self
                .lists
                .iter()
                .filter(|list| list.issuer == issuer)
                .map(|list| list.next_update)
                .min(),
        };
        Some(Span {
            until: until.map_or(dates.until, |until| until.min(dates.until)),
            ..dates
        })
    }
}

fn verify_pinned(
    pin: &Pin,
    leaf: &CertificateDer<'_>,
    now: UnixTime,
) -> Result<Arc<Verified>, Refusal> {
    // The whole DER, not only its hash: a pin rests on no assumption.
    if pin.verified.path.first().is_none_or(|own| own != leaf) {
        return Err(Refusal::UnknownIssuer);
    }
    within(pin.verified.holds, now)?;
    pin.standing.clone()?;
    Ok(Arc::clone(&pin.verified))
}

fn within(span: Span, now: UnixTime) -> Result<(), Refusal> {
    if seconds(now) < span.from {
        return Err(Refusal::NotYetValid {
            not_before: span.from,
        });
    }
    if seconds(now) > span.until {
        return Err(Refusal::Expired {
            not_after: span.until,
        });
    }
    Ok(())
}

pub(super) fn strong(certificate: &X509Certificate<'_>) -> Result<(), Refusal> {
    let key = KeyKind::of(certificate.public_key());
    match key.strength() {
        Strength::Enough => Ok(()),
        Strength::Weak => Err(Refusal::WeakKey { key }),
        Strength::Unsupported => Err(Refusal::UnsupportedKey { key }),
    }
}

/// RFC 5280 §4.2.1.3: a key usage, where there is one, must allow what the handshake does.
fn may_sign_handshakes(certificate: &X509Certificate<'_>) -> Result<(), Refusal> {
    match certificate.key_usage() {
        Ok(None) => Ok(()),
        Ok(Some(usage)) if usage.value.digital_signature() => Ok(()),
        Ok(Some(_)) => Err(Refusal::WrongKeyUsage),
        Err(_) => Err(Refusal::Malformed),
    }
}

fn may_sign_certificates(certificate: &CertificateDer<'_>) -> bool {
    info::parse_whole(certificate).is_ok_and(|parsed| match parsed.key_usage() {
        Ok(usage) => usage.is_none_or(|usage| usage.value.key_cert_sign()),
        Err(_) => false,
    })
}
