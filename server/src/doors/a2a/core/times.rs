//! Moments, as RFC 3339 has them in UTC.

use jiff::Timestamp as Moment;

use crate::domain::Timestamp;

/// `2027-01-31T12:00:00.123Z`; the bare milliseconds where the calendar ends.
pub(super) fn to_text(at: Timestamp) -> String {
    Moment::from_millisecond(at.0)
        .map_or_else(|_| at.0.to_string(), |moment| format!("{moment:.3}"))
}

/// The same for whole seconds since 1970, as certificates have them.
pub(super) fn seconds_to_text(seconds: i64) -> String {
    Moment::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| format!("{at:.0}"))
}
