//! Import and export: one line of JSON (NDJSON) per account.

use serde::{Deserialize, Serialize};

use super::SecretText;

/// An account with what is known of its resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferRow {
    /// The resource's name.
    pub resource: String,
    /// What kind of thing it is.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The resource's DNS name or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the resource is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The login of the resource's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The account's name.
    pub account: String,
    /// The password; generated on import if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretText>,
    /// What else there is to know of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// How many accounts were made, or would be.
    pub accounts: u64,
    /// How many of them without a password of their own: one was generated.
    pub generated: u64,
    /// The lines that cannot be imported.
    pub bad: Vec<BadLine>,
}

/// A line that cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadLine {
    /// Which line of the request, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}
