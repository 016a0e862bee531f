//! From an answer's bytes to what is believed.

use super::certificate::Question;
use super::wire::{Answer, Single, State};
use super::{NonceUse, OcspFailure, OcspSettings, OcspStatus, signer};

/// What a right answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) status: OcspStatus,
    /// When the responder knew it.
    pub(super) this_update: i64,
    /// How long it counts.
    pub(super) until: i64,
}

/// Believes `bytes` only when everything is right: signer, nonce, certificate, times.
pub(super) fn judge(
    bytes: &[u8],
    question: &Question,
    nonce: Option<&[u8]>,
    now_unix: i64,
    settings: &OcspSettings,
) -> Result<Verdict, OcspFailure> {
    let answer = Answer::parse(bytes)?;
    signer::verify(&answer, question, now_unix)?;
    check_nonce(nonce, answer.nonce, settings.nonce)?;
    let single = answer
        .singles
        .iter()
        .filter(|single| single.is_about(&question.id))
        .max_by_key(|single| severity(single.state))
        .ok_or(OcspFailure::OtherCertificate)?;
    let until = in_date(single, answer.produced_at, now_unix, settings)?;
    let status = match single.state {
        State::Good => OcspStatus::Good { until },
        State::Revoked { since, reason } => OcspStatus::Revoked { since, reason },
        State::Unknown => return Err(OcspFailure::NotKnown),
    };
    Ok(Verdict {
        status,
        this_update: single.this_update,
        until,
    })
}

/// An answer that says two things of one certificate is taken at its worst.
fn severity(state: State) -> u8 {
    match state {
        State::Good => 0,
        State::Unknown => 1,
        State::Revoked { .. } => 2,
    }
}

fn check_nonce(
    sent: Option<&[u8]>,
    echoed: Option<&[u8]>,
    wanted: NonceUse,
) -> Result<(), OcspFailure> {
    match (sent, echoed) {
        (Some(sent), Some(echoed)) if sent == echoed => Ok(()),
        (Some(_), Some(_)) => Err(OcspFailure::Nonce),
        (Some(_), None) if wanted == NonceUse::Require => Err(OcspFailure::Nonce),
        (Some(_), None) | (None, _) => Ok(()),
    }
}

/// Until when `single` counts (RFC 6960 §4.2.2.1), when it counts now.
fn in_date(
    single: &Single<'_>,
    produced_at: i64,
    now_unix: i64,
    settings: &OcspSettings,
) -> Result<i64, OcspFailure> {
    let skew = seconds(settings.clock_skew);
    let from = single.this_update;
    let until = single
        .next_update
        .unwrap_or(from.saturating_add(seconds(settings.max_age)));
    if until < from || produced_at.saturating_add(skew) < from {
        return Err(OcspFailure::Times);
    }
    let newest = from.max(produced_at);
    if newest > now_unix.saturating_add(skew) {
        return Err(OcspFailure::Early { from: newest });
    }
    if until < now_unix.saturating_sub(skew) {
        return Err(OcspFailure::Stale { since: until });
    }
    Ok(until)
}

/// Whole seconds, as many as fit.
pub(super) fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
