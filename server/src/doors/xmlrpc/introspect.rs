//! What the door says about itself.

use xmlrpc_codec::{Fault, FaultCode, Value};

use crate::doors::xmlrpc::answer::{fault, no_such_handler};
use crate::doors::xmlrpc::method::Method;

/// The names of all methods.
pub(super) fn list_methods(params: &[Value]) -> Result<Value, Fault> {
    if !params.is_empty() {
        return Err(wrong_number(0, params.len()));
    }
    let names = Method::ALL.iter().map(|method| text(method.name));
    Ok(Value::Array(names.collect()))
}

/// The ways to call one method.
pub(super) fn method_signature(params: &[Value]) -> Result<Value, Fault> {
    let ways = named(params)?.signatures();
    let ways = ways.map(|types| Value::Array(types.into_iter().map(text).collect()));
    Ok(Value::Array(ways.collect()))
}

/// What one method does.
pub(super) fn method_help(params: &[Value]) -> Result<Value, Fault> {
    Ok(Value::String(named(params)?.help()))
}

fn named(params: &[Value]) -> Result<&'static Method, Fault> {
    match params {
        [Value::String(name)] => Method::named(name).ok_or_else(|| no_such_handler(name)),
        [other] => Err(fault(
            FaultCode::InvalidParameters,
            format!(
                "parameter 1 (methodName) must be a string, not {}",
                other.type_name()
            ),
        )),
        _ => Err(wrong_number(1, params.len())),
    }
}

pub(super) fn wrong_number(expected: usize, found: usize) -> Fault {
    let message = format!("{expected} parameters expected, not {found}");
    fault(FaultCode::InvalidParameters, message)
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_method_has_a_signature_and_help() {
        let names = list_methods(&[]).unwrap();

        let names = names.as_array().unwrap();
        assert_eq!(names.len(), Method::ALL.len());
        for name in names {
            let signatures = method_signature(std::slice::from_ref(name)).unwrap();
            assert!(!signatures.as_array().unwrap().is_empty());
            assert!(
                method_help(std::slice::from_ref(name))
                    .unwrap()
                    .as_str()
                    .is_some()
            );
        }
    }

    #[test]
    fn a_wrong_question_is_a_fault() {
        assert_eq!(list_methods(&[text("x")]).unwrap_err().code, -32602);
        assert_eq!(method_help(&[]).unwrap_err().code, -32602);
        assert_eq!(method_help(&[Value::Int(1)]).unwrap_err().code, -32602);
        assert_eq!(
            method_signature(&[text("system.none")])
                .unwrap_err()
                .message,
            "No such handler: system.none"
        );
    }
}
