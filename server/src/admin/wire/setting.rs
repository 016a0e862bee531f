//! Settings that live in the vault and change without a restart.

use serde::{Deserialize, Serialize};

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The value it has until somebody sets it.
    pub default: String,
    /// What it is for.
    pub description: String,
}

/// A value for a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSetting {
    /// The value.
    pub value: String,
}
