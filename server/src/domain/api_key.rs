//! API keys: what an application shows beside its certificate, one for each thing it may have.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::Zeroizing;

/// An API key in the clear: wiped on drop, never printed. 32 random bytes as 44 characters of
/// standard base64 (RFC 4648 §4), as the original's are.
pub struct ApiKey(Zeroizing<String>);

/// Why a text cannot be an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an API key is 32 bytes in base64: 44 characters")]
pub struct ApiKeyError;

impl ApiKey {
    /// The key that these random bytes spell.
    #[must_use]
    pub fn from_bytes(bytes: &Zeroizing<[u8; 32]>) -> Self {
        // Room for all at once: a text that grew would leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        STANDARD.encode_string(bytes.as_slice(), &mut text);
        Self(text)
    }

    /// Takes what came from outside: the one spelling that its bytes have, nothing around it.
    ///
    /// # Errors
    /// [`ApiKeyError`] when it has another shape.
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        if text.len() != LENGTH {
            return Err(ApiKeyError);
        }
        let mut bytes = Zeroizing::new([0; 33]);
        let length = STANDARD.decode_slice(text, bytes.as_mut_slice());
        if length != Ok(32) {
            return Err(ApiKeyError);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The plain text, for whoever may see it and for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Clone for ApiKey {
    fn clone(&self) -> Self {
        Self(Zeroizing::new(self.0.as_str().to_owned()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

const LENGTH: usize = 44;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_in_the_one_spelling_that_they_have() {
        let key = ApiKey::from_bytes(&Zeroizing::new([0xfb; 32]));

        assert_eq!(key.expose().len(), 44);
        assert_eq!(ApiKey::parse(key.expose()).unwrap().expose(), key.expose());
        let text = key.expose();
        for wrong in [
            "",
            &text[..43],
            &format!("{text}="),
            &format!(" {}", &text[1..]),
            &text.replace('+', "-"),
            // The same bytes with bits set behind the last of them.
            &text.replace("s=", "t="),
            &"=".repeat(44),
        ] {
            assert_eq!(ApiKey::parse(wrong).err(), Some(ApiKeyError), "{wrong}");
        }
        assert_eq!(format!("{key:?}"), "ApiKey(..)");
    }
}
