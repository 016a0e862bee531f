//! Second factors of persons.

use serde::{Deserialize, Serialize};

use super::SecretText;

/// How a person stands to its second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// Whether it comes in with one only.
    pub demanded: bool,
    /// `off`, `offered` (a secret was shown, and no code of it has come back) or `on`.
    pub state: String,
    /// Since when it is on.
    pub since: Option<String>,
}

/// A secret for an authenticator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactorOffer {
    /// The `otpauth` URI: shown here, and never again.
    pub uri: SecretText,
    /// The secret in base32: shown here, and never again.
    pub secret: SecretText,
}

/// A code of an authenticator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactorCode {
    /// Six digits.
    pub code: SecretText,
}

/// Whether a person must have a second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactorDemand {
    /// Whether it comes in with one only.
    pub demanded: bool,
}
