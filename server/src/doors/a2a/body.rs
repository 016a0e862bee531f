//! What comes along with a request: one JSON document.

use std::str::Chars;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use zeroize::Zeroizing;

use crate::domain::Password;
use crate::doors::a2a::Asked;
use crate::doors::a2a::reply::{INVALID, NO_BODY, Refusal, TOO_LONG};

impl Asked<'_> {
    /// The body as JSON.
    ///
    /// # Errors
    /// 400 where there is none, or none that fits; 415 where it says that it is something else.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        self.says_json()?;
        if self.body.trim_ascii().is_empty() {
            return Err(no_body());
        }
        // What serde says may quote the body, which may hold a secret: only the place is told.
        serde_json::from_slice(&self.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message = format!(
                "The request is invalid. Its body is not the JSON that is expected here (line \
                 {line}, column {column})."
            );
            Refusal::invalid(message)
        })
    }

    /// As [`Self::json`]; nothing where there is no body.
    pub(super) fn json_if_any<T: DeserializeOwned>(&self) -> Result<Option<T>, Refusal> {
        match self.body.trim_ascii().is_empty() {
            true => Ok(None),
            false => self.json().map(Some),
        }
    }

    /// Refuses a body that says it is no JSON; one that does not say is believed.
    pub(super) fn says_json(&self) -> Result<(), Refusal> {
        if is_json(&self.headers) {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            INVALID,
            "The body's content type must be application/json.",
        ))
    }
}

/// A member that is secret: wiped on drop, never printed.
pub(super) struct Secret(Zeroizing<String>);

impl Secret {
    pub(super) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(super) fn into_inner(self) -> Zeroizing<String> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// The body as one JSON text: a secret.
///
/// Some of the original's clients put a password between quotes and escape nothing, some take
/// single quotes. What can mean one thing only is taken so.
///
/// # Errors
/// 400 where there is no body, or it is no text; 415 where it says that it is no JSON.
fn text(asked: &Asked<'_>) -> Result<Zeroizing<String>, Refusal> {
    asked.says_json()?;
    let body = asked.body.trim_ascii();
    if body.is_empty() {
        return Err(no_body());
    }
    let text = std::str::from_utf8(body).ok().and_then(lenient);
    text.ok_or_else(|| {
        Refusal::invalid(
            "The request is invalid. Its body must be one JSON text, such as \"word\".",
        )
    })
}

/// The body as a password, whose absence is told with the code `missing`.
///
/// # Errors
/// As for [`text`]; 400 for one that is empty, or longer than any.
pub(super) fn password(asked: &Asked<'_>, missing: i32) -> Result<Zeroizing<String>, Refusal> {
    let text = text(asked)?;
    if text.is_empty() {
        return Err(Refusal::bad(missing, "The password is empty."));
    }
    if text.len() > Password::LIMIT {
        let words = format!("The password is longer than {} bytes.", Password::LIMIT);
        return Err(Refusal::bad(TOO_LONG, words));
    }
    Ok(text)
}

fn lenient(body: &str) -> Option<Zeroizing<String>> {
    if let Some(text) = unescaped(body) {
        return Some(text);
    }
    let between = |quote: char| body.strip_prefix(quote)?.strip_suffix(quote);
    // A backslash may be an escape or itself: nobody knows.
    let plain = |text: &&str| !text.contains('\\');
    let single = between('\'').filter(|text| !text.contains(['\'', '"']));
    let text = between('"').or(single).filter(plain);
    text.map(|text| Zeroizing::new(text.to_owned()))
}

/// A JSON text (RFC 8259 §7), read without a trace: a parser would leave what it unescapes in memory
/// of its own. Escapes only make a text shorter, so the buffer never moves either.
fn unescaped(body: &str) -> Option<Zeroizing<String>> {
    let inner = body.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = Zeroizing::new(String::with_capacity(inner.len()));
    let mut chars = inner.chars();
    while let Some(next) = chars.next() {
        text.push(match next {
            '"' | '\0'..='\u{1f}' => return None,
            '\\' => escaped(&mut chars)?,
            plain => plain,
        });
    }
    Some(text)
}

fn escaped(chars: &mut Chars<'_>) -> Option<char> {
    Some(match chars.next()? {
        same @ ('"' | '\\' | '/') => same,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let first = unit(chars)?;
            let pair = (0xd800..0xdc00).contains(&first);
            let second = match pair && chars.next()? == '\\' && chars.next()? == 'u' {
                true => Some(unit(chars)?),
                false => None,
            };
            let units = std::iter::once(first).chain(second);
            char::decode_utf16(units).next()?.ok()?
        }
        _ => return None,
    })
}

/// Four hexadecimal digits.
fn unit(chars: &mut Chars<'_>) -> Option<u16> {
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit << 4 | u16::try_from(chars.next()?.to_digit(16)?).ok()?;
    }
    Some(unit)
}

/// There is no body where one is needed.
pub(super) fn no_body() -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        NO_BODY,
        "The request has no body, and one is needed.",
    )
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let (first, second) = (kinds.next(), kinds.next());
    let Some(kind) = first else {
        return true;
    };
    let media = kind.to_str().ok().and_then(|text| text.split(';').next());
    let media = media.unwrap_or_default().trim();
    let json = ["application/json", "text/json"]
        .iter()
        .any(|json| media.eq_ignore_ascii_case(json));
    second.is_none() && json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_in_every_spelling_that_means_one_thing() {
        let table = [
            (r#""word""#, "word"),
            (r#""w\"o\u0072d\n""#, "w\"ord\n"),
            (r#""wo"rd""#, "wo\"rd"),
            ("'word'", "word"),
            ("\"\"", ""),
        ];

        for (body, text) in table {
            let read = lenient(body);
            assert_eq!(read.as_deref().map(String::as_str), Some(text), "{body}");
        }
        for body in [
            "word",
            "\"",
            "'",
            r"'wo\'rd'",
            r#""wo"r\d""#,
            "'wo\"rd'",
            "7",
            "null",
            "{}",
        ] {
            assert_eq!(lenient(body), None, "{body}");
        }
    }

    #[test]
    fn a_text_is_unescaped_as_any_parser_does_it() {
        for body in [
            r#""""#,
            r#""\\\"\/\b\f\n\r\t""#,
            r#""\u00e9\u20AC\u0000é€𝄞""#,
            r#""\ud834\udd1E\uffff""#,
            r#""\ud834""#,
            r#""\ud834x""#,
            r#""\ud834\n""#,
            r#""\ud834\u0041""#,
            r#""\udd1e""#,
            r#""\u12""#,
            r#""\u+123""#,
            r#""\x""#,
            r#""\""#,
            r#""a"b""#,
            "\"a\nb\"",
            "\"\u{7f}\"",
            "\"",
        ] {
            let read = unescaped(body).map(|text| text.to_string());
            let parsed = serde_json::from_str::<String>(body).ok();
            assert_eq!(read, parsed, "{body}");
        }
    }

    #[test]
    fn a_text_never_moves_while_it_is_unescaped() {
        let body = format!("\"{}\"", r"\ud834\udd1e\n".repeat(1000));

        let text = unescaped(&body).unwrap();

        assert_eq!(text.capacity(), body.len() - 2);
    }
}
