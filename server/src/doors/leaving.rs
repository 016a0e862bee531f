//! Client certificates that came in and soon end. Of those that a CA issued nothing but the
//! fingerprint is kept, so that only whoever sees them can tell.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use certs::{CertificateDer, CertificateInfo, Fingerprint};

/// The certificates that were seen within the last two days and end soon.
pub struct Leaving {
    /// How many seconds before its end a certificate is told of.
    span: i64,
    seen: Mutex<HashMap<Fingerprint, Seen>>,
}

struct Seen {
    info: CertificateInfo,
    at: i64,
}

impl fmt::Debug for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaving(..)")
    }
}

impl Leaving {
    /// Tells of certificates so many days before their end.
    #[must_use]
    pub fn within(days: i64) -> Self {
        Self {
            span: days.saturating_mul(DAY),
            seen: Mutex::default(),
        }
    }

    /// A certificate that ends at `not_after` came in at `now` (Unix seconds).
    pub(crate) fn note(&self, leaf: &CertificateDer<'_>, not_after: i64, now: i64) {
        // A day more: whoever stays will not come in again when its time is there. Those that are
        // told of are chosen when they are told of.
        if not_after.saturating_sub(now) >= self.span.saturating_add(DAY) {
            return;
        }
        let Ok(info) = CertificateInfo::parse(leaf) else {
            return;
        };
        let mut seen = self.lock();
        if seen.len() < MOST || seen.contains_key(&info.fingerprint) {
            seen.insert(info.fingerprint, Seen { info, at: now });
        }
    }

    /// Those that still come in, in the order of their ends; forgets the others.
    #[must_use]
    pub fn known(&self, now: i64) -> Vec<CertificateInfo> {
        let mut seen = self.lock();
        seen.retain(|_, seen| now.saturating_sub(seen.at) < 2 * DAY);
        let mut known: Vec<_> = seen.values().map(|seen| seen.info.clone()).collect();
        known.sort_by(|one, other| {
            let order = |info: &CertificateInfo| (info.not_after, info.subject.clone());
            order(one).cmp(&order(other))
        });
        known
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Fingerprint, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const DAY: i64 = 86_400;
/// More are not told of: whoever has so many has them from one place.
const MOST: usize = 1000;

#[cfg(test)]
mod tests {
    use certs::{CertificateAuthority, CommonName, Term};

    use super::*;

    #[test]
    fn whoever_comes_in_shortly_before_the_end_is_known_for_two_days() {
        let now = 1_800_000_000;
        let authority = CertificateAuthority::create("ca", now).unwrap();
        let issue = |name: &str, days| {
            let name = CommonName::parse(name).unwrap();
            let issued = authority.issue_client(&name, None, Term { now, days });
            issued.unwrap().certificate().clone()
        };
        let leaving = Leaving::within(30);

        for (name, days) in [("later", 200), ("second", 9), ("first", 5)] {
            let leaf = issue(name, days);
            let end = CertificateInfo::parse(&leaf).unwrap().not_after;
            leaving.note(&leaf, end, now);
            leaving.note(&leaf, end, now);
        }

        let known = |at| -> Vec<String> {
            let known = leaving.known(at);
            known.into_iter().map(|info| info.subject).collect()
        };
        assert_eq!(known(now + DAY), ["CN=first", "CN=second"]);
        assert_eq!(known(now + 2 * DAY), Vec::<String>::new());
    }
}
