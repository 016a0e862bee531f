//! Subjects: exactly one plain common name, or nobody.

use certs::{Attribute, CertificateDer, NameError, PeerName};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, KeyPair,
    string::{BmpString, TeletexString, UniversalString},
};

use crate::workshop::certificate;

const CN: Attribute = Attribute::CommonName;

/// A certificate whose subject is CN=`value`.
fn named(value: impl Into<DnValue>) -> CertificateDer<'static> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, value);
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().clone()
}

/// The same, with the CN's tag and bytes put in by hand. Its signature is false, which no reader
/// of names looks at.
fn encoded(tag: u8, value: &[u8]) -> CertificateDer<'static> {
    let placeholder = "x".repeat(value.len());
    let mut der = named(placeholder.as_str()).to_vec();
    let header = [
        0x06,
        0x03,
        0x55,
        0x04,
        0x03,
        0x0c,
        u8::try_from(value.len()).unwrap(),
    ];
    // The last one is the subject: the issuer's comes first and stays as it is.
    let found = der
        .windows(header.len())
        .rposition(|window| window == header)
        .unwrap();
    der[found + 5] = tag;
    der[found + 7..found + 7 + value.len()].copy_from_slice(value);
    der.into()
}

fn common_name(certificate: &CertificateDer<'_>) -> Result<String, NameError> {
    PeerName::parse(certificate).map(|name| name.common_name.as_str().to_owned())
}

#[test]
fn the_manuals_certificate_names_a_user_and_an_organisation() {
    let name = PeerName::parse(&certificate("seed")).unwrap();

    assert_eq!(name.common_name.as_str(), "billing");
    assert_eq!(name.organisation.as_deref(), Some("Example"));
}

#[test]
fn the_three_plain_encodings_are_read() {
    for (tag, text) in [
        (0x0c, "Grüße"),
        (0x13, "billing (1)"),
        (0x16, "billing@host_1"),
    ] {
        assert_eq!(
            common_name(&encoded(tag, text.as_bytes())),
            Ok(text.to_owned())
        );
    }
}

#[test]
fn other_encodings_are_refused_even_when_they_spell_the_same() {
    let bmp: BmpString = "billing".try_into().unwrap();
    let teletex: TeletexString = "billing".try_into().unwrap();
    let universal: UniversalString = "billing".try_into().unwrap();
    for (certificate, encoding) in [
        (named(DnValue::BmpString(bmp)), "BMPString"),
        (named(DnValue::TeletexString(teletex)), "T61String"),
        (
            named(DnValue::UniversalString(universal)),
            "UniversalString",
        ),
        (encoded(0x12, b"1234567"), "NumericString"),
        (encoded(0x04, b"billing"), "ASN.1 type 4"),
    ] {
        let answer = common_name(&certificate);

        match answer {
            Err(NameError::Encoding {
                attribute: CN,
                encoding: found,
            }) => {
                assert_eq!(found, encoding);
            }
            other => panic!("{encoding}: {other:?}"),
        }
    }
}

#[test]
fn bytes_that_an_encoding_does_not_allow_are_refused() {
    for (tag, bytes) in [
        (0x0c, b"bill\xffng".as_slice()),
        (0x0c, b"b\xc0\xafling"),
        (0x0c, b"\xed\xa0\x80ling"),
        (0x13, b"bill*ng"),
        (0x13, b"bill\xe9ng"),
        (0x16, b"bill\xe9ng"),
    ] {
        assert_eq!(common_name(&encoded(tag, bytes)), Err(NameError::Bytes(CN)));
    }
}

#[test]
fn an_embedded_nul_or_control_character_is_refused() {
    for unseen in [
        '\0', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{9b}', '\u{200b}', '\u{202e}', '\u{feff}',
    ] {
        let answer = common_name(&named(format!("billing{unseen}.evil").as_str()));

        assert_eq!(
            answer,
            Err(NameError::Character {
                attribute: CN,
                code: u32::from(unseen)
            })
        );
    }
}

#[test]
fn blanks_at_the_ends_are_refused() {
    for text in [" billing", "billing "] {
        assert_eq!(common_name(&named(text)), Err(NameError::Blank(CN)));
    }
}

#[test]
fn an_empty_common_name_is_refused() {
    assert_eq!(common_name(&named("")), Err(NameError::Empty(CN)));
}

#[test]
fn a_name_beyond_255_characters_is_refused() {
    let long = "a".repeat(256);

    assert_eq!(
        common_name(&named(long.as_str())),
        Err(NameError::TooLong {
            attribute: CN,
            limit: 255
        })
    );
}

#[test]
fn look_alikes_stay_apart() {
    // Latin and Cyrillic, composed and decomposed, case, a trailing dot, a glob and a regex.
    let spelt = [
        "billing",
        "bіlling",
        "Billing",
        "billing.",
        "b*",
        "b.*",
        "caf\u{e9}",
        "cafe\u{301}",
    ];
    for (at, text) in spelt.iter().enumerate() {
        let read = common_name(&named(*text)).unwrap();

        assert_eq!(spelt.iter().position(|other| *other == read), Some(at));
    }
}

#[test]
fn several_common_names_are_refused() {
    assert_eq!(
        common_name(&certificate("two-cns")),
        Err(NameError::Several(CN))
    );
}

#[test]
fn a_multi_valued_common_name_is_refused() {
    assert_eq!(
        common_name(&certificate("multi-valued")),
        Err(NameError::MultiValued(CN))
    );
}

#[test]
fn several_organisations_are_refused() {
    assert_eq!(
        common_name(&certificate("two-organisations")),
        Err(NameError::Several(Attribute::Organisation))
    );
}

#[test]
fn a_subject_alternative_name_never_names_the_user() {
    assert_eq!(
        common_name(&certificate("san-only")),
        Err(NameError::Missing)
    );
    assert_eq!(common_name(&certificate("no-cn")), Err(NameError::Missing));
    assert_eq!(
        common_name(&certificate("own-san")),
        Ok("billing".to_owned())
    );
}

#[test]
fn bytes_that_are_no_certificate_name_nobody() {
    let longer = CertificateDer::from([certificate("seed").as_ref(), b"\0"].concat());

    assert_eq!(
        common_name(&CertificateDer::from(b"x".as_slice())),
        Err(NameError::Malformed)
    );
    assert_eq!(common_name(&longer), Err(NameError::Malformed));
}
