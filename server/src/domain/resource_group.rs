//! Groups of resources: what is shared of one is shared of everything in it.

use crate::domain::{FreeText, GroupName, OrgId, ResourceGroupId, Timestamp};

/// A group of resources of one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceGroup {
    /// Its id.
    pub id: ResourceGroupId,
    /// The organisation it belongs to.
    pub org: OrgId,
    /// Its name; unique among the groups of resources of its organisation.
    pub name: GroupName,
    /// What it is for.
    pub description: FreeText,
    /// When it was made.
    pub created: Timestamp,
}
