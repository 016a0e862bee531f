//! What is refused, why, and where: a table.
#![expect(clippy::expect_used, reason = "a test may fail by panicking")]

use std::time::{Duration, Instant};

use input_data::{ErrorKind, Limits, parse};

fn refused(cases: &[(&str, ErrorKind, usize)]) {
    for (text, kind, offset) in cases {
        let error = parse(text, &Limits::default()).expect_err(text);

        assert_eq!(
            (error.kind, error.position.offset),
            (*kind, *offset),
            "{text}"
        );
    }
}

const COMMA_OR_BRACE: ErrorKind = ErrorKind::Expected("`,` or `}`");
const COMMA_OR_BRACKET: ErrorKind = ErrorKind::Expected("`,` or `]`");
const COLON: ErrorKind = ErrorKind::Expected("`:` after a key");
const KEY: ErrorKind = ErrorKind::Expected("a key");
const VALUE: ErrorKind = ErrorKind::Expected("a value");

#[test]
fn a_quote_in_a_quoted_text_is_not_guessed() {
    refused(&[
        (r#"{"P":"ab"cd"}"#, ErrorKind::AfterQuote, 9),
        (r#"{"P":"ab""}"#, ErrorKind::AfterQuote, 9),
        (r#"{"P":"ab" cd"}"#, ErrorKind::AfterQuote, 10),
        (r#"{"P":"ab""Q":"x"}"#, ErrorKind::AfterQuote, 9),
        (r#"{"P":"ab" "cd"}"#, COLON, 14),
        ("{'P':'it's'}", ErrorKind::AfterQuote, 9),
        (r#"["a"b]"#, ErrorKind::AfterQuote, 4),
        (r#"["a" "b"]"#, ErrorKind::AfterQuote, 5),
    ]);
}

#[test]
fn an_unquoted_text_that_may_have_been_cut_is_not_guessed() {
    refused(&[
        ("{P:a}b}", ErrorKind::AmbiguousEnd, 6),
        ("{P:ab}}", ErrorKind::AmbiguousEnd, 6),
        ("{P:12}}", ErrorKind::AmbiguousEnd, 6),
        ("{\"P\":a}b]", ErrorKind::AmbiguousEnd, 8),
        ("{O:{P:ab}c}}", COMMA_OR_BRACE, 9),
        ("{P:a]b}", COMMA_OR_BRACE, 4),
        ("{P:a{b}", ErrorKind::NeedsQuotes, 4),
        ("{P:a[b}", ErrorKind::NeedsQuotes, 4),
        ("{P:a\"b}", ErrorKind::NeedsQuotes, 4),
        ("{\"P\":1 \"Q\":2}", ErrorKind::NeedsQuotes, 7),
        ("{'P': b'ab'}", ErrorKind::NeedsQuotes, 6),
        ("{P:ab,cd}", COLON, 8),
        ("{P:ab,cd,Q:x}", COLON, 8),
        ("{P:ab\ncd}", COMMA_OR_BRACE, 6),
        ("{P:ab\tcd}", COMMA_OR_BRACE, 6),
        ("[a}", COMMA_OR_BRACKET, 2),
    ]);
}

#[test]
fn a_document_that_ends_too_early_is_refused() {
    refused(&[
        ("{", ErrorKind::Unclosed("an object"), 1),
        ("[", ErrorKind::Unclosed("a list"), 1),
        ("{A", ErrorKind::Unclosed("an object"), 2),
        ("{\"A\"", ErrorKind::Unclosed("an object"), 4),
        ("{A:", ErrorKind::Unclosed("an unquoted text"), 3),
        ("{A:b", ErrorKind::Unclosed("an unquoted text"), 4),
        ("{\"A\":\"b", ErrorKind::Unclosed("a quoted text"), 7),
        ("{\"A\":\"b\\\"}", ErrorKind::Unclosed("a quoted text"), 10),
        ("{\"A\":\"b\"", ErrorKind::Unclosed("an object"), 8),
        ("{\"A\":\"b\", // c", ErrorKind::Unclosed("an object"), 14),
        ("[1,", ErrorKind::Unclosed("a list"), 3),
        ("[1 ", ErrorKind::Unclosed("an unquoted text"), 3),
    ]);
}

#[test]
fn what_is_no_document_is_refused() {
    refused(&[
        ("", ErrorKind::NotADocument, 0),
        ("  \n", ErrorKind::NotADocument, 3),
        ("hello", ErrorKind::NotADocument, 0),
        (" a{}", ErrorKind::NotADocument, 1),
        ("}", ErrorKind::NotADocument, 0),
        ("\u{feff}{}", ErrorKind::NotADocument, 0),
        ("<xml/>", ErrorKind::NotADocument, 0),
    ]);
}

#[test]
fn what_stands_where_something_else_belongs_is_refused() {
    refused(&[
        ("{,}", KEY, 1),
        ("{:1}", KEY, 1),
        ("{]", KEY, 1),
        ("{{}}", KEY, 1),
        ("{\"A\":1,,}", KEY, 7),
        ("{\"A\" 1}", COLON, 5),
        ("{\"A\"=1}", COLON, 4),
        ("{it's:1}", COLON, 3),
        ("{\"A\":1]", COMMA_OR_BRACE, 6),
        ("{\"A\":{}b}", COMMA_OR_BRACE, 7),
        ("[,]", VALUE, 1),
        ("[1,,2]", VALUE, 3),
        ("[}", VALUE, 1),
        ("[{}{}]", COMMA_OR_BRACKET, 3),
        (r"{A:[1\}", COMMA_OR_BRACKET, 6),
    ]);
}

#[test]
fn control_characters_are_refused_and_nul_even_as_an_escape() {
    refused(&[
        ("{\"A\":\"a\0b\"}", ErrorKind::Control, 7),
        ("{\"A\":\"a\nb\"}", ErrorKind::Control, 7),
        ("{'A':'a\tb'}", ErrorKind::Control, 7),
        ("{\"A\u{1b}\":1}", ErrorKind::Control, 3),
        ("{A:a\0b}", ErrorKind::Control, 4),
        ("{A:a\u{1f}b}", ErrorKind::Control, 4),
        ("{A\0:b}", ErrorKind::Control, 2),
        ("{\0:b}", ErrorKind::Control, 1),
        ("{\"A\":\"\\\n\"}", ErrorKind::Control, 7),
        (r#"{"A":"\u0000"}"#, ErrorKind::Nul, 6),
        (r"{'A':'a\x00'}", ErrorKind::Nul, 7),
        (r"{'A':'\U00000000'}", ErrorKind::Nul, 6),
    ]);
}

#[test]
fn escapes_that_nobody_knows_are_refused() {
    refused(&[
        (r#"["\a"]"#, ErrorKind::Escape, 2),
        (r#"["\é"]"#, ErrorKind::Escape, 2),
        (r#"["\u12"]"#, ErrorKind::Escape, 2),
        (r#"["\u+123"]"#, ErrorKind::Escape, 2),
        (r#"["\x4"]"#, ErrorKind::Escape, 2),
        (r#"["\u12é4"]"#, ErrorKind::Escape, 2),
        (r#"["\{"]"#, ErrorKind::Escape, 2),
        (r#"["\ud800"]"#, ErrorKind::NoCharacter, 2),
        (r#"["\udc00\ud800"]"#, ErrorKind::NoCharacter, 2),
        (r#"["\ud800\u0041"]"#, ErrorKind::NoCharacter, 2),
        (r#"["\U00110000"]"#, ErrorKind::NoCharacter, 2),
        (r#"["\Uffffffff"]"#, ErrorKind::NoCharacter, 2),
    ]);
}

#[test]
fn a_second_member_of_one_name_is_refused_and_named_if_it_is_the_api_s() {
    let of_one_name = ErrorKind::DuplicateMember(None);
    refused(&[
        (
            "{\"PASSWORD\":\"a\",'PASSWORD':'b'}",
            ErrorKind::DuplicateMember(Some("PASSWORD")),
            16,
        ),
        (
            "{operation:{},operation:{}}",
            ErrorKind::DuplicateMember(Some("operation")),
            14,
        ),
        ("{a:1,b:2,a:3,b:4}", of_one_name, 9),
        (r#"{"a":1,"\u0061":2}"#, of_one_name, 7),
    ]);

    let error = parse("{REASON:a,REASON:b}", &Limits::default()).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "a second member REASON at line 1, column 11 (byte 10)"
    );
    assert!(parse("[{a:1},{a:1},{A:1,a:{a:1}}]", &Limits::default()).is_ok());
}

#[test]
fn positions_count_lines_and_characters() {
    let error =
        parse("{\"é\":\"x\",\r\n  \"é\":\"ab\"c}", &Limits::default()).expect_err("refused");

    assert_eq!(error.kind, ErrorKind::AfterQuote);
    assert_eq!(error.position.to_string(), "line 2, column 11 (byte 23)");
}

#[test]
fn each_limit_admits_what_it_says_and_no_more() {
    let limits = Limits {
        bytes: 20,
        depth: 2,
        values: 4,
        text: 3,
        ..Limits::default()
    };
    for text in [
        "[[1],'23'] 012345678",
        "{abc:'def'}",
        "[\"\\u0041bc\"]",
        "[éa]",
    ] {
        assert!(parse(text, &limits).is_ok(), "{text}");
    }
    for (text, kind, offset) in [
        ("[[1],'23'] 0123456789x", ErrorKind::TooLarge(20), 20),
        ("[012345678901234567é", ErrorKind::TooLarge(20), 19),
        ("[[[]]]", ErrorKind::TooDeep(2), 2),
        ("[1,2,3,4]", ErrorKind::TooManyValues(4), 7),
        ("{'A':'abcd'}", ErrorKind::TextTooLong(3), 5),
        ("{A:abcd}", ErrorKind::TextTooLong(3), 3),
        ("{abcd:1}", ErrorKind::TextTooLong(3), 1),
        ("[1234]", ErrorKind::TextTooLong(3), 1),
    ] {
        let error = parse(text, &limits).expect_err(text);

        assert_eq!(
            (error.kind, error.position.offset),
            (kind, offset),
            "{text}"
        );
    }
}

#[test]
fn no_limit_lets_a_document_outgrow_the_stack() {
    let boundless = Limits {
        bytes: usize::MAX,
        depth: usize::MAX,
        values: usize::MAX,
        text: usize::MAX,
        ..Limits::default()
    };
    for opening in ["[", "{A:", "{\"A\":[", "\\{A:"] {
        let error = parse(&opening.repeat(200_000), &boundless).expect_err("refused");

        assert_eq!(error.kind, ErrorKind::TooDeep(Limits::MAX_DEPTH));
    }
}

/// A reader that goes back over what it has read would take minutes for these.
#[test]
fn what_is_long_takes_no_longer_than_its_length() {
    let boundless = Limits {
        bytes: usize::MAX,
        values: usize::MAX,
        text: usize::MAX,
        ..Limits::default()
    };
    let many = 100_000;
    let keys: String = (0..many).map(|it| format!("k{it}:{it},")).collect();
    let started = Instant::now();
    for text in [
        format!("{{{keys}}}"),
        format!("[{}]", "a,".repeat(many)),
        format!("[\"{}\"]", "\\u0041".repeat(many)),
        format!("[{}", " ".repeat(many)),
        format!("{{{}", "//\n".repeat(many)),
        format!("{{a:b}}{}", "{".repeat(many)),
        format!("[\"{}", "\\\"".repeat(many)),
        format!("\\[{}", "\\".repeat(many)),
        format!("{{{}", "'a':'b' ".repeat(many)),
    ] {
        let _ = parse(&text, &boundless);
    }

    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
}
