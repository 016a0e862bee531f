//! What is accepted beyond JSON, and what it means: a table.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

#[expect(dead_code, reason = "each test uses its part of the bodies")]
mod bodies;

use bodies::to_json;
use input_data::{Limits, Value, parse};
use serde_json::json;

fn read(text: &str) -> Value {
    parse(text, &Limits::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn means(cases: &[(&str, serde_json::Value)]) {
    for (text, expected) in cases {
        assert_eq!(to_json(&read(text)), *expected, "{text}");
    }
}

#[test]
fn unquoted_texts_end_at_a_comma_or_a_closing_bracket() {
    means(&[
        ("{A:b}", json!({"A": "b"})),
        ("{ A : b c  , D :\te }", json!({"A": "b c", "D": "e"})),
        ("{RESOURCE ID: 303\n}", json!({"RESOURCE ID": 303})),
        ("{A:it's}", json!({"A": "it's"})),
        ("{A:a'b'}", json!({"A": "a'b'"})),
        ("{A:x:y=z&w%41+$}", json!({"A": "x:y=z&w%41+$"})),
        (
            "{A:http://host/a b // c}",
            json!({"A": "http://host/a b // c"}),
        ),
        ("{A://server/share}", json!({"A": "//server/share"})),
        ("{A:a\\b;c}", json!({"A": "a\\b;c"})),
        ("{A:a\\}", json!({"A": "a\\"})),
        ("{A:ub,B:b}", json!({"A": "ub", "B": "b"})),
        ("[a, b c ,d]", json!(["a", "b c", "d"])),
        ("{A:é 😀\u{a0}}", json!({"A": "é 😀\u{a0}"})),
    ]);
}

#[test]
fn nothing_between_colon_and_comma_is_an_empty_text() {
    means(&[
        ("{A:,B:}", json!({"A": "", "B": ""})),
        ("{\"A\": ,\"B\": \n}", json!({"A": "", "B": ""})),
        ("{A:[],B:{}}", json!({"A": [], "B": {}})),
    ]);
}

#[test]
fn literals_of_json_and_python_are_no_texts_unless_quoted() {
    means(&[
        ("[true,false,null]", json!([true, false, null])),
        ("[True, False, None]", json!([true, false, null])),
        ("['True', \"None\"]", json!(["True", "None"])),
        (
            "[TRUE, nil, undefined]",
            json!(["TRUE", "nil", "undefined"]),
        ),
        ("None", json!(null)),
        (" 12 ", json!(12)),
    ]);
}

#[test]
fn numbers_keep_the_text_they_were_written_with() {
    for number in [
        "12345678901234567890123",
        "0.10",
        "1e5",
        "-0",
        "1.0000000000000000001",
    ] {
        let value = read(&format!("{{A:{number}}}"));
        let member = value.as_object().expect("an object").get("A");

        assert!(matches!(member, Some(Value::Number(text)) if text.as_str() == number));
    }
    for text in ["007", "1.", ".5", "+1", "0x10", "1_000", "inf", "NaN"] {
        let value = read(&format!("{{A:{text}}}"));
        let member = value.as_object().expect("an object").get("A");

        assert!(matches!(member, Some(Value::Text(it)) if it.as_str() == text));
    }
}

#[test]
fn both_quotes_take_the_escapes_of_json_and_of_python() {
    means(&[
        (
            r#"['a"b', "a'b", 'a\'b', "a\"b", "a\'b"]"#,
            json!(["a\"b", "a'b", "a'b", "a\"b", "a'b"]),
        ),
        (
            r#"['\n\r\t\b\f\/\\', "\x41\u0042\U00000043"]"#,
            json!(["\n\r\t\u{8}\u{c}/\\", "ABC"]),
        ),
        (
            r#"["\ud83d\ude00", '\U0001F600', '\xe9']"#,
            json!(["😀", "😀", "é"]),
        ),
        (r#"{u'a': u"b", u"c": u'd'}"#, json!({"a": "b", "c": "d"})),
        (r#"["\\", '\\']"#, json!(["\\", "\\"])),
        (r#"{"A":"{[,:;//]}"}"#, json!({"A": "{[,:;//]}"})),
    ]);
}

#[test]
fn commas_may_be_too_many_at_the_end_missing_or_semicolons() {
    means(&[
        (r#"{"A":1,}"#, json!({"A": 1})),
        (r#"["a",]"#, json!(["a"])),
        (
            r#"{"A":"x";"B":["y";"z"];}"#,
            json!({"A": "x", "B": ["y", "z"]}),
        ),
        ("{\"A\":\"x\"\n\"B\":\"y\"}", json!({"A": "x", "B": "y"})),
        ("{'A':'x' 'B':'y'}", json!({"A": "x", "B": "y"})),
        (
            "{\"A\":{} \"B\":[] \"C\":1\n\"D\":2}",
            json!({"A": {}, "B": [], "C": 1, "D": 2}),
        ),
    ]);
}

#[test]
fn comments_stand_after_a_value_and_before_a_key() {
    means(&[
        ("{\"A\":\"N/A\" // \"not\" {needed}\n}", json!({"A": "N/A"})),
        (
            "{// first\n// second\r\"A\":1, // third\n\"B\":2}",
            json!({"A": 1, "B": 2}),
        ),
        (
            "{\"A\":\"x\"// no comma\n\"B\":\"y\"}",
            json!({"A": "x", "B": "y"}),
        ),
        ("[\"a\" // b\n, // c\n]", json!(["a", "// c"])),
        (
            "{A:b // part of the text\n}",
            json!({"A": "b // part of the text"}),
        ),
    ]);
}

#[test]
fn brackets_may_have_backslashes_if_the_first_one_has() {
    means(&[
        (r#"\{"A":\{"B":\[1,2\]\}\}"#, json!({"A": {"B": [1, 2]}})),
        (r"\{A:b\}", json!({"A": "b"})),
        (r"\{A:b\\}", json!({"A": "b\\"})),
        (r"\{A:b,C:d}", json!({"A": "b", "C": "d"})),
        (r"\[\]", json!([])),
        (r"{A:b\}", json!({"A": "b\\"})),
    ]);
}

#[test]
fn what_follows_the_end_is_not_looked_at() {
    means(&[
        ("{\"A\":1}}}", json!({"A": 1})),
        ("{\"A\":\"b\"}; \"rest\": [\0]", json!({"A": "b"})),
        ("{'A':'b'}]", json!({"A": "b"})),
        ("{A:b};", json!({"A": "b"})),
        ("{\"A\":7}}", json!({"A": 7})),
        ("\"a\" b", json!("a")),
    ]);
}

#[test]
fn names_are_kept_as_they_are_written_and_in_order() {
    let value = read("{b:1,'a':2,\"B\":3,\"\":4}");
    let members = value.as_object().expect("an object");
    let names: Vec<&str> = members.iter().map(|(name, _)| name).collect();

    assert_eq!(names, ["b", "a", "B", ""]);
}
