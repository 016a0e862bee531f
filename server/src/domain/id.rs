//! Ids: each its own type, so that a user cannot stand where an account is meant.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// An organisation; `1` is the one made by `init`.
    OrgId
}
id! {
    /// A user: a person or an API user.
    UserId
}
id! {
    /// A group of users.
    GroupId
}
id! {
    /// A group of resources.
    ResourceGroupId
}
id! {
    /// An application: a machine identity that acts for a user.
    ApplicationId
}
id! {
    /// A resource: something that has accounts.
    ResourceId
}
id! {
    /// An account of a resource.
    AccountId
}
id! {
    /// A password policy; the shipped ones are `1` Low, `2` Medium, `3` Strong.
    PolicyId
}
id! {
    /// An access policy.
    AccessPolicyId
}
id! {
    /// A REST token; not the token itself.
    TokenId
}

impl OrgId {
    /// The organisation that exists from the first start.
    pub const DEFAULT: Self = Self(1);
}
