//! The XML declaration, read before the charset is known.

use crate::Charset;
use crate::scalar::is_blank_byte;

/// What an XML declaration says; nothing where there is none.
#[derive(Default)]
pub(crate) struct Declaration<'a> {
    /// Its length in bytes.
    pub(crate) len: usize,
    encoding: Option<(&'a str, usize)>,
}

impl<'a> Declaration<'a> {
    /// Reads the declaration at the very beginning, if there is one (XML 1.0 §2.8, production 23).
    ///
    /// # Errors
    /// The offset of what is malformed.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, usize> {
        let starts = bytes
            .strip_prefix(b"<?xml")
            .is_some_and(|rest| match rest.first() {
                Some(byte) => is_blank_byte(*byte) || *byte == b'?',
                None => true,
            });
        if !starts {
            return Ok(Self::default());
        }
        let window = bytes.get(..LONGEST.min(bytes.len())).unwrap_or_default();
        let end = window
            .windows(2)
            .position(|pair| pair == b"?>")
            .ok_or(0_usize)?;
        let text = window
            .get(5..end)
            .and_then(|inner| str::from_utf8(inner).ok())
            .ok_or(0_usize)?;
        let encoding = read_attributes(text).map_err(|left| end - left)?;
        Ok(Self {
            len: end + 2,
            encoding: encoding.map(|(label, left)| (label, end - left)),
        })
    }

    /// The charset it names and where; `(None, _)` for one that is unknown to us.
    pub(crate) fn charset(&self) -> Option<(Option<Charset>, usize)> {
        self.encoding
            .map(|(label, at)| (Charset::from_label(label), at))
    }
}

/// The encoding, and how many bytes before the declaration's end it begins. Errors say alike how
/// many bytes are left.
fn read_attributes(text: &str) -> Result<Option<(&str, usize)>, usize> {
    let (version, rest) = attribute(text, "version")?.ok_or(text.len())?;
    let minor = version.strip_prefix("1.").unwrap_or_default();
    if minor.is_empty() || !minor.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(text.len());
    }
    let (encoding, rest) = match attribute(rest, "encoding")? {
        Some((label, after)) => (Some((label, after.len() + 1 + label.len())), after),
        None => (None, rest),
    };
    let rest = match attribute(rest, "standalone")? {
        Some(("yes" | "no", after)) => after,
        Some(_) => return Err(rest.len()),
        None => rest,
    };
    if rest.bytes().all(is_blank_byte) {
        Ok(encoding)
    } else {
        Err(rest.len())
    }
}

/// The value of the attribute `name`, if it is the next one, and what follows it.
fn attribute<'a>(text: &'a str, name: &str) -> Result<Option<(&'a str, &'a str)>, usize> {
    let trimmed = text.trim_start_matches(BLANKS);
    let Some(after) = trimmed
        .strip_prefix(name)
        .filter(|_| trimmed.len() < text.len())
    else {
        return Ok(None);
    };
    let value = after
        .trim_start_matches(BLANKS)
        .strip_prefix('=')
        .ok_or(after.len())?;
    let value = value.trim_start_matches(BLANKS);
    let quote = value
        .chars()
        .next()
        .filter(|it| matches!(it, '"' | '\''))
        .ok_or(value.len())?;
    let inner = value.get(1..).unwrap_or_default();
    inner.split_once(quote).map(Some).ok_or(value.len())
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// More than any honest declaration needs.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_say_their_length_and_charset() {
        for (text, len, charset) in [
            ("", 0, None),
            ("<a/>", 0, None),
            ("<?xml-stylesheet?>", 0, None),
            ("<?xml version=\"1.0\"?>", 21, None),
            ("<?xml version='1.0' encoding='x'?>", 34, Some((None, 30))),
            (
                "<?xml\nversion = \"1.0\"\tencoding =\r\n'utf-8' standalone='yes' ?><a/>",
                61,
                Some((Some(Charset::Utf8), 35)),
            ),
        ] {
            let declaration = Declaration::read(text.as_bytes()).ok().unwrap();

            assert_eq!(
                (declaration.len, declaration.charset()),
                (len, charset),
                "{text}"
            );
        }
    }

    #[test]
    fn malformed_declarations_are_refused() {
        for text in [
            "<?xml?>",
            "<?xml ?>",
            "<?xml version='1.0'",
            "<?xml version='2.0'?>",
            "<?xml version='1.'?>",
            "<?xml version=1.0?>",
            "<?xml version='1.0'encoding='utf-8'?>",
            "<?xml encoding='utf-8'?>",
            "<?xml encoding='utf-8' version='1.0'?>",
            "<?xml version='1.0' standalone='maybe'?>",
            "<?xml version='1.0' other='1'?>",
        ] {
            assert!(Declaration::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
