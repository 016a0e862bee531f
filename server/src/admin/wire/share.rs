//! Shares.

use serde::{Deserialize, Serialize};

/// A share given to a user or a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The resource's name.
    pub resource: String,
    /// The account's name; null is the whole resource.
    pub account: Option<String>,
    /// The user's login; null where it is shared with a group.
    pub user: Option<String>,
    /// The group's name; null where it is shared with a user.
    pub group: Option<String>,
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
    /// The user's login; either this or `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The group's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `view`, `modify` or `manage`.
    pub level: String,
}
