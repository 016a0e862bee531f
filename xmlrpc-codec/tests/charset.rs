//! In which charset a message is, and what is not in it.
#![expect(clippy::expect_used, reason = "a test may fail by panicking")]

use xmlrpc_codec::{ErrorKind, Limits, decode_call};

/// What is said, the offset, and line and column.
type Verdict = (ErrorKind, usize, (usize, usize));

fn verdict(bytes: &[u8], charset: Option<&str>) -> Verdict {
    let error = decode_call(bytes, charset, &Limits::default()).expect_err("it must be refused");
    (
        error.kind,
        error.position.offset,
        (error.position.line, error.position.column),
    )
}

fn marked(mark: &[u8], text: impl AsRef<[u8]>) -> Vec<u8> {
    [mark, text.as_ref()].concat()
}

fn wide(text: &[u8]) -> Vec<u8> {
    text.iter().flat_map(|byte| [0, *byte]).collect()
}

#[test]
fn charsets_are_told_apart_and_must_agree() {
    let call = "<methodCall><methodName>m</methodName></methodCall>";
    let declared =
        |name: &str| format!("<?xml version='1.0' encoding='{name}'?>{call}").into_bytes();
    let utf8: &[u8] = &[0xEF, 0xBB, 0xBF];
    let big: &[u8] = &[0xFE, 0xFF];
    let plain = call.as_bytes().to_vec();
    let conflict = ErrorKind::ConflictingCharset;
    let unknown = ErrorKind::UnsupportedCharset;
    for (bytes, header, expected) in [
        (plain.clone(), None, None),
        (plain.clone(), Some("UTF-8"), None),
        (plain.clone(), Some("windows-1252"), Some((unknown, 0))),
        (declared("utf-8"), Some("utf-8"), None),
        (declared("utf-8"), Some("iso-8859-1"), Some((conflict, 30))),
        (declared("iso-8859-1"), Some("utf-8"), Some((conflict, 30))),
        (declared("iso-8859-1"), None, None),
        (declared("us-ascii"), None, None),
        (declared("utf-7"), None, Some((unknown, 30))),
        (declared("utf-7"), Some("utf-8"), Some((unknown, 30))),
        (declared("utf-16"), None, Some((conflict, 30))),
        (marked(utf8, plain.clone()), None, None),
        (marked(utf8, declared("utf-8")), Some("utf-8"), None),
        (
            marked(utf8, declared("iso-8859-1")),
            None,
            Some((conflict, 33)),
        ),
        (
            marked(utf8, plain.clone()),
            Some("utf-16"),
            Some((conflict, 0)),
        ),
        (
            marked(utf8, marked(utf8, plain.clone())),
            None,
            Some((ErrorKind::NotXml, 3)),
        ),
        (marked(big, wide(&plain)), None, None),
        (marked(big, wide(&plain)), Some("utf-16"), None),
        (marked(big, wide(&plain)), Some("utf-16be"), None),
        (
            marked(big, wide(&plain)),
            Some("utf-16le"),
            Some((conflict, 0)),
        ),
        (
            marked(big, wide(&plain)),
            Some("utf-8"),
            Some((conflict, 0)),
        ),
        (marked(big, wide(&declared("utf-16"))), None, None),
        (
            marked(big, wide(&declared("utf-8"))),
            None,
            Some((conflict, 62)),
        ),
        (
            marked(big, wide(&declared("utf-32"))),
            None,
            Some((unknown, 62)),
        ),
        (wide(&declared("utf-16")), None, None),
        (
            wide(&plain),
            Some("utf-8"),
            Some((ErrorKind::InvalidCharacter, 0)),
        ),
    ] {
        let found = decode_call(&bytes, header, &Limits::default()).err();

        let found = found.map(|error| (error.kind, error.position.offset));
        assert_eq!(
            found,
            expected,
            "{header:?} {:?}",
            String::from_utf8_lossy(&bytes)
        );
    }
}

#[test]
fn bytes_outside_of_the_charset_are_refused_where_they_are() {
    let start = b"<methodCall>\n<methodName>";
    let ascii = Some("us-ascii");
    for (name, charset, kind, offset) in [
        (&b"m\xFF"[..], None, ErrorKind::InvalidBytes("UTF-8"), 26),
        (b"\xC0\x80", None, ErrorKind::InvalidBytes("UTF-8"), 25),
        (b"\xED\xA0\x80", None, ErrorKind::InvalidBytes("UTF-8"), 25),
        (b"a\xC3\xA9", ascii, ErrorKind::InvalidBytes("US-ASCII"), 26),
        (b"a\xE9", ascii, ErrorKind::InvalidBytes("US-ASCII"), 26),
        (b"\xE9", Some("iso-8859-1"), ErrorKind::MethodName, 25),
    ] {
        let bytes = [start, name, b"</methodName></methodCall>"].concat();

        assert_eq!(verdict(&bytes, charset), (kind, offset, (2, offset - 12)));
    }
}

#[test]
fn broken_utf16_is_refused_where_it_is() {
    for bytes in [&b"\0<\xD8\0\0<"[..], b"\0<\xDC\0", b"\0<\0", b"\0<\xD8\0"] {
        assert_eq!(
            verdict(bytes, None),
            (ErrorKind::InvalidBytes("UTF-16"), 2, (1, 2))
        );
    }
}

#[test]
fn positions_count_the_bytes_that_were_received() {
    let text = "<methodCall>\n<!-- é😀 --><methodName>m</methodName><params>x";
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let latin: Vec<u8> = text.replace('😀', "ü").chars().map(|it| it as u8).collect();

    let kind = ErrorKind::Unexpected("params");
    assert_eq!(verdict(text.as_bytes(), None), (kind, 62, (2, 46)));
    assert_eq!(verdict(&utf16, None), (kind, 120, (2, 46)));
    assert_eq!(verdict(&latin, Some("latin1")), (kind, 58, (2, 46)));
}
