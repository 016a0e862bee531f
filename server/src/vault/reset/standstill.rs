//! No target is touched: a restored copy that runs beside the original, or from before a change,
//! must not change what the original looks after.

use zeroize::Zeroizing;

use crate::domain::{Operation, RefusalReason, ResetTarget};
use crate::store::rows::{DocumentRow, PendingRow, Secret};
use crate::vault::book::Deed;
use crate::vault::{Caller, Vault, VaultError};

impl Vault {
    /// From now on nothing is changed on targets, whoever asks, until the operator says so; `why`
    /// is told. Says whether there is anything to change: where there is not, nothing stops.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn stop_resets(&self, why: &str) -> Result<bool, VaultError> {
        let places = self.rows.places();
        let targets = places.reset_targets();
        let targets = self.rows.page::<ResetTarget>(&targets, None, 1).await?;
        let pending = places.every_pending();
        let pending = self.rows.page::<PendingRow>(&pending, None, 1).await?;
        if targets.is_empty() && pending.is_empty() {
            return Ok(false);
        }
        let key = places.document(STANDSTILL);
        let before = self.rows.get::<DocumentRow>(key.clone()).await?;
        let text = Zeroizing::new(why.as_bytes().to_vec());
        let mut changes = self.rows.changes();
        changes.set(key, before.as_ref(), &DocumentRow(Secret(text)))?;
        changes.commit().await?;
        Ok(true)
    }

    /// Targets are touched again, at the operator's word.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`] for whoever does not govern the house;
    /// [`VaultError::Invalid`] where nothing is stopped.
    pub async fn resume_resets(&self, caller: &Caller) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::ResetTarget).detail("resume: targets are touched again");
        self.primary_only(&deed, caller).await?;
        self.govern(&deed, caller).await?;
        let key = self.rows.places().document(STANDSTILL);
        let Some(kept) = self.rows.get::<DocumentRow>(key).await? else {
            let answer = VaultError::Invalid(NOTHING.to_owned());
            let why = RefusalReason::NoSuchThing;
            return Err(self.refuse(&deed, why, answer, caller).await);
        };
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.remove(&kept);
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// Why nothing is changed on targets, where nothing is.
    pub(in crate::vault) async fn standstill(&self) -> Result<Option<String>, VaultError> {
        let key = self.rows.places().document(STANDSTILL);
        let kept = self.rows.get::<DocumentRow>(key).await?;
        Ok(kept.map(|kept| {
            let why = String::from_utf8_lossy(&kept.record.0.0).into_owned();
            format!("nothing is changed on targets: {why}; {LIFT}")
        }))
    }
}

const NOTHING: &str = "nothing is stopped: passwords are changed on their targets already";
const STANDSTILL: &str = "standstill of resets";
const LIFT: &str = "once no other server looks after them, say `claviger reset resume`";
