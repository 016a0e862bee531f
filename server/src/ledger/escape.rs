//! Text from outside, made harmless for terminals, logs and spreadsheets.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with everything that could steer a terminal or hide or reorder text written as
/// `\u{1b}`: control characters, bidirectional controls, invisible characters. Reversible: a
/// backslash before `u{` becomes `\u{5c}`.
#[must_use]
pub fn neutralise(text: &str) -> Cow<'_, str> {
    let harmless = text
        .bytes()
        .all(|byte| (0x20..0x7f).contains(&byte) && byte != b'\\');
    if harmless {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        let ambiguous = c == '\\'
            && text
                .get(at + 1..)
                .is_some_and(|rest| rest.starts_with("u{"));
        if ambiguous || is_steering(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal or reader would act on `c` instead of showing it.
pub(crate) fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(
            neutralise("svc@host Zürich DOMAIN\\user"),
            "svc@host Zürich DOMAIN\\user"
        );
    }

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        for (raw, shown) in [
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("one\r\ntwo", "one\\u{d}\\u{a}two"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("\u{202e}gpj.exe", "\\u{202e}gpj.exe"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("\\u{1b}", "\\u{5c}u{1b}"),
        ] {
            assert_eq!(neutralise(raw), shown, "{raw:?}");
        }
    }
}
