//! A password in memory.

use std::fmt;

use zeroize::Zeroizing;

/// A password: wiped when it is dropped, never printed, never compared or copied by accident.
///
/// ```
/// use claviger_client::Secret;
///
/// let secret = Secret::from("s3cret".to_owned());
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert_eq!(secret.expose(), "s3cret");
/// ```
///
/// The libraries below (HTTP and TLS) keep what they send and receive in buffers of their own,
/// which are not wiped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The plain text, for the last line before it is used.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Takes the very buffer over, so that no copy is left.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

/// Copies a text that lives elsewhere.
impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
