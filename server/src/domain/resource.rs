//! Resources: things that have accounts.

use crate::domain::{FreeText, OrgId, PolicyId, ResourceId, ResourceName, Timestamp, UserId};

/// A field the operator named: up to twenty on a resource, and on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    /// Its label.
    pub label: FreeText,
    /// Its value.
    pub value: FreeText,
}

impl CustomField {
    /// The most of them on one resource or account.
    pub const LIMIT: usize = 20;
}

/// A host, database or program whose accounts are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its id: a decimal string outside.
    pub id: ResourceId,
    /// The organisation it belongs to.
    pub org: OrgId,
    /// Its name, unique in the organisation.
    pub name: ResourceName,
    /// What kind of thing it is: `Linux`, `Windows`, `PostgreSQL`, … the operator's word.
    pub kind: FreeText,
    /// Who may do everything with it; `None` is the operator's own, whom only super administrators
    /// and shares reach.
    pub owner: Option<UserId>,
    /// Its DNS name or address.
    pub address: FreeText,
    /// Where its web page is.
    pub url: FreeText,
    /// What it is for.
    pub description: FreeText,
    /// What else there is to know.
    pub notes: FreeText,
    /// The department it belongs to.
    pub department: FreeText,
    /// Where it stands.
    pub location: FreeText,
    /// Fields the operator named.
    pub fields: Vec<CustomField>,
    /// The password policy of its accounts; `None` is the organisation's default.
    pub policy: Option<PolicyId>,
    /// Whether a retrieval or change must give a reason; `None` is the system's setting.
    pub reason_demanded: Option<bool>,
    /// Whether a retrieval or change must give a ticket; `None` is the system's setting.
    pub ticket_demanded: Option<bool>,
    /// When it was made.
    pub created: Timestamp,
}
