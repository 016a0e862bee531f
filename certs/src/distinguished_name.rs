//! Distinguished names as text, for lists, logs and audit rows (RFC 4514).

use std::fmt::Write;

use x509_parser::{
    asn1_rs::Tag,
    x509::{AttributeTypeAndValue, X509Name},
};

use crate::name::is_unseen;

/// `name` as RFC 4514 writes it: last part first, special characters escaped. Characters that
/// cannot be seen are escaped too, so that a subject cannot write into a terminal.
pub(crate) fn to_text(name: &X509Name<'_>) -> String {
    let mut parts: Vec<String> = name
        .iter_rdn()
        .map(|rdn| rdn.iter().map(attribute).collect::<Vec<_>>().join("+"))
        .collect();
    parts.reverse();
    parts.join(",")
}

fn attribute(part: &AttributeTypeAndValue<'_>) -> String {
    let oid = part.attr_type().to_id_string();
    let keyword = KEYWORDS
        .iter()
        .find_map(|&(known, keyword)| (known == oid).then_some(keyword));
    let value = part.attr_value();
    let text = match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString => {
            std::str::from_utf8(value.data).ok()
        }
        _ => None,
    };
    match (keyword, text) {
        (Some(keyword), Some(text)) => format!("{keyword}={}", escaped(text)),
        (keyword, _) => format!(
            "{}=#{}",
            keyword.unwrap_or(&oid),
            encoded(value.tag(), value.data)
        ),
    }
}

/// RFC 4514 §2.4.
fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        match c {
            ' ' if at == 0 || at == last => out.push_str("\\ "),
            '#' if at == 0 => out.push_str("\\#"),
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => out.extend(['\\', c]),
            _ if is_unseen(c) => hex_escaped(&mut out, c),
            _ => out.push(c),
        }
    }
    out
}

fn hex_escaped(out: &mut String, c: char) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        let _ = write!(out, "\\{byte:02X}");
    }
}

/// The value's DER in hexadecimal. Lengths beyond 127 bytes are shown in the short form's place
/// as `82 hi lo`.
fn encoded(tag: Tag, data: &[u8]) -> String {
    let mut out = format!("{:02x}", tag.0);
    let _ = match data.len() {
        short @ 0..=127 => write!(out, "{short:02x}"),
        long => write!(out, "82{:04x}", long & 0xFFFF),
    };
    for byte in data.iter().take(LONGEST_SHOWN) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

const LONGEST_SHOWN: usize = 256;

/// RFC 4514 §3, and e-mail as OpenSSL writes it.
const KEYWORDS: [(&str, &str); 11] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.5", "serialNumber"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped() {
        for (text, expected) in [
            ("billing", "billing"),
            ("a,b+c", "a\\,b\\+c"),
            (" #a ", "\\ #a\\ "),
            ("#a", "\\#a"),
            ("a\nb\u{1b}", "a\\0Ab\\1B"),
            ("a\u{202e}", "a\\E2\\80\\AE"),
            ("Grüße", "Grüße"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }
}
