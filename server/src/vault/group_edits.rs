//! Groups of either kind by another name, or for something else.

use crate::domain::{
    FreeText, Group, GroupName, NameError, Operation, RefusalReason, ResourceGroup,
};
use crate::store::Key;
use crate::store::rows::{Ids, Kept, Record};
use crate::vault::book::Deed;
use crate::vault::{Caller, ResourceGroupRef, Vault, VaultError};

/// What is to be known of a group from now on; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupEdit {
    /// Its new name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

impl GroupEdit {
    fn apply(&self, name: &mut GroupName, description: &mut FreeText) -> Result<(), VaultError> {
        let invalid = |error: NameError| VaultError::Invalid(error.to_string());
        if let Some(new) = &self.name {
            *name = GroupName::parse(new).map_err(invalid)?;
        }
        if let Some(new) = &self.description {
            *description = FreeText::parse(new).map_err(invalid)?;
        }
        Ok(())
    }

    /// For the audit trail.
    fn words(&self, group: &str) -> String {
        let name = self.name.as_ref();
        let name = name.map_or(String::new(), |name| format!(", name: {name}"));
        let description = self.description.as_ref().map_or("", |_| ", description");
        format!("edit {group}{name}{description}")
    }
}

/// A group as it was read and as it is to be, and where it is found by its name then and now.
struct Edited<'a, R> {
    kept: &'a Kept<R>,
    new: &'a R,
    id: u64,
    places: [Key; 2],
}

impl Vault {
    /// Changes what is known of a group of users; whoever is in it stays so.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`], [`VaultError::Invalid`],
    /// [`VaultError::Exists`] when the new name is taken.
    pub async fn edit_group(
        &self,
        name: &str,
        edit: &GroupEdit,
        caller: &Caller,
    ) -> Result<Group, VaultError> {
        let deed = Deed::new(Operation::Group).detail(edit.words(name));
        self.primary_only(&deed, caller).await?;
        let kept = self.administered_group(name, &deed, caller).await?;
        let mut new = kept.record.clone();
        let fit = edit.apply(&mut new.name, &mut new.description);
        self.fit_or_refused(fit, &deed, caller).await?;
        let place = |name| self.rows.places().group_by_name(new.org, name);
        let edited = Edited {
            kept: &kept,
            new: &new,
            id: new.id.0,
            places: [place(&kept.record.name), place(&new.name)],
        };
        self.commit_group_edit(edited, &deed, caller).await?;
        Ok(new)
    }

    /// Changes what is known of a group of resources; what is in it and with whom it is shared
    /// stays.
    ///
    /// # Errors
    /// As for [`Self::edit_group`].
    pub async fn edit_resource_group(
        &self,
        group: impl Into<ResourceGroupRef<'_>>,
        edit: &GroupEdit,
        caller: &Caller,
    ) -> Result<ResourceGroup, VaultError> {
        let group = group.into();
        let deed = Deed::new(Operation::ResourceGroup).detail(edit.words(&group.words()));
        self.primary_only(&deed, caller).await?;
        let kept = self.administered_set(group, &deed, caller).await?;
        let deed = deed.detail(edit.words(kept.record.name.as_str()));
        let mut new = kept.record.clone();
        let fit = edit.apply(&mut new.name, &mut new.description);
        self.fit_or_refused(fit, &deed, caller).await?;
        let place = |name| self.rows.places().resource_group_by_name(new.org, name);
        let edited = Edited {
            kept: &kept,
            new: &new,
            id: new.id.0,
            places: [place(&kept.record.name), place(&new.name)],
        };
        self.commit_group_edit(edited, &deed, caller).await?;
        Ok(new)
    }

    async fn fit_or_refused(
        &self,
        fit: Result<(), VaultError>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        match fit {
            Ok(()) => Ok(()),
            Err(answer) => Err(self
                .refuse(deed, RefusalReason::Invalid, answer, caller)
                .await),
        }
    }

    async fn commit_group_edit<R: Record>(
        &self,
        edited: Edited<'_, R>,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let [old, new] = edited.places;
        let moved = old != new;
        if moved && self.rows.get::<Ids>(new.clone()).await?.is_some() {
            let answer = VaultError::Exists("a group with this name");
            let why = RefusalReason::Exists;
            return Err(self.refuse(deed, why, answer, caller).await);
        }
        self.allow(deed, caller).await?;
        let mut changes = self.rows.changes();
        if moved {
            changes.clear(old);
            changes.add(new, &Ids(vec![edited.id]))?;
        }
        changes.replace(edited.kept, edited.new)?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(deed, done, caller).await
    }
}
