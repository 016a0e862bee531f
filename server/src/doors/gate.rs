//! From what a peer shows to who it is: checked at every request, found out again when anything
//! has changed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certs::{
    CertificateInfo, Decision, Fingerprint, OcspChecker, OcspStatus, Refusal, Trust, TrustStore,
    UnixTime, Verified,
};
use tracing::warn;

use crate::domain;
use crate::domain::{Door, RefusalReason, RequestId, Timestamp};
use crate::doors::rarely::Rarely;
use crate::doors::{Leaving, Peer};
use crate::vault::{
    Caller, CertificateCredential, CertificateTrust, Credential, Origin, Outage, Vault, VaultError,
};

/// Lets in whoever a client certificate proves, through one door.
pub struct Gate {
    vault: Arc<Vault>,
    trust: TrustStore,
    responders: Arc<OcspChecker>,
    door: Door,
    unchecked: Rarely,
    leaving: Option<Arc<Leaving>>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("door", &self.door)
            .finish_non_exhaustive()
    }
}

/// What is remembered of a peer for as long as its connection stands.
#[derive(Debug)]
pub struct Visitor {
    peer: Peer,
    known: Mutex<Option<Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    verified: Arc<Verified>,
    caller: Caller,
}

/// A certificate that counts, whoever it may be.
#[derive(Clone, Debug)]
pub(crate) struct Proved {
    verified: Arc<Verified>,
    credential: CertificateCredential,
}

impl Proved {
    /// As the vault wants to see it.
    pub(crate) fn credential(&self) -> &CertificateCredential {
        &self.credential
    }
}

impl Visitor {
    /// A peer of whom nothing is known yet.
    pub(crate) fn new(peer: Peer) -> Self {
        Self {
            peer,
            known: Mutex::default(),
        }
    }

    /// The peer.
    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    fn known(&self) -> Option<Known> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn remember(&self, known: Option<Known>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

impl Gate {
    /// A gate at `door`: `trust` says which certificates count, `responders` which of them were
    /// taken back, the vault who they are.
    #[must_use]
    pub fn new(
        vault: Arc<Vault>,
        trust: TrustStore,
        responders: Arc<OcspChecker>,
        door: Door,
    ) -> Self {
        Self {
            vault,
            trust,
            responders,
            door,
            unchecked: Rarely::new(Duration::from_secs(60)),
            leaving: None,
        }
    }

    /// The same, telling `leaving` of certificates that soon end.
    #[must_use]
    pub fn telling(mut self, leaving: Arc<Leaving>) -> Self {
        self.leaving = Some(leaving);
        self
    }

    /// Who `visitor` is, for its request `request`.
    ///
    /// # Errors
    /// [`VaultError::Unidentified`] when its certificate does not count any more, is revoked, or
    /// proves nobody who may come in from there; [`VaultError::Unavailable`].
    pub(crate) async fn caller(
        &self,
        visitor: &Visitor,
        request: RequestId,
    ) -> Result<Caller, VaultError> {
        if let Some(known) = visitor.known()
            && self.holds(&known)
        {
            return Ok(known.caller.again(request));
        }
        visitor.remember(None);
        for _ in 0..TRIES {
            let before = self.generations();
            let known = self.find_out(visitor, request).await?;
            // Responders and name servers may take seconds, and some belong to whoever calls: what
            // was taken back meanwhile must not come in.
            if self.generations() == before {
                visitor.remember(Some(known.clone()));
                return Ok(known.caller);
            }
        }
        Err(VaultError::Unavailable(Outage::Part(UNSETTLED)))
    }

    /// What `visitor` has proved, for its request `request`; nobody is looked up by it.
    ///
    /// # Errors
    /// [`VaultError::Unidentified`] when it shows no certificate, or one that does not count;
    /// [`VaultError::Unavailable`].
    pub(crate) async fn prove(
        &self,
        visitor: &Visitor,
        request: RequestId,
    ) -> Result<Proved, VaultError> {
        let origin = self.origin(visitor, request);
        for _ in 0..TRIES {
            let before = self.trust.generation();
            let proved = self.check(visitor, &origin).await?;
            // As above: what was taken back while a responder was asked counts no more.
            if self.trust.generation() == before {
                return Ok(proved);
            }
        }
        Err(VaultError::Unavailable(Outage::Part(UNSETTLED)))
    }

    /// Whether what was proved still is: neither trust nor time has changed that.
    pub(crate) fn still_counts(&self, proved: &Proved) -> bool {
        let now = self.vault.now();
        proved.verified.generation() == self.trust.generation()
            && proved.verified.holds_at(unix_time(now))
            && now < proved.credential.valid_until
    }

    /// Whether the certificate of `visitor` is trusted, as far as that can be told without asking
    /// anybody; nothing is written down.
    pub(crate) fn trusts(&self, visitor: &Visitor) -> bool {
        let now = unix_time(self.vault.now());
        self.trust.verify(visitor.peer.chain(), now).is_ok()
    }

    /// Two numbers that stay as they are while nobody is let in or taken back.
    fn generations(&self) -> (u64, u64) {
        (self.trust.generation(), self.vault.generation())
    }

    async fn find_out(&self, visitor: &Visitor, request: RequestId) -> Result<Known, VaultError> {
        let origin = self.origin(visitor, request);
        let Proved {
            verified,
            credential,
        } = self.check(visitor, &origin).await?;
        let credential = Credential::Certificate(credential);
        let caller = self.vault.identify(&credential, &origin).await?;
        Ok(Known { verified, caller })
    }

    fn origin(&self, visitor: &Visitor, request: RequestId) -> Origin {
        Origin {
            door: self.door,
            peer: Some(visitor.peer.address()),
            request,
        }
    }

    /// Whether nothing has changed since: neither users, trust nor time.
    fn holds(&self, known: &Known) -> bool {
        known.verified.generation() == self.trust.generation()
            && known.verified.holds_at(unix_time(self.vault.now()))
            && self.vault.holds(&known.caller)
    }

    /// The certificate as the vault wants to see it: trusted now, and not revoked.
    async fn check(&self, visitor: &Visitor, origin: &Origin) -> Result<Proved, VaultError> {
        let now = self.vault.now();
        let verified = match self.trust.verify(visitor.peer.chain(), unix_time(now)) {
            Ok(verified) => verified,
            Err(why) => return Err(self.turn_away(visitor, &why, origin).await),
        };
        let status = self.ask_responder(&verified, now).await;
        if status.decision(self.responders.mode()) == Decision::Refuse {
            let subject = subject(visitor);
            let turned = self
                .vault
                .turn_away_untrusted(&subject, RefusalReason::Revoked, origin);
            return Err(turned.await);
        }
        let until = valid_until(&verified, &status, now);
        if let (Some(leaving), Some(leaf)) = (&self.leaving, visitor.peer.chain().first()) {
            leaving.note(leaf, verified.not_after(), now.unix_seconds());
        }
        Ok(Proved {
            credential: credential(&verified, until),
            verified,
        })
    }

    async fn ask_responder(&self, verified: &Verified, now: Timestamp) -> OcspStatus {
        // Nobody can be asked about a pin unless a trusted root has issued it: it is unpinned.
        let (Some(leaf), Some(issuer)) = (verified.path().first(), verified.issuer()) else {
            return OcspStatus::NoResponder;
        };
        let status = self
            .responders
            .check(leaf, issuer, now.unix_seconds())
            .await;
        if let OcspStatus::Unknown(why) = &status
            && let Some(unsaid) = self.unchecked.now()
        {
            let certificate = verified.fingerprint();
            warn!(%certificate, reason = %why, unsaid, "no word from the OCSP responder");
        }
        status
    }

    async fn turn_away(&self, visitor: &Visitor, why: &Refusal, origin: &Origin) -> VaultError {
        let reason = if *why == Refusal::Revoked {
            RefusalReason::Revoked
        } else {
            RefusalReason::Untrusted
        };
        let subject = format!("{} ({})", subject(visitor), why.code());
        self.vault
            .turn_away_untrusted(&subject, reason, origin)
            .await
    }
}

/// What an untrusted certificate calls itself.
fn subject(visitor: &Visitor) -> String {
    let Some(leaf) = visitor.peer.chain().first() else {
        return "(no certificate)".to_owned();
    };
    let name =
        CertificateInfo::parse(leaf).map_or_else(|_| "(malformed)".to_owned(), |info| info.subject);
    format!("{name} [{}]", Fingerprint::of(leaf))
}

fn credential(verified: &Verified, valid_until: Timestamp) -> CertificateCredential {
    let name = verified.name();
    let leaf = verified.path().first().map_or(&[][..], |leaf| leaf);
    CertificateCredential {
        thumbprint: domain::Thumbprint::of(leaf),
        fingerprint: domain::Fingerprint(*verified.fingerprint().as_bytes()),
        common_name: name
            .map(|name| name.common_name.as_str().to_owned())
            .map_err(ToString::to_string),
        organisation: name.ok().and_then(|name| name.organisation.clone()),
        trust: match verified.trust() {
            Trust::Pinned => CertificateTrust::Pinned,
            Trust::IssuedBy { root } => {
                CertificateTrust::IssuedBy(domain::Fingerprint(*root.as_bytes()))
            }
        },
        valid_until,
    }
}

/// Until the certificate expires, or its responder must be asked again.
fn valid_until(verified: &Verified, status: &OcspStatus, now: Timestamp) -> Timestamp {
    let expiry = Timestamp(
        verified
            .not_after()
            .saturating_mul(1000)
            .saturating_add(999),
    );
    match status {
        OcspStatus::Good { until } => expiry.min(Timestamp(until.saturating_mul(1000))),
        // The checker itself spares responders that are silent.
        OcspStatus::Unknown(_) => expiry.min(now.after(ASK_AGAIN)),
        OcspStatus::Revoked { .. } | OcspStatus::NoResponder | OcspStatus::Off => expiry,
    }
}

const UNSETTLED: &str = "who may come in changes faster than it can be checked";
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// How often it is found out who calls, while that changes.
const TRIES: usize = 4;

fn unix_time(now: Timestamp) -> UnixTime {
    let seconds = u64::try_from(now.unix_seconds()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}
