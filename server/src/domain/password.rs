//! A password in the clear.

use std::fmt;

use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a text cannot be kept as a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// There is nothing in it.
    #[error("the password is empty")]
    Empty,
    /// It is longer than the limit.
    #[error("the password is longer than {limit} bytes")]
    TooLong {
        /// The most bytes it may have.
        limit: usize,
    },
    /// It holds a character that cannot be given back through every door (XML 1.0 §2.2).
    #[error("the password holds a control character that no door could give back")]
    Control,
}

/// A password in the clear: wiped on drop, never printed.
pub struct Password(Zeroizing<String>);

impl Password {
    /// The most bytes in one.
    pub const LIMIT: usize = 8192;

    /// Takes a text that came from outside.
    ///
    /// # Errors
    /// [`PasswordError`] when it is empty, longer than [`Self::LIMIT`], or holds a control
    /// character other than tab and line end.
    pub fn parse(text: Zeroizing<String>) -> Result<Self, PasswordError> {
        if text.is_empty() {
            return Err(PasswordError::Empty);
        }
        if text.len() > Self::LIMIT {
            return Err(PasswordError::TooLong { limit: Self::LIMIT });
        }
        let unfit = |c: char| {
            (u32::from(c) < 0x20 && !matches!(c, '\t' | '\n' | '\r'))
                || matches!(c, '\u{FFFE}' | '\u{FFFF}')
        };
        if text.chars().any(unfit) {
            return Err(PasswordError::Control);
        }
        Ok(Self(text))
    }

    /// The plain text, for a door about to send it or a connector about to use it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are the same text, in a time that depends on their lengths only.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Password, PasswordError> {
        Password::parse(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn debug_does_not_show_the_text() {
        assert_eq!(format!("{:?}", parse("hunter2").unwrap()), "Password(..)");
    }

    #[test]
    fn what_xml_cannot_carry_is_refused_and_every_printable_is_kept() {
        assert_eq!(parse("").unwrap_err(), PasswordError::Empty);
        assert_eq!(parse("a\0b").unwrap_err(), PasswordError::Control);
        assert_eq!(parse("a\u{ffff}").unwrap_err(), PasswordError::Control);
        assert_eq!(
            parse(&"x".repeat(8193)).unwrap_err(),
            PasswordError::TooLong {
                limit: Password::LIMIT
            }
        );
        assert_eq!(
            parse(" <&>\"'\t\n pä🔑 ").unwrap().expose(),
            " <&>\"'\t\n pä🔑 "
        );
    }
}
