//! Hosts that did not answer: what the server does by itself leaves them alone for a while, so that
//! a dead one holds no other one up.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::connectors::Trouble;
use crate::domain::{ResetTarget, ResourceId, Timestamp};

/// Until when each is left alone, and for how long at most.
#[derive(Debug, Default)]
pub(super) struct Silence(Mutex<HashMap<Place, Rest>>);

#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Timestamp,
    pause: Duration,
}

impl Rest {
    /// One that seems to end later than it can is from before the clock was set back.
    fn is_on(self, now: Timestamp) -> bool {
        now < self.until && self.until.since(now) <= self.pause
    }
}

/// Host and port, or the resource of a command that names no host.
type Place = (String, u16, Option<ResourceId>);

impl Silence {
    /// What came of a conversation: `trouble`, or an answer.
    pub(super) fn note(
        &self,
        target: &ResetTarget,
        trouble: Option<&Trouble>,
        (now, pause): (Timestamp, Duration),
    ) {
        let mut hosts = self.lock();
        match trouble {
            Some(Trouble::Unreachable | Trouble::Slow) => {
                if hosts.len() >= MOST {
                    hosts.retain(|_, rest| rest.is_on(now));
                }
                if hosts.len() < MOST {
                    let until = now.after(pause);
                    hosts.insert(place(target), Rest { until, pause });
                }
            }
            Some(_) | None => {
                hosts.remove(&place(target));
            }
        }
    }

    /// Whether the target's host is left alone now.
    pub(super) fn holds(&self, target: &ResetTarget, now: Timestamp) -> bool {
        let rest = self.lock().get(&place(target)).copied();
        rest.is_some_and(|rest| rest.is_on(now))
    }

    /// The target's host is asked again.
    pub(super) fn end(&self, target: &ResetTarget) {
        self.lock().remove(&place(target));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Rest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(target: &ResetTarget) -> Place {
    let host = target.host.as_str();
    let alone = host.is_empty().then_some(target.resource);
    (host.to_owned(), target.port, alone)
}

/// So many at most: a house without a network remembers no more.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Connector, FreeText, OrgId, Wire};

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const PAUSE: Duration = Duration::from_secs(30);

    fn target(port: usize) -> ResetTarget {
        ResetTarget {
            org: OrgId(1),
            resource: ResourceId(1),
            connector: Connector::Ssh,
            host: FreeText::parse("db1.example").unwrap(),
            port: port.try_into().unwrap(),
            wire: Wire::Sealed,
            admin: None,
            reconcile: None,
            pin: None,
        }
    }

    #[test]
    fn what_is_over_makes_room_and_what_is_not_is_never_driven_out() {
        let silence = Silence::default();
        let note = |port, at| silence.note(&target(port), Some(&Trouble::Slow), (at, PAUSE));
        for port in 1..=MOST {
            note(port, NOW);
        }

        note(MOST + 1, NOW);
        assert!(!silence.holds(&target(MOST + 1), NOW), "there is no room");
        assert!(silence.holds(&target(MOST), NOW));

        let later = NOW.after(PAUSE);
        note(MOST + 1, later);
        assert!(silence.holds(&target(MOST + 1), later));
        assert_eq!(silence.lock().len(), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_prolongs_no_silence() {
        let (silence, host) = (Silence::default(), target(22));
        silence.note(&host, Some(&Trouble::Slow), (NOW, PAUSE));
        let back = |span| Timestamp(NOW.0 - span);

        assert!(silence.holds(&host, back(0)));
        assert!(!silence.holds(&host, back(1)), "longer than it can be");
        assert!(!silence.holds(&host, NOW.after(PAUSE)));
    }

    #[test]
    fn the_silence_of_one_host_ends_and_that_of_others_stays() {
        let silence = Silence::default();
        for port in [22, 23] {
            silence.note(&target(port), Some(&Trouble::Slow), (NOW, PAUSE));
        }

        silence.end(&target(22));

        assert!(!silence.holds(&target(22), NOW));
        assert!(silence.holds(&target(23), NOW));
    }
}
