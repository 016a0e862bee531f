//! The form of what was changed on its target from here.

use zeroize::Zeroizing;

use crate::domain::{AccountName, ResetTarget};
use crate::store::rows::Record;
use crate::store::rows::target::words;

/// Which login on which target an account's password was last changed for: another name, another
/// target, another way to it or another administrative account is another one. Earlier versions
/// wrote no more than the first two, which is what one without settings and administrator has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TendedRow(pub String);

impl TendedRow {
    /// Of the account of this name on this target.
    #[must_use]
    pub fn of(target: &ResetTarget, account: &AccountName) -> Self {
        let (kind, host, port) = (target.connector.kind(), &target.host, target.port);
        let mut text = format!("{kind} {} {port} {}", host.as_str(), account.as_str());
        for word in words(&target.connector) {
            // With its length, so that two words are never taken for others.
            text.push_str(&format!("\n{}:{word}", word.len()));
        }
        if let Some(admin) = target.admin {
            text.push_str(&format!("\nby {}/{}", admin.resource.0, admin.account.0));
        }
        Self(text)
    }
}

impl Record for TendedRow {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.as_bytes().to_vec())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        Some(Self(text.to_owned()))
    }
}
