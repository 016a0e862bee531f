//! The two keys of a ledger.

use std::sync::Arc;

use crate::crypto::{MacKey, SealKey};

/// What a ledger is sealed and chained with. Clones share the keys.
#[derive(Clone, Debug)]
pub struct LedgerKeys(Arc<(SealKey, MacKey)>);

impl LedgerKeys {
    /// `seal` hides what records say; `chain` proves that none was changed, removed or moved.
    #[must_use]
    pub fn new(seal: SealKey, chain: MacKey) -> Self {
        Self(Arc::new((seal, chain)))
    }

    pub(crate) fn seal(&self) -> &SealKey {
        &self.0.0
    }

    pub(crate) fn chain(&self) -> &MacKey {
        &self.0.1
    }
}
