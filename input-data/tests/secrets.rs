//! Nothing of the input is shown by `Debug` or told by an error.

use input_data::{Details, Limits, form, parse};

/// Neither it nor its pieces are part of any message.
const CANARY: &str = "qZ7wJx";

#[test]
fn debug_shows_shapes_and_lengths() {
    let text = r#"{"operation":{"Details":{"P":"qZ7wJx","N":12345,"B":true,"L":["qZ7wJx",null]}}}"#;
    let document = parse(text, &Limits::default()).expect("a document");

    assert_eq!(
        format!("{document:?}"),
        "{9 bytes: {7 bytes: {1 bytes: Text(6 bytes), 1 bytes: Number(5 bytes), \
         1 bytes: Bool(..), 1 bytes: [Text(6 bytes), Null]}}}"
    );
    assert_eq!(
        format!("{:?}", Details::of(&document).expect("details")),
        "Details { members: {1 bytes: Text(6 bytes), 1 bytes: Number(5 bytes), \
         1 bytes: Bool(..), 1 bytes: [Text(6 bytes), Null]} }"
    );
}

#[test]
fn debug_of_a_form_shows_lengths() {
    let form = form::parse(b"AUTHTOKEN=qZ7wJx&a=b", &Limits::default()).expect("a form");

    assert_eq!(
        format!("{form:?}"),
        "Form { parameters: [(9 bytes, 6 bytes), (1 bytes, 1 bytes)] }"
    );
}

#[test]
fn errors_repeat_nothing() {
    for text in [
        "{P:qZ7wJx,qZ7wJx:1,qZ7wJx:2}",
        "{\"qZ7wJx\":1,\"qZ7wJx\":2}",
        "{\"P\":\"qZ7wJx\"qZ7wJx\"}",
        "{P:qZ7wJx}qZ7wJx}",
        "{P:qZ7wJx{qZ7wJx}",
        "{P:qZ7wJx,qZ7wJx}",
        "{\"P\":\"\\qZ7wJx\"}",
        "{\"P\":\"qZ7wJx",
        "qZ7wJx",
    ] {
        let error = parse(text, &Limits::default()).expect_err(text);

        assert!(!error.to_string().contains(CANARY), "{error}");
        assert!(!format!("{error:?}").contains(CANARY), "{error:?}");
    }
    for body in [
        "qZ7wJx=%qZ7wJx",
        "qZ7wJx=1&qZ7wJx=2",
        "{qZ7wJx",
        "INPUT_DATA={P:qZ7wJx",
    ] {
        let error = form::parse(body.as_bytes(), &Limits::default()).expect_err(body);

        assert!(!error.to_string().contains(CANARY), "{error}");
        assert!(!format!("{error:?}").contains(CANARY), "{error:?}");
    }
}
