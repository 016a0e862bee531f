//! Organisations, and what each has from its first moment.

use crate::domain::{
    Action, Decision, Operation, OrgId, OrgName, Organisation, PasswordPolicy, RefusalReason,
    decide, governs,
};
use crate::store::StoreError;
use crate::store::rows::{Changes, Ids};
use crate::vault::book::Deed;
use crate::vault::id_block::IdKind;
use crate::vault::{Caller, Vault, VaultError};

impl Vault {
    /// Makes an organisation.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::Invalid`], [`VaultError::Exists`].
    pub async fn add_organisation(&self, name: &str, caller: &Caller) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::Organisation).detail(format!("add {name}"));
        self.govern(&deed, caller).await?;
        let name = match OrgName::parse(name) {
            Ok(name) => name,
            Err(error) => {
                let answer = VaultError::Invalid(error.to_string());
                return Err(self
                    .refuse(&deed, RefusalReason::Invalid, answer, caller)
                    .await);
            }
        };
        if self
            .rows
            .get::<Ids>(self.rows.places().organisation_by_name(&name))
            .await?
            .is_some()
        {
            let answer = VaultError::Exists("an organisation with this name");
            return Err(self
                .refuse(&deed, RefusalReason::Exists, answer, caller)
                .await);
        }
        let id = OrgId(self.next_id(IdKind::Organisation).await?);
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        self.add_organisation_rows(&mut changes, &Organisation { id, name })?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        self.generation.grow();
        Ok(())
    }

    /// All organisations.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`].
    pub async fn organisations(&self, caller: &Caller) -> Result<Vec<Organisation>, VaultError> {
        let deed = Deed::new(Operation::List).detail("organisations");
        self.govern(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        let kept = self
            .rows
            .all::<Organisation>(&self.rows.places().organisations())
            .await?;
        Ok(kept.into_iter().map(|kept| kept.record).collect())
    }

    /// Refuses, and writes down, what only administrators do, and what a secondary does not do.
    pub(super) async fn administer(&self, deed: &Deed, caller: &Caller) -> Result<(), VaultError> {
        if decide(Action::Administer, caller.standing(None, None)) == Decision::Allowed {
            return Ok(());
        }
        Err(self
            .refuse(
                deed,
                RefusalReason::NotAllowed,
                VaultError::NotAllowed,
                caller,
            )
            .await)
    }

    /// Refuses, and writes down, what concerns all organisations and does not come from the
    /// operator or who administers the first of them with the widest reach.
    pub(super) async fn govern(&self, deed: &Deed, caller: &Caller) -> Result<(), VaultError> {
        if self.may_govern(caller) {
            return Ok(());
        }
        let why = RefusalReason::NotAllowed;
        Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await)
    }

    /// Whether `caller` may do what concerns all organisations, such as to see whom they trust.
    #[must_use]
    pub fn may_govern(&self, caller: &Caller) -> bool {
        let standing = caller.standing(None, None);
        caller.is_operator() || governs(standing, caller.org() == OrgId::DEFAULT)
    }

    /// Whether `caller` may see how the house does; nothing is written down for the operator, whose
    /// machine it is.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`].
    pub async fn see_house(&self, caller: &Caller) -> Result<(), VaultError> {
        if caller.is_operator() {
            return Ok(());
        }
        let deed = Deed::new(Operation::List).detail("status");
        self.govern(&deed, caller).await?;
        self.allow(&deed, caller).await
    }

    pub(super) async fn organisation(&self, id: OrgId) -> Result<Organisation, VaultError> {
        let kept = self
            .rows
            .get::<Organisation>(self.rows.places().organisation(id))
            .await?;
        Ok(kept.ok_or(StoreError::Form)?.record)
    }

    pub(super) async fn organisation_named(
        &self,
        name: &str,
    ) -> Result<Option<Organisation>, VaultError> {
        let Ok(name) = OrgName::parse(name) else {
            return Ok(None);
        };
        let key = self.rows.places().organisation_by_name(&name);
        let Some(index) = self.rows.get::<Ids>(key).await? else {
            return Ok(None);
        };
        let id = OrgId(index.record.0.first().copied().unwrap_or_default());
        let kept = self
            .rows
            .get::<Organisation>(self.rows.places().organisation(id))
            .await?;
        Ok(kept.map(|kept| kept.record).filter(|org| org.name == name))
    }

    /// Makes the default organisation where there is none yet.
    pub(super) async fn furnish(&self) -> Result<(), VaultError> {
        let key = self.rows.places().organisation(OrgId::DEFAULT);
        if self.secondary || self.rows.get::<Organisation>(key).await?.is_some() {
            return Ok(());
        }
        let name = OrgName::parse(DEFAULT_NAME).map_err(|_| StoreError::Form)?;
        let mut changes = self.rows.changes();
        self.add_organisation_rows(
            &mut changes,
            &Organisation {
                id: OrgId::DEFAULT,
                name,
            },
        )?;
        // There is nothing yet that could be missing from it.
        let indexed = self.rows.places().accounts_indexed();
        changes.add(indexed, &Ids::default())?;
        Ok(changes.commit().await?)
    }

    fn add_organisation_rows(
        &self,
        changes: &mut Changes<'_>,
        org: &Organisation,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        changes.add(places.organisation(org.id), org)?;
        changes.add(places.organisation_by_name(&org.name), &Ids(vec![org.id.0]))?;
        for policy in PasswordPolicy::shipped() {
            changes.add(places.policy(org.id, policy.id), &policy)?;
        }
        Ok(())
    }
}

const DEFAULT_NAME: &str = "default";
