//! PEM sections (RFC 7468), with the headers of RFC 1421 that OpenSSL's traditional keys carry
//! and that other readers refuse. What is read may be a key, so it is wiped.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use crate::CertError;

/// One section of a PEM file.
pub(super) struct Section<'a> {
    pub(super) label: &'a str,
    pub(super) headers: Vec<(&'a str, &'a str)>,
    pub(super) der: Zeroizing<Vec<u8>>,
}

impl Section<'_> {
    /// The value of a header such as `DEK-Info`.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|&(key, value)| (key == name).then_some(value))
    }
}

pub(super) fn is_pem(bytes: &[u8]) -> bool {
    bytes
        .windows(BEGIN.len())
        .any(|window| window == BEGIN.as_bytes())
}

/// The contents of every section that has one of `labels`.
pub(super) fn sections(
    bytes: &[u8],
    labels: &[&str],
) -> Result<Vec<Zeroizing<Vec<u8>>>, CertError> {
    Ok(parse(bytes, |label| labels.contains(&label))?
        .into_iter()
        .map(|section| section.der)
        .collect())
}

/// Every section whose label is `wanted`.
pub(super) fn parse(
    bytes: &[u8],
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Section<'_>>, CertError> {
    let mut lines = lines(bytes);
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let label = line
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix(DASHES));
        let Some(label) = label else { continue };
        let end = format!("{END}{label}{DASHES}");
        let mut body = Vec::new();
        loop {
            match lines.next() {
                Some(line) if line == end => break,
                Some(line) => body.push(line),
                None => return Err(broken(label, "has no END line")),
            }
        }
        if wanted(label) {
            found.push(section(label, &body)?);
        }
    }
    Ok(found)
}

/// `der` as one PEM section.
pub(crate) fn to_pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(BASE64.encode(der));
    // The whole capacity at once: a string that grows leaves unwiped copies behind.
    let mut pem = Zeroizing::new(String::with_capacity(body.len() * 2 + 2 * label.len() + 64));
    for part in [BEGIN, label, DASHES, "\n"] {
        pem.push_str(part);
    }
    for line in body.as_bytes().chunks(64) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    for part in [END, label, DASHES, "\n"] {
        pem.push_str(part);
    }
    pem
}

/// What a PEM file without a certificate holds instead.
pub(super) fn hint(bytes: &[u8]) -> Option<&'static str> {
    let labels: Vec<&str> = lines(bytes)
        .filter_map(|line| line.strip_prefix(BEGIN))
        .collect();
    let holds = |what: &str| labels.iter().any(|label| label.contains(what));
    if holds("CERTIFICATE REQUEST") {
        return Some("it is a certificate request: have it signed first");
    }
    if holds("TRUSTED CERTIFICATE") {
        return Some("it is OpenSSL's trusted form: convert it with `openssl x509 -in FILE`");
    }
    if holds("PKCS7") {
        return Some("it is PKCS#7: convert it with `openssl pkcs7 -print_certs -in FILE`");
    }
    holds("PRIVATE KEY").then_some("it is a private key")
}

/// The text lines: bytes that are no UTF-8 stand outside sections and are no concern.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &str> {
    bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .split(|&byte| byte == b'\n' || byte == b'\r')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
}

fn section<'a>(label: &'a str, body: &[&'a str]) -> Result<Section<'a>, CertError> {
    let headers: Vec<_> = body
        .iter()
        .map_while(|line| line.split_once(": "))
        .collect();
    let mut base64 = Zeroizing::new(Vec::with_capacity(body.iter().map(|line| line.len()).sum()));
    for line in body.iter().skip(headers.len()) {
        base64.extend(line.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    }
    let mut der = Zeroizing::new(vec![0; base64.len()]);
    let length = BASE64
        .decode_slice(&*base64, &mut der)
        .map_err(|_| broken(label, "is no base64"))?;
    der.truncate(length);
    Ok(Section {
        label,
        headers,
        der,
    })
}

fn broken(label: &str, what: &str) -> CertError {
    CertError::Certificate {
        position: 1,
        reason: format!(
            "the PEM section {:?} {what}",
            label.chars().take(40).collect::<String>()
        ),
    }
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
