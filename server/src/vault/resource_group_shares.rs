//! With whom groups of resources are shared.

use crate::domain::{Grantee, Level, Operation, OrgId, RefusalReason, ResourceGroupId};
use crate::store::rows::{Changes, Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::settings::number;
use crate::vault::shares::KeptGrantee;
use crate::vault::users::last_number;
use crate::vault::{
    Caller, GranteeName, ResourceGroupRef, SettingView, Settings, SharedWith, Vault, VaultError,
};

impl Vault {
    /// Shares a group of resources, and so everything that is in it now and later, with a user or
    /// a group of users; a share that is there already gets the new level.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::NotFound`] when there is no such group or nobody
    /// of that name; [`VaultError::Invalid`] when it has as many shares of groups as it may.
    pub async fn share_resource_group(
        &self,
        group: impl Into<ResourceGroupRef<'_>>,
        with: impl Into<GranteeName<'_>>,
        level: Level,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let (group, with) = (group.into(), with.into());
        let deed = Deed::new(Operation::Share).detail(format!(
            "resource group {}: {level} to {with}",
            group.words()
        ));
        self.primary_only(&deed, caller).await?;
        let group = self.administered_set(group, &deed, caller).await?;
        let holder = self.named_grantee(with, &deed, caller).await?;
        let theirs = self.sets_of(holder.grantee()).await?;
        let others = theirs.iter().filter(|(id, _)| *id != group.record.id);
        let most = usize::from(self.settings.load().sets_per_user);
        if others.count() >= most {
            let words =
                format!("at most {most} resource groups are shared with one (setting {PER_USER})");
            let answer = VaultError::Invalid(words);
            return Err(self
                .refuse(&deed, RefusalReason::Invalid, answer, caller)
                .await);
        }
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.depend_on(&group);
        match &holder {
            KeptGrantee::User(user) => changes.depend_on(user),
            KeptGrantee::Group(users) => changes.depend_on(users),
        }
        let held = (group.record.id, Some(level));
        self.hold_set(&mut changes, held, holder.grantee()).await?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// Takes a share of a group of resources back.
    ///
    /// # Errors
    /// As for [`Self::share_resource_group`]; [`VaultError::NotFound`] when there is no such
    /// share.
    pub async fn unshare_resource_group(
        &self,
        group: impl Into<ResourceGroupRef<'_>>,
        with: impl Into<GranteeName<'_>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let (group, with) = (group.into(), with.into());
        let deed = Deed::new(Operation::Unshare)
            .detail(format!("resource group {}: {with}", group.words()));
        self.primary_only(&deed, caller).await?;
        let group = self.administered_set(group, &deed, caller).await?.record;
        let holder = self.named_grantee(with, &deed, caller).await?.grantee();
        let theirs = self.sets_of(holder).await?;
        if !theirs.iter().any(|(id, _)| *id == group.id) {
            let answer = VaultError::NotFound("share");
            let why = RefusalReason::NoSuchThing;
            return Err(self.refuse(&deed, why, answer, caller).await);
        }
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        self.hold_set(&mut changes, (group.id, None), holder)
            .await?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// With whom a group of resources is shared.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn resource_group_shares(
        &self,
        group: impl Into<ResourceGroupRef<'_>>,
        caller: &Caller,
    ) -> Result<Vec<(SharedWith, Level)>, VaultError> {
        let group = group.into();
        let deed = Deed::new(Operation::List)
            .detail(format!("shares of resource group {}", group.words()));
        let group = self.administered_set(group, &deed, caller).await?.record;
        self.allow(&deed, caller).await?;
        let places = self.rows.places();
        let mut shares = Vec::new();
        for kept in self.rows.all::<Ids>(&places.holders(group.id)).await? {
            let level = kept.record.0.first().copied().and_then(level_of);
            let with = Grantee::of_number(last_number(&kept.key));
            let with = self.shared_with(group.org, with).await?;
            shares.extend(with.zip(level));
        }
        Ok(shares)
    }

    /// The groups of resources that are shared with somebody, and at what level.
    pub(super) async fn sets_of(
        &self,
        with: Grantee,
    ) -> Result<Vec<(ResourceGroupId, Level)>, VaultError> {
        let key = self.rows.places().sets_of(with);
        let kept = self.rows.get::<Ids>(key).await?;
        Ok(kept.map_or(Vec::new(), |kept| pairs(&kept.record)))
    }

    /// Takes all groups of resources that are shared with somebody away with it.
    pub(super) async fn clear_sets(
        &self,
        changes: &mut Changes<'_>,
        with: Grantee,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let Some(kept) = self.rows.get::<Ids>(places.sets_of(with)).await? else {
            return Ok(());
        };
        for (group, _) in pairs(&kept.record) {
            changes.clear(places.holder(group, with));
        }
        changes.remove(&kept);
        Ok(())
    }

    /// Adds to `changes` that somebody has a group at a level, or has it no more: both sides.
    pub(super) async fn hold_set(
        &self,
        changes: &mut Changes<'_>,
        (group, level): (ResourceGroupId, Option<Level>),
        with: Grantee,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let kept: Option<Kept<Ids>> = self.rows.get(places.sets_of(with)).await?;
        let mut theirs = kept.as_ref().map_or(Vec::new(), |kept| pairs(&kept.record));
        theirs.retain(|(id, _)| *id != group);
        theirs.extend(level.map(|level| (group, level)));
        let flat = theirs
            .iter()
            .flat_map(|(id, level)| [id.0, number_of(*level)]);
        match (&kept, theirs.is_empty()) {
            (Some(kept), true) => changes.remove(kept),
            (kept, _) => changes.set(places.sets_of(with), kept.as_ref(), &Ids(flat.collect()))?,
        }
        let holder = places.holder(group, with);
        let Some(level) = level else {
            changes.clear(holder);
            return Ok(());
        };
        let kept: Option<Kept<Ids>> = self.rows.get(holder.clone()).await?;
        Ok(changes.set(holder, kept.as_ref(), &Ids(vec![number_of(level)]))?)
    }

    /// How lists call somebody; nothing for what has no share of its own.
    pub(super) async fn shared_with(
        &self,
        org: OrgId,
        with: Grantee,
    ) -> Result<Option<SharedWith>, VaultError> {
        Ok(match with {
            Grantee::User(id) => Some(SharedWith::User(self.login_of(org, id).await?)),
            Grantee::Group(id) => Some(SharedWith::Group(self.group_name(org, id).await?)),
            Grantee::ResourceGroup(_) => None,
        })
    }
}

fn pairs(ids: &Ids) -> Vec<(ResourceGroupId, Level)> {
    let (pairs, _) = ids.0.as_chunks::<2>();
    let pair = |[id, level]: &[u64; 2]| Some((ResourceGroupId(*id), level_of(*level)?));
    pairs.iter().filter_map(pair).collect()
}

/// Levels as rows of numbers hold them.
fn number_of(level: Level) -> u64 {
    match level {
        Level::View => 1,
        Level::Modify => 2,
        Level::Manage => 3,
    }
}

fn level_of(number: u64) -> Option<Level> {
    [Level::View, Level::Modify, Level::Manage]
        .into_iter()
        .find(|level| number_of(*level) == number)
}

impl Settings {
    pub(super) fn set_view(&self) -> SettingView {
        SettingView {
            name: PER_USER,
            value: self.sets_per_user.to_string(),
            about: "how many resource groups may be shared with a user or a group: each costs two \
                    look-ups (1 to 100)",
        }
    }

    /// Sets it; `false` when `name` is another.
    pub(super) fn set_sets(&mut self, name: &str, value: &str) -> Result<bool, String> {
        if name == PER_USER {
            self.sets_per_user = number(name, value, 1..=100)?;
        }
        Ok(name == PER_USER)
    }
}

const PER_USER: &str = "resource-groups-per-user";
