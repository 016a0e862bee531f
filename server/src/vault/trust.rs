//! Which certificates are trusted, kept in the safe and told to whoever checks them.

use std::fmt;

use crate::domain::{Fingerprint, Operation, RefusalReason, Timestamp};
use crate::store::rows::{TrustKind, TrustRow};
use crate::vault::book::Deed;
use crate::vault::{Caller, Vault, VaultError};

/// Hears of every change of the trusted certificates, before anybody is let in by them.
pub trait TrustListener: Send + Sync + fmt::Debug {
    /// These, and no others, are trusted from now on.
    fn trust(&self, trusted: &[Trusted]);
}

/// A certificate that is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// Whether it is trusted with all that it issues, or as itself alone.
    pub root: bool,
    /// Since when.
    pub since: Timestamp,
    /// Its DER.
    pub der: Vec<u8>,
}

impl From<TrustRow> for Trusted {
    fn from(row: TrustRow) -> Self {
        Self {
            root: row.kind == TrustKind::Root,
            since: row.since,
            der: row.der,
        }
    }
}

impl Vault {
    /// Trusts a certificate: as a CA root, or as itself alone. Whoever asks has checked that it is
    /// fit for that.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::Exists`] when it is trusted in this way already.
    pub async fn trust_certificate(
        &self,
        (fingerprint, der): (Fingerprint, &[u8]),
        root: bool,
        subject: &str,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let manner = if root { "as a CA root" } else { "as itself" };
        let deed =
            Deed::new(Operation::Trust).detail(format!("{manner}: {subject} [{fingerprint}]"));
        self.primary_only(&deed, caller).await?;
        self.govern(&deed, caller).await?;
        let key = self.rows.places().trust(fingerprint);
        let kept = self.rows.get::<TrustRow>(key.clone()).await?;
        let kind = if root {
            TrustKind::Root
        } else {
            TrustKind::Pin
        };
        if kept.as_ref().is_some_and(|kept| kept.record.kind == kind) {
            let answer = VaultError::Exists("a trusted certificate");
            return Err(self
                .refuse(&deed, RefusalReason::Exists, answer, caller)
                .await);
        }
        self.allow(&deed, caller).await?;
        let row = TrustRow {
            kind,
            since: self.clock.now(),
            der: der.to_vec(),
        };
        let mut changes = self.rows.changes();
        changes.set(key, kept.as_ref(), &row)?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        self.publish_trust().await
    }

    /// Stops trusting a certificate: at once, on open connections too.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn distrust_certificate(
        &self,
        fingerprint: Fingerprint,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::Distrust).detail(fingerprint.to_string());
        self.primary_only(&deed, caller).await?;
        self.govern(&deed, caller).await?;
        let key = self.rows.places().trust(fingerprint);
        let Some(kept) = self.rows.get::<TrustRow>(key).await? else {
            // It may have gone without anybody being told: when the disk took too long to say so.
            self.publish_trust().await?;
            let answer = VaultError::NotFound("trusted certificate");
            return Err(self
                .refuse(&deed, RefusalReason::NoSuchThing, answer, caller)
                .await);
        };
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.remove(&kept);
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        self.publish_trust().await
    }

    /// All trusted certificates.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`].
    pub async fn trusted_certificates(&self, caller: &Caller) -> Result<Vec<Trusted>, VaultError> {
        let deed = Deed::new(Operation::List).detail("trusted certificates");
        self.govern(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        self.all_trusted().await
    }

    /// Tells the listener, and makes everybody be identified again.
    pub(super) async fn publish_trust(&self) -> Result<(), VaultError> {
        // Whoever has read before another change must not tell after it: what that took back would
        // be trusted again.
        let _one_at_a_time = self.publishing.lock().await;
        self.trust.trust(&self.all_trusted().await?);
        self.generation.grow_with_trust();
        Ok(())
    }

    async fn all_trusted(&self) -> Result<Vec<Trusted>, VaultError> {
        let rows = self
            .rows
            .all::<TrustRow>(&self.rows.places().trusted())
            .await?;
        Ok(rows.into_iter().map(|kept| kept.record.into()).collect())
    }
}
