//! Sessions.

use serde::{Deserialize, Serialize};

use super::SecretText;

/// What somebody signs in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The organisation; the default one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The person's name, in whatever case.
    pub name: String,
    /// Its password.
    pub password: SecretText,
    /// A code of its authenticator, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<SecretText>,
}

/// That somebody has signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What to send as `Authorization: Bearer` from now on: shown here, and never again.
    pub token: SecretText,
    /// Until when.
    pub expires: String,
    /// Who it is.
    pub who: SignedIn,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Its login.
    pub login: String,
    /// `administrator`, `password-administrator`, `password-auditor` or `password-user`.
    pub role: String,
    /// Its organisation; empty for the operator.
    pub organisation: String,
}
