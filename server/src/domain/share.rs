//! Shares: who may do what with something that another user owns.

use std::fmt;
use std::str::FromStr;

use crate::domain::{AccountId, GroupId, ResourceGroupId, ResourceId, UserId};

/// What a share allows; each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// See it and retrieve its passwords.
    View,
    /// Change its passwords too.
    Modify,
    /// Edit, delete and share it too.
    Manage,
}

impl Level {
    /// The word for it on every wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Modify => "modify",
            Self::Manage => "manage",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::View, Self::Modify, Self::Manage]
            .into_iter()
            .find(|l| l.as_str() == text)
            .ok_or(())
    }
}

/// What is shared: a whole resource, or one account of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The resource.
    pub resource: ResourceId,
    /// One account of it; `None` is all of them, now and later.
    pub account: Option<AccountId>,
}

/// With whom something is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grantee {
    /// A user.
    User(UserId),
    /// Everybody who is in a group, as long as they are.
    Group(GroupId),
    /// Whoever has a share of a group of resources: the resource is in that group.
    ResourceGroup(ResourceGroupId),
}

impl Grantee {
    /// The first number of a group of either kind.
    pub const GROUPS: u64 = 1 << 63;

    /// The one number that stands for it: groups behind all users, groups of resources behind all
    /// groups.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::User(user) => user.0,
            Self::Group(group) => group.0 | Self::GROUPS,
            Self::ResourceGroup(group) => group.0 | Self::GROUPS | SETS,
        }
    }

    /// Whom a number stands for.
    #[must_use]
    pub fn of_number(number: u64) -> Self {
        match (number & Self::GROUPS != 0, number & SETS != 0) {
            (false, _) => Self::User(UserId(number)),
            (true, false) => Self::Group(GroupId(number & !Self::GROUPS)),
            (true, true) => Self::ResourceGroup(ResourceGroupId(number & !(Self::GROUPS | SETS))),
        }
    }
}

/// Groups of resources among all groups.
const SETS: u64 = 1 << 62;

/// A share given to a user or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// What is shared.
    pub target: Target,
    /// With whom.
    pub with: Grantee,
    /// What it allows.
    pub level: Level,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_number_of_their_own() {
        let all = [
            Grantee::User(UserId(7)),
            Grantee::Group(GroupId(7)),
            Grantee::ResourceGroup(ResourceGroupId(7)),
        ];

        for one in all {
            assert_eq!(Grantee::of_number(one.number()), one);
        }
        assert_eq!(all.map(Grantee::number).map(|number| number & 0xFF), [7; 3]);
    }
}
