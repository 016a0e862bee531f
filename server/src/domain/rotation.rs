//! Rotation: passwords that change by themselves, on their targets, every so often.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::{OrgId, Target, Timestamp};

/// How often the passwords of a resource, or of one account of it, change; an account's own wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The organisation it belongs to.
    pub org: OrgId,
    /// What it is for.
    pub target: Target,
    /// How old a password becomes.
    pub every: Duration,
    /// At which time of the day they change; `None` is any.
    pub window: Option<DayWindow>,
}

/// A time of the day, in UTC: it may reach past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DayWindow {
    /// The minute of the day at which it begins.
    pub from: u16,
    /// The minute of the day at which it is over.
    pub to: u16,
}

/// That the password of one account is to change, or why it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The organisation it belongs to.
    pub org: OrgId,
    /// When it is tried next; `None` where the schedule says so.
    pub at: Option<Timestamp>,
    /// Whether it was promised, after a check-in, and not only wanted by a rotation.
    pub promised: bool,
    /// How often it failed since it last succeeded.
    pub failures: u32,
    /// When it was last tried.
    pub tried: Option<Timestamp>,
    /// Why it failed then; empty where it did not.
    pub why: String,
}

impl Rotation {
    /// The shortest time between two changes, so that a slip does not lock accounts out.
    pub const SHORTEST: Duration = Duration::from_hours(1);
    /// The longest.
    pub const LONGEST: Duration = Duration::from_hours(24 * 3650);

    /// Whether a password that is in force since `changed` is to change at `now`.
    #[must_use]
    pub fn is_due(&self, changed: Timestamp, now: Timestamp) -> bool {
        changed.after(self.every) <= now && self.window.is_none_or(|window| window.holds(now))
    }
}

impl DayWindow {
    /// Whether `now` is inside.
    #[must_use]
    pub fn holds(self, now: Timestamp) -> bool {
        let minute = now.unix_seconds().rem_euclid(DAY) / 60;
        let (from, to) = (i64::from(self.from), i64::from(self.to));
        match from < to {
            true => (from..to).contains(&minute),
            false => minute >= from || minute < to,
        }
    }
}

impl fmt::Display for DayWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = [self.from, self.to].map(|minute| (minute / 60, minute % 60));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.0, from.1, to.0, to.1)
    }
}

/// Reads `02:00-04:00`.
impl FromStr for DayWindow {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (from, to) = text.split_once('-').ok_or(())?;
        let window = Self {
            from: minute(from)?,
            to: minute(to)?,
        };
        // Empty, or the whole day? Whoever means the whole day says no window.
        if window.from == window.to {
            return Err(());
        }
        Ok(window)
    }
}

fn minute(text: &str) -> Result<u16, ()> {
    let (hour, minute) = text.split_once(':').ok_or(())?;
    let number = |text: &str, most: u16| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u16>().ok().filter(|it| digits && *it < most);
        number.ok_or(())
    };
    Ok(number(hour, 24)? * 60 + number(minute, 60)?)
}

const DAY: i64 = 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ResourceId;

    fn at(hour: i64, minute: i64) -> Timestamp {
        Timestamp((20_000 * DAY + hour * 3600 + minute * 60) * 1000)
    }

    #[test]
    fn a_window_holds_its_beginning_and_not_its_end_past_midnight_too() {
        let day: DayWindow = "02:00-04:30".parse().unwrap();
        let night: DayWindow = "23:30-01:00".parse().unwrap();
        let table = [
            (day, at(1, 59), false),
            (day, at(2, 0), true),
            (day, at(4, 29), true),
            (day, at(4, 30), false),
            (night, at(23, 29), false),
            (night, at(23, 30), true),
            (night, at(0, 59), true),
            (night, at(1, 0), false),
        ];

        for (window, now, inside) in table {
            assert_eq!(window.holds(now), inside, "{window} {now:?}");
        }
        assert_eq!(night.to_string(), "23:30-01:00");
    }

    #[test]
    fn what_is_no_time_of_the_day_is_no_window() {
        for text in [
            "",
            "2:00-4:00",
            "02:00",
            "24:00-01:00",
            "02:60-03:00",
            "02:00-02:00",
            "+2:00-03:00",
        ] {
            assert_eq!(text.parse::<DayWindow>(), Err(()), "{text}");
        }
    }

    #[test]
    fn a_password_is_due_when_it_is_old_enough_and_the_window_is_open() {
        let target = Target {
            resource: ResourceId(1),
            account: None,
        };
        let rotation = Rotation {
            org: OrgId::DEFAULT,
            target,
            every: Duration::from_hours(24),
            window: "02:00-04:00".parse().ok(),
        };

        assert!(rotation.is_due(at(3, 0).before(Duration::from_hours(24)), at(3, 0)));
        assert!(!rotation.is_due(at(3, 0).before(Duration::from_hours(23)), at(3, 0)));
        assert!(!rotation.is_due(at(5, 0).before(Duration::from_hours(48)), at(5, 0)));
    }
}
