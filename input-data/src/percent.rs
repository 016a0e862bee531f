//! Percent-encoded text.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Text};

/// What `+` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plus {
    /// A blank, as in every form.
    Blank,
    /// Itself, as in a URL.
    Plus,
}

/// Decodes, once, the `range` of `text`.
pub(crate) fn decode(text: &str, range: Range<usize>, plus: Plus) -> Result<Text, Error> {
    let encoded = text.get(range.clone()).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(encoded.len()));
    for step in steps(encoded, plus) {
        let (at, byte) =
            step.map_err(|at| Error::at(ErrorKind::Percent, text, range.start + at))?;
        if byte == 0 {
            return Err(Error::at(ErrorKind::Nul, text, range.start + at));
        }
        bytes.push(byte);
    }
    match std::str::from_utf8(&bytes) {
        Ok(decoded) => Ok(Text::from(decoded)),
        Err(error) => {
            let at = steps(encoded, plus)
                .nth(error.valid_up_to())
                .and_then(Result::ok)
                .map_or(0, |(at, _)| at);
            Err(Error::at(ErrorKind::NotUtf8, text, range.start + at))
        }
    }
}

/// The decoded bytes with the places where they are written; or the place of what is none.
fn steps(encoded: &str, plus: Plus) -> impl Iterator<Item = Result<(usize, u8), usize>> {
    let mut bytes = encoded.bytes().enumerate();
    std::iter::from_fn(move || {
        let (at, byte) = bytes.next()?;
        let decoded = match byte {
            b'%' => {
                let high = bytes.next().and_then(|(_, digit)| value(digit));
                let low = bytes.next().and_then(|(_, digit)| value(digit));
                match (high, low) {
                    (Some(high), Some(low)) => high << 4 | low,
                    _ => return Some(Err(at)),
                }
            }
            b'+' if plus == Plus::Blank => b' ',
            _ => byte,
        };
        Some(Ok((at, decoded)))
    })
}

fn value(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}
