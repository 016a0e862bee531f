//! Java's property files, as `java.util.Properties.load` reads them.

use std::borrow::Cow;

use zeroize::Zeroizing;

/// A key with its value, which may be a password.
pub(crate) struct Property {
    pub(crate) key: Zeroizing<String>,
    pub(crate) value: Zeroizing<String>,
    /// The line where it begins, from 1.
    pub(crate) line: usize,
}

/// The properties in their order. Bytes that are no UTF-8 are ISO-8859-1, as Java has it.
///
/// # Errors
/// The line, and what is wrong with it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Property>, (usize, &'static str)> {
    let text = match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text.trim_start_matches('\u{FEFF}')),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    };
    let mut properties = Vec::new();
    let mut lines = natural_lines(&text);
    while let Some((line, first)) = lines.next() {
        let start = first.trim_start_matches(BLANKS);
        if start.is_empty() || start.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = Zeroizing::new(start.to_owned());
        while is_continued(&logical) {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim_start_matches(BLANKS));
        }
        properties.push(property(&logical, line).map_err(|reason| (line, reason))?);
    }
    Ok(properties)
}

/// Lines that end with LF, CR LF or CR, counted from 1.
fn natural_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = Some(text);
    let lines = std::iter::from_fn(move || {
        let text = rest?;
        let Some((line, after)) = text.split_once(['\n', '\r']) else {
            rest = None;
            return Some(text);
        };
        let ends_with_both = text
            .get(line.len()..)
            .is_some_and(|it| it.starts_with("\r\n"));
        rest = Some(if ends_with_both {
            after.get(1..).unwrap_or_default()
        } else {
            after
        });
        Some(line)
    });
    (1..).zip(lines)
}

/// Whether it ends with an odd number of backslashes.
fn is_continued(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn property(line: &str, number: usize) -> Result<Property, &'static str> {
    let end = key_end(line);
    let (key, rest) = line.split_at(end);
    let rest = rest.trim_start_matches(BLANKS);
    let rest = rest
        .strip_prefix(['=', ':'])
        .unwrap_or(rest)
        .trim_start_matches(BLANKS);
    Ok(Property {
        key: unescaped(key)?,
        value: unescaped(rest)?,
        line: number,
    })
}

/// Where the key ends: before the first `=`, `:` or blank that is not escaped.
fn key_end(line: &str) -> usize {
    let mut escaped = false;
    for (at, character) in line.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '=' | ':' | ' ' | '\t' | '\x0c' => return at,
            _ => {}
        }
    }
    line.len()
}

fn unescaped(text: &str) -> Result<Zeroizing<String>, &'static str> {
    // An escape is never shorter than what it stands for, so this never grows.
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let Some(character) = escape.chars().next() else {
            return Ok(out);
        };
        rest = escape.get(character.len_utf8()..).unwrap_or_default();
        match character {
            't' => out.push('\t'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            'f' => out.push('\x0c'),
            'u' => {
                let (decoded, after) = unicode(rest)?;
                out.push(decoded);
                rest = after;
            }
            other => out.push(other),
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The character of `00e9`, or of `d83d\ude00`: Java counts in UTF-16.
fn unicode(text: &str) -> Result<(char, &str), &'static str> {
    let (first, rest) = unit(text)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Ok((character, rest));
    }
    let (second, rest) = unit(rest.strip_prefix("\\u").ok_or(LONE)?)?;
    let decoded = char::decode_utf16([first, second]).next();
    Ok((decoded.and_then(Result::ok).ok_or(LONE)?, rest))
}

fn unit(text: &str) -> Result<(u16, &str), &'static str> {
    let digits = text
        .get(..4)
        .filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let code = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let code = code.ok_or("\\u without four hexadecimal digits")?;
    Ok((code, text.get(4..).unwrap_or_default()))
}

const LONE: &str = "half of a character (\\u)";
const BLANKS: [char; 3] = [' ', '\t', '\x0c'];

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(bytes: &[u8]) -> Vec<(String, String, usize)> {
        let properties = parse(bytes).unwrap();
        properties
            .into_iter()
            .map(|it| (it.key.to_string(), it.value.to_string(), it.line))
            .collect()
    }

    #[test]
    fn properties_are_read_as_java_reads_them() {
        for (text, key, value) in [
            ("a=b", "a", "b"),
            ("a = b ", "a", "b "),
            ("a:b", "a", "b"),
            ("a b", "a", "b"),
            ("  a\t=\x0c b", "a", "b"),
            ("a==b", "a", "=b"),
            ("a=b=c:d", "a", "b=c:d"),
            ("a", "a", ""),
            ("a=", "a", ""),
            ("=b", "", "b"),
            ("a\\=b=c", "a=b", "c"),
            ("a\\ b = c", "a b", "c"),
            ("a=\\ b", "a", " b"),
            ("a=C:\\\\dir\\\\file.p12", "a", "C:\\dir\\file.p12"),
            ("a=C:\\dir\\qile", "a", "C:dirqile"),
            ("a=\\t\\n\\r\\f\\#\\!\\x", "a", "\t\n\r\x0c#!x"),
            ("a=\\u00e9\\u20AC\\ud83d\\ude00", "a", "é€😀"),
            ("a=b\\", "a", "b"),
            ("a=b\\\\", "a", "b\\"),
            ("a=b\\\n   c", "a", "bc"),
            ("a=b\\\r\n\t c\\\n d", "a", "bcd"),
            ("a=b\\\n#c", "a", "b#c"),
            ("a=#b", "a", "#b"),
            ("a=é", "a", "é"),
            ("\u{FEFF}a=b", "a", "b"),
        ] {
            assert_eq!(
                pairs(text.as_bytes()),
                [(key.to_owned(), value.to_owned(), 1)],
                "{text:?}"
            );
        }
        assert_eq!(pairs(b"a=\xE9"), [("a".to_owned(), "é".to_owned(), 1)]);
    }

    #[test]
    fn comments_and_blank_lines_are_skipped_and_lines_are_counted() {
        let found = pairs(b"# a=1\r\n\r\n  ! b=2\rc=3\n \t \nd=\\\n4\ne=5");

        let expected = [("c", "3", 4), ("d", "4", 6), ("e", "5", 8)];
        let expected = expected.map(|(key, value, line)| (key.to_owned(), value.to_owned(), line));
        assert_eq!(found, expected);
    }

    #[test]
    fn broken_escapes_are_refused() {
        for text in [
            "a=\\u00",
            "a=\\u00g0",
            "a=\\u+123",
            "a=\\ud83d",
            "a=\\ud83dx",
            "a=\\ude00\\ude00",
        ] {
            assert!(
                parse(text.as_bytes()).is_err_and(|(line, _)| line == 1),
                "{text}"
            );
        }
    }
}
