//! Users.

use serde::{Deserialize, Serialize};

use super::certificate::UserCertificate;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its id.
    pub id: String,
    /// `NAME@HOST` for an API user.
    pub login: String,
    /// Whether it is a program.
    pub api: bool,
    /// Whether a program may come from any host, whatever its login says.
    pub any_host: bool,
    /// The name for reports.
    pub full_name: String,
    /// `administrator`, `password-administrator`, `password-auditor` or `password-user`.
    pub role: String,
    /// `owned` or `all`.
    pub scope: String,
    /// The department.
    pub department: String,
    /// Where it is.
    pub location: String,
    /// Whether it is locked.
    pub locked: bool,
    /// When it stops being able to come in.
    pub expires: Option<String>,
    /// When it was made.
    pub created: String,
    /// What proves it.
    pub certificates: Vec<UserCertificate>,
}

/// A user to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// `NAME@HOST`.
    pub login: String,
    /// Its role.
    pub role: String,
    /// How far the role reaches: `owned` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Whether it may come from any host.
    #[serde(default)]
    pub any_host: bool,
    /// The name for reports; `NAME@HOST - API User` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
    /// The department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When it stops being able to come in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Its certificates (PEM, one each).
    #[serde(default)]
    pub certificates: Vec<String>,
}

/// A user that has just been made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedUser {
    /// The user.
    pub user: User,
    /// Why it may not be able to come in yet.
    pub warnings: Vec<String>,
}
