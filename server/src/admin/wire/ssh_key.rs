//! SSH keys of users.

use serde::{Deserialize, Serialize};

/// A public key that proves a user over SSH.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshKey {
    /// Its SHA-256, as `ssh-keygen -l` shows it: `SHA256:…`.
    pub fingerprint: String,
    /// Its type, such as `ssh-ed25519`.
    pub kind: String,
    /// What its owner calls it.
    pub comment: String,
    /// Since when it is registered.
    pub added: String,
}

/// Keys to be registered, all of them or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSshKeys {
    /// Lines in OpenSSH's format: type, base64, comment.
    pub keys: Vec<String>,
}
