//! A row of a list: JSON that is wiped when it is done with, since a row may hold an API key.

use std::fmt;
use std::mem;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroize;

use crate::doors::a2a::core::query::filter::at;
use crate::doors::a2a::core::query::table::Table;

/// A row of a list, with version 4's names; wiped on drop, never printed.
#[derive(Default)]
pub(in crate::doors::a2a) struct Row(Value);

impl Row {
    /// The row that `entity` is written as; an empty one where it is no object.
    pub(in crate::doors::a2a) fn of<T: Serialize>(entity: &T) -> Self {
        // What is written here has names and values of our own: it can always be written.
        Self(serde_json::to_value(entity).unwrap_or_default())
    }

    /// Its values.
    pub(super) fn value(&self) -> &Value {
        &self.0
    }

    /// Whether one of its texts has `part`, in lower case, in it.
    pub(super) fn mentions(&self, part: &str) -> bool {
        mentions(&self.0, part)
    }

    /// Only these properties of it.
    pub(super) fn only(&self, paths: &[&'static str]) -> Self {
        let mut kept = Map::new();
        for path in paths {
            put(&mut kept, path, at(&self.0, path).clone());
        }
        Self(Value::Object(kept))
    }

    /// All properties of it but these.
    pub(super) fn without(mut self, paths: &[&'static str]) -> Self {
        for path in paths {
            let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
            let parent = match parent {
                "" => Some(&mut self.0),
                path => self.0.pointer_mut(&format!("/{}", path.replace('.', "/"))),
            };
            if let Some(mut value) = parent
                .and_then(Value::as_object_mut)
                .and_then(|it| it.remove(name))
            {
                wipe(&mut value);
            }
        }
        self
    }

    /// The same with the names of `version`.
    pub(in crate::doors::a2a) fn named(mut self, table: &Table, version: u8) -> Self {
        match mem::take(&mut self.0) {
            Value::Object(object) => Self(Value::Object(table.named(object, version))),
            other => Self(other),
        }
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Row(..)")
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Puts a value at a path, with the objects on the way to it.
fn put(object: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            object.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let within = object
                .entry(first)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Some(within) = within.as_object_mut() {
                put(within, rest, value);
            }
        }
    }
}

fn mentions(value: &Value, part: &str) -> bool {
    match value {
        Value::String(text) => text.to_lowercase().contains(part),
        Value::Array(values) => values.iter().any(|value| mentions(value, part)),
        Value::Object(object) => object.values().any(|value| mentions(value, part)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(object) => object.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
