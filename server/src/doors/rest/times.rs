//! Moments as the original writes them, and as everybody reads them.

use jiff::Timestamp as Moment;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::Timestamp;

/// `Dec 1, 2021 09:00 PM`: without a zone, which is always UTC.
pub(super) fn in_words(at: Timestamp) -> String {
    told(at, "%b %-d, %Y %I:%M %p")
}

/// `2021-12-01 21:00:45.834`, in UTC.
pub(super) fn stamp(at: Timestamp) -> String {
    told(at, "%Y-%m-%d %H:%M:%S.%3f")
}

/// `2021-12-01T21:00:45.834Z`: what the two above leave open.
pub(super) fn exact(at: Timestamp) -> String {
    told(at, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

/// The first moment of the day, so many days before `now`.
pub(super) fn day(now: Timestamp, before: i64) -> Timestamp {
    let today = now.0.div_euclid(DAY);
    Timestamp(today.saturating_sub(before).saturating_mul(DAY))
}

/// `31/12/2027 18:30`, in UTC.
pub(super) fn minute(text: &str) -> Option<Timestamp> {
    let at = DateTime::strptime("%d/%m/%Y %H:%M", text.trim()).ok()?;
    let at = at.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp(at.timestamp().as_millisecond()))
}

/// Milliseconds.
const DAY: i64 = 86_400_000;

fn told(at: Timestamp, form: &str) -> String {
    match Moment::from_millisecond(at.0) {
        Ok(moment) => moment.to_zoned(TimeZone::UTC).strftime(form).to_string(),
        Err(_) => at.0.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_638_392_445_034);

    #[test]
    fn a_moment_is_told_in_each_form() {
        assert_eq!(in_words(AT), "Dec 1, 2021 09:00 PM");
        assert_eq!(in_words(Timestamp(0)), "Jan 1, 1970 12:00 AM");
        assert_eq!(stamp(AT), "2021-12-01 21:00:45.034");
        assert_eq!(exact(AT), "2021-12-01T21:00:45.034Z");
    }

    #[test]
    fn a_minute_is_read_to_the_letter() {
        assert_eq!(
            minute("01/12/2021 21:00"),
            Some(Timestamp(1_638_392_400_000))
        );
        for text in [
            "",
            "2021-12-01 21:00",
            "31/02/2021 21:00",
            "01/12/2021",
            "01/12/2021 25:00",
        ] {
            assert_eq!(minute(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!(exact(day(AT, 0)), "2021-12-01T00:00:00.000Z");
        assert_eq!(exact(day(AT, 1)), "2021-11-30T00:00:00.000Z");
    }
}
