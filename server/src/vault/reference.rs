//! How a caller says which thing it means: by its name, or by its id.
//!
//! Both ways lead to the same look-ups, the same decisions and the same refusals; the audit trail
//! tells names wherever there is a thing that has one.

use std::borrow::Cow;

use crate::domain::{AccountId, ResourceGroupId, ResourceId, UserId};

/// A resource, as a caller means it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResourceRef<'a> {
    /// The one with this name, exactly.
    Named(&'a str),
    /// The one with this id.
    Id(ResourceId),
    /// Whichever the account is on, whose id is then given; alone, it is none.
    #[default]
    OfAccount,
}

/// An account, as a caller means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountRef<'a> {
    /// The one with this name, exactly.
    Named(&'a str),
    /// The one with this id.
    Id(AccountId),
}

/// A user, as a caller means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserRef<'a> {
    /// The one with this login.
    Named(&'a str),
    /// The one with this id.
    Id(UserId),
}

/// A group of resources, as a caller means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceGroupRef<'a> {
    /// The one with this name, exactly.
    Named(&'a str),
    /// The one with this id.
    Id(ResourceGroupId),
}

/// A whole resource, or one account of it, as a caller means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetRef<'a> {
    /// The resource.
    pub resource: ResourceRef<'a>,
    /// The account; `None` is the whole resource.
    pub account: Option<AccountRef<'a>>,
}

/// An account, as a caller means it, and why it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The resource.
    pub resource: ResourceRef<'a>,
    /// The account.
    pub account: AccountRef<'a>,
    /// The reason given; empty is none.
    pub reason: &'a str,
    /// The ticket given; empty is none.
    pub ticket: &'a str,
}

impl<'a> Wanted<'a> {
    /// An account by names, without a reason or a ticket.
    #[must_use]
    pub const fn named(resource: &'a str, account: &'a str) -> Self {
        Self {
            resource: ResourceRef::Named(resource),
            account: AccountRef::Named(account),
            reason: "",
            ticket: "",
        }
    }

    /// An account, without a reason or a ticket.
    #[must_use]
    pub fn of(resource: impl Into<ResourceRef<'a>>, account: impl Into<AccountRef<'a>>) -> Self {
        Self {
            resource: resource.into(),
            account: account.into(),
            reason: "",
            ticket: "",
        }
    }

    /// The same, with a reason and a ticket; empty is none.
    #[must_use]
    pub const fn because(mut self, reason: &'a str, ticket: &'a str) -> Self {
        self.reason = reason;
        self.ticket = ticket;
        self
    }
}

impl<'a> ResourceRef<'a> {
    /// What the audit trail says as long as no name is known.
    pub(super) fn words(self) -> Cow<'a, str> {
        match self {
            Self::Named(name) => name.into(),
            Self::Id(id) => by_id(id.0),
            Self::OfAccount => "".into(),
        }
    }
}

impl<'a> AccountRef<'a> {
    /// What the audit trail says as long as no name is known.
    pub(super) fn words(self) -> Cow<'a, str> {
        match self {
            Self::Named(name) => name.into(),
            Self::Id(id) => by_id(id.0),
        }
    }
}

impl<'a> UserRef<'a> {
    /// What the audit trail says as long as no login is known.
    pub(super) fn words(self) -> Cow<'a, str> {
        match self {
            Self::Named(login) => login.into(),
            Self::Id(id) => by_id(id.0),
        }
    }
}

impl<'a> ResourceGroupRef<'a> {
    /// What the audit trail says as long as no name is known.
    pub(super) fn words(self) -> Cow<'a, str> {
        match self {
            Self::Named(name) => name.into(),
            Self::Id(id) => by_id(id.0),
        }
    }
}

fn by_id(id: u64) -> Cow<'static, str> {
    format!("(id {id})").into()
}

macro_rules! refers {
    ($($reference:ident by $id:ident,)*) => { $(
        impl<'a> From<&'a str> for $reference<'a> {
            fn from(name: &'a str) -> Self {
                Self::Named(name)
            }
        }

        impl<'a> From<&'a String> for $reference<'a> {
            fn from(name: &'a String) -> Self {
                Self::Named(name)
            }
        }

        impl From<$id> for $reference<'_> {
            fn from(id: $id) -> Self {
                Self::Id(id)
            }
        }
    )* };
}

refers! {
    ResourceRef by ResourceId,
    AccountRef by AccountId,
    UserRef by UserId,
    ResourceGroupRef by ResourceGroupId,
}

impl<'a> From<(&'a str, Option<&'a str>)> for TargetRef<'a> {
    fn from((resource, account): (&'a str, Option<&'a str>)) -> Self {
        Self {
            resource: resource.into(),
            account: account.map(Into::into),
        }
    }
}

impl<'a> From<ResourceRef<'a>> for TargetRef<'a> {
    fn from(resource: ResourceRef<'a>) -> Self {
        Self {
            resource,
            account: None,
        }
    }
}

impl<'a> From<(ResourceRef<'a>, AccountRef<'a>)> for TargetRef<'a> {
    fn from((resource, account): (ResourceRef<'a>, AccountRef<'a>)) -> Self {
        Self {
            resource,
            account: Some(account),
        }
    }
}
