//! Between Rust's types and values.

use std::fmt;

use thiserror::Error;

use crate::{DateTime, Struct, Value};

/// A type that becomes a value.
pub trait IntoValue {
    /// The value.
    fn into_value(self) -> Value;
}

/// A type that comes out of a value.
pub trait FromValue: Sized {
    /// Takes it out of the value, moving what can be moved.
    ///
    /// # Errors
    /// [`TypeError`] when the value is of another type.
    fn from_value(value: Value) -> Result<Self, TypeError>;
}

/// A value is of another type than was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{found} where {expected} was expected")]
pub struct TypeError {
    /// What was asked for, as XML-RPC calls it.
    pub expected: &'static str,
    /// What it is, as XML-RPC calls it.
    pub found: &'static str,
}

/// Bytes for a `<base64>`. Its own type, since a `Vec<T>` is an array.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64({} bytes)", self.0.len())
    }
}

macro_rules! convert {
    ($($type:ty, $expected:literal, $pattern:pat => $out:expr, $from:expr;)*) => {$(
        impl IntoValue for $type {
            fn into_value(self) -> Value {
                $from(self)
            }
        }

        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, TypeError> {
                match value {
                    $pattern => Ok($out),
                    other => Err(TypeError { expected: $expected, found: other.type_name() }),
                }
            }
        }
    )*};
}

convert! {
    i32, "int", Value::Int(it) => it, Value::Int;
    bool, "boolean", Value::Bool(it) => it, Value::Bool;
    f64, "double", Value::Double(it) => it, Value::Double;
    String, "string", Value::String(it) => it, Value::String;
    DateTime, "dateTime.iso8601", Value::DateTime(it) => it, Value::DateTime;
    Base64, "base64", Value::Base64(it) => Self(it), |Self(bytes)| Value::Base64(bytes);
    Struct, "struct", Value::Struct(it) => it, Value::Struct;
}

impl IntoValue for Value {
    fn into_value(self) -> Self {
        self
    }
}

impl FromValue for Value {
    fn from_value(value: Self) -> Result<Self, TypeError> {
        Ok(value)
    }
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::String(self.to_owned())
    }
}

impl IntoValue for () {
    fn into_value(self) -> Value {
        Value::Nil
    }
}

impl FromValue for () {
    fn from_value(value: Value) -> Result<Self, TypeError> {
        match value {
            Value::Nil => Ok(()),
            other => Err(TypeError {
                expected: "nil",
                found: other.type_name(),
            }),
        }
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        Value::Array(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Self, TypeError> {
        match value {
            Value::Array(elements) => elements.into_iter().map(T::from_value).collect(),
            other => Err(TypeError {
                expected: "array",
                found: other.type_name(),
            }),
        }
    }
}

/// Nothing is nil.
impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Nil, T::into_value)
    }
}

/// Nil is nothing.
impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, TypeError> {
        match value {
            Value::Nil => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_comes_back_as_it_went() {
        fn back<T: IntoValue + FromValue + Clone + PartialEq + fmt::Debug>(it: T) {
            assert_eq!(T::from_value(it.clone().into_value()), Ok(it));
        }

        back(-7);
        back(true);
        back(0.5);
        back("text".to_owned());
        back(DateTime::new((2001, 2, 3), (4, 5, 6)).unwrap());
        back(Base64(vec![0, 255]));
        back(vec![Some(1), None]);
        back(Struct::new().with("a", ()));
        back(());
    }

    #[test]
    fn another_type_is_named() {
        let error = i32::from_value(Value::String("7".to_owned())).unwrap_err();

        assert_eq!(error.to_string(), "string where int was expected");
    }
}
