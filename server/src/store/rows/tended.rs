//! The form of what was changed on its target from here.

use zeroize::Zeroizing;

use crate::store::rows::Record;

/// Which login on which target an account's password was last changed for: another name, or
/// another target, is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TendedRow(pub String);

impl Record for TendedRow {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.as_bytes().to_vec())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        Some(Self(text.to_owned()))
    }
}
