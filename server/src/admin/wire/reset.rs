//! Passwords that are changed on their targets.

use serde::{Deserialize, Serialize};

use crate::admin::wire::SecretText;

/// How the passwords of a resource are to be changed on their target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewResetTarget {
    /// `ssh`, `postgres`, `mysql`, `ldap` or `command`.
    pub connector: String,
    /// Its DNS name or address; the resource's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its port; the usual one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `sealed`, `starttls` or `plain`; sealed if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<String>,
    /// The account that changes the passwords of others; each its own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<HeldAccount>,
    /// The account that puts lost passwords right; the administrative one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<HeldAccount>,
    /// The host key or certificate that it must show, as `SHA256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// For PostgreSQL: the database that is connected to; `postgres` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// For MySQL: the host part of its accounts; `%` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// For LDAP: the DN of an account, with `{account}` where its name stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dn: Option<String>,
    /// For LDAP: whether it is Active Directory.
    #[serde(default)]
    pub active_directory: bool,
    /// For a command: the program and its arguments.
    #[serde(default)]
    pub command: Vec<String>,
}

/// An account that is kept here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldAccount {
    /// The resource's name.
    pub resource: String,
    /// The account's name.
    pub account: String,
}

/// How the passwords of a resource are changed on their target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetTarget {
    /// `ssh`, `postgres`, `mysql`, `ldap` or `command`.
    pub connector: String,
    /// What only that connector must know: a database, a host part, a DN, a command.
    pub details: Vec<String>,
    /// Its DNS name or address.
    pub host: String,
    /// Its port; 0 where it has none.
    pub port: u16,
    /// `sealed`, `starttls` or `plain`.
    pub wire: String,
    /// The account that changes the passwords of others; null where each changes its own.
    pub admin: Option<HeldAccount>,
    /// The account that puts lost passwords right; null where the administrative one does.
    pub reconcile: Option<HeldAccount>,
    /// The host key or certificate that it must show; null until one is trusted.
    pub pin: Option<String>,
}

/// A target to be tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetOrder {
    /// The account that is to log in; the resource's first one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The host key or certificate that is to be trusted from now on, if the target shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetTest {
    /// The host key or certificate that it shows; null where it shows none.
    pub shown: Option<String>,
    /// Whether that is the one trusted.
    pub trusted: bool,
    /// The account that logged in; empty where none did.
    pub account: String,
    /// Whether that went well; null where nobody tried.
    pub login: Option<bool>,
    /// What went wrong; null where nothing did.
    pub trouble: Option<String>,
}

/// A reset of one account's password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetOrder {
    /// The new password; generated if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretText>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// What whoever has looked knows of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettleOrder {
    /// Which password the target has: `new`, `old` (what was in force here when it was told) or
    /// `stored` (what is in force here now); where nothing is said, the target is asked now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// Whether that counts against what the target itself says, too.
    #[serde(default)]
    pub anyway: bool,
}

/// What came of settling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledReset {
    /// Which password is in force now: `new`, `old` or `stored`.
    pub held: String,
    /// Whether the target lets in with that one; null where it did not tell.
    pub login: Option<bool>,
    /// What it said instead, or why it did not tell; null where it lets in.
    pub why: Option<String>,
    /// The versions of the account's history by which those are kept that were given up.
    pub kept: Vec<u64>,
}

/// An account of which it is not clear yet which password its target has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingReset {
    /// The resource's name.
    pub resource: String,
    /// The account's name.
    pub account: String,
    /// Since when.
    pub since: String,
    /// How often the target was asked in vain.
    pub tries: u32,
    /// When it is asked next.
    pub next: String,
    /// Why it is not clear; empty while the target is being told.
    pub why: String,
}

/// Passwords that are to change by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPasswordRotation {
    /// The resource's name.
    pub resource: String,
    /// The account's name; every account of it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How old a password becomes, in hours.
    pub hours: u64,
    /// The time of the day at which they change, in UTC, such as `02:00-04:00`; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
}

/// Passwords that change by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordRotation {
    /// The resource's name.
    pub resource: String,
    /// The account's name; null is every account that has no rotation of its own.
    pub account: Option<String>,
    /// How old a password becomes, in hours.
    pub hours: u64,
    /// The time of the day at which they change, in UTC; null is any.
    pub window: Option<String>,
}

/// An account whose password is to change next, or lately could not be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueChange {
    /// The resource's name.
    pub resource: String,
    /// The account's name.
    pub account: String,
    /// When it is tried next.
    pub next: Option<String>,
    /// How often it failed.
    pub failures: u32,
    /// When it was last tried.
    pub tried: Option<String>,
    /// Why it failed then; empty where it did not.
    pub why: String,
}

/// How far a run is; the last line has `finished` or `error`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProgress {
    /// How many accounts there are to change.
    pub total: u64,
    /// How many are changed.
    pub changed: u64,
    /// How many could not be changed.
    pub failed: u64,
    /// Which ones, and why; in the last line.
    pub failures: Vec<RunFailure>,
    /// Whether it is over.
    pub finished: bool,
    /// Why it stopped; null if it did not.
    pub error: Option<String>,
}

/// An account that could not be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFailure {
    /// The resource's name.
    pub resource: String,
    /// The account's name.
    pub account: String,
    /// Why not.
    pub why: String,
}
