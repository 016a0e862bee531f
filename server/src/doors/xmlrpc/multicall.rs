//! Several calls in one: each authorised, audited and answered alone.

use xmlrpc_codec::{Fault, FaultCode, Struct, Value};

use crate::doors::xmlrpc::answer::fault;
use crate::doors::xmlrpc::dispatch::Params;
use crate::doors::xmlrpc::introspect::wrong_number;
use crate::doors::xmlrpc::method::{Method, Operation};

/// One call of several, or why it is none.
pub(super) type Inner = Result<(String, Params), Fault>;

/// Reads what `system.multicall` was called with.
pub(super) fn read(params: &mut [Value], limit: usize) -> Result<Vec<Inner>, Fault> {
    let [calls] = params else {
        return Err(wrong_number(1, params.len()));
    };
    let Value::Array(calls) = calls else {
        let message = format!(
            "parameter 1 (calls) must be an array, not {}",
            calls.type_name()
        );
        return Err(fault(FaultCode::InvalidParameters, message));
    };
    if calls.len() > limit {
        let message = format!("at most {limit} calls in one, not {}", calls.len());
        return Err(fault(FaultCode::InvalidParameters, message));
    }
    Ok(std::mem::take(calls).into_iter().map(inner).collect())
}

/// What one call of several came to, as it is answered.
pub(super) fn answered(result: Result<Value, Fault>) -> Value {
    match result {
        Ok(value) => Value::Array(vec![value]),
        Err(fault) => Value::Struct(
            Struct::new()
                .with("faultCode", fault.code)
                .with("faultString", fault.message),
        ),
    }
}

fn inner(call: Value) -> Inner {
    let malformed = || {
        let message = "each call must be a struct of methodName (string) and params (array) alone";
        fault(FaultCode::InvalidRequest, message)
    };
    let mut call = Params::new(vec![call]);
    let [Value::Struct(members)] = call.as_mut_slice() else {
        return Err(malformed());
    };
    let (name, params) = (members.take("methodName"), members.take("params"));
    let params = params.unwrap_or_else(|| Value::Array(Vec::new()));
    match (name, params, members.is_empty()) {
        (Some(Value::String(name)), Value::Array(params), true) => {
            let params = Params::new(params);
            if is_multicall(&name) {
                let message = "a system.multicall within another";
                return Err(fault(FaultCode::InvalidRequest, message));
            }
            Ok((name, params))
        }
        (_, params, _) => {
            drop(Params::new(vec![params]));
            Err(malformed())
        }
    }
}

fn is_multicall(name: &str) -> bool {
    Method::named(name).is_some_and(|method| method.operation == Operation::Multicall)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str) -> Value {
        let params = Value::Array(vec![Value::String("p".to_owned())]);
        Value::Struct(
            Struct::new()
                .with("methodName", name)
                .with("params", params),
        )
    }

    fn codes(calls: Vec<Value>) -> Vec<i32> {
        let calls = read(&mut [Value::Array(calls)], 64).unwrap();
        calls
            .into_iter()
            .map(|call| call.map_or_else(|fault| fault.code, |_| 0))
            .collect()
    }

    #[test]
    fn a_call_is_a_name_and_its_parameters() {
        let mut calls = read(&mut [Value::Array(vec![call("retrievePassword")])], 64).unwrap();

        let (name, mut params) = calls.remove(0).unwrap();
        assert_eq!(name, "retrievePassword");
        assert_eq!(params.as_mut_slice(), [Value::String("p".to_owned())]);
    }

    #[test]
    fn what_is_no_call_is_a_fault_of_its_own_and_leaves_the_others_alone() {
        let nameless = Value::Struct(Struct::new().with("params", Value::Array(vec![])));
        let number = Value::Struct(Struct::new().with("methodName", 1));
        let bare = Value::Struct(Struct::new().with("methodName", "system.listMethods"));
        let extra = Value::Struct(Struct::new().with("methodName", "a").with("b", "c"));
        let loose = Value::Struct(Struct::new().with("methodName", "a").with("params", "c"));

        let found = codes(vec![
            call("a"),
            Value::Int(1),
            nameless,
            number,
            bare,
            extra,
            loose,
            call("system.multicall"),
            call("b"),
        ]);

        let bad = FaultCode::InvalidRequest as i32;
        assert_eq!(found, [0, bad, bad, bad, 0, bad, bad, bad, 0]);
    }

    #[test]
    fn there_may_be_as_many_calls_as_the_limit_and_no_more() {
        let calls = |count| vec![Value::Array(vec![call("a"); count])];

        assert_eq!(read(&mut calls(64), 64).unwrap().len(), 64);
        let fault = read(&mut calls(65), 64).unwrap_err();
        assert_eq!(fault.code, i32::from(FaultCode::InvalidParameters));
        assert_eq!(fault.message, "at most 64 calls in one, not 65");
        assert_eq!(read(&mut [Value::Nil], 64).unwrap_err().code, -32602);
        assert_eq!(read(&mut [], 64).unwrap_err().code, -32602);
    }
}
