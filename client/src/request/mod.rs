//! The operations, each as a request that is filled in and sent.
//!
//! The names and the order of the parameters are those of the Java wrapper.

mod change_password;
mod create_resource;
mod retrieve_password;

pub use change_password::ChangePassword;
pub use create_resource::CreateResource;
pub use retrieve_password::RetrievePassword;

use xmlrpc_codec::Value;

use crate::{Error, Secret};

/// A secret as a parameter. The copy is wiped as soon as the request is written.
fn exposed(secret: &Secret) -> Value {
    Value::String(secret.expose().to_owned())
}

/// The answer of an operation that may generate a password: `true`, or that password.
fn generated(answer: Value) -> Result<Option<Secret>, Error> {
    match answer {
        Value::Bool(true) => Ok(None),
        Value::String(text) => Ok(Some(Secret::from(text))),
        other => Err(Error::Unexpected {
            found: other.type_name(),
        }),
    }
}
