//! Ids: taken from the store in blocks, so that a new account does not cost a counter's write.

use std::ops::Range;

use tokio::sync::Mutex;

use crate::store::StoreError;
use crate::store::rows::NextId;
use crate::vault::{Vault, VaultError};

/// What is counted apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum IdKind {
    Organisation = 1,
    User = 2,
    Resource = 3,
    Account = 4,
    Policy = 5,
    Token = 6,
    Group = 7,
    ResourceGroup = 8,
    Application = 9,
    AccessPolicy = 10,
}

/// The ids that this process may give away without asking.
#[derive(Debug, Default)]
pub(super) struct IdBlocks([Mutex<Block>; 11]);

#[derive(Debug, Default)]
struct Block {
    free: Range<u64>,
    /// How often one was reserved: who needs many gets more at once.
    reserved: u32,
}

impl Vault {
    /// The next id of `kind`: never one that was given away before, whatever crashed between.
    pub(super) async fn next_id(&self, kind: IdKind) -> Result<u64, VaultError> {
        let slot = self.ids.0.get(kind as usize).ok_or(VaultError::Conflict)?;
        // Held while the store is asked: the others would only ask for more blocks.
        let mut block = slot.lock().await;
        if block.free.is_empty() {
            let size = size_of_block(kind) << block.reserved.min(6);
            block.free = self.reserve(kind, size).await?;
            block.reserved += 1;
        }
        block.free.next().ok_or(VaultError::Conflict)
    }

    async fn reserve(&self, kind: IdKind, size: u64) -> Result<Range<u64>, VaultError> {
        let key = self.rows.places().next_id(kind as u64);
        for _ in 0..TRIES {
            let kept = self.rows.get::<NextId>(key.clone()).await?;
            let first = kept.as_ref().map_or(first_of(kind), |kept| kept.record.0);
            let next = first.saturating_add(size);
            let mut changes = self.rows.changes();
            changes.set(key.clone(), kept.as_ref(), &NextId(next))?;
            match changes.commit().await {
                Err(StoreError::Conflict) => {}
                Err(other) => return Err(other.into()),
                Ok(()) => return Ok(first..next),
            }
        }
        Err(VaultError::Conflict)
    }
}

/// Organisation 1 and policies 1 to 3 are there from the first start.
fn first_of(kind: IdKind) -> u64 {
    match kind {
        IdKind::Organisation => 2,
        IdKind::Policy => 4,
        IdKind::User
        | IdKind::Resource
        | IdKind::Account
        | IdKind::Token
        | IdKind::Group
        | IdKind::ResourceGroup
        | IdKind::Application
        | IdKind::AccessPolicy => 1,
    }
}

/// How many ids a crash may waste at first.
fn size_of_block(kind: IdKind) -> u64 {
    match kind {
        IdKind::Organisation
        | IdKind::Policy
        | IdKind::User
        | IdKind::Token
        | IdKind::Group
        | IdKind::ResourceGroup
        | IdKind::Application
        | IdKind::AccessPolicy => 1,
        IdKind::Resource | IdKind::Account => 100,
    }
}

const TRIES: usize = 16;
