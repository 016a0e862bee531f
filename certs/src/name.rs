//! The name in a certificate's subject that may become a user.
//!
//! Read strictly: a subject that two readers could understand differently names nobody. Nothing
//! is trimmed, folded or normalised, and the subjectAltName never names a user.

use std::fmt;

use rustls_pki_types::CertificateDer;
use thiserror::Error;
use x509_parser::{
    asn1_rs::{Any, Tag},
    oid_registry::{OID_X509_COMMON_NAME, OID_X509_ORGANIZATION_NAME, Oid},
    x509::{RelativeDistinguishedName, X509Name},
};

use crate::info;

/// A subject's common name: the name of an API user, if the vault knows one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommonName(String);

impl CommonName {
    /// Checks `text` by the rules for names in certificates.
    ///
    /// # Errors
    /// [`NameError`] when it is empty, too long, begins or ends with a blank, or holds a
    /// character that cannot be seen.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        checked(text, Attribute::CommonName).map(Self)
    }

    /// The name, exactly as the certificate spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who a certificate says its holder is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerName {
    /// The one common name (CN).
    pub common_name: CommonName,
    /// The organisation (O), when there is one.
    pub organisation: Option<String>,
}

impl PeerName {
    /// Reads the subject of `certificate`.
    ///
    /// # Errors
    /// [`NameError`], each variant a way in which a subject is ambiguous or unreadable.
    pub fn parse(certificate: &CertificateDer<'_>) -> Result<Self, NameError> {
        let parsed = info::parse_whole(certificate).map_err(|_| NameError::Malformed)?;
        Self::from_subject(parsed.subject())
    }

    pub(crate) fn from_subject(subject: &X509Name<'_>) -> Result<Self, NameError> {
        let common_name = only(subject, Attribute::CommonName)?
            .ok_or(NameError::Missing)
            .map(CommonName)?;
        let organisation = only(subject, Attribute::Organisation)?;
        Ok(Self {
            common_name,
            organisation,
        })
    }
}

/// An attribute of a subject that this crate gives a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// CN, 2.5.4.3.
    CommonName,
    /// O, 2.5.4.10.
    Organisation,
}

impl Attribute {
    const fn oid(self) -> Oid<'static> {
        match self {
            Self::CommonName => OID_X509_COMMON_NAME,
            Self::Organisation => OID_X509_ORGANIZATION_NAME,
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CommonName => "common name (CN)",
            Self::Organisation => "organisation (O)",
        })
    }
}

/// Why a subject names nobody.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// The certificate or its subject cannot be read.
    #[error("the certificate's subject cannot be read")]
    Malformed,
    /// There is no common name.
    #[error("the subject has no common name (CN)")]
    Missing,
    /// The attribute is there more than once.
    #[error("the subject has more than one {0}")]
    Several(Attribute),
    /// The attribute shares its relative distinguished name with another (`CN=a+OU=b`).
    #[error("the {0} is part of a multi-valued name (a \"+\" in the subject)")]
    MultiValued(Attribute),
    /// The attribute has no characters.
    #[error("the {0} is empty")]
    Empty(Attribute),
    /// The attribute is encoded as something else than UTF8String, PrintableString or IA5String.
    #[error("the {attribute} is encoded as {encoding}; use UTF8String")]
    Encoding {
        /// Which attribute.
        attribute: Attribute,
        /// The ASN.1 name of its type.
        encoding: String,
    },
    /// The attribute's bytes are not what its type promises.
    #[error("the {0} holds bytes that its encoding does not allow")]
    Bytes(Attribute),
    /// The attribute begins or ends with a blank.
    #[error("the {0} begins or ends with a blank")]
    Blank(Attribute),
    /// The attribute holds NUL, a control, zero-width, bidirectional or other unseen character.
    #[error("the {attribute} holds the character U+{code:04X}, which cannot be seen")]
    Character {
        /// Which attribute.
        attribute: Attribute,
        /// The code point.
        code: u32,
    },
    /// The attribute is longer than a name may be.
    #[error("the {attribute} is longer than {limit} characters")]
    TooLong {
        /// Which attribute.
        attribute: Attribute,
        /// The most characters it may have.
        limit: usize,
    },
}

/// The one value of `attribute`, if there is any.
fn only(subject: &X509Name<'_>, attribute: Attribute) -> Result<Option<String>, NameError> {
    let oid = attribute.oid();
    let mut found = None;
    for rdn in subject.iter_rdn().filter(|rdn| has(rdn, &oid)) {
        let mut values = rdn.iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(NameError::MultiValued(attribute));
        };
        if found.is_some() {
            return Err(NameError::Several(attribute));
        }
        found = Some(checked(text(value.attr_value(), attribute)?, attribute)?);
    }
    Ok(found)
}

fn has(rdn: &RelativeDistinguishedName<'_>, oid: &Oid<'_>) -> bool {
    rdn.iter().any(|value| value.attr_type() == oid)
}

fn text<'a>(value: &'a Any<'_>, attribute: Attribute) -> Result<&'a str, NameError> {
    let allowed: fn(&u8) -> bool = match value.tag() {
        Tag::Utf8String => |_| true,
        Tag::PrintableString => is_printable_string,
        Tag::Ia5String => u8::is_ascii,
        other => {
            return Err(NameError::Encoding {
                attribute,
                encoding: encoding(other),
            });
        }
    };
    if !value.data.iter().all(allowed) {
        return Err(NameError::Bytes(attribute));
    }
    std::str::from_utf8(value.data).map_err(|_| NameError::Bytes(attribute))
}

fn encoding(tag: Tag) -> String {
    match tag {
        Tag::BmpString => "BMPString".to_owned(),
        Tag::T61String => "T61String".to_owned(),
        Tag::UniversalString => "UniversalString".to_owned(),
        Tag::NumericString => "NumericString".to_owned(),
        Tag(other) => format!("ASN.1 type {other}"),
    }
}

/// X.680 §41.4.
fn is_printable_string(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(byte)
}

fn checked(text: &str, attribute: Attribute) -> Result<String, NameError> {
    if text.is_empty() {
        return Err(NameError::Empty(attribute));
    }
    if let Some(unseen) = text.chars().find(|&c| is_unseen(c)) {
        return Err(NameError::Character {
            attribute,
            code: u32::from(unseen),
        });
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(NameError::Blank(attribute));
    }
    if text.chars().count() > NAME_LIMIT {
        return Err(NameError::TooLong {
            attribute,
            limit: NAME_LIMIT,
        });
    }
    Ok(text.to_owned())
}

/// Controls, blanks other than the plain one, and what Unicode calls `Default_Ignorable` or
/// noncharacter: none of them can be told apart, or seen, in a list or a log line.
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || (u32::from(c) & 0xFFFE) == 0xFFFE
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FDD0}'..='\u{FDEF}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Above X.520's upper bound of 64, which nobody keeps, and low enough for a list.
const NAME_LIMIT: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_as_it_is_spelt() {
        for text in [
            "billing",
            "Billing",
            "billing.",
            "b*?[a]",
            "Grüße",
            "Gru\u{308}ße",
            "a b",
        ] {
            assert_eq!(
                CommonName::parse(text).map(|name| name.as_str().to_owned()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        for unseen in [
            '\0',
            '\n',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{202e}',
            '\u{2066}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffff}',
            '\u{e0041}',
            '\u{10fffe}',
        ] {
            assert_eq!(
                CommonName::parse(&format!("bil{unseen}ling")),
                Err(NameError::Character {
                    attribute: Attribute::CommonName,
                    code: u32::from(unseen)
                })
            );
        }
    }

    #[test]
    fn blanks_at_the_ends_are_refused_and_not_cut() {
        for text in [" billing", "billing ", " "] {
            assert_eq!(
                CommonName::parse(text),
                Err(NameError::Blank(Attribute::CommonName))
            );
        }
    }

    #[test]
    fn a_name_has_between_1_and_255_characters() {
        assert_eq!(
            CommonName::parse(""),
            Err(NameError::Empty(Attribute::CommonName))
        );
        assert!(CommonName::parse(&"é".repeat(255)).is_ok());
        assert_eq!(
            CommonName::parse(&"é".repeat(256)),
            Err(NameError::TooLong {
                attribute: Attribute::CommonName,
                limit: 255
            })
        );
    }
}
