//! What went wrong, in words for whoever runs the program.

use std::fmt;

/// Why a measurement could not be made.
#[derive(Clone, Debug)]
pub struct Trouble(String);

impl Trouble {
    /// A trouble in these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// The same, saying what was being done.
    #[must_use]
    pub fn during(self, what: &str) -> Self {
        Self(format!("{what}: {}", self.0))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! from {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Trouble {
            fn from(why: $error) -> Self {
                Self(why.to_string())
            }
        })*
    };
}

from!(
    std::io::Error,
    rustix::io::Errno,
    rustls::Error,
    rustls::server::VerifierBuilderError,
    rustls_pki_types::pem::Error,
    rcgen::Error,
    serde_json::Error,
    std::num::ParseIntError,
    std::num::TryFromIntError,
    std::net::AddrParseError,
);
