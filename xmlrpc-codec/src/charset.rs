//! From bytes in one of the charsets to text, and back.

use std::borrow::Cow;

use crate::declaration::Declaration;
use crate::{DecodeError, ErrorKind, Position};

/// A character encoding that messages may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// UTF-16 in the byte order of its mark; written big-endian, with a mark.
    Utf16,
    /// UTF-16, little-endian; written without a mark.
    Utf16Le,
    /// UTF-16, big-endian; written without a mark.
    Utf16Be,
    /// ISO-8859-1; other characters are written as references.
    Latin1,
    /// US-ASCII; other characters are written as references.
    Ascii,
}

impl Charset {
    /// The charset of that name, in any case, as in a Content-Type header or an XML declaration.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        let label = label.trim_matches('"').to_ascii_lowercase();
        Some(match label.as_str() {
            "utf-8" | "utf8" => Self::Utf8,
            "utf-16" | "utf16" => Self::Utf16,
            "utf-16le" => Self::Utf16Le,
            "utf-16be" => Self::Utf16Be,
            "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "latin-1" | "l1" => Self::Latin1,
            "us-ascii" | "ascii" => Self::Ascii,
            _ => return None,
        })
    }

    /// Its name in headers and declarations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16 => "UTF-16",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Latin1 => "ISO-8859-1",
            Self::Ascii => "US-ASCII",
        }
    }

    /// Whether a message whose bytes are `actual` may call itself this.
    fn may_name(self, actual: Self) -> bool {
        self == actual || (self == Self::Utf16 && actual.is_utf16())
    }

    fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16 | Self::Utf16Le | Self::Utf16Be)
    }

    /// Whether it has the character, so that no reference is needed.
    pub(crate) fn carries(self, character: char) -> bool {
        match self {
            Self::Utf8 | Self::Utf16 | Self::Utf16Le | Self::Utf16Be => true,
            Self::Latin1 => u32::from(character) <= 0xFF,
            Self::Ascii => character.is_ascii(),
        }
    }

    /// The text in this charset, which must carry all of it.
    pub(crate) fn encode(self, text: String) -> Vec<u8> {
        match self {
            Self::Utf8 | Self::Ascii => text.into_bytes(),
            Self::Latin1 => text
                .chars()
                .map(|it| u8::try_from(it).unwrap_or(b'?'))
                .collect(),
            Self::Utf16 => [0xFE, 0xFF].into_iter().chain(big_endian(&text)).collect(),
            Self::Utf16Be => big_endian(&text).collect(),
            Self::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        }
    }

    /// How many bytes the text takes in this charset.
    fn bytes_of(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Latin1 | Self::Ascii => text.chars().count(),
            Self::Utf16 | Self::Utf16Le | Self::Utf16Be => 2 * text.encode_utf16().count(),
        }
    }
}

fn big_endian(text: &str) -> impl Iterator<Item = u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes)
}

/// A message as text, which knows where in the bytes each part was.
pub(crate) struct Document<'a> {
    /// The text without byte order mark and XML declaration.
    pub(crate) text: Cow<'a, str>,
    charset: Charset,
    /// Bytes of the byte order mark.
    mark: usize,
    /// Bytes of the XML declaration in `text`.
    pub(crate) body: usize,
}

impl<'a> Document<'a> {
    /// Decodes a message. `header` is the charset of its Content-Type.
    pub(crate) fn read(bytes: &'a [u8], header: Option<&str>) -> Result<Self, DecodeError> {
        let outset = Position::after("", 0);
        let at_start = |kind| DecodeError {
            kind,
            position: outset,
        };
        let header = header
            .map(|label| Charset::from_label(label).ok_or(ErrorKind::UnsupportedCharset))
            .transpose()
            .map_err(at_start)?;
        let (marked, mark) = byte_order_mark(bytes);
        let rest = bytes.get(mark..).unwrap_or_default();
        let actual = match (marked, header) {
            (Some(marked), Some(header)) if !header.may_name(marked) => {
                return Err(at_start(ErrorKind::ConflictingCharset));
            }
            (Some(marked), _) => Some(marked),
            (None, Some(Charset::Utf16)) => Some(sniff(rest).unwrap_or(Charset::Utf16Be)),
            (None, Some(header)) => Some(header),
            (None, None) => sniff(rest),
        };
        match actual {
            Some(actual) if actual.is_utf16() => Self::read_utf16(rest, actual, mark),
            known => Self::read_bytewise(rest, known, mark),
        }
    }

    fn read_utf16(rest: &[u8], charset: Charset, mark: usize) -> Result<Self, DecodeError> {
        let text = decode_utf16(rest, charset, mark)?;
        let mut document = Self {
            text: text.into(),
            charset,
            mark,
            body: 0,
        };
        let declaration = Declaration::read(document.text.as_bytes())
            .map_err(|at| document.error(ErrorKind::Declaration, at))?;
        document.body = declaration.len;
        match declaration.charset() {
            Some((Some(declared), _)) if declared.may_name(charset) => Ok(document),
            Some((Some(_), at)) => Err(document.error(ErrorKind::ConflictingCharset, at)),
            Some((None, at)) => Err(document.error(ErrorKind::UnsupportedCharset, at)),
            None => Ok(document),
        }
    }

    /// Reads a charset in which ASCII is a byte a character, the declaration therefore readable.
    fn read_bytewise(
        rest: &'a [u8],
        known: Option<Charset>,
        mark: usize,
    ) -> Result<Self, DecodeError> {
        let at = |kind, at| DecodeError {
            kind,
            position: position_in_ascii(rest, at, mark),
        };
        let declaration =
            Declaration::read(rest).map_err(|offset| at(ErrorKind::Declaration, offset))?;
        let charset = match (known, declaration.charset()) {
            (_, Some((None, offset))) => return Err(at(ErrorKind::UnsupportedCharset, offset)),
            (Some(known), Some((Some(declared), offset))) if known != declared => {
                return Err(at(ErrorKind::ConflictingCharset, offset));
            }
            // It could be read bytewise, so it is not in UTF-16.
            (None, Some((Some(declared), offset))) if declared.is_utf16() => {
                return Err(at(ErrorKind::ConflictingCharset, offset));
            }
            (_, Some((Some(declared), _))) => declared,
            (known, None) => known.unwrap_or(Charset::Utf8),
        };
        let text = decode_bytewise(rest, charset, mark)?;
        Ok(Self {
            text,
            charset,
            mark,
            body: declaration.len,
        })
    }

    /// An error at that byte of the text.
    pub(crate) fn error(&self, kind: ErrorKind, at: usize) -> DecodeError {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let offset = self.mark + self.charset.bytes_of(before);
        DecodeError {
            kind,
            position: Position::after(before, offset),
        }
    }
}

/// The charset that a byte order mark stands for, and the mark's length.
fn byte_order_mark(bytes: &[u8]) -> (Option<Charset>, usize) {
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => (Some(Charset::Utf8), 3),
        [0xFE, 0xFF, ..] => (Some(Charset::Utf16Be), 2),
        [0xFF, 0xFE, ..] => (Some(Charset::Utf16Le), 2),
        _ => (None, 0),
    }
}

/// XML 1.0 appendix F: a document begins with `<`, which shows the byte order.
fn sniff(bytes: &[u8]) -> Option<Charset> {
    match bytes {
        [b'<', 0, ..] => Some(Charset::Utf16Le),
        [0, b'<', ..] => Some(Charset::Utf16Be),
        _ => None,
    }
}

fn decode_bytewise(
    bytes: &[u8],
    charset: Charset,
    mark: usize,
) -> Result<Cow<'_, str>, DecodeError> {
    let refused = |valid: &str| DecodeError {
        kind: ErrorKind::InvalidBytes(charset.name()),
        position: Position::after(valid, mark + valid.len()),
    };
    if charset == Charset::Latin1 && !bytes.is_ascii() {
        return Ok(bytes
            .iter()
            .copied()
            .map(char::from)
            .collect::<String>()
            .into());
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        refused(first_ascii(
            str::from_utf8(valid).unwrap_or_default(),
            charset,
        ))
    })?;
    if charset == Charset::Ascii && !text.is_ascii() {
        return Err(refused(first_ascii(text, charset)));
    }
    Ok(text.into())
}

/// In ASCII, what stands before the first byte that is none; otherwise everything.
fn first_ascii(text: &str, charset: Charset) -> &str {
    match text.find(|character: char| !character.is_ascii()) {
        Some(end) if charset == Charset::Ascii => text.get(..end).unwrap_or_default(),
        _ => text,
    }
}

fn decode_utf16(bytes: &[u8], charset: Charset, mark: usize) -> Result<String, DecodeError> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let order = if charset == Charset::Utf16Le {
        u16::from_le_bytes
    } else {
        u16::from_be_bytes
    };
    let mut text = String::with_capacity(bytes.len());
    let refused = |text: &str| DecodeError {
        kind: ErrorKind::InvalidBytes("UTF-16"),
        position: Position::after(text, mark + charset.bytes_of(text)),
    };
    for unit in char::decode_utf16(pairs.iter().copied().map(order)) {
        text.push(unit.map_err(|_| refused(&text))?);
    }
    if odd.is_empty() {
        Ok(text)
    } else {
        Err(refused(&text))
    }
}

fn position_in_ascii(bytes: &[u8], at: usize, mark: usize) -> Position {
    let before = bytes.get(..at).unwrap_or_default();
    Position::after(&String::from_utf8_lossy(before), mark + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_in_any_case_and_by_their_aliases() {
        for (label, charset) in [
            ("UTF-8", Some(Charset::Utf8)),
            ("\"utf-8\"", Some(Charset::Utf8)),
            ("Latin1", Some(Charset::Latin1)),
            ("iso-8859-1", Some(Charset::Latin1)),
            ("us-ascii", Some(Charset::Ascii)),
            ("UTF-16LE", Some(Charset::Utf16Le)),
            ("utf-7", None),
            ("windows-1252", None),
            ("", None),
        ] {
            assert_eq!(Charset::from_label(label), charset, "{label}");
        }
    }
}
