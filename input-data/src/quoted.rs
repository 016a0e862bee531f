//! Quoted texts: JSON's, and those of Python's `repr`.

use crate::cursor::{Cursor, is_control};
use crate::{Error, ErrorKind, Text};

/// The quote that begins a text here, and the bytes before its first character: `"`, `'` and, as
/// Python 2 writes them, `u"` and `u'`.
pub(crate) fn opening(rest: &str) -> Option<(u8, usize)> {
    let (bare, width) = match rest.strip_prefix('u') {
        Some(after) => (after, 2),
        None => (rest, 1),
    };
    let quote = bare.bytes().next()?;
    matches!(quote, b'"' | b'\'').then_some((quote, width))
}

/// Reads up to the closing `quote` and past it; `cursor` stands on the first character.
pub(crate) fn read(cursor: &mut Cursor<'_>, quote: u8) -> Result<Text, Error> {
    let written = length(cursor, quote)?;
    let end = cursor.offset() + written;
    // No escape is shorter than what it stands for, so the buffer never moves.
    let mut text = Text::with_capacity(written);
    while cursor.offset() < end {
        let plain = cursor.take_until(|byte| byte == b'\\' || byte == quote);
        text.push_str(plain);
        if cursor.offset() < end {
            text.push(escape(cursor)?);
        }
    }
    cursor.advance(1);
    Ok(text)
}

/// The bytes before the closing quote.
fn length(cursor: &Cursor<'_>, quote: u8) -> Result<usize, Error> {
    let mut escaped = false;
    for (at, byte) in cursor.rest().bytes().enumerate() {
        if is_control(byte) {
            return Err(cursor.error_at(ErrorKind::Control, cursor.offset() + at));
        }
        if !escaped && byte == quote {
            return Ok(at);
        }
        escaped = !escaped && byte == b'\\';
    }
    Err(cursor.error_at(
        ErrorKind::Unclosed("a quoted text"),
        cursor.offset() + cursor.rest().len(),
    ))
}

/// Reads one escape; `cursor` stands on its backslash.
fn escape(cursor: &mut Cursor<'_>) -> Result<char, Error> {
    let start = *cursor;
    cursor.advance(1);
    let letter = cursor.peek();
    let simple = match letter {
        Some(b'"') => '"',
        Some(b'\'') => '\'',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u' | b'x' | b'U') => {
            let code = code_point(cursor, &start)?;
            return character(code, &start);
        }
        _ => return Err(start.error(ErrorKind::Escape)),
    };
    cursor.advance(1);
    Ok(simple)
}

/// Reads `xHH`, `uHHHH`, two of those that make a surrogate pair, or `UHHHHHHHH`.
fn code_point(cursor: &mut Cursor<'_>, start: &Cursor<'_>) -> Result<u32, Error> {
    let digits = match cursor.peek() {
        Some(b'x') => 2,
        Some(b'U') => 8,
        _ => 4,
    };
    cursor.advance(1);
    let first = hexadecimal(cursor, digits, start)?;
    if digits != 4 || !(0xD800..0xDC00).contains(&first) {
        return Ok(first);
    }
    if !cursor.skip("\\u") {
        return Err(start.error(ErrorKind::NoCharacter));
    }
    let second = hexadecimal(cursor, 4, start)?;
    if !(0xDC00..0xE000).contains(&second) {
        return Err(start.error(ErrorKind::NoCharacter));
    }
    Ok(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
}

fn hexadecimal(cursor: &mut Cursor<'_>, digits: usize, start: &Cursor<'_>) -> Result<u32, Error> {
    let text = cursor.rest().get(..digits).unwrap_or_default();
    // Before `from_str_radix`, which takes a sign.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(start.error(ErrorKind::Escape));
    }
    cursor.advance(digits);
    u32::from_str_radix(text, 16).map_err(|_| start.error(ErrorKind::Escape))
}

fn character(code: u32, start: &Cursor<'_>) -> Result<char, Error> {
    match char::from_u32(code) {
        Some('\0') => Err(start.error(ErrorKind::Nul)),
        Some(character) => Ok(character),
        None => Err(start.error(ErrorKind::NoCharacter)),
    }
}
