//! One value of XML-RPC.

use std::fmt;

use crate::{DateTime, FromValue, Struct, TypeError};

/// A value: one of the eight types of XML-RPC 1.0, or nil.
///
/// `Debug` shows the shape only: texts and bytes appear as their length.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// `<int>` or `<i4>`.
    Int(i32),
    /// `<boolean>`.
    Bool(bool),
    /// `<string>`, or a text without a type.
    String(String),
    /// `<double>`: finite.
    Double(f64),
    /// `<dateTime.iso8601>`.
    DateTime(DateTime),
    /// `<base64>`.
    Base64(Vec<u8>),
    /// `<struct>`.
    Struct(Struct),
    /// `<array>`.
    Array(Vec<Self>),
    /// `<nil/>`.
    Nil,
}

impl Value {
    /// The name of its type, as in XML-RPC.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::Bool(_) => "boolean",
            Self::String(_) => "string",
            Self::Double(_) => "double",
            Self::DateTime(_) => "dateTime.iso8601",
            Self::Base64(_) => "base64",
            Self::Struct(_) => "struct",
            Self::Array(_) => "array",
            Self::Nil => "nil",
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an int.
    #[must_use]
    pub fn as_int(&self) -> Option<i32> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The value of a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The members of a struct.
    #[must_use]
    pub fn as_struct(&self) -> Option<&Struct> {
        match self {
            Self::Struct(members) => Some(members),
            _ => None,
        }
    }

    /// The elements of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The text of a string, in the very buffer it was decoded into.
    ///
    /// # Errors
    /// [`TypeError`] when it is no string.
    pub fn into_string(self) -> Result<String, TypeError> {
        String::from_value(self)
    }

    /// The members of a struct.
    ///
    /// # Errors
    /// [`TypeError`] when it is no struct.
    pub fn into_struct(self) -> Result<Struct, TypeError> {
        Struct::from_value(self)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "Int({number})"),
            Self::Bool(value) => write!(f, "Bool({value})"),
            Self::String(text) => write!(f, "String({} bytes)", text.len()),
            Self::Double(number) => write!(f, "Double({number})"),
            Self::DateTime(when) => write!(f, "DateTime({when})"),
            Self::Base64(bytes) => write!(f, "Base64({} bytes)", bytes.len()),
            Self::Struct(members) => members.fmt(f),
            Self::Array(elements) => f.debug_list().entries(elements).finish(),
            Self::Nil => f.write_str("Nil"),
        }
    }
}
