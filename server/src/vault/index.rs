//! What a data directory of an earlier version lacks: which resource each account is on, by the
//! account's id.
//!
//! It is built when the directory is first opened, in batches, so that memory stays the same however
//! many accounts there are; a batch that a crash cut off is written again at the next opening. From
//! then on every commit that adds or removes an account keeps it true.

use crate::domain::AccountId;
use crate::store::rows::Ids;
use crate::store::{Row, StoreError};
use crate::vault::{Vault, VaultError};

impl Vault {
    /// Puts every account into the index by id, unless that was done before.
    ///
    /// A store that can be read but not written is opened all the same: passwords are found by
    /// names, and by ids once it can be written.
    pub(super) async fn index_accounts(&self) -> Result<(), VaultError> {
        let done = self.rows.places().accounts_indexed();
        if self.rows.get::<Ids>(done).await?.is_some() {
            return Ok(());
        }
        match self.index_every_account().await {
            Ok(0) => Ok(()),
            Ok(accounts) => {
                tracing::info!(accounts, "accounts are found by their ids from now on");
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "accounts cannot be found by their ids alone");
                Ok(())
            }
        }
    }

    async fn index_every_account(&self) -> Result<u64, StoreError> {
        let places = self.rows.places();
        let step = STEP.min(self.rows.store().most_steps());
        let mut after = None;
        let mut added = 0;
        loop {
            let prefix = places.every_account();
            let page = self
                .rows
                .store()
                .scan(&prefix, after.as_ref(), step)
                .await?;
            added += self.index_some(&page).await?;
            let last = page.len() < step;
            after = page.into_iter().last().map(|row| row.key);
            if last {
                break;
            }
        }
        let mut changes = self.rows.changes();
        changes.add(places.accounts_indexed(), &Ids::default())?;
        changes.commit().await?;
        Ok(added)
    }

    async fn index_some(&self, accounts: &[Row]) -> Result<u64, StoreError> {
        let places = self.rows.places();
        let mut changes = self.rows.changes();
        for row in accounts {
            let (resource, account) = (row.key.number_at(0), row.key.number_at(1));
            let (Some(resource), Some(account)) = (resource, account) else {
                return Err(StoreError::Form);
            };
            let key = places.account_by_id(AccountId(account));
            if self.rows.get::<Ids>(key.clone()).await?.is_none() {
                changes.add(key, &Ids(vec![resource]))?;
            }
        }
        let added = changes.len() as u64;
        if added > 0 {
            changes.commit().await?;
        }
        Ok(added)
    }
}

/// Accounts in one batch: some hundred bytes each.
const STEP: usize = 4096;
