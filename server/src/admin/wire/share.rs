//! Shares.

use serde::{Deserialize, Serialize};

/// A share given to a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The resource's name.
    pub resource: String,
    /// The account's name; null is the whole resource.
    pub account: Option<String>,
    /// The user's login.
    pub user: String,
    /// `view`, `modify` or `manage`.
    pub level: String,
}

/// A share to be given, or to be given at another level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewShare {
    /// The resource's name.
    pub resource: String,
    /// The account's name; the whole resource if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The user's login.
    pub user: String,
    /// `view`, `modify` or `manage`.
    pub level: String,
}
