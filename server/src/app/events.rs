//! Whoever listens hears of changes as long as the server runs.

use std::sync::Arc;

use crate::doors::Closing;
use crate::vault::Vault;

/// Tells of changes until `closing` says so.
pub(crate) async fn tell(vault: Arc<Vault>, mut closing: Closing) {
    tokio::select! {
        () = closing.said() => {}
        () = vault.tell_changes() => {}
    }
}
