//! How many files may be open. Connections are files, too, and must leave room for those of the
//! store and the trail: a server that cannot write its trail refuses everybody.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

use crate::app::AppError;

/// How many connections the operating system leaves room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// As many as all doors together may have by their settings.
    wanted: usize,
    /// As many as there is room for.
    free: usize,
}

impl Room {
    /// Raises this process's limit as far as it may, for `wanted` connections of applications and
    /// `ours` of operators; says so where that is not enough.
    ///
    /// # Errors
    /// [`AppError::Other`] where there is hardly room for any.
    pub(crate) fn make(wanted: usize, ours: usize) -> Result<Self, AppError> {
        let kept = KEPT.saturating_add(ours);
        let room = Self {
            wanted,
            free: raised_to(wanted.saturating_add(kept)).saturating_sub(kept),
        };
        if room.free < LEAST.min(wanted) {
            let least = kept + LEAST;
            return Err(AppError::Other(format!(
                "too few files may be open: allow {least} at least, better {} (`ulimit -n`, or \
                 LimitNOFILE= of systemd)",
                wanted.saturating_add(kept)
            )));
        }
        if room.free < wanted {
            warn!(
                wanted,
                room = room.free,
                "more connections are set than files may be open (`ulimit -n`, LimitNOFILE=)"
            );
        }
        Ok(room)
    }

    /// How many of the connections that a door may have by its settings it has.
    pub(crate) fn of(self, connections: usize) -> usize {
        if self.free >= self.wanted {
            return connections;
        }
        let share = connections as u128 * self.free as u128 / self.wanted.max(1) as u128;
        usize::try_from(share).unwrap_or(connections).max(1)
    }
}

/// The number of files that may be open, after it was raised to `wanted` if it may be.
fn raised_to(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current else {
        return usize::MAX;
    };
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    let most = limit.maximum.map_or(wanted, |most| most.min(wanted));
    let raised = Rlimit {
        current: Some(most),
        ..limit
    };
    let now = if most > current && setrlimit(Resource::Nofile, raised).is_ok() {
        most
    } else {
        current
    };
    usize::try_from(now).unwrap_or(usize::MAX)
}

/// Files that are not connections: the store's, the trail's, certificates, lists, the log.
const KEPT: usize = 128;
/// Fewer connections are no service.
const LEAST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_door_has_its_share_of_what_room_there_is() {
        let enough = Room {
            wanted: 300,
            free: 300,
        };
        let half = Room {
            wanted: 300,
            free: 150,
        };

        assert_eq!([200, 100].map(|wanted| enough.of(wanted)), [200, 100]);
        assert_eq!([200, 100].map(|wanted| half.of(wanted)), [100, 50]);
        assert_eq!(half.of(1), 1);
    }

    #[test]
    fn a_limit_that_is_high_enough_stays() {
        let before = getrlimit(Resource::Nofile);

        assert!(raised_to(3) > 3);

        assert_eq!(getrlimit(Resource::Nofile), before);
    }
}
