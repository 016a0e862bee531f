//! The fields of an operation.
#![expect(clippy::expect_used, reason = "a test may fail by panicking")]

use input_data::{Details, FieldError, Limits, Value, parse};

fn document(fields: &str) -> Value {
    let text = format!("{{\"operation\":{{\"Details\":{{{fields}}},\"more\":1}},\"more\":2}}");
    parse(&text, &Limits::default()).expect("a document")
}

#[test]
fn texts_numbers_and_booleans_are_texts() {
    let document = document(r#""A":"x","B":007,"C":1.50,"D":True,"E":"","F":None,"G":[],"H":{}"#);
    let details = Details::of(&document).expect("details");

    assert_eq!(details.text("A"), Ok("x"));
    assert_eq!(details.text("B"), Ok("007"));
    assert_eq!(details.text("C"), Ok("1.50"));
    assert_eq!(details.text("D"), Ok("true"));
    assert_eq!(details.text("E"), Ok(""));
    assert_eq!(details.text("F"), Err(FieldError::Missing("F")));
    assert_eq!(details.text("G"), Err(FieldError::NotText("G")));
    assert_eq!(details.text("H"), Err(FieldError::NotText("H")));
    assert_eq!(details.text("a"), Err(FieldError::Missing("a")));
}

#[test]
fn an_empty_text_is_no_optional_one_but_it_was_given() {
    let document = document(r#""A":"x","E":"","F":null,"G":[]"#);
    let details = Details::of(&document).expect("details");

    assert_eq!(details.optional("A"), Ok(Some("x")));
    assert_eq!(details.optional("E"), Ok(None));
    assert_eq!(details.optional("F"), Ok(None));
    assert_eq!(details.optional("Z"), Ok(None));
    assert_eq!(details.optional("G"), Err(FieldError::NotText("G")));
    assert_eq!(details.given("E"), Ok(Some("")));
    assert_eq!(details.given("F"), Ok(None));
    assert!(details.has("F"));
    assert!(!details.has("Z"));
}

#[test]
fn a_flag_is_a_boolean_or_the_word_for_one() {
    let document = document(r#""A":true,"B":"True","C":"FALSE","D":"yes","E":"","F":1,"G":null"#);
    let details = Details::of(&document).expect("details");

    assert_eq!(details.flag("A"), Ok(Some(true)));
    assert_eq!(details.flag("B"), Ok(Some(true)));
    assert_eq!(details.flag("C"), Ok(Some(false)));
    assert_eq!(details.flag("D"), Err(FieldError::NotFlag("D")));
    assert_eq!(details.flag("E"), Ok(None));
    assert_eq!(details.flag("F"), Err(FieldError::NotFlag("F")));
    assert_eq!(details.flag("G"), Ok(None));
}

#[test]
fn a_list_has_texts_or_records() {
    let document = document(
        r#""IDS":[7,"8"],"ACCOUNTLIST":[{"ACCOUNTNAME":"a"},{"ACCOUNTNAME":"b"}],"E":"","T":"x""#,
    );
    let details = Details::of(&document).expect("details");
    let records = details.records("ACCOUNTLIST").expect("records");
    let names: Vec<_> = records.iter().map(|it| it.text("ACCOUNTNAME")).collect();

    assert_eq!(names, [Ok("a"), Ok("b")]);
    assert_eq!(details.texts("IDS"), Ok(vec!["7", "8"]));
    assert_eq!(details.list("IDS").map(<[Value]>::len), Ok(2));
    assert_eq!(details.texts("E"), Ok(vec![]));
    assert_eq!(details.texts("Z"), Ok(vec![]));
    assert_eq!(details.texts("T"), Err(FieldError::NotList("T")));
    assert_eq!(
        details.texts("ACCOUNTLIST"),
        Err(FieldError::NotText("ACCOUNTLIST"))
    );
    assert_eq!(
        details.records("IDS").err(),
        Some(FieldError::NotObject("IDS"))
    );
}

#[test]
fn a_document_without_details_says_what_is_missing() {
    for (text, expected) in [
        ("[]", FieldError::NotObject("INPUT_DATA")),
        ("{}", FieldError::Missing("operation")),
        ("{Operation:{Details:{}}}", FieldError::Missing("operation")),
        ("{operation:x}", FieldError::NotObject("operation")),
        ("{operation:{}}", FieldError::Missing("operation.Details")),
        (
            "{operation:{details:{}}}",
            FieldError::Missing("operation.Details"),
        ),
        (
            "{operation:{Details:null}}",
            FieldError::Missing("operation.Details"),
        ),
        (
            "{operation:{Details:[]}}",
            FieldError::NotObject("operation.Details"),
        ),
    ] {
        let document = parse(text, &Limits::default()).expect("a document");

        assert_eq!(Details::of(&document).err(), Some(expected), "{text}");
    }
}
