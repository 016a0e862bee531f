//! The second factor of a person: codes of an authenticator.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::domain::Timestamp;

/// A code as somebody types it: six digits, wiped on drop, never printed.
pub struct OneTimeCode(Zeroizing<[u8; 6]>);

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a code has six digits")]
pub struct CodeError;

impl OneTimeCode {
    /// Takes what came from outside: six digits, with blanks around or between them.
    ///
    /// # Errors
    /// [`CodeError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let mut digits = Zeroizing::new([0; 6]);
        let mut bytes = text.bytes().filter(|byte| *byte != b' ');
        for place in digits.iter_mut() {
            *place = bytes.next().filter(u8::is_ascii_digit).ok_or(CodeError)?;
        }
        match bytes.next() {
            None => Ok(Self(digits)),
            Some(_) => Err(CodeError),
        }
    }

    /// The digits in ASCII, to be compared.
    #[must_use]
    pub fn digits(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(..)")
    }
}

/// How a person stands to its second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorState {
    /// It has none.
    Off,
    /// A secret was shown, and no code of it has come back: it does not count yet.
    Offered,
    /// A code is demanded at every sign-in, since then.
    On(Timestamp),
}

impl FactorState {
    /// The word for it on every wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Offered => "offered",
            Self::On(_) => "on",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_digits_with_blanks_or_without() {
        for text in ["012345", "012 345", " 012345 "] {
            assert_eq!(OneTimeCode::parse(text).unwrap().digits(), b"012345");
        }
        for text in [
            "",
            "01234",
            "0123456",
            "01234x",
            "01234\u{0665}",
            "012\t345",
        ] {
            assert_eq!(OneTimeCode::parse(text).err(), Some(CodeError), "{text}");
        }
        let code = OneTimeCode::parse("012345").unwrap();
        assert_eq!(format!("{code:?}"), "OneTimeCode(..)");
    }
}
