//! On which share somebody stands: its own, one of a group that it is in, or one of a group of
//! resources that the resource is in.

use crate::domain::{
    AccountId, Grantee, GroupId, Level, OrgId, ResourceId, Share, Target, User, UserId,
};
use crate::store::Key;
use crate::store::rows::Ids;
use crate::vault::caller::Grant;
use crate::vault::{Caller, Vault, VaultError};

/// The share that lets somebody do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ground {
    /// What it allows.
    pub(super) level: Level,
    /// With whom it is shared: the user itself, a group that the user is in, or a group of
    /// resources.
    pub(super) with: Grantee,
    /// Who of the user and its groups has that.
    pub(super) by: Grantee,
    /// What is shared.
    pub(super) target: Target,
}

/// As whom somebody has shares.
#[derive(Clone, Copy, Debug)]
struct Guise {
    with: Grantee,
    by: Grantee,
    /// No share is worth more than this.
    most: Level,
}

impl Ground {
    /// What an application has by an API key, as if it were shared with its user.
    pub(super) fn of(grant: &Grant, user: UserId) -> Self {
        Self {
            level: grant.level,
            with: Grantee::User(user),
            by: Grantee::User(user),
            target: Target {
                resource: grant.resource,
                account: Some(grant.account),
            },
        }
    }
}

impl Vault {
    /// The widest share that a user has of a resource or one of its accounts, by itself or by a
    /// group; its own among equals. How many rows are looked for depends on the user alone: what
    /// is missing costs what is there.
    pub(super) async fn widest_share(
        &self,
        (org, user): (OrgId, UserId),
        resource: ResourceId,
        account: Option<AccountId>,
    ) -> Result<Option<Ground>, VaultError> {
        let mut widest: Option<Ground> = None;
        for Guise { with, by, most } in self.guises(org, user).await? {
            for account in [None].into_iter().chain(account.map(Some)) {
                let target = Target { resource, account };
                let Some(level) = self.share_level(target, with).await? else {
                    continue;
                };
                let level = level.min(most);
                if widest.is_none_or(|so_far| so_far.level < level) {
                    widest = Some(Ground {
                        level,
                        with,
                        by,
                        target,
                    });
                }
            }
        }
        Ok(widest)
    }

    /// With whom things are shared that are shared with a user: itself, each group that it is in,
    /// each group of resources that is shared with one of them.
    pub(super) async fn grantees(
        &self,
        org: OrgId,
        user: UserId,
    ) -> Result<Vec<Grantee>, VaultError> {
        let guises = self.guises(org, user).await?;
        Ok(guises.into_iter().map(|guise| guise.with).collect())
    }

    async fn guises(&self, org: OrgId, user: UserId) -> Result<Vec<Guise>, VaultError> {
        let mut holders = vec![Grantee::User(user)];
        for group in self.groups_of(org, user).await? {
            // One that is removed gives nothing, though its rows may still be there.
            if self.is_there(&self.rows.places().group(org, group)).await? {
                holders.push(Grantee::Group(group));
            }
        }
        let own = holders.iter().map(|with| Guise {
            with: *with,
            by: *with,
            most: Level::Manage,
        });
        let mut guises: Vec<Guise> = own.collect();
        for by in holders {
            for (group, most) in self.sets_of(by).await? {
                let place = self.rows.places().resource_group(org, group);
                if !self.is_there(&place).await? {
                    continue;
                }
                let with = Grantee::ResourceGroup(group);
                let guise = Guise { with, by, most };
                match guises.iter_mut().find(|known| known.with == with) {
                    Some(known) if known.most >= most => {}
                    Some(known) => *known = guise,
                    None => guises.push(guise),
                }
            }
        }
        Ok(guises)
    }

    /// Whether a user is in one of these groups, and that is there.
    pub(super) async fn is_in_one(
        &self,
        user: &User,
        groups: &[GroupId],
    ) -> Result<bool, VaultError> {
        if groups.is_empty() {
            return Ok(false);
        }
        for group in self.groups_of(user.org, user.id).await? {
            let place = self.rows.places().group(user.org, group);
            if groups.contains(&group) && self.is_there(&place).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn is_there(&self, key: &Key) -> Result<bool, VaultError> {
        Ok(self.rows.store().get(key).await?.is_some())
    }

    /// The groups that a user is in.
    pub(super) async fn groups_of(
        &self,
        org: OrgId,
        user: UserId,
    ) -> Result<Vec<GroupId>, VaultError> {
        let key = self.rows.places().groups_of(org, user);
        let kept = self.rows.get::<Ids>(key).await?;
        let ids = kept.map_or(Vec::new(), |kept| kept.record.0);
        Ok(ids.into_iter().map(GroupId).collect())
    }

    /// Whether `caller` has a share of anything on a resource.
    pub(super) async fn has_share_on(
        &self,
        resource: ResourceId,
        caller: &Caller,
    ) -> Result<bool, VaultError> {
        let Some(user) = caller.user() else {
            return Ok(false);
        };
        for with in self.grantees(caller.org(), user).await? {
            let within = self.rows.places().shares_by(with).number(resource.0);
            if !self.rows.page::<Ids>(&within, None, 1).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn share_level(
        &self,
        target: Target,
        with: Grantee,
    ) -> Result<Option<Level>, VaultError> {
        let key = self.rows.places().share(target, with);
        let kept = self.rows.seek::<Share>(key).await?;
        Ok(kept.map(|kept| kept.record.level))
    }
}
