//! Registrations of the A2A interface: what applications may have by API keys.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::SecretText;
use crate::domain::ApiKey;

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The login of its certificate user; null where that was removed, and nobody comes as it.
    pub user: Option<String>,
    /// The SHA-1 of the certificate that proves the user, where it is known.
    pub thumbprint: Option<String>,
    /// Whether it is kept out.
    pub disabled: bool,
    /// Whether its user sees by its certificate alone what it may have, with the keys.
    pub visible: bool,
    /// Whether it may also change what it may have.
    pub bidirectional: bool,
    /// When it was made.
    pub created: String,
    /// The login of whoever made it; null is the operator, or nobody who is a user still.
    pub author: Option<String>,
}

/// A registration to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRegistration {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The login of its certificate user.
    pub user: String,
    /// Whether its user sees by its certificate alone what it may have, with the keys.
    #[serde(default)]
    pub visible: bool,
    /// Whether it may also change what it may have.
    #[serde(default)]
    pub bidirectional: bool,
}

/// What shall be different about a registration; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationEdit {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The login of its certificate user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether it is kept out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Whether its user sees by its certificate alone what it may have, with the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible: Option<bool>,
    /// Whether it may also change what it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bidirectional: Option<bool>,
}

/// An account that a registration may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retrievable {
    /// The resource that it is on.
    pub resource: String,
    /// The account.
    pub account: String,
    /// Its id, as the A2A interface tells it.
    pub account_id: String,
    /// The addresses and networks from where the key counts; from anywhere when there is none.
    pub from: Vec<String>,
}

/// An account that a registration is to have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRetrievable {
    /// The resource that it is on.
    pub resource: String,
    /// The account.
    pub account: String,
    /// The addresses and networks from where the key is to count.
    #[serde(default)]
    pub from: Vec<String>,
}

/// In whose names a registration raises requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broker {
    /// The logins of these users.
    pub users: Vec<String>,
    /// And whoever is in a group of these names.
    pub groups: Vec<String>,
    /// The addresses and networks from where the key counts; from anywhere when there is none.
    pub from: Vec<String>,
}

/// In whose names a registration is to raise requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBroker {
    /// The logins of these users.
    #[serde(default)]
    pub users: Vec<String>,
    /// And whoever is in a group of these names.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The addresses and networks from where the key is to count.
    #[serde(default)]
    pub from: Vec<String>,
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyText {
    /// The key: whoever shows it with the registration's certificate has what it is for.
    pub key: SecretText,
}

impl ApiKeyText {
    /// A key, to be shown.
    #[must_use]
    pub fn of(key: &ApiKey) -> Self {
        Self {
            key: SecretText::new(Zeroizing::new(key.expose().to_owned())),
        }
    }
}
