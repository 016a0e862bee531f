//! What a check brought, and what follows from it.

use std::fmt;

use super::{OcspFailure, OcspMode};

/// What a check brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OcspStatus {
    /// The issuer vouches for the certificate.
    Good {
        /// Until when, in seconds since 1970, always after the moment of the check: check again then.
        until: i64,
    },
    /// The issuer has taken the certificate back.
    Revoked {
        /// Since when, in seconds since 1970.
        since: i64,
        /// Why.
        reason: RevocationReason,
    },
    /// The status could not be learnt.
    Unknown(OcspFailure),
    /// The certificate names no responder.
    NoResponder,
    /// Responders are not asked: [`OcspMode::Off`].
    Off,
}

/// What to do with the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Let it in.
    Allow,
    /// Let it in and warn: nobody vouched for the certificate.
    AllowUnchecked,
    /// Refuse it.
    Refuse,
}

impl OcspStatus {
    /// What the status means in `mode`:
    ///
    /// | status | off | soft | hard |
    /// |---|---|---|---|
    /// | good, no responder named | allow | allow | allow |
    /// | revoked | (not asked) | refuse | refuse |
    /// | any [`OcspFailure`]: unreachable, late, forged, stale, malformed, not known to the responder | (not asked) | allow, with a warning | refuse |
    ///
    /// A certificate without responder is the CRLs' business alone.
    #[must_use]
    pub fn decision(&self, mode: OcspMode) -> Decision {
        match (self, mode) {
            (_, OcspMode::Off) => Decision::Allow,
            (Self::Revoked { .. }, OcspMode::Soft | OcspMode::Hard) => Decision::Refuse,
            (Self::Unknown(_), OcspMode::Soft) => Decision::AllowUnchecked,
            // A check that an earlier setting had switched off says nothing now.
            (Self::Off, OcspMode::Soft) => Decision::AllowUnchecked,
            (Self::Unknown(_) | Self::Off, OcspMode::Hard) => Decision::Refuse,
            (Self::Good { .. } | Self::NoResponder, OcspMode::Soft | OcspMode::Hard) => {
                Decision::Allow
            }
        }
    }
}

/// Why a certificate was taken back (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationReason {
    /// None is given, or one that we do not know.
    Unspecified,
    /// Its private key is known to others.
    KeyCompromise,
    /// Its issuer's private key is known to others.
    CaCompromise,
    /// Its owner's name or affiliation has changed.
    AffiliationChanged,
    /// Another certificate has taken its place.
    Superseded,
    /// It is no longer needed.
    CessationOfOperation,
    /// It is on hold, and may come back.
    CertificateHold,
    /// It came back from hold; only delta CRLs say so.
    RemoveFromCrl,
    /// Its owner has lost the right to it.
    PrivilegeWithdrawn,
    /// The key of the attribute authority is known to others.
    AaCompromise,
}

impl RevocationReason {
    pub(super) fn from_code(code: u8) -> Self {
        match code {
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            8 => Self::RemoveFromCrl,
            9 => Self::PrivilegeWithdrawn,
            10 => Self::AaCompromise,
            _ => Self::Unspecified,
        }
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "no reason given",
            Self::KeyCompromise => "key compromised",
            Self::CaCompromise => "issuer's key compromised",
            Self::AffiliationChanged => "affiliation changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "no longer needed",
            Self::CertificateHold => "on hold",
            Self::RemoveFromCrl => "removed from the CRL",
            Self::PrivilegeWithdrawn => "privilege withdrawn",
            Self::AaCompromise => "attribute authority's key compromised",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions(status: &OcspStatus) -> [Decision; 3] {
        [OcspMode::Off, OcspMode::Soft, OcspMode::Hard].map(|mode| status.decision(mode))
    }

    #[test]
    fn revoked_is_refused_and_unknown_as_the_mode_says() {
        use Decision::{Allow, AllowUnchecked, Refuse};
        let revoked = OcspStatus::Revoked {
            since: 1,
            reason: RevocationReason::Unspecified,
        };
        let unknown = OcspStatus::Unknown(OcspFailure::TimedOut);

        assert_eq!(decisions(&OcspStatus::Good { until: 1 }), [Allow; 3]);
        assert_eq!(decisions(&OcspStatus::NoResponder), [Allow; 3]);
        assert_eq!(decisions(&revoked), [Allow, Refuse, Refuse]);
        assert_eq!(decisions(&unknown), [Allow, AllowUnchecked, Refuse]);
        assert_eq!(decisions(&OcspStatus::Off), [Allow, AllowUnchecked, Refuse]);
    }
}
