//! Secrets that are no passwords.

use serde::{Deserialize, Serialize};

use super::SecretText;

/// A file, an SSH private key or an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// `file`, `ssh-key` or `api-key`; `password` for one of an account's history.
    pub kind: String,
    /// The file's name, or the API key's; an SSH key has none.
    #[serde(default)]
    pub name: Option<String>,
    /// The secret: base64 (RFC 4648 §4) of a file, otherwise the text itself.
    pub content: SecretText,
}

/// Another file, key or pair for an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaterialChange {
    /// What it keeps from now on: of the same kind as before.
    pub secret: Material,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// Why a secret is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}
