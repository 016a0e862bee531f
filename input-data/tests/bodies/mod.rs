//! What must hold for any bytes: run by the fuzz targets with bytes that a fuzzer found, and by
//! the tests with bytes that chance found.

use input_data::{Error, ErrorKind, Limits, Value, form, parse};

/// Reading a document ends without a panic; an error points into it; JSON means what JSON says.
pub(crate) fn document(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let json = serde_json::from_str::<serde_json::Value>(text);
    match (parse(text, &Limits::default()), json) {
        (Ok(value), Ok(json)) => assert_eq!(to_json(&value), json),
        (Ok(value), Err(_)) => drop(value),
        (Err(error), Ok(_)) => {
            points_into(&error, input);
            assert!(refused_although_json(error.kind), "{error}");
        }
        (Err(error), Err(_)) => points_into(&error, input),
    }
}

/// Reading a form ends without a panic; an error points into it; a raw document is the same in a
/// form as it is alone.
pub(crate) fn form(input: &[u8]) {
    match form::parse(input, &Limits::default()) {
        Ok(form) => {
            let _ = form.input_data().map(|it| parse(it, &Limits::default()));
        }
        Err(error) => points_into(&error, input),
    }
    if let Ok(text) = std::str::from_utf8(input)
        && text.starts_with('{')
        && text.contains('"')
    {
        raw(text);
    }
}

/// What this document means alone it means in a form, unless more parameters follow it that are
/// refused.
fn raw(text: &str) {
    let body = format!("INPUT_DATA={text}");
    let alone = parse(text, &Limits::default());
    let Ok(form) = form::parse(body.as_bytes(), &Limits::default()) else {
        return;
    };
    let within = parse(form.input_data().unwrap_or_default(), &Limits::default());
    if let Ok(alone) = alone {
        assert_eq!(
            to_json(&within.expect("it was read alone")),
            to_json(&alone)
        );
    }
}

/// The value as JSON has it.
pub(crate) fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        // Beyond the range of a double, it is compared as it is written.
        Value::Number(text) => {
            serde_json::from_str(text.as_str()).unwrap_or_else(|_| text.as_str().into())
        }
        Value::Text(text) => text.as_str().into(),
        Value::List(elements) => elements.iter().map(to_json).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.to_owned(), to_json(value)))
            .collect(),
    }
}

fn refused_although_json(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Nul
            | ErrorKind::DuplicateMember(_)
            | ErrorKind::TooLarge(_)
            | ErrorKind::TooDeep(_)
            | ErrorKind::TooManyValues(_)
            | ErrorKind::TextTooLong(_)
    )
}

fn points_into(error: &Error, input: &[u8]) {
    assert!(error.position.offset <= input.len(), "{error}");
    assert!(
        error.position.line >= 1 && error.position.column >= 1,
        "{error}"
    );
}
