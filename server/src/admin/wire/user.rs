//! Users.

use serde::{Deserialize, Serialize};

use super::SecretText;
use super::certificate::UserCertificate;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its id.
    pub id: String,
    /// `NAME@HOST` for an API user, the name of a person.
    pub login: String,
    /// Whether it is a program.
    pub api: bool,
    /// Whether a program may come from any host, whatever its login says.
    pub any_host: bool,
    /// The name for reports.
    pub full_name: String,
    /// A person's first name.
    pub first_name: String,
    /// A person's last name.
    pub last_name: String,
    /// A person's e-mail address.
    pub email: String,
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
    /// `NAME@HOST`, or the name that a person signs in with.
    pub login: String,
    /// Whether it is a person.
    #[serde(default)]
    pub person: bool,
    /// Whether a person comes in with a second factor only.
    #[serde(default)]
    pub second_factor: bool,
    /// What a person signs in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretText>,
    /// A person's first name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// A person's last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// A person's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
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

/// Another password for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// What it signs in with from now on.
    pub password: SecretText,
}

/// A user that has just been made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedUser {
    /// The user.
    pub user: User,
    /// Why it may not be able to come in yet.
    pub warnings: Vec<String>,
}
