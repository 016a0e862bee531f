//! Applications.

use serde::{Deserialize, Serialize};

/// An application: a machine identity that acts for a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// From where it may come: a DNS name, an address, or a network.
    pub host: String,
    /// What its host runs: `Linux` or `Windows`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it may do at most: of `retrieve`, `reset` and `create`.
    pub allow: Vec<String>,
    /// The login of the user for whom it acts.
    pub inherit: String,
    /// Whether it is kept out.
    pub locked: bool,
    /// When it was made.
    pub created: String,
    /// The SHA-256 of each certificate that proves it.
    pub certificates: Vec<String>,
}

/// An application to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewApplication {
    /// Its name.
    pub name: String,
    /// From where it may come.
    pub host: String,
    /// What its host runs: `Linux` or `Windows`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it may do at most: of `retrieve`, `reset` and `create`.
    pub allow: Vec<String>,
    /// The login of the user for whom it acts.
    pub inherit: String,
    /// Its certificates (PEM, one each).
    #[serde(default)]
    pub certificates: Vec<String>,
}

/// What shall be different about an application; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationEdit {
    /// From where it may come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What its host runs.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "type")]
    pub kind: Option<String>,
    /// What it may do at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
    /// The login of the user for whom it acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inherit: Option<String>,
    /// Whether it is kept out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// Certificates that prove it, too (PEM, one each).
    #[serde(default)]
    pub add_certificates: Vec<String>,
    /// The SHA-256 of each certificate that proves it no more.
    #[serde(default)]
    pub remove_certificates: Vec<String>,
}

/// An application as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationNow {
    /// The application.
    pub application: Application,
    /// Why it may not be able to come in yet.
    pub warnings: Vec<String>,
}
