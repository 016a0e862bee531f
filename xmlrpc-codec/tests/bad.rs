//! Messages that must not be read: what is said of them, and where exactly.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may fail by panicking"
)]

use xmlrpc_codec::{
    Call, DateTime, EncodeError, ErrorKind, FaultCode, Limits, Response, Struct, decode_call,
    decode_response, encode_call, encode_response,
};

/// What is said, the offset, and line and column.
type Verdict = (ErrorKind, usize, (usize, usize));

fn verdict(xml: &[u8]) -> Verdict {
    let error = decode_call(xml, None, &Limits::default())
        .expect_err(&format!("refused: {:?}", String::from_utf8_lossy(xml)));
    (
        error.kind,
        error.position.offset,
        (error.position.line, error.position.column),
    )
}

/// `xml` has a `¦` where the error must be.
fn check(xml: &str, kind: ErrorKind) {
    let (before, after) = xml.split_once('¦').expect("a mark");
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    let found = verdict(format!("{before}{after}").as_bytes());
    assert_eq!(found, (kind, before.len(), (line, column)), "{xml}");
}

/// The same inside of a param's `<value>`, in the second line, after a letter of two bytes.
fn check_value(xml: &str, kind: ErrorKind) {
    let start = "<methodCall>\n<!-- é --><methodName>m</methodName><params><param><value>";
    check(
        &format!("{start}{xml}</value></param></params></methodCall>"),
        kind,
    );
}

const NOT_WELL_FORMED: &[(&str, ErrorKind)] = &[
    ("¦", ErrorKind::NotXml),
    (" \n ¦", ErrorKind::NotXml),
    ("¦{\"method\": 1}", ErrorKind::NotXml),
    (" \n ¦x<methodCall/>", ErrorKind::NotXml),
    ("¦&amp;<methodCall/>", ErrorKind::NotXml),
    ("¦<![CDATA[ ]]><methodCall/>", ErrorKind::NotXml),
    ("¦</methodCall>", ErrorKind::MismatchedEnd),
    ("¦<methodCall", ErrorKind::Markup),
    ("¦<", ErrorKind::Markup),
    ("<methodCall>¦", ErrorKind::Unclosed("methodCall")),
    (
        "<methodCall>\n<methodName>m¦",
        ErrorKind::Unclosed("methodName"),
    ),
    (
        "<methodCall>\n<methodName>m¦</methodCall>",
        ErrorKind::MismatchedEnd,
    ),
    (
        "<methodCall><methodName>m¦</methodname></methodCall>",
        ErrorKind::MismatchedEnd,
    ),
    (
        "<methodCall><methodName>m¦</ methodName></methodCall>",
        ErrorKind::MismatchedEnd,
    ),
    (
        "<methodCall><methodName>m</methodName>¦<!-- </methodCall>",
        ErrorKind::Markup,
    ),
    (
        "<methodCall><methodName>m</methodName>¦<!-- -- --></methodCall>",
        ErrorKind::Comment,
    ),
    (
        "<methodCall><methodName>m</methodName>¦<![CDATA[ </methodCall>",
        ErrorKind::Markup,
    ),
    (
        "<methodCall><methodName>m</methodName>¦<? </methodCall>",
        ErrorKind::Markup,
    ),
    (
        "<methodCall><methodName>m</methodName>¦<?? ?></methodCall>",
        ErrorKind::Markup,
    ),
    (
        "<methodCall><methodName>m</methodName></methodCall>\n ¦x",
        ErrorKind::Trailing,
    ),
    (
        "<methodCall><methodName>m</methodName></methodCall>¦&#32;",
        ErrorKind::Trailing,
    ),
    (
        "<methodCall><methodName>m</methodName></methodCall> ¦<methodCall/>",
        ErrorKind::Trailing,
    ),
    (
        "<methodCall><methodName>m</methodName></methodCall>¦</methodCall>",
        { ErrorKind::MismatchedEnd },
    ),
    (
        " ¦<?xml version='1.0'?><methodCall/>",
        ErrorKind::Declaration,
    ),
    (
        "<methodCall>¦<?XML version='1.0'?></methodCall>",
        ErrorKind::Declaration,
    ),
    (
        "<?xml version='1.0'?>¦<?xml version='1.0'?><methodCall/>",
        ErrorKind::Declaration,
    ),
    ("¦<methodCall a='1' a='2'/>", ErrorKind::Attributes),
    ("¦<methodCall a=1/>", ErrorKind::Attributes),
    ("¦<methodCall a/>", ErrorKind::Attributes),
    ("¦<methodCall a='<'/>", ErrorKind::Attributes),
    ("¦<methodCall a='&b;'/>", ErrorKind::Attributes),
];

#[test]
fn what_is_not_well_formed_is_refused_where_it_is() {
    for (xml, kind) in NOT_WELL_FORMED {
        check(xml, *kind);
    }
}

const NOT_TEXT: &[(&str, ErrorKind)] = &[
    ("a¦&b c", ErrorKind::Reference),
    ("a¦&", ErrorKind::Reference),
    ("a¦&nbsp;", ErrorKind::Entity),
    ("a¦&;", ErrorKind::Entity),
    ("a¦&AMP;", ErrorKind::Entity),
    ("a¦&#0;", ErrorKind::CharacterReference),
    ("a¦&#8;", ErrorKind::CharacterReference),
    ("a¦&#xFFFF;", ErrorKind::CharacterReference),
    ("a¦&#xD800;", ErrorKind::CharacterReference),
    ("a¦&#x110000;", ErrorKind::CharacterReference),
    ("a¦&#99999999999;", ErrorKind::CharacterReference),
    ("a¦&#+60;", ErrorKind::CharacterReference),
    ("a¦&#;", ErrorKind::CharacterReference),
    ("a¦&#x;", ErrorKind::CharacterReference),
    ("a¦&#X3C;", ErrorKind::CharacterReference),
    ("a¦]]>", ErrorKind::CdataEnd),
    ("\u{e9}¦\u{1}", ErrorKind::InvalidCharacter),
    ("\u{e9}¦\u{0}", ErrorKind::InvalidCharacter),
    ("\u{e9}¦\u{FFFE}", ErrorKind::InvalidCharacter),
    ("<![CDATA[¦\u{1b}]]>", ErrorKind::InvalidCharacter),
];

#[test]
fn texts_that_are_not_xml_are_refused_where_they_are() {
    for (xml, kind) in NOT_TEXT {
        check_value(xml, *kind);
    }
}

#[test]
fn document_types_are_refused_for_being_there() {
    for xml in [
        "¦<!DOCTYPE methodCall><methodCall/>",
        "<?xml version='1.0'?>\n¦<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><methodCall/>",
        "¦<!doctype methodCall><methodCall/>",
        "¦<!DOCTYPE a [<!ENTITY",
        "¦<!DOCTYPE>",
    ] {
        check(xml, ErrorKind::Doctype);
    }
}

const NOT_A_CALL: &[(&str, ErrorKind)] = &[
    ("¦<methodResponse/>", ErrorKind::Root("methodCall")),
    ("¦<html><body>", ErrorKind::Root("methodCall")),
    ("<methodCall/>¦", ErrorKind::Expected("methodName")),
    (
        "<methodCall>¦<params/></methodCall>",
        ErrorKind::Expected("methodName"),
    ),
    (
        "<methodCall> ¦x<methodName>m</methodName></methodCall>",
        ErrorKind::Unexpected("methodCall"),
    ),
    (
        "<methodCall><methodName>m¦<b/></methodName></methodCall>",
        ErrorKind::Unexpected("methodName"),
    ),
    (
        "<methodCall><methodName>¦</methodName></methodCall>",
        ErrorKind::MethodName,
    ),
    (
        "<methodCall><methodName>¦ m</methodName></methodCall>",
        ErrorKind::MethodName,
    ),
    (
        "<methodCall><methodName>¦m()</methodName></methodCall>",
        ErrorKind::MethodName,
    ),
    (
        "<methodCall><methodName>m</methodName>¦<methodName/></methodCall>",
        ErrorKind::Expected("params"),
    ),
    (
        "<methodCall><methodName>m</methodName><params>¦<value/></params></methodCall>",
        { ErrorKind::Expected("param") },
    ),
    (
        "<methodCall><methodName>m</methodName><params/>¦<params/></methodCall>",
        { ErrorKind::Unexpected("methodCall") },
    ),
    (
        "<methodCall><methodName>m</methodName><params><param>¦</param></params></methodCall>",
        { ErrorKind::Expected("value") },
    ),
    (
        "<methodCall><methodName>m</methodName><params><param><value/>¦<value/></param></params></methodCall>",
        { ErrorKind::Unexpected("param") },
    ),
];

#[test]
fn what_is_not_a_call_is_refused_where_it_is() {
    for (xml, kind) in NOT_A_CALL {
        check(xml, *kind);
    }
}

const NOT_A_VALUE: &[(&str, ErrorKind)] = &[
    ("<int>¦x</int>", ErrorKind::Integer),
    ("<int>¦</int>", ErrorKind::Integer),
    ("<int>¦ 1</int>", ErrorKind::Integer),
    ("<i4>¦2147483648</i4>", ErrorKind::IntegerRange),
    ("<int>1¦<int>1</int></int>", ErrorKind::Unexpected("int")),
    ("<boolean>¦true</boolean>", ErrorKind::Boolean),
    ("<double>¦1e3</double>", ErrorKind::Double),
    ("<double>¦NaN</double>", ErrorKind::Double),
    (
        "<dateTime.iso8601>¦19990229T00:00:00</dateTime.iso8601>",
        ErrorKind::DateTime,
    ),
    ("<base64>¦a</base64>", ErrorKind::Base64),
    ("<nil>¦x</nil>", ErrorKind::Unexpected("nil")),
    ("¦<i8>1</i8>", ErrorKind::UnknownType),
    ("¦<Int>1</Int>", ErrorKind::UnknownType),
    ("¦<value>1</value>", ErrorKind::UnknownType),
    (
        "¦<ex:serializable>rO0AB</ex:serializable>",
        ErrorKind::Extension("ex:serializable"),
    ),
    (
        "¦<any:serializable/>",
        ErrorKind::Extension("ex:serializable"),
    ),
    ("¦<ex:i8>1</ex:i8>", ErrorKind::Extension("ex:i8")),
    ("¦<ex:nil/>", ErrorKind::Extension("ex:nil")),
    ("¦<ex:other/>", ErrorKind::Extension("ex:*")),
    (" ¦x <int>1</int>", ErrorKind::Unexpected("value")),
    ("<int>1</int> ¦x", ErrorKind::Unexpected("value")),
    ("<int>1</int>¦<int>1</int>", ErrorKind::Unexpected("value")),
    (
        "<string>a¦<b>c</b></string>",
        ErrorKind::Unexpected("string"),
    ),
    ("<array/>¦", ErrorKind::Expected("data")),
    (
        "<array><data>¦<int>1</int></data></array>",
        ErrorKind::Expected("value"),
    ),
    (
        "<array><data/>¦<data/></array>",
        ErrorKind::Unexpected("array"),
    ),
    (
        "<struct>¦<name>a</name></struct>",
        ErrorKind::Expected("member"),
    ),
    (
        "<struct><member>¦<value/></member></struct>",
        ErrorKind::Expected("name"),
    ),
    (
        "<struct><member><name>a</name>¦</member></struct>",
        ErrorKind::Expected("value"),
    ),
    (
        "<struct><member><name>a</name><value/>¦<value/></member></struct>",
        { ErrorKind::Unexpected("member") },
    ),
    (
        "<struct><member><name>a</name><value/></member><member><name>b</name><value/></member>\
             ¦<member><name>&#97;</name><value/></member></struct>",
        ErrorKind::DuplicateMember,
    ),
];

#[test]
fn what_is_no_value_is_refused_where_it_is() {
    for (xml, kind) in NOT_A_VALUE {
        check_value(xml, *kind);
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    let fault = |members: &str| format!("<fault><value>{members}</value></fault>");
    let code = "<member><name>faultCode</name><value><int>1</int></value></member>";
    let text = "<member><name>faultString</name><value>a</value></member>";
    let other = "<member><name>other</name><value>a</value></member>";
    for (inner, kind, offset) in [
        (String::new(), ErrorKind::Expected("params"), 16),
        ("<params/>".to_owned(), ErrorKind::Expected("param"), 25),
        (
            "<params><param><value/></param><param/></params>".to_owned(),
            { ErrorKind::Unexpected("params") },
            47,
        ),
        (fault("x"), ErrorKind::Fault, 23),
        (
            fault(&format!("<struct>{code}</struct>")),
            ErrorKind::Fault,
            23,
        ),
        (
            fault(&format!("<struct>{text}</struct>")),
            ErrorKind::Fault,
            23,
        ),
        (
            fault(&format!("<struct>{code}{text}{other}</struct>")),
            ErrorKind::Fault,
            23,
        ),
        (
            fault(&format!(
                "<struct>{}{text}</struct>",
                code.replace("int", "string")
            )),
            { ErrorKind::Fault },
            23,
        ),
    ] {
        let xml = format!("<methodResponse>{inner}</methodResponse>");

        let error = decode_response(xml.as_bytes(), None, &Limits::default()).unwrap_err();

        assert_eq!((error.kind, error.position.offset), (kind, offset), "{xml}");
    }
}

/// What becomes of a call with that in its only `<value>`, which begins at byte 60.
fn limited(inner: &str, change: impl FnOnce(&mut Limits)) -> Option<(ErrorKind, usize)> {
    let start = "<methodCall><methodName>m</methodName><params><param><value>";
    let xml = format!("{start}{inner}</value></param></params></methodCall>");
    let mut limits = Limits::default();
    change(&mut limits);
    let result = decode_call(xml.as_bytes(), None, &limits);
    result
        .err()
        .map(|error| (error.kind, error.position.offset))
}

#[test]
fn each_limit_is_kept_to_the_last_one_allowed() {
    let array = "<array><data><value/><value/></data></array>";
    let attributes = "<int a='' b=''>1</int>";
    let too_long = Some((ErrorKind::TextTooLong(4), 60));

    assert_eq!(limited("1234", |it| it.text = 4), None);
    assert_eq!(limited("12345", |it| it.text = 4), too_long);
    assert_eq!(limited("12<!-- -->345", |it| it.text = 4), too_long);
    assert_eq!(limited(array, |it| it.values = 3), None);
    assert_eq!(
        limited(array, |it| it.values = 2),
        Some((ErrorKind::TooManyValues(2), 81))
    );
    assert_eq!(limited(array, |it| it.depth = 1), None);
    assert_eq!(
        limited(array, |it| it.depth = 0),
        Some((ErrorKind::TooDeep(0), 60))
    );
    assert_eq!(limited(attributes, |it| it.attributes = 2), None);
    assert_eq!(limited(attributes, |it| it.attributes = 1), {
        Some((ErrorKind::TooManyAttributes(1), 60))
    });
    assert_eq!(limited("", |it| it.bytes = 98), None);
    assert_eq!(
        limited("", |it| it.bytes = 97),
        Some((ErrorKind::TooLarge(97), 97))
    );
}

#[test]
fn errors_say_what_and_where_and_the_fault_code() {
    for (xml, text, code) in [
        (
            "<a>",
            "the root element is not <methodCall> at line 1, column 1 (byte 0)",
            FaultCode::InvalidRequest,
        ),
        (
            "\n x",
            "not an XML document at line 2, column 2 (byte 2)",
            FaultCode::NotWellFormed,
        ),
        (
            "<?xml version='1.0' encoding='x'?>",
            "unsupported character encoding at line 1, column 31 (byte 30)",
            FaultCode::UnsupportedEncoding,
        ),
        (
            "\u{1}",
            "a character that XML does not allow at line 1, column 1 (byte 0)",
            FaultCode::InvalidCharacter,
        ),
    ] {
        let error = decode_call(xml.as_bytes(), None, &Limits::default()).unwrap_err();

        assert_eq!(
            (error.to_string().as_str(), error.fault_code()),
            (text, code)
        );
    }
    assert_eq!(i32::from(FaultCode::NotWellFormed), -32700);
    assert_eq!(i32::from(FaultCode::InvalidRequest), -32600);
}

#[test]
fn what_cannot_be_carried_is_not_written() {
    let answer = |text: &str| encode_response(&Response::value(text));
    assert_eq!(answer("a\u{0}"), Err(EncodeError::InvalidCharacter));
    assert_eq!(answer("\u{1b}"), Err(EncodeError::InvalidCharacter));
    assert_eq!(answer("\u{FFFF}"), Err(EncodeError::InvalidCharacter));
    assert_eq!(
        encode_response(&Response::fault(1, "\u{8}")),
        Err(EncodeError::InvalidCharacter)
    );
    let named = Struct::new().with("\u{7}", 1);
    assert_eq!(
        encode_response(&Response::value(named)),
        Err(EncodeError::InvalidCharacter)
    );
    assert_eq!(
        encode_response(&Response::value(f64::NAN)),
        Err(EncodeError::NotFinite)
    );
    assert_eq!(
        encode_response(&Response::value(f64::INFINITY)),
        Err(EncodeError::NotFinite)
    );
    assert_eq!(encode_call(&Call::new("")), Err(EncodeError::MethodName));
    assert_eq!(encode_call(&Call::new("a b")), Err(EncodeError::MethodName));
    assert_eq!(encode_call(&Call::new("ä")), Err(EncodeError::MethodName));
    assert_eq!(DateTime::new((2001, 2, 29), (0, 0, 0)), None);
}
