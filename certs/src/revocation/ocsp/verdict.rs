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
    if until > now_unix {
        return Ok(until);
    }
    // The next answer is due by our clock, perhaps not yet by the responder's: ask again soon.
    let again = now_unix.saturating_add(seconds(settings.retry_after).max(1));
    Ok(again.min(until.saturating_add(skew).saturating_add(1)))
}

/// Whole seconds, as many as fit.
pub(super) fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::revocation::ocsp::RevocationReason;
    use crate::revocation::ocsp::wire::crafted::{Draft, Issuer, Saying};

    // Tests are dated 2026; certificates made for them are valid then.
    const NOW: u64 = 1_800_000_000;

    fn judged(issuer: &Issuer, draft: &Draft) -> Result<OcspStatus, OcspFailure> {
        believed(issuer, &issuer.sign(draft)).map(|verdict| verdict.status)
    }

    fn believed(issuer: &Issuer, bytes: &[u8]) -> Result<Verdict, OcspFailure> {
        let settings = OcspSettings::default();
        judge(bytes, &issuer.question, None, NOW as i64, &settings)
    }

    fn with(issuer: &Issuer, change: impl Fn(&mut Saying)) -> Draft {
        let mut saying = issuer.good(NOW);
        change(&mut saying);
        issuer.draft(vec![saying])
    }

    fn good() -> Result<OcspStatus, OcspFailure> {
        let until = NOW as i64 + 3600;
        Ok(OcspStatus::Good { until })
    }

    /// Revoked on 2026-01-01, with this after the time.
    fn revoked(reason: &[u8]) -> (u32, Vec<u8>) {
        (1, [b"\x18\x0f20260101000000Z", reason].concat())
    }

    #[test]
    fn a_right_answer_is_believed() {
        let issuer = Issuer::new();

        assert_eq!(judged(&issuer, &with(&issuer, |_| ())), good());
    }

    #[test]
    fn all_four_fields_of_the_certificates_id_must_match() {
        let issuer = Issuer::new();
        let changes: [fn(&mut Saying); 4] = [
            |saying| saying.id.issuer_name_hash[19] ^= 1,
            |saying| saying.id.issuer_key_hash[0] ^= 1,
            |saying| saying.id.serial = vec![0x10, 0x02],
            |saying| saying.id.serial = vec![0x10],
        ];
        for change in changes {
            let status = judged(&issuer, &with(&issuer, change));

            assert_eq!(status, Err(OcspFailure::OtherCertificate));
        }
    }

    #[test]
    fn a_revocation_counts_whatever_its_reason() {
        use RevocationReason::{CertificateHold, KeyCompromise, Unspecified};
        let issuer = Issuer::new();
        for (bytes, reason) in [
            (&b""[..], Unspecified),
            (b"\xa0\x03\x0a\x01\x01", KeyCompromise),
            (b"\xa0\x03\x0a\x01\x06", CertificateHold),
            (b"\xa0\x03\x0a\x01\x63", Unspecified),
            (b"\xa0\x02\x0a\x00", Unspecified),
            (b"nonsense", Unspecified),
        ] {
            let draft = with(&issuer, |saying| saying.state = revoked(bytes));

            let since = 1_767_225_600;
            assert_eq!(
                judged(&issuer, &draft),
                Ok(OcspStatus::Revoked { since, reason })
            );
        }
    }

    #[test]
    fn an_answer_that_contradicts_itself_is_taken_at_its_worst() {
        let issuer = Issuer::new();
        let good = issuer.good(NOW);
        let unknown = Saying {
            state: (2, Vec::new()),
            ..good.clone()
        };
        let revoked = Saying {
            state: revoked(b""),
            ..good.clone()
        };
        let draft = |sayings: &[&Saying]| issuer.draft(sayings.iter().copied().cloned().collect());

        let two = judged(&issuer, &draft(&[&unknown, &good]));
        let three = judged(&issuer, &draft(&[&good, &revoked, &unknown]));

        assert_eq!(two, Err(OcspFailure::NotKnown));
        assert!(matches!(three, Ok(OcspStatus::Revoked { .. })), "{three:?}");
    }

    #[test]
    fn an_answer_about_others_too_is_taken_for_ours() {
        let issuer = Issuer::new();
        let good_one = issuer.good(NOW);
        let mut other = issuer.good(NOW);
        other.id.serial = vec![9];
        other.state = revoked(b"");

        assert_eq!(
            judged(&issuer, &issuer.draft(vec![other, good_one])),
            good()
        );
    }

    #[test]
    fn times_that_contradict_each_other_are_refused() {
        let issuer = Issuer::new();
        let backwards = with(&issuer, |saying| saying.next_update = Some(NOW - 1));
        let mut produced_before = with(&issuer, |_| ());
        produced_before.produced_at = NOW - 301;
        let mut produced_later = with(&issuer, |_| ());
        produced_later.produced_at = NOW + 301;

        assert_eq!(judged(&issuer, &backwards), Err(OcspFailure::Times));
        assert_eq!(judged(&issuer, &produced_before), Err(OcspFailure::Times));
        let from = NOW as i64 + 301;
        assert_eq!(
            judged(&issuer, &produced_later),
            Err(OcspFailure::Early { from })
        );
    }

    #[test]
    fn dates_are_taken_to_the_second() {
        let issuer = Issuer::new();
        let aged = |this_update: u64, next_update: Option<u64>| {
            let draft = issuer.draft(vec![Saying {
                next_update,
                ..issuer.good(this_update)
            }]);
            judged(&issuer, &draft)
        };
        let stale = |since: u64| {
            let since = since as i64;
            Err(OcspFailure::Stale { since })
        };

        let good = |until: u64| {
            let until = until as i64;
            Ok(OcspStatus::Good { until })
        };

        assert_eq!(aged(NOW - 900, Some(NOW + 1)), good(NOW + 1));
        assert_eq!(aged(NOW - 900, Some(NOW)), good(NOW + 30));
        assert_eq!(aged(NOW - 900, Some(NOW - 290)), good(NOW + 11));
        assert_eq!(aged(NOW - 900, Some(NOW - 300)), good(NOW + 1));
        assert_eq!(aged(NOW - 900, Some(NOW - 301)), stale(NOW - 301));
        assert!(aged(NOW - 3900, None).is_ok());
        assert_eq!(aged(NOW - 3901, None), stale(NOW - 301));
        assert!(aged(NOW + 300, None).is_ok());
        let from = NOW as i64 + 301;
        assert_eq!(aged(NOW + 301, None), Err(OcspFailure::Early { from }));
    }

    #[test]
    fn unknown_critical_extensions_and_versions_are_refused() {
        let issuer = Issuer::new();
        let critical = with(&issuer, |saying| saying.has_critical = true);
        let mut version = with(&issuer, |_| ());
        version.version = Some(1);

        let oid = "1.2.3.4".to_owned();
        assert_eq!(
            judged(&issuer, &critical),
            Err(OcspFailure::CriticalExtension { oid })
        );
        let what = "version";
        assert_eq!(
            judged(&issuer, &version),
            Err(OcspFailure::Malformed { what })
        );
    }

    #[test]
    fn another_issuers_answer_is_forged() {
        let (issuer, stranger) = (Issuer::new(), Issuer::new());
        let bytes = stranger.sign(&with(&issuer, |_| ()));

        let why = believed(&issuer, &bytes).unwrap_err();

        assert!(matches!(why, OcspFailure::Forged { .. }), "{why:?}");
    }

    #[test]
    fn no_changed_byte_and_no_cut_is_believed() {
        let issuer = Issuer::new();
        let bytes = issuer.sign(&with(&issuer, |_| ()));
        for at in 0..bytes.len() {
            for change in [0x01, 0x20, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                assert!(
                    believed(&issuer, &changed).is_err(),
                    "byte {at} ^ {change:#x}"
                );
            }
            assert!(believed(&issuer, &bytes[..at]).is_err(), "cut at {at}");
        }
        assert!(believed(&issuer, &[bytes.as_slice(), b"\0"].concat()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(Answer::parse(&bytes).is_err());
        }

        #[test]
        fn no_splice_of_an_answer_makes_the_parser_panic(
            at in 0_usize..400,
            gone in 0_usize..40,
            new in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let issuer = Issuer::new();
            let mut bytes = issuer.sign(&with(&issuer, |_| ()));
            let at = at.min(bytes.len());
            let end = (at + gone).min(bytes.len());
            let same = bytes[at..end] == new;
            bytes.splice(at..end, new);
            prop_assert_eq!(believed(&issuer, &bytes).is_ok(), same);
        }
    }
}
