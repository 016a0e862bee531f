//! What is sent: a call, and its answer.

use std::fmt;

use crate::{IntoValue, Value};

/// A method and what it is called with.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The method's name: letters, digits, `_`, `.`, `:` and `/`.
    pub method: String,
    /// The parameters in their order.
    pub params: Vec<Value>,
}

impl Call {
    /// A call without parameters.
    pub fn new(method: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            params: Vec::new(),
        }
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, param: impl IntoValue) -> Self {
        self.params.push(param.into_value());
        self
    }
}

/// What comes back: a value or a fault.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// The method's result.
    Value(Value),
    /// Why there is none.
    Fault(Fault),
}

impl Response {
    /// An answer with a value.
    pub fn value(value: impl IntoValue) -> Self {
        Self::Value(value.into_value())
    }

    /// An answer with a fault.
    pub fn fault(code: impl Into<i32>, message: impl Into<String>) -> Self {
        Self::Fault(Fault {
            code: code.into(),
            message: message.into(),
        })
    }

    /// The value.
    ///
    /// # Errors
    /// The [`Fault`], where it is one.
    pub fn into_result(self) -> Result<Value, Fault> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Fault(fault) => Err(fault),
        }
    }
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which kind of failure, by the server's own table or [`FaultCode`](crate::FaultCode).
    pub code: i32,
    /// What it says to people.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (fault {})", self.message, self.code)
    }
}

impl std::error::Error for Fault {}

/// Whether XML-RPC admits it as a method's name.
pub(crate) fn is_method_name(name: &str) -> bool {
    let admitted = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/".contains(&byte);
    !name.is_empty() && name.bytes().all(admitted)
}
