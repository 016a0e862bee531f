//! Texts without quotes: literals, numbers, and what a shell left of a quoted text.

use crate::cursor::{Cursor, is_blank, is_control};
use crate::{Error, ErrorKind, Text, Value};

/// Reads a value up to `,`, `}`, `]` or a line end, without blanks at its ends. With `escapes`,
/// closing brackets have a backslash before them, which is not part of the text.
pub(crate) fn value<'a>(cursor: &mut Cursor<'a>, escapes: bool) -> Result<&'a str, Error> {
    let start = *cursor;
    let rest = cursor.rest();
    if rest.starts_with("b'") || rest.starts_with("b\"") {
        return Err(start.error(ErrorKind::NeedsQuotes));
    }
    let ends = |byte| matches!(byte, b',' | b'}' | b']' | b'{' | b'[' | b'"') || is_control(byte);
    let mut text = cursor.take_until(ends);
    match cursor.peek() {
        None => return Err(cursor.error(ErrorKind::Unclosed("an unquoted text"))),
        Some(b'{' | b'[' | b'"') => return Err(cursor.error(ErrorKind::NeedsQuotes)),
        Some(byte) if is_control(byte) && !is_blank(byte) => {
            return Err(cursor.error(ErrorKind::Control));
        }
        Some(b'}' | b']') if escapes && text.ends_with('\\') => {
            text = text.strip_suffix('\\').unwrap_or(text);
            *cursor = start;
            cursor.advance(text.len());
        }
        Some(_) => {}
    }
    Ok(text.trim_end_matches(' '))
}

/// Reads a key up to its colon, without blanks at its ends.
pub(crate) fn key<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Error> {
    let ends = |byte| {
        matches!(byte, b':' | b',' | b'{' | b'}' | b'[' | b']' | b'"' | b'\'') || is_control(byte)
    };
    let start = *cursor;
    let text = cursor.take_until(ends).trim_end_matches(' ');
    if text.is_empty() && cursor.peek().is_some_and(|byte| !is_control(byte)) {
        return Err(start.error(ErrorKind::Expected("a key")));
    }
    match cursor.peek() {
        None => Err(cursor.error(ErrorKind::Unclosed("an object"))),
        Some(byte) if is_control(byte) && !is_blank(byte) => Err(cursor.error(ErrorKind::Control)),
        Some(_) => Ok(text),
    }
}

/// What an unquoted text means.
pub(crate) fn meaning(text: &str) -> Value {
    match text {
        "null" | "None" => Value::Null,
        "true" | "True" => Value::Bool(true),
        "false" | "False" => Value::Bool(false),
        _ if is_number(text) => Value::Number(Text::from(text)),
        _ => Value::Text(Text::from(text)),
    }
}

/// RFC 8259 §6: `[-] int [frac] [exp]`, an int without leading zeros.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (int, fraction) = match mantissa.split_once('.') {
        Some((int, fraction)) => (int, Some(fraction)),
        None => (mantissa, None),
    };
    let unsigned =
        |exponent: &str| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    is_digits(int)
        && (int == "0" || !int.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(unsigned)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json_and_nothing_else() {
        for number in ["0", "-0", "7", "10", "1.50", "1e5", "1E+05", "-2.5e-3"] {
            assert!(is_number(number), "{number}");
        }
        for text in [
            "", "-", "01", "-01", "1.", ".5", "+1", "1e", "1e+", "1.5.2", "--1", "١", "1 2",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }
}
