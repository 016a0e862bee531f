//! Access control and requests.

use serde::{Deserialize, Serialize};

/// What stands before the passwords of a resource or of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessControl {
    /// The resource's name.
    pub resource: String,
    /// The account's name; null is the whole resource.
    pub account: Option<String>,
    /// The logins of those who may approve; none, and no group, is whoever may manage it.
    pub approvers: Vec<String>,
    /// The groups of which everybody may approve.
    pub approver_groups: Vec<String>,
    /// How many must approve: 0, 1 or 2.
    pub approvals: u8,
    /// Whether one at a time may hold it.
    pub exclusive: bool,
    /// The longest that it may be held, in minutes.
    pub max_minutes: u64,
    /// Whether a request must give a reason.
    pub reason: bool,
    /// Whether a request must give a ticket.
    pub ticket: bool,
    /// Whether the password changes after its check-in: `local`, `remote` or null.
    pub change_after_checkin: Option<String>,
}

/// Access control to be switched on or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccessControl {
    /// The resource's name.
    pub resource: String,
    /// The account's name; the whole resource if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The logins of those who may approve; none, and no group, is whoever may manage it.
    #[serde(default)]
    pub approvers: Vec<String>,
    /// The groups of which everybody may approve.
    #[serde(default)]
    pub approver_groups: Vec<String>,
    /// How many must approve: 0, 1 or 2; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<u8>,
    /// Whether one at a time may hold it.
    #[serde(default)]
    pub exclusive: bool,
    /// The longest that it may be held, in minutes; 60 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_minutes: Option<u64>,
    /// Whether a request must give a reason.
    #[serde(default)]
    pub reason: bool,
    /// Whether a request must give a ticket.
    #[serde(default)]
    pub ticket: bool,
    /// Whether the password changes after its check-in: `local` or `remote`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_after_checkin: Option<String>,
}

/// A request, or what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRequest {
    /// The resource's name.
    pub resource: String,
    /// The account's name.
    pub account: String,
    /// The login of who wants the password, or holds it.
    pub user: String,
    /// `requested`, `approved` or `checked-out`.
    pub state: String,
    /// What the user sees of the account.
    pub status: String,
    /// How many have approved.
    pub approvals: u64,
    /// The reason that was given.
    pub reason: String,
    /// The ticket that was given.
    pub ticket: String,
    /// When it was raised.
    pub raised: String,
    /// When it lapses, or the check-out ends.
    pub until: String,
}

/// A request to be raised or checked out for a user, or to be decided about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccessRequest {
    /// The resource's name.
    pub resource: String,
    /// The account's name.
    pub account: String,
    /// The login of who wants the password, or holds it.
    pub user: String,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}
