//! What the vault's refusals are called by every door that callers match on: one code and one
//! message for each.

use crate::vault::{Hurdle, VaultError};

/// The result codes, as documented for callers in `docs/xmlrpc-codes.md` and `docs/rest.md`: they
/// stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum ResultCode {
    ResourceExists = 1,
    Refused = 2,
    NotAllowed = 3,
    ReasonRequired = 4,
    TicketRequired = 5,
    Policy = 6,
    Invalid = 7,
    ResetFailed = 8,
    ReadOnly = 9,
    Unavailable = 10,
    Unidentified = 11,
    Conflict = 12,
    Waiting = 13,
    InUse = 14,
}

/// The code and the message for what the vault says.
pub(crate) fn refusal(error: VaultError) -> (ResultCode, String) {
    use ResultCode as Code;
    let said = |code, message: &str| (code, message.to_owned());
    match error {
        VaultError::ResourceExists => said(
            Code::ResourceExists,
            "Resource with the given resource name already exists.",
        ),
        VaultError::Refused => said(
            Code::Refused,
            "No such resource or account, or it is not shared with you.",
        ),
        VaultError::NotAllowed => said(Code::NotAllowed, "You are not allowed to do this."),
        VaultError::ReasonRequired => said(Code::ReasonRequired, "A reason must be given."),
        VaultError::TicketRequired => said(Code::TicketRequired, "A ticket id must be given."),
        VaultError::OwnRequest => said(
            Code::NotAllowed,
            "Nobody decides about a request of their own.",
        ),
        VaultError::Waiting(hurdle) => said(Code::Waiting, waiting(hurdle)),
        VaultError::InUse(holder) => (
            Code::InUse,
            format!("The password is in use: {holder} holds it."),
        ),
        VaultError::Held => said(Code::InUse, "The password is in use: you hold it already."),
        VaultError::Policy(violation) => (
            Code::Policy,
            format!("The password does not keep its policy: {violation}."),
        ),
        VaultError::Invalid(why) => (Code::Invalid, format!("Invalid argument: {why}.")),
        VaultError::Exists(what) => (Code::Invalid, format!("There already is {what}.")),
        VaultError::NotFound(what) => (Code::Invalid, format!("There is no such {what}.")),
        VaultError::RemoteReset(why) => {
            (Code::ResetFailed, format!("Password reset failed: {why}."))
        }
        VaultError::ReadOnly => said(
            Code::ReadOnly,
            "This server is a secondary: it answers retrievals only.",
        ),
        VaultError::Unavailable(outage) => (
            Code::Unavailable,
            format!("The server cannot do this now ({outage}). Try again later."),
        ),
        VaultError::Unidentified(why) => (Code::Unidentified, why),
        VaultError::Conflict => said(
            Code::Conflict,
            "Somebody else is changing the same thing. Try again.",
        ),
    }
}

fn waiting(hurdle: Hurdle) -> &'static str {
    match hurdle {
        Hurdle::Request => "This password is given out on request only. Request it first.",
        Hurdle::Approval => "Waiting for approval.",
        Hurdle::CheckOut => "The request is approved. Check the password out first.",
        Hurdle::Time => "The request is for later. Its time has not come.",
    }
}
