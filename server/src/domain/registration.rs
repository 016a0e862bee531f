//! What an application may have by API key: single accounts, and requests in users' names.

use crate::domain::{
    AccountId, ApplicationId, GroupId, Host, OrgId, ResourceId, Timestamp, UserId,
};

/// An account that an application retrieves by an API key, without any share of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retrievable {
    /// The application.
    pub application: ApplicationId,
    /// The organisation of both.
    pub org: OrgId,
    /// The resource that the account is on.
    pub resource: ResourceId,
    /// The account.
    pub account: AccountId,
    /// From where its key counts; from anywhere when there is none.
    pub from: Vec<Host>,
    /// Since when.
    pub created: Timestamp,
}

/// In whose names an application raises requests, by an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// The application.
    pub application: ApplicationId,
    /// Its organisation.
    pub org: OrgId,
    /// From where its key counts; from anywhere when there is none.
    pub from: Vec<Host>,
    /// These users.
    pub users: Vec<UserId>,
    /// And whoever is in one of these groups.
    pub groups: Vec<GroupId>,
    /// Whether whoever said so reaches everything: otherwise it speaks for nobody who does, now or
    /// later.
    pub wide: bool,
}
