//! What a document says.

use std::fmt;

use crate::{Object, Text};

/// A value of a document. `Debug` shows its shape and the lengths of its texts, nothing else.
pub enum Value {
    /// `null` or `None`, not quoted.
    Null,
    /// `true`, `false`, `True` or `False`, not quoted.
    Bool(bool),
    /// A number of JSON, as it was written: nothing is rounded.
    Number(Text),
    /// A text, quoted or not.
    Text(Text),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Object),
}

impl Value {
    /// Texts and numbers as they are, booleans as `true` and `false`; `None` for the others.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.as_str()),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// A boolean, or a text that spells one in whatever case; `None` for the others.
    #[must_use]
    pub fn as_flag(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            Self::Text(text) if text.as_str().eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.as_str().eq_ignore_ascii_case("false") => Some(false),
            Self::Text(_) | Self::Number(_) | Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The elements, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(elements) => Some(elements),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Object(_) => None,
        }
    }

    /// The members, if it is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(members) => Some(members),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Bool(_) => f.write_str("Bool(..)"),
            Self::Number(text) => write!(f, "Number({text:?})"),
            Self::Text(text) => write!(f, "Text({text:?})"),
            Self::List(elements) => f.debug_list().entries(elements).finish(),
            Self::Object(members) => members.fmt(f),
        }
    }
}
