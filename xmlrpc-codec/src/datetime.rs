//! A date and time without a zone.

use std::fmt;

/// The fields of a `<dateTime.iso8601>`: a date that exists and a time of day, without a zone,
/// which XML-RPC leaves to the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl DateTime {
    /// From year, month and day, and hour, minute and second. `None` when there is no such date
    /// or time: years are 0 to 9999, seconds 0 to 60 (a leap second).
    ///
    /// ```
    /// use xmlrpc_codec::DateTime;
    ///
    /// let example = DateTime::new((1998, 7, 17), (14, 8, 55)).unwrap();
    /// assert_eq!(example.to_string(), "19980717T14:08:55");
    /// assert_eq!(DateTime::new((1999, 2, 29), (0, 0, 0)), None);
    /// ```
    #[must_use]
    pub fn new(
        (year, month, day): (u16, u8, u8),
        (hour, minute, second): (u8, u8, u8),
    ) -> Option<Self> {
        let exists = year <= 9999
            && (1..=days_of(year, month)).contains(&day)
            && hour <= 23
            && minute <= 59
            && second <= 60;
        exists.then_some(Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        })
    }

    /// Year, month from 1, day from 1.
    #[must_use]
    pub fn date(&self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// Hour, minute, second.
    #[must_use]
    pub fn time(&self) -> (u8, u8, u8) {
        (self.hour, self.minute, self.second)
    }

    /// Reads `YYYYMMDDTHH:MM:SS`, the one form of the specification.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 17] = text.as_bytes().try_into().ok()?;
        let [
            y1,
            y2,
            y3,
            y4,
            m1,
            m2,
            d1,
            d2,
            b'T',
            h1,
            h2,
            b':',
            n1,
            n2,
            b':',
            s1,
            s2,
        ] = *bytes
        else {
            return None;
        };
        let century = u16::from(two_digits(y1, y2)?);
        let year = century * 100 + u16::from(two_digits(y3, y4)?);
        Self::new(
            (year, two_digits(m1, m2)?, two_digits(d1, d2)?),
            (
                two_digits(h1, h2)?,
                two_digits(n1, n2)?,
                two_digits(s1, s2)?,
            ),
        )
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        write!(
            f,
            "{year:04}{month:02}{day:02}T{hour:02}:{minute:02}:{second:02}"
        )
    }
}

fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| byte - b'0');
    Some(digit(tens)? * 10 + digit(ones)?)
}

/// How many days the month has; 0 when there is no such month.
fn days_of(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u8::from(leap),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_exist_are_read_and_written_alike() {
        for text in [
            "19980717T14:08:55",
            "20000229T00:00:00",
            "00000101T23:59:60",
            "99991231T00:00:01",
        ] {
            assert_eq!(DateTime::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in [
            "",
            "19980717",
            "1998-07-17T14:08:55",
            "19980717T14:08:55Z",
            "19980717T140855",
            "19000229T00:00:00",
            "20010229T00:00:00",
            "20011301T00:00:00",
            "20010001T00:00:00",
            "20010100T00:00:00",
            "20010431T00:00:00",
            "20010101T24:00:00",
            "20010101T00:60:00",
            "20010101T00:00:61",
            "2001010 T00:00:00",
            "+0010101T00:00:00",
            "２0010101T00:00",
        ] {
            assert_eq!(DateTime::parse(text), None, "{text}");
        }
    }
}
