//! What is given up by word, or because nothing came of it in all the time that it had, is not
//! lost: whoever says it may be wrong, and a replica later than that, and then a target has a
//! password that would be known nowhere else.

use crate::domain::{Account, Password, SecretVersion};
use crate::store::rows::{Kept, PendingRow, SecretRow};
use crate::vault::change::Chosen;
use crate::vault::reset::job::copied;
use crate::vault::reset::word::Held;
use crate::vault::{Vault, VaultError};

impl Vault {
    /// One commit: the password that the target has is in force, the others are in the account's
    /// history, and nothing is pending any more. Says as which versions they are kept that were
    /// not there yet.
    pub(super) async fn put_held_in_force(
        &self,
        pending: &Kept<PendingRow>,
        held: Held,
        account: &Account,
    ) -> Result<Vec<SecretVersion>, VaultError> {
        let key = self.rows.places().account(account.resource, account.id);
        for _ in 0..TRIES {
            let kept = self.rows.get::<Account>(key.clone()).await?;
            let kept = kept.ok_or(VaultError::Refused)?;
            match self.commit_held(pending, held, &kept).await {
                Err(VaultError::Conflict) => {}
                other => return other,
            }
        }
        Err(VaultError::Conflict)
    }

    async fn commit_held(
        &self,
        pending: &Kept<PendingRow>,
        held: Held,
        kept: &Kept<Account>,
    ) -> Result<Vec<SecretVersion>, VaultError> {
        let row = &pending.record;
        let stored = self.stored_in(&kept.record).await?;
        let named = match held {
            Held::New => &row.new,
            Held::Old => &row.old,
            Held::Stored => &stored,
        };
        // However short the history is: what is given up now stays until the next changes.
        let keep = self.kept_versions().max(MOST + 1);
        let mut changes = self.rows.changes();
        let mut account = kept.record.clone();
        let mut versions = Vec::new();
        for (password, generated) in [(&row.old, false), (&row.new, row.generated)] {
            if password.same_as(named) || self.keeps(&kept.record, password, keep).await? {
                continue;
            }
            let password = copied(password)?;
            let chosen = Chosen {
                password,
                generated,
            };
            account = self.version_after(&mut changes, &account, keep);
            self.add_secret(&mut changes, &account, &chosen, row.by)?;
            versions.push(account.secret);
        }
        let stays = named.same_as(&stored);
        if !(stays && versions.is_empty()) {
            let chosen = Chosen {
                password: copied(named)?,
                generated: held == Held::New && row.generated,
            };
            account = self.version_after(&mut changes, &account, keep);
            self.add_secret(&mut changes, &account, &chosen, row.by)?;
            if stays {
                // It is as old as it was: its rotation is due when it was.
                account.changed = kept.record.changed;
            }
            changes.replace(kept, &account)?;
        }
        changes.remove(&self.pending_now(pending).await?);
        changes.commit().await?;
        Ok(versions)
    }

    /// Whether `password` is among the versions of the account that are kept after this.
    async fn keeps(
        &self,
        account: &Account,
        password: &Password,
        keep: u64,
    ) -> Result<bool, VaultError> {
        let first = (account.secret.0 + MOST + 1).saturating_sub(keep);
        for version in (first.max(account.oldest.0)..=account.secret.0).rev() {
            let version = SecretVersion(version);
            let key = self.rows.places().secret(account.id, version);
            let kept = self.rows.get::<SecretRow>(key).await?;
            if kept.is_some_and(|kept| kept.record.password.same_as(password)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// So many versions are added at most: two that are given up, and the one in force.
const MOST: u64 = 3;
const TRIES: usize = 64;
