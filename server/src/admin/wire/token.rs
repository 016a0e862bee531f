//! REST tokens.

use serde::{Deserialize, Serialize};

use super::SecretText;

/// What is known of a token; not the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// When it was issued.
    pub issued: String,
    /// The moment from which it counts no more.
    pub expires: Option<String>,
    /// `live`, `revoked` or `expired`.
    pub state: String,
}

/// A token to be issued.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Its last day (`2027-01-31`, in UTC), or `never`; as the setting `token-days` says if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// A token that has just been issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedToken {
    /// The token: shown here, and never again.
    pub secret: SecretText,
    /// What is known of it.
    pub token: Token,
}
