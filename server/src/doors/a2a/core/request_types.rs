//! The original's types of access requests, and the kinds of secrets that they are for.

use http::StatusCode;

use crate::domain::SecretKind;
use crate::doors::a2a::reply::Refusal;

/// The kind of secret that a type, in whatever case, is for.
///
/// # Errors
/// 403/90408 for a type of session, of which there are none here; 400 for what is no type.
pub(super) fn kind(word: &str) -> Result<SecretKind, Refusal> {
    let is = |other: &&str| word.eq_ignore_ascii_case(other);
    match () {
        () if is(&"Password") => Ok(SecretKind::Password),
        () if is(&"SshKey") => Ok(SecretKind::SshKey),
        () if is(&"ApiKey") => Ok(SecretKind::ApiKey),
        () if is(&"File") => Ok(SecretKind::File),
        () if SESSIONS.iter().any(is) => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            NOT_THIS_TYPE,
            "User is not authorized to use this request type. There are no sessions here.",
        )),
        () => Err(Refusal::field("entity.AccessRequestType", TYPES)),
    }
}

/// The type that is for a kind of secret.
pub(super) fn word(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::Password => "Password",
        SecretKind::SshKey => "SshKey",
        SecretKind::ApiKey => "ApiKey",
        SecretKind::File => "File",
    }
}

const SESSIONS: [&str; 4] = ["Ssh", "RemoteDesktop", "RemoteDesktopApplication", "Telnet"];
/// User is not authorized to use this request type.
const NOT_THIS_TYPE: i32 = 90408;
const TYPES: &str = "It is one of Password, SshKey, ApiKey and File.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_leads_to_its_kind_and_back_and_sessions_are_refused() {
        for kept in SecretKind::ALL {
            assert_eq!(kind(word(kept)), Ok(kept));
        }
        assert_eq!(kind("SSHKey"), Ok(SecretKind::SshKey));
        assert_eq!(kind("SSH").unwrap_err().code, 90408);
        assert_eq!(kind("").unwrap_err().status.as_u16(), 400);
    }
}
