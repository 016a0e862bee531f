//! From what the vault says to what the caller reads: the one place for codes and messages.

use xmlrpc_codec::{Fault, FaultCode, Struct, Value};

use crate::domain::Password;
use crate::doors::Ending;
use crate::doors::refusal::{self, ResultCode};
use crate::doors::xmlrpc::method::Form;
use crate::vault::VaultError;

/// What is said to a caller who does not get what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ResultCode,
    pub(super) message: String,
}

impl Refusal {
    fn new(code: ResultCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The refusal as a fault.
    pub(super) fn into_fault(self) -> Fault {
        Fault {
            code: self.code as i32,
            message: self.message,
        }
    }

    /// How the request ended, for whoever counts.
    pub(super) fn ending(&self) -> Ending {
        match self.code {
            ResultCode::Unavailable | ResultCode::ResetFailed => Ending::Failed,
            ResultCode::ResourceExists
            | ResultCode::Refused
            | ResultCode::NotAllowed
            | ResultCode::ReasonRequired
            | ResultCode::TicketRequired
            | ResultCode::Policy
            | ResultCode::Invalid
            | ResultCode::ReadOnly
            | ResultCode::Unidentified
            | ResultCode::Conflict
            | ResultCode::Waiting
            | ResultCode::InUse => Ending::Refused,
        }
    }
}

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        match refusal::refusal(error) {
            (ResultCode::Unidentified, why) => {
                Self::new(ResultCode::Unidentified, format!("{why}."))
            }
            (code, message) => Self::new(code, message),
        }
    }
}

/// A success in the method's form.
pub(super) fn success(form: Form, password: Option<&Password>) -> Value {
    match (form, password) {
        (Form::Struct, None) => Value::Struct(result(SUCCESS, "SUCCESS")),
        (Form::Struct, Some(password)) => {
            Value::Struct(result(SUCCESS, "SUCCESS").with("password", password.expose()))
        }
        (Form::Value, None) => Value::Bool(true),
        (Form::Value, Some(password)) => Value::String(password.expose().to_owned()),
    }
}

/// A refusal in the method's form. Whoever is nobody gets a fault from every method.
pub(super) fn refusal(form: Form, refusal: Refusal) -> Result<Value, Fault> {
    match (form, refusal.code) {
        (Form::Value, _) | (Form::Struct, ResultCode::Unidentified) => Err(refusal.into_fault()),
        (Form::Struct, code) => Ok(Value::Struct(result(code as i32, refusal.message))),
    }
}

/// The result code of what was done.
const SUCCESS: i32 = 0;

fn result(code: i32, message: impl Into<String>) -> Struct {
    Struct::new()
        .with("resultCode", code)
        .with("message", message.into())
}

/// A fault of the protocol.
pub(super) fn fault(code: FaultCode, message: impl Into<String>) -> Fault {
    Fault {
        code: code.into(),
        message: message.into(),
    }
}

/// The fault for a method that does not exist; a name from outside comes back shortened and
/// without what XML or a terminal could stumble over.
pub(super) fn no_such_handler(name: &str) -> Fault {
    let shown: String = name
        .chars()
        .take(LONGEST_NAME)
        .map(|c| if c.is_ascii_graphic() { c } else { '?' })
        .collect();
    fault(
        FaultCode::MethodNotFound,
        format!("No such handler: {shown}"),
    )
}

const LONGEST_NAME: usize = 100;

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::domain::PolicyViolation;
    use crate::vault::{Hurdle, Outage};

    #[test]
    fn every_refusal_has_its_code_and_message() {
        let why = || "why".to_owned();
        let table = [
            (
                VaultError::ResourceExists,
                1,
                "Resource with the given resource name already exists.",
            ),
            (
                VaultError::Refused,
                2,
                "No such resource or account, or it is not shared with you.",
            ),
            (VaultError::NotAllowed, 3, "You are not allowed to do this."),
            (VaultError::ReasonRequired, 4, "A reason must be given."),
            (VaultError::TicketRequired, 5, "A ticket id must be given."),
            (VaultError::Invalid(why()), 7, "Invalid argument: why."),
            (
                VaultError::Exists("an account with this name"),
                7,
                "There already is an account with this name.",
            ),
            (
                VaultError::NotFound("policy"),
                7,
                "There is no such policy.",
            ),
            (
                VaultError::RemoteReset(why()),
                8,
                "Password reset failed: why.",
            ),
            (
                VaultError::ReadOnly,
                9,
                "This server is a secondary: it answers retrievals only.",
            ),
            (
                VaultError::Unavailable(Outage::Part("audit trail")),
                10,
                "The server cannot do this now (audit trail). Try again later.",
            ),
            (VaultError::Unidentified(why()), 11, "why."),
            (
                VaultError::Conflict,
                12,
                "Somebody else is changing the same thing. Try again.",
            ),
        ];

        for (error, code, message) in table {
            let refusal = Refusal::from(error);
            assert_eq!(
                (refusal.code as i32, refusal.message.as_str()),
                (code, message)
            );
        }
        let policy = Refusal::from(VaultError::Policy(PolicyViolation::Reused(3)));
        assert_eq!(policy.code, ResultCode::Policy);
        assert!(
            policy
                .message
                .starts_with("The password does not keep its policy: ")
        );
    }

    #[test]
    fn every_refusal_of_access_control_has_its_code_and_message() {
        let table = [
            (
                VaultError::OwnRequest,
                3,
                "Nobody decides about a request of their own.",
            ),
            (
                VaultError::Waiting(Hurdle::Request),
                13,
                "This password is given out on request only. Request it first.",
            ),
            (
                VaultError::Waiting(Hurdle::Approval),
                13,
                "Waiting for approval.",
            ),
            (
                VaultError::Waiting(Hurdle::CheckOut),
                13,
                "The request is approved. Check the password out first.",
            ),
            (
                VaultError::InUse("why".to_owned()),
                14,
                "The password is in use: why holds it.",
            ),
            (
                VaultError::Held,
                14,
                "The password is in use: you hold it already.",
            ),
        ];

        for (error, code, message) in table {
            let refusal = Refusal::from(error);
            assert_eq!(
                (refusal.code as i32, refusal.message.as_str()),
                (code, message)
            );
        }
    }

    #[test]
    fn a_refusal_is_a_struct_or_a_fault_by_the_methods_form() {
        let refused = || Refusal::from(VaultError::NotAllowed);
        let stranger = || Refusal::from(VaultError::Unidentified("who".to_owned()));

        let value = refusal(Form::Struct, refused()).unwrap();
        let members = value.as_struct().unwrap();
        assert_eq!(members.get("resultCode"), Some(&Value::Int(3)));
        assert_eq!(members.len(), 2);
        assert_eq!(refusal(Form::Value, refused()).unwrap_err().code, 3);
        assert_eq!(refusal(Form::Struct, stranger()).unwrap_err().code, 11);
    }

    #[test]
    fn a_success_carries_the_password_where_there_is_one() {
        let password = Password::parse(Zeroizing::new("s3cret".to_owned())).unwrap();

        let value = success(Form::Struct, Some(&password));
        assert_eq!(
            value
                .as_struct()
                .unwrap()
                .get("password")
                .and_then(Value::as_str),
            Some("s3cret")
        );
        let value = success(Form::Struct, None);
        assert_eq!(
            value.as_struct().unwrap().get("message").unwrap().as_str(),
            Some("SUCCESS")
        );
        assert_eq!(
            success(Form::Value, Some(&password)).as_str(),
            Some("s3cret")
        );
        assert_eq!(success(Form::Value, None), Value::Bool(true));
    }

    #[test]
    fn a_foreign_name_comes_back_short_and_clean() {
        let fault = no_such_handler("PMP.Password.Retrieve");
        assert_eq!(
            (fault.code, fault.message.as_str()),
            (-32601, "No such handler: PMP.Password.Retrieve")
        );
        let message = no_such_handler("a\u{1b}[2J\0é\nb").message;
        assert_eq!(message, "No such handler: a?[2J???b");
        assert_eq!(no_such_handler(&"x".repeat(500)).message.len(), 17 + 100);
    }
}
