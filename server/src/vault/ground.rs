//! On which share somebody stands: its own, or one of a group that it is in.

use crate::domain::{AccountId, Grantee, GroupId, Level, OrgId, ResourceId, Share, Target, UserId};
use crate::store::rows::Ids;
use crate::vault::{Caller, Vault, VaultError};

/// The share that lets somebody do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ground {
    /// What it allows.
    pub(super) level: Level,
    /// Who has it: the user itself, or a group that the user is in.
    pub(super) with: Grantee,
    /// What is shared.
    pub(super) target: Target,
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
        for with in self.grantees(org, user).await? {
            for account in [None].into_iter().chain(account.map(Some)) {
                let target = Target { resource, account };
                let Some(level) = self.share_level(target, with).await? else {
                    continue;
                };
                if widest.is_none_or(|so_far| so_far.level < level) {
                    widest = Some(Ground {
                        level,
                        with,
                        target,
                    });
                }
            }
        }
        Ok(widest)
    }

    /// As whom a user has shares: as itself, and as each group that it is in.
    pub(super) async fn grantees(
        &self,
        org: OrgId,
        user: UserId,
    ) -> Result<Vec<Grantee>, VaultError> {
        let groups = self.groups_of(org, user).await?;
        let groups = groups.into_iter().map(Grantee::Group);
        Ok([Grantee::User(user)].into_iter().chain(groups).collect())
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
