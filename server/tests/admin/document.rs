//! A document below `docs/openapi`, and whether a value is as it says.

use std::sync::LazyLock;

use serde_json::{Map, Value};

/// The document that the tests are about.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let home = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi");
    let path = format!("{home}/{}", crate::DESCRIBED_IN);
    let text = std::fs::read_to_string(path).expect("the document is there");
    serde_json::from_str(&text).expect("the document is JSON")
});

/// The schema with this name.
pub(crate) fn schema(name: &str) -> &'static Value {
    let schema = &DOCUMENT["components"]["schemas"][name];
    assert!(schema.is_object(), "there is no schema {name}");
    schema
}

/// What is different between `value` and `schema`, a line each.
pub(crate) fn differences(value: &Value, schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(value, schema, "$", &mut found);
    found
}

fn compare(value: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap();
        return compare(value, self::schema(name), at, found);
    }
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        let fits = |choice: &Value| differences(value, choice).is_empty();
        if !choices.iter().any(fits) {
            found.push(format!("{at} is none of what it may be: {value}"));
        }
        return;
    }
    if !has_type(value, &schema["type"]) {
        found.push(format!("{at} should be {}: {value}", schema["type"]));
        return;
    }
    match value {
        Value::Object(members) => compare_object(members, schema, at, found),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                compare(item, &schema["items"], &format!("{at}[{index}]"), found);
            }
        }
        Value::String(text) if schema["format"] == "date-time" && !is_time(text) => {
            found.push(format!("{at} is no time: {text}"));
        }
        _ => {}
    }
}

fn compare_object(members: &Map<String, Value>, schema: &Value, at: &str, found: &mut Vec<String>) {
    let none = Map::new();
    let known = schema["properties"].as_object().unwrap_or(&none);
    for (name, member) in members {
        match known.get(name) {
            Some(inner) => compare(member, inner, &format!("{at}.{name}"), found),
            None => found.push(format!("{at}.{name} is not documented")),
        }
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        let name = required.as_str().unwrap();
        if !members.contains_key(name) {
            found.push(format!("{at}.{name} is missing"));
        }
    }
}

fn has_type(value: &Value, wanted: &Value) -> bool {
    let one = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the document has the type {other}"),
    };
    match wanted {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().any(|name| one(name.as_str().unwrap())),
        other => panic!("the document has no type: {other}"),
    }
}

fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}
