//! Shares: who may do what with something that another user owns.

use std::fmt;
use std::str::FromStr;

use crate::domain::{AccountId, GroupId, ResourceId, UserId};

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
}

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
