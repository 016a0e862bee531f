//! Groups of resources.

use serde::{Deserialize, Serialize};

/// A group of resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceGroup {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created: String,
}

/// A resource in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupedResource {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A share of a group of resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupShare {
    /// The user's login; null where it is shared with a group.
    pub user: Option<String>,
    /// The group's name; null where it is shared with a user.
    pub group: Option<String>,
    /// `view`, `modify` or `manage`.
    pub level: String,
}

/// A share of a group of resources to be given, or to be given at another level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGroupShare {
    /// The user's login; either this or `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The name of a group of users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `view`, `modify` or `manage`.
    pub level: String,
}
