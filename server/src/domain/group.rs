//! Groups of users: what is shared with one is shared with everybody in it.

use crate::domain::{FreeText, GroupId, GroupName, OrgId, Timestamp};

/// A group of users of one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// The organisation it belongs to.
    pub org: OrgId,
    /// Its name; unique in its organisation.
    pub name: GroupName,
    /// What it is for.
    pub description: FreeText,
    /// When it was made.
    pub created: Timestamp,
}
