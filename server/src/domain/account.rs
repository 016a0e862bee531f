//! Accounts: what a password opens.

use crate::domain::{
    AccountId, AccountName, CustomField, FreeText, PolicyId, ResourceId, SecretKind, Timestamp,
    UserId,
};

/// An account of a resource, without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id: a decimal string outside.
    pub id: AccountId,
    /// The resource it is on.
    pub resource: ResourceId,
    /// Its name, unique on the resource.
    pub name: AccountName,
    /// What kind of secret it keeps.
    pub kind: SecretKind,
    /// What else there is to know.
    pub notes: FreeText,
    /// Fields the operator named.
    pub fields: Vec<CustomField>,
    /// Its password policy; `None` is the resource's.
    pub policy: Option<PolicyId>,
    /// Whether a retrieval or change must give a reason; `None` is the resource's.
    pub reason_demanded: Option<bool>,
    /// Whether a retrieval or change must give a ticket; `None` is the resource's.
    pub ticket_demanded: Option<bool>,
    /// The version of its password that is in force, beginning with 1.
    pub secret: SecretVersion,
    /// Where the oldest version still kept begins.
    pub oldest: SecretVersion,
    /// When it was made.
    pub created: Timestamp,
    /// When its password last changed.
    pub changed: Timestamp,
}

/// Which password of an account, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretVersion(pub u64);

/// When and by whom a password became the one in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which password.
    pub version: SecretVersion,
    /// When.
    pub at: Timestamp,
    /// By whom; `None` is the operator on the machine.
    pub by: Option<UserId>,
    /// Whether it was generated.
    pub generated: bool,
}
