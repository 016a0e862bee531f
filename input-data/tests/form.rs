//! Queries and bodies: which form `INPUT_DATA` comes in, and what stands beside it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

use input_data::form::{self, Form};
use input_data::{Details, ErrorKind, Limits, parse};

fn read(input: &str) -> Form {
    form::parse(input.as_bytes(), &Limits::default())
        .unwrap_or_else(|error| panic!("{input}: {error}"))
}

fn pairs(input: &str) -> Vec<(String, String)> {
    let form = read(input);
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    form.iter().map(owned).collect()
}

fn password(input: &str) -> String {
    let form = read(input);
    let input = form.input_data().expect("there");
    let document =
        parse(input, &Limits::default()).unwrap_or_else(|error| panic!("{input}: {error}"));
    let details = Details::of(&document).expect("details");
    details.text("P").expect("a text").to_owned()
}

fn refused(cases: &[(&[u8], ErrorKind, usize)]) {
    for (input, kind, offset) in cases {
        let shown = String::from_utf8_lossy(input);
        let error = form::parse(input, &Limits::default()).expect_err(&shown);

        assert_eq!(
            (error.kind, error.position.offset),
            (*kind, *offset),
            "{shown}"
        );
    }
}

#[test]
fn every_way_to_write_a_password_gives_the_same_password() {
    for input in [
        // raw: an Ansible body, a Python dict, after a shell, before a shell
        r#"INPUT_DATA={"operation":{"Details":{"P":"aB1%d@,$9"}}}"#,
        "INPUT_DATA={'operation': {'Details': {'P': 'aB1%d@,$9'}}}",
        r#"INPUT_DATA=\{"operation":\{"Details":\{"P":"aB1%d@,$9"\}\}\}"#,
        // percent-encoded: all of it, with `+` for blanks, in small letters, quotes only
        "INPUT_DATA=%7B%22operation%22%3A%7B%22Details%22%3A%7B%22P%22%3A%22aB1%25d%40%2C%249%22%7D%7D%7D",
        "INPUT_DATA=%7B%27operation%27%3A+%7B%27Details%27%3A+%7B%27P%27%3A+%27aB1%25d%40%2C%249%27%7D%7D%7D",
        "INPUT_DATA=%7b%22operation%22%3a%7b%22Details%22%3a%7b%22P%22%3a%22aB1%25d%40%2c%249%22%7d%7d%7d",
        "INPUT_DATA=%7B'operation':%7B'Details':%7B'P':'aB1%25d@,$9'%7D%7D%7D",
        // as a browser has it in a URL
        "INPUT_DATA={%22operation%22:{%22Details%22:{%22P%22:%22aB1%25d@,$9%22}}}",
        // names may be encoded too
        "INPUT%5FDATA={operation:{Details:{P:'aB1%d@,$9'}}}",
    ] {
        assert_eq!(password(input), "aB1%d@,$9", "{input}");
    }
}

#[test]
fn nothing_in_a_raw_text_is_decoded() {
    for (input, expected) in [
        (
            r#"INPUT_DATA={"operation":{"Details":{"P":"a%20b+c%2B%"}}}"#,
            "a%20b+c%2B%",
        ),
        (
            r#"INPUT_DATA= {"operation":{"Details":{"P":"%7B"}}}"#,
            "%7B",
        ),
        (
            "INPUT_DATA={operation:{Details:{P:a%20b+c%zz}}}",
            "a%20b+c%zz",
        ),
        ("INPUT_DATA={'operation':{'Details':{'P':'%41'}}}", "%41"),
    ] {
        assert_eq!(password(input), expected, "{input}");
    }
}

#[test]
fn an_encoded_text_is_decoded_once() {
    for (input, expected) in [
        (
            "INPUT_DATA=%7Boperation:%7BDetails:%7BP:a%2520b%7D%7D%7D",
            "a%20b",
        ),
        (
            "INPUT_DATA=%7Boperation:%7BDetails:%7BP:a+b%2Bc%20d%7D%7D%7D",
            "a b+c d",
        ),
        (
            "INPUT_DATA=%7Boperation:%7BDetails:%7BP:%C3%A9%7D%7D%7D",
            "é",
        ),
        ("INPUT_DATA=%7Boperation:%7BDetails:%7BP:é%7D%7D%7D", "é"),
        (
            "INPUT_DATA={%22operation%22:{%22Details%22:{%22P%22:%22a+b%20c%2541%22}}}",
            "a+b c%41",
        ),
    ] {
        assert_eq!(password(input), expected, "{input}");
    }
}

#[test]
fn a_raw_document_ends_at_its_bracket_and_not_at_an_ampersand() {
    for (input, expected) in [
        (
            r#"INPUT_DATA={"operation":{"Details":{"P":"a&AUTHTOKEN=b"}}}&AUTHTOKEN=t"#,
            "a&AUTHTOKEN=b",
        ),
        (
            "INPUT_DATA={operation:{Details:{P:a&b=c&}}}&AUTHTOKEN=t",
            "a&b=c&",
        ),
        (
            "AUTHTOKEN=t&INPUT_DATA={'operation':{'Details':{'P':'}&{'}}}",
            "}&{",
        ),
        (
            "AUTHTOKEN=t&INPUT_DATA={\"operation\":{\"Details\":{\"P\":\"&\"}}}}; junk\r\n",
            "&",
        ),
    ] {
        assert_eq!(password(input), expected, "{input}");
        assert_eq!(read(input).get("AUTHTOKEN"), Some("t"), "{input}");
        assert_eq!(read(input).len(), 2, "{input}");
    }
}

#[test]
fn other_parameters_are_decoded_as_forms_are() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());

    assert_eq!(pairs(""), []);
    assert_eq!(pairs("\r\n"), []);
    assert_eq!(pairs("&&"), []);
    assert_eq!(
        pairs("AUTHTOKEN=a%2Fb%3D%3D&RESOURCENAME=db+1&ACCOUNTNAME=r%26b"),
        [
            pair("AUTHTOKEN", "a/b=="),
            pair("RESOURCENAME", "db 1"),
            pair("ACCOUNTNAME", "r&b")
        ]
    );
    assert_eq!(
        pairs("&a=b=c&&d&e=&=f&"),
        [
            pair("a", "b=c"),
            pair("d", ""),
            pair("e", ""),
            pair("", "f")
        ]
    );
    assert_eq!(
        pairs("authtoken=a&AUTHTOKEN={b}"),
        [pair("authtoken", "a"), pair("AUTHTOKEN", "{b}")]
    );
    assert_eq!(pairs("INPUT_DATA"), [pair("INPUT_DATA", "")]);
    assert_eq!(
        pairs("INPUT_DATA=&a=b"),
        [pair("INPUT_DATA", ""), pair("a", "b")]
    );
    assert_eq!(
        pairs("INPUT_DATA=a b&c=d"),
        [pair("INPUT_DATA", "a b"), pair("c", "d")]
    );
}

#[test]
fn a_parameter_is_taken_out_once() {
    let mut form = read("AUTHTOKEN=secret&a=b");

    let token = form.take("AUTHTOKEN").expect("there");

    assert_eq!(token.into_zeroizing().as_str(), "secret");
    assert!(form.take("AUTHTOKEN").is_none());
    assert_eq!(form.get("a"), Some("b"));
}

#[test]
fn a_second_parameter_of_one_name_is_refused() {
    refused(&[
        (
            b"AUTHTOKEN=a&b=c&AUTHTOKEN=a",
            ErrorKind::DuplicateParameter(Some("AUTHTOKEN")),
            16,
        ),
        (
            b"INPUT_DATA={}&INPUT_DATA={}",
            ErrorKind::DuplicateParameter(Some("INPUT_DATA")),
            14,
        ),
        (
            b"INPUT_DATA={}&INPUT%5FDATA=%7B%7D",
            ErrorKind::DuplicateParameter(Some("INPUT_DATA")),
            14,
        ),
        (b"hunter2&hunter2", ErrorKind::DuplicateParameter(None), 8),
    ]);
}

#[test]
fn what_cannot_be_decoded_is_refused_with_its_place() {
    refused(&[
        (b"a=%", ErrorKind::Percent, 2),
        (b"a=b%4", ErrorKind::Percent, 3),
        (b"a=%zz", ErrorKind::Percent, 2),
        (b"a=%+1", ErrorKind::Percent, 2),
        (b"a=b&%4x=c", ErrorKind::Percent, 4),
        (b"INPUT_DATA=%7B%22%d", ErrorKind::Percent, 17),
        (b"INPUT_DATA={%22A%22:%22aB1%d%22}", ErrorKind::Percent, 26),
        (b"a=b\xff", ErrorKind::NotUtf8, 3),
        (b"INPUT_DATA={\"a\":\"\xc3\"}", ErrorKind::NotUtf8, 17),
        (b"a=%C3%A9%ffb", ErrorKind::NotUtf8, 8),
        (b"a=b%C3", ErrorKind::NotUtf8, 3),
        (b"a=%c0%80", ErrorKind::NotUtf8, 2),
        (b"a=b%00", ErrorKind::Nul, 3),
        (b"a=\0", ErrorKind::Nul, 2),
    ]);
}

#[test]
fn a_text_that_is_partly_encoded_is_refused() {
    refused(&[
        (b"INPUT_DATA=%7B\"a\":1}", ErrorKind::MixedEncoding, 11),
        (
            b"a=b&INPUT_DATA=%7B%22a%22: 1%7D",
            ErrorKind::MixedEncoding,
            15,
        ),
    ]);
}

#[test]
fn a_document_without_its_parameter_is_refused() {
    refused(&[
        (
            br#"{"operation":{"Details":{"REASON":"a=b"}}}"#,
            ErrorKind::BareDocument,
            0,
        ),
        (b"AUTHTOKEN=t&\n[1]", ErrorKind::BareDocument, 12),
    ]);
}

#[test]
fn a_raw_document_that_cannot_be_read_is_refused_with_its_place_in_the_form() {
    refused(&[
        (
            b"AUTHTOKEN=t&INPUT_DATA={\"a\":\"b",
            ErrorKind::Unclosed("a quoted text"),
            30,
        ),
        (
            b"INPUT_DATA={\"a\":\"b\"c\"}&d=e",
            ErrorKind::AfterQuote,
            19,
        ),
    ]);
}

/// It cannot be told from the one that separates parameters.
#[test]
fn an_ampersand_that_a_browser_left_cuts_the_document_and_is_refused() {
    let form = read("INPUT_DATA={%22a%22:%22b&c%22}");
    let error = parse(form.input_data().expect("there"), &Limits::default()).expect_err("cut");

    assert_eq!(error.kind, ErrorKind::Unclosed("a quoted text"));
}

#[test]
fn each_limit_admits_what_it_says_and_no_more() {
    let limits = Limits {
        bytes: 30,
        parameters: 3,
        text: 10,
        depth: 2,
        ..Limits::default()
    };
    for input in [
        "a=1&b=2&&c=3&",
        "0123456789=0123456789",
        "INPUT_DATA=%7Ba%3A%7B%7D%7D&",
    ] {
        assert!(form::parse(input.as_bytes(), &limits).is_ok(), "{input}");
    }
    for (input, kind, offset) in [
        ("a=1&b=2&c=3&d=4", ErrorKind::TooManyParameters(3), 12),
        ("a=0123456789x", ErrorKind::TextTooLong(10), 2),
        ("0123456789x=1", ErrorKind::TextTooLong(10), 0),
        (
            "a=1234567890123456789012345678901",
            ErrorKind::TooLarge(30),
            30,
        ),
        ("INPUT_DATA={a:{b:{c:d}}}", ErrorKind::TooDeep(2), 17),
    ] {
        let error = form::parse(input.as_bytes(), &limits).expect_err(input);

        assert_eq!(
            (error.kind, error.position.offset),
            (kind, offset),
            "{input}"
        );
    }
}
