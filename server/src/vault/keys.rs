//! Rotating the data key, while everybody works on.

use crate::domain::Operation;
use crate::store::rows::Rows;
use crate::store::{Key, Row, StoreError, Table};
use crate::vault::book::Deed;
use crate::vault::{Caller, Vault, VaultError};

/// How far a rotation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RotationProgress {
    /// Rows looked at.
    pub seen: u64,
    /// Rows sealed again.
    pub resealed: u64,
    /// Data keys that are left once it is done.
    pub keys: usize,
}

impl Vault {
    /// Seals every row again under a fresh data key and forgets the old ones. One that a crash
    /// interrupted is finished instead; a row that is written meanwhile is under the new key
    /// already.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Unavailable`]: then the old keys stay, and
    /// rotating again goes on.
    pub async fn rotate_key(
        &self,
        caller: &Caller,
        progress: &(dyn Fn(RotationProgress) + Send + Sync),
    ) -> Result<RotationProgress, VaultError> {
        let deed = Deed::new(Operation::RotateKey);
        self.primary_only(&deed, caller).await?;
        self.govern(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        let done = self.reseal_everything(progress).await;
        self.settle(&deed, done, caller).await
    }

    async fn reseal_everything(
        &self,
        progress: &(dyn Fn(RotationProgress) + Send + Sync),
    ) -> Result<RotationProgress, VaultError> {
        let keys = self.rows.keys();
        let _one_at_a_time = self.rotating.try_lock().map_err(|_| VaultError::Conflict)?;
        if keys.data_keys().len() < 2 {
            keys.add_data_key(self.clock.now())?;
        }
        let mut done = RotationProgress::default();
        for table in Table::ALL {
            reseal_table(&self.rows, table, &mut done, progress).await?;
        }
        let newest = keys.newest();
        for (number, _) in keys.data_keys() {
            if number != newest {
                keys.retire(number)?;
            }
        }
        done.keys = keys.data_keys().len();
        progress(done);
        Ok(done)
    }
}

async fn reseal_table(
    rows: &Rows,
    table: Table,
    done: &mut RotationProgress,
    progress: &(dyn Fn(RotationProgress) + Send + Sync),
) -> Result<(), VaultError> {
    let prefix = Key::table(table);
    let mut after: Option<Key> = None;
    loop {
        let page = rows.store().scan(&prefix, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.key.clone());
        done.seen += page.len() as u64;
        done.resealed += reseal_page(rows, page).await?;
        progress(*done);
    }
}

/// All rows of a page at once; one by one when somebody changed one of them meanwhile.
async fn reseal_page(rows: &Rows, page: Vec<Row>) -> Result<u64, VaultError> {
    let mut batch = crate::store::Batch::default();
    for row in &page {
        if let Some(one) = rows.reseal(row)? {
            batch.steps.extend(one.steps);
        }
    }
    let count = batch.steps.len() as u64;
    if count == 0 {
        return Ok(0);
    }
    match rows.store().commit(batch).await {
        Ok(()) => return Ok(count),
        Err(StoreError::Conflict) => {}
        Err(other) => return Err(other.into()),
    }
    let mut resealed = 0;
    for row in page {
        resealed += reseal_row(rows, row.key).await?;
    }
    Ok(resealed)
}

async fn reseal_row(rows: &Rows, key: Key) -> Result<u64, VaultError> {
    loop {
        let Some(row) = rows.store().get(&key).await? else {
            return Ok(0);
        };
        let Some(batch) = rows.reseal(&row)? else {
            return Ok(0);
        };
        match rows.store().commit(batch).await {
            Ok(()) => return Ok(1),
            // Whoever was faster has sealed it under the newest key.
            Err(StoreError::Conflict) => {}
            Err(other) => return Err(other.into()),
        }
    }
}

/// Fewer than the rows that an engine takes in one batch.
const PAGE: usize = 256;
