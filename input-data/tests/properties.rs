//! What holds for every document, every form and any bytes.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

mod bodies;

use bodies::to_json;
use input_data::{Details, Limits, form, parse};
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;
use serde_json::{Value, json};

/// Any text but U+0000, with what is special somewhere more often than chance has it.
fn text() -> impl Strategy<Value = String> {
    let any_character = any::<char>().prop_filter("refused", |it| *it != '\0');
    let special: Vec<char> = "\"'\\{}[],:;/%+&=$#@! \t\n\r\u{1}\u{7f}\u{85}\u{a0}\u{2028}ub0né😀"
        .chars()
        .collect();
    vec(prop_oneof![any_character, select(special)], 0..12).prop_map(String::from_iter)
}

/// Without control characters, which a raw text cannot hold.
fn password() -> impl Strategy<Value = String> {
    text().prop_map(|it| it.chars().filter(|it| !it.is_control()).collect())
}

/// A password that needs no quotes.
fn plain_password() -> impl Strategy<Value = String> {
    "[A-Za-z0-9$@#%&=+!:/'_.-][A-Za-z0-9$@#%&=+!:/'_. -]{0,14}[A-Za-z0-9$@#%&=+!:/_.-]".prop_filter(
        "a literal, or quoted",
        |it| {
            let quoted = it.starts_with('\'') || it.starts_with("u'") || it.starts_with("b'");
            !quoted && !["true", "false", "null", "True", "False", "None"].contains(&it.as_str())
        },
    )
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |it| it.is_finite())
            .prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        text().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(text(), inner, 0..6).prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

/// A document that was right before some of its bytes changed.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let special = select(b"\"'\\{}[],:;/%+&= \n\0u2".to_vec());
    let change = (any::<usize>(), special);
    (document(), any::<bool>(), vec(change, 0..4)).prop_map(|(document, python, changes)| {
        let text = if python {
            repr(&document)
        } else {
            document.to_string()
        };
        let mut bytes = text.into_bytes();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes
    })
}

/// What Python's `repr` writes.
fn repr(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => repr_text(text),
        Value::Array(elements) => format!("[{}]", joined(elements.iter().map(repr).collect())),
        Value::Object(members) => {
            let member =
                |(key, value): (&String, &Value)| format!("{}: {}", repr_text(key), repr(value));
            format!("{{{}}}", joined(members.iter().map(member).collect()))
        }
    }
}

fn repr_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let escaped: String = text.chars().map(|it| repr_character(it, quote)).collect();
    format!("{quote}{escaped}{quote}")
}

fn repr_character(character: char, quote: char) -> String {
    let code = u32::from(character);
    match character {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\\' => "\\\\".to_owned(),
        _ if character == quote => format!("\\{quote}"),
        ' '..='~' => character.to_string(),
        // Python leaves what can be printed; Python 2 does not.
        _ if character.is_alphabetic() && code % 2 == 0 => character.to_string(),
        _ if code <= 0xff => format!("\\x{code:02x}"),
        _ if code <= 0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

fn encoded(text: &str, blank: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        b' ' => blank.to_owned(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn change_of_password(password: &str) -> Value {
    json!({"operation": {"Details": {"NEWPASSWORD": password, "RESETTYPE": "LOCAL"}}})
}

fn password_in(body: &str) -> String {
    let form = form::parse(body.as_bytes(), &Limits::default()).expect("a form");
    assert_eq!(form.get("AUTHTOKEN"), Some("a+b c"));
    let input = form.input_data().expect("there");
    let document = parse(input, &Limits::default()).expect("a document");
    let details = Details::of(&document).expect("details");
    assert_eq!(details.text("RESETTYPE"), Ok("LOCAL"));
    details.text("NEWPASSWORD").expect("a text").to_owned()
}

/// The parameter before and after another one.
fn beside(input: &str) -> [String; 2] {
    [
        format!("INPUT_DATA={input}&AUTHTOKEN=a%2Bb+c"),
        format!("AUTHTOKEN=a%2Bb%20c&INPUT_DATA={input}\n"),
    ]
}

proptest! {
    #[test]
    fn every_json_document_means_what_json_says(document in document()) {
        for text in [document.to_string(), format!("{document:#}"), format!(" \r\n{document}\t")] {
            let value = parse(&text, &Limits::default()).expect("JSON");

            assert_eq!(to_json(&value), serde_json::from_str::<Value>(&text).expect("JSON"));
        }
    }

    #[test]
    fn every_repr_of_python_means_what_was_shown(document in document()) {
        let text = repr(&document);
        let value = parse(&text, &Limits::default()).expect("a repr");

        // Through text, since a double may read back as its neighbour.
        let through_json = serde_json::from_str::<Value>(&document.to_string()).expect("JSON");
        assert_eq!(to_json(&value), through_json, "{text}");
    }

    #[test]
    fn raw_and_percent_encoded_bodies_hold_the_same_password(password in password()) {
        let document = change_of_password(&password);
        for text in [document.to_string(), format!("{document:#}"), repr(&document)] {
            let written = [text.clone(), encoded(&text, "+"), encoded(&text, "%20")];
            for body in written.iter().flat_map(|it| beside(it)) {
                assert_eq!(password_in(&body), password, "{body}");
            }
        }
    }

    #[test]
    fn unquoted_passwords_are_the_same_raw_and_percent_encoded(password in plain_password()) {
        let text = format!("{{operation:{{Details:{{NEWPASSWORD:{password},RESETTYPE:LOCAL}}}}}}");
        for body in [text.clone(), encoded(&text, "+")].iter().flat_map(|it| beside(it)) {
            assert_eq!(password_in(&body), password, "{body}");
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(input in vec(any::<u8>(), 0..200)) {
        bodies::document(&input);
        bodies::form(&input);
    }

    #[test]
    fn any_marks_are_read_or_refused(input in r#"[{}\[\],:;"'\\/%+&=ub20 x\n]{0,60}"#) {
        bodies::document(input.as_bytes());
        bodies::form(input.as_bytes());
    }

    #[test]
    fn damaged_documents_are_read_or_refused(input in damaged()) {
        bodies::document(&input);
        bodies::form(&input);
        bodies::form(&[b"INPUT_DATA=".as_slice(), &input].concat());
    }
}

/// Made with Python 3.11 and Python 2.7: `str({...})`.
#[test]
fn what_python_itself_wrote_is_read() {
    let python_3 = r#"{'operation': {'Details': {'A': "it's", 'B': 'say "it\'s"', 'C': 'a\\b\n\t\x1b\x7f', 'D': 'é\xa0\u200b😀\U000e0001', 'E': [1, -2.5, 1e+16, True, False, None], 'F': {}}}}"#;
    let python_2 =
        r#"{u'operation': {u'Details': {u'A': u"it's", u'D': u'\xe9\u20ac\U0001f600'}}}"#;

    assert_eq!(
        to_json(&parse(python_3, &Limits::default()).expect("a repr")),
        json!({"operation": {"Details": {
            "A": "it's",
            "B": "say \"it's\"",
            "C": "a\\b\n\t\u{1b}\u{7f}",
            "D": "é\u{a0}\u{200b}😀\u{e0001}",
            "E": [1, -2.5, 1e16, true, false, null],
            "F": {},
        }}})
    );
    assert_eq!(
        to_json(&parse(python_2, &Limits::default()).expect("a repr")),
        json!({"operation": {"Details": {"A": "it's", "D": "é€😀"}}})
    );
}
