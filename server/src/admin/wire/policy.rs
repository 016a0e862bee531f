//! Password policies.

use serde::{Deserialize, Serialize};

use super::present;

/// What a password must look like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The fewest characters.
    pub min_length: u16,
    /// The most characters.
    pub max_length: u16,
    /// Whether a capital letter must be in it.
    pub upper: bool,
    /// Whether a small letter must be in it.
    pub lower: bool,
    /// Whether a digit must be in it.
    pub digit: bool,
    /// How many characters that are neither letter nor digit must be in it.
    pub special: u16,
    /// Whether it must begin with a letter.
    pub starts_with_letter: bool,
    /// Whether the account's name may be in it.
    pub may_hold_account_name: bool,
    /// How many passwords back none may be used again.
    pub no_reuse: u16,
    /// How many days a password may be in force; null is for ever.
    pub max_age_days: Option<u32>,
}

/// A policy to be made; what is absent is as in the shipped policy Strong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPolicy {
    /// Its name.
    pub name: String,
    /// Its rules.
    #[serde(default)]
    pub rules: PolicyEdit,
}

/// What shall be different about a policy; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyEdit {
    /// The fewest characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u16>,
    /// The most characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u16>,
    /// Whether a capital letter must be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<bool>,
    /// Whether a small letter must be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<bool>,
    /// Whether a digit must be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digit: Option<bool>,
    /// How many characters that are neither letter nor digit must be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special: Option<u16>,
    /// Whether it must begin with a letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_with_letter: Option<bool>,
    /// Whether the account's name may be in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_hold_account_name: Option<bool>,
    /// How many passwords back none may be used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_reuse: Option<u16>,
    /// How many days a password may be in force; null is for ever.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_age_days: Option<Option<u32>>,
}
