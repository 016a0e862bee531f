//! Documents of the house itself: the built-in CA with its key.

use zeroize::Zeroizing;

use crate::domain::Operation;
use crate::store::rows::{DocumentRow, Secret};
use crate::vault::book::Deed;
use crate::vault::{Caller, Vault, VaultError};

impl Vault {
    /// The built-in CA's certificate and key, for issuing the certificate that `what` names.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::NotFound`] where there is none.
    pub async fn certificate_authority(
        &self,
        what: &str,
        caller: &Caller,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let deed = Deed::new(Operation::IssueCertificate).detail(what);
        self.primary_only(&deed, caller).await?;
        self.govern(&deed, caller).await?;
        let key = self.rows.places().document(AUTHORITY);
        let kept = self.rows.get::<DocumentRow>(key).await?;
        let document = kept.ok_or(VaultError::NotFound("built-in CA"))?.record;
        self.allow(&deed, caller).await?;
        Ok(document.0.0)
    }

    /// Keeps the built-in CA, made when the data directory was.
    ///
    /// # Errors
    /// [`VaultError::Conflict`] when there is one already.
    pub async fn keep_certificate_authority(
        &self,
        pem: Zeroizing<Vec<u8>>,
    ) -> Result<(), VaultError> {
        let mut changes = self.rows.changes();
        let key = self.rows.places().document(AUTHORITY);
        changes.add(key, &DocumentRow(Secret(pem)))?;
        Ok(changes.commit().await?)
    }
}

const AUTHORITY: &str = "certificate authority";
