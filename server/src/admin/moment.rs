//! Times as the API writes them: RFC 3339 in UTC.

use jiff::Timestamp as Moment;

use crate::domain::Timestamp;

/// `2027-01-31T12:00:00.123Z`; the bare milliseconds where the calendar ends.
#[must_use]
pub fn to_text(at: Timestamp) -> String {
    Moment::from_millisecond(at.0)
        .map_or_else(|_| at.0.to_string(), |moment| format!("{moment:.3}"))
}

/// The same for whole seconds since 1970, as certificates have them.
#[must_use]
pub fn seconds_to_text(seconds: i64) -> String {
    Moment::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| format!("{at:.0}"))
}

/// Reads a time with its zone.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    text.parse::<Moment>()
        .ok()
        .map(|moment| Timestamp(moment.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_and_needs_its_zone() {
        let at = Timestamp(1_801_396_800_123);

        assert_eq!(to_text(at), "2027-01-31T12:00:00.123Z");
        assert_eq!(parse(&to_text(at)), Some(at));
        assert_eq!(parse("2027-01-31T13:00:00.123+01:00"), Some(at));
        assert_eq!(seconds_to_text(1_801_396_800), "2027-01-31T12:00:00Z");
        for text in ["", "2027-01-31", "2027-01-31T12:00:00", "tomorrow"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
