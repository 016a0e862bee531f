//! REST tokens: what a program shows instead of a certificate.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::domain::{OrgId, Timestamp, TokenId, UserId};

/// A token in the clear: wiped on drop, never printed. 128 bits, as upper-case hexadecimal digits
/// in groups of 8-4-4-4-12, so that it needs no encoding in a URL.
pub struct ApiToken(Zeroizing<String>);

/// Why a text cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a token has upper-case hexadecimal digits in groups of 8-4-4-4-12")]
pub struct TokenError;

impl ApiToken {
    /// The token that these random bytes spell.
    #[must_use]
    pub fn from_bytes(bytes: &Zeroizing<[u8; 16]>) -> Self {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        // Room for all at once: a text that grew would leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        for byte in bytes.iter() {
            for nibble in [byte >> 4, byte & 15] {
                if DASHES.contains(&text.len()) {
                    text.push('-');
                }
                text.push(digit(nibble).to_ascii_uppercase());
            }
        }
        Self(text)
    }

    /// Takes what came from outside: the shape to the letter, nothing around it.
    ///
    /// # Errors
    /// [`TokenError`] when it has another shape.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let fits = |(at, byte): (usize, u8)| {
            if DASHES.contains(&at) {
                byte == b'-'
            } else {
                byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)
            }
        };
        if text.len() != LENGTH || !text.bytes().enumerate().all(fits) {
            return Err(TokenError);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The plain text, for whoever is shown it once and for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken(..)")
    }
}

const LENGTH: usize = 36;
const DASHES: [usize; 4] = [8, 13, 18, 23];

/// Until when something counts. "Never" is a word of its own and no far-off moment, so that no sum
/// runs over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It has no end.
    Never,
    /// It counts up to this moment, and not at it.
    At(Timestamp),
}

/// Why a text or a number is no expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an expiry is a day like 2027-01-31, which is its last, or `never`")]
pub struct ExpiryError;

impl Expiry {
    /// Reads `never`, or a day in UTC, which is the last on which it counts.
    ///
    /// # Errors
    /// [`ExpiryError`] for anything else, nothing at all included.
    pub fn parse(text: &str) -> Result<Self, ExpiryError> {
        if text == "never" {
            return Ok(Self::Never);
        }
        // Other ways to write a day (20270131, one with a time behind it) are left out on purpose.
        if text.len() != 10 || !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(ExpiryError);
        }
        let day: Date = text.parse().map_err(|_| ExpiryError)?;
        let end = day.tomorrow().and_then(|next| next.to_zoned(TimeZone::UTC));
        let end = end.map_err(|_| ExpiryError)?.timestamp();
        Ok(Self::At(Timestamp(end.as_millisecond())))
    }

    /// So many days from now.
    ///
    /// # Errors
    /// [`ExpiryError`] for none, and for more than the calendar has.
    pub fn in_days(days: u64, now: Timestamp) -> Result<Self, ExpiryError> {
        let span = days.checked_mul(DAY).and_then(|ms| i64::try_from(ms).ok());
        let at = span.and_then(|ms| now.0.checked_add(ms));
        match at.filter(|at| days > 0 && jiff::Timestamp::from_millisecond(*at).is_ok()) {
            Some(at) => Ok(Self::At(Timestamp(at))),
            None => Err(ExpiryError),
        }
    }

    /// Whether it is over.
    #[must_use]
    pub fn passed(self, now: Timestamp) -> bool {
        match self {
            Self::Never => false,
            Self::At(end) => now >= end,
        }
    }

    /// The moment it ends, if it does.
    #[must_use]
    pub fn end(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(end) => Some(end),
        }
    }
}

/// Milliseconds.
const DAY: u64 = 86_400_000;

/// Whether a token still opens anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// It does.
    Live,
    /// Somebody took it back.
    Revoked,
    /// It was shown after its end: it stays out, even if the clock is set back.
    Expired,
}

/// What is known of a token; not the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// The organisation of its user.
    pub org: OrgId,
    /// Whom it proves.
    pub user: UserId,
    /// When it was issued.
    pub issued: Timestamp,
    /// Until when it counts.
    pub expires: Expiry,
    /// Whether it does.
    pub state: TokenState,
}

impl Token {
    /// What it is at this moment: one that has run out is so before anybody shows it.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> TokenState {
        match self.state {
            TokenState::Live if self.expires.passed(now) => TokenState::Expired,
            state => state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_guid_of_all_its_bits() {
        let token = ApiToken::from_bytes(&Zeroizing::new(*b"\x00\x12\xab\xff456789abcdef"));

        assert_eq!(token.expose(), "0012ABFF-3435-3637-3839-616263646566");
        assert!(ApiToken::parse(token.expose()).is_ok());
        assert_eq!(format!("{token:?}"), "ApiToken(..)");
    }

    #[test]
    fn what_is_not_a_token_to_the_letter_is_none() {
        for text in [
            "",
            "0012abff-3435-3637-3839-616263646566",
            " 0012ABFF-3435-3637-3839-616263646566",
            "0012ABFF-3435-3637-3839-616263646566 ",
            "0012ABFF-3435-3637-3839-61626364656",
            "0012ABFF+3435-3637-3839-616263646566",
            "0012ABFG-3435-3637-3839-616263646566",
            "0012ABF\0-3435-3637-3839-616263646566",
        ] {
            assert!(ApiToken::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_day_counts_to_its_last_millisecond() {
        let Ok(Expiry::At(end)) = Expiry::parse("2027-01-31") else {
            panic!("a day");
        };

        assert_eq!(end, Timestamp(1_801_440_000_000));
        let expiry = Expiry::At(end);
        assert!(!expiry.passed(Timestamp(end.0 - 1)));
        assert!(expiry.passed(end));
        assert!(expiry.passed(Timestamp(i64::MAX)));
    }

    #[test]
    fn never_is_never_and_no_number_runs_over_into_it() {
        assert_eq!(Expiry::parse("never"), Ok(Expiry::Never));
        assert!(!Expiry::Never.passed(Timestamp(i64::MAX)));
        let now = Timestamp(1_800_000_000_000);
        assert_eq!(
            Expiry::in_days(1, now),
            Ok(Expiry::At(Timestamp(now.0 + 86_400_000)))
        );
        for days in [0, 4_000_000, u64::MAX / 86_400_000, u64::MAX] {
            assert_eq!(Expiry::in_days(days, now), Err(ExpiryError), "{days}");
        }
        assert_eq!(Expiry::in_days(1, Timestamp(i64::MAX)), Err(ExpiryError));
    }

    #[test]
    fn what_is_no_day_is_refused_and_never_means_never() {
        for text in [
            "",
            " ",
            "Never",
            "NEVER",
            "never ",
            "0",
            "-1",
            "2027-02-29",
            "2027-13-01",
            "20270131",
            "+2027-1-31",
            "-002027-01",
            "9999-12-31",
            "2027-01-31T00:00:00Z",
        ] {
            assert_eq!(Expiry::parse(text), Err(ExpiryError), "{text:?}");
        }
    }
}
